package bed_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/weir-cdp/weir/test/bench/identity/bed"
)

// The model alone, nothing tuned: at least what an expert's configuration of
// Splink reached on each public set at the best of five thresholds. Column names
// that tell nothing, and other seeds, cost little.
func TestPublicSets(t *testing.T) {
	for _, c := range []struct {
		stem        string
		want, blind float64
		largest     int
	}{
		{"id_febrl/derived/febrl1", 0.999, 0.99, 2},
		{"id_febrl/derived/febrl3", 0.998, 0.99, 6},
		{"id_splink/derived/fake_1000", 0.931, 0.85, 9},
		{"id_splink/derived/historical_50k_dev30", 0.865, 0.75, 30},
		{"id_rldata/derived/RLdata500", 0.969, 0.9, 3},
	} {
		t.Run(filepath.Base(c.stem), func(t *testing.T) {
			s := load(t, c.stem)
			for seed := range uint64(3) {
				r, err := bed.Run(s, bed.Options{Threshold: bed.Default, Seed: seed})
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("seed %d: %s", seed, r)
				if r.F1 < c.want || r.Largest > c.largest {
					t.Errorf("seed %d: F1 %.4f, largest %d; want %.3f, %d", seed, r.F1, r.Largest, c.want, c.largest)
				}
			}
			r, err := bed.Run(s, bed.Options{Threshold: bed.Default, Blind: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("columns without names: %s", r)
			if r.F1 < c.blind {
				t.Errorf("columns without names: F1 %.4f, want %.3f", r.F1, c.blind)
			}
		})
	}
}

func load(t *testing.T, stem string) *bed.Set {
	t.Helper()
	dir := os.Getenv("WEIR_TEST_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "..", "shared", "data")
	}
	path := filepath.Join(dir, stem)
	if _, err := os.Stat(path + ".records.csv"); err != nil {
		t.Skipf("%s is not there: set WEIR_TEST_DATA to the folder of the public data sets", stem)
	}
	s, err := bed.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
