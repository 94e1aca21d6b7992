package files_test

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/connectors/connectortest"
	"github.com/weir-cdp/weir/connectors/files"
)

// publicData is the folder of public data sets beside the repository.
func publicData(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("WEIR_TEST_DATA")
	if dir == "" {
		var err error
		if dir, err = filepath.Abs(filepath.Join("..", "..", "..", "shared", "data")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no public data: put it into ../shared/data beside the repository, or name its folder in WEIR_TEST_DATA")
	}
	return dir
}

// TestPublicData reads real CSV and compares every value with encoding/csv.
func TestPublicData(t *testing.T) {
	root := publicData(t)
	for _, pattern := range []string{"tx_uci_online_retail/by-day/*.csv", "id_splink/derived/*.csv"} {
		t.Run(filepath.Dir(pattern), func(t *testing.T) {
			paths, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
			if err != nil || len(paths) == 0 {
				t.Skipf("no files %s: put the public data beside the repository, or set WEIR_TEST_DATA", pattern)
			}
			src, err := files.Connector().OpenSource(t.Context(), connectors.Env{Dir: t.TempDir(), Name: "x"}, connectors.Settings{"path": root})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = src.Close() }()
			st := stream(t, setting{"path": pattern})
			plan, err := src.Plan(t.Context(), st, connectors.Prior{})
			if err != nil || len(plan.Splits) != len(paths) {
				t.Fatalf("%d splits for %d files, %v", len(plan.Splits), len(paths), err)
			}
			total := 0
			for _, split := range plan.Splits {
				c := &connectortest.Collector{T: t}
				if err := src.Read(t.Context(), st, plan, split, c); err != nil {
					t.Fatal(err)
				}
				total += len(c.Rows)
				compare(t, filepath.Join(root, filepath.FromSlash(split.Scope)), c)
			}
			t.Logf("%d rows of %d files", total, len(paths))
		})
	}
}

func compare(t *testing.T, path string, c *connectortest.Collector) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Rejected) > 0 || len(c.Rows) != len(all)-1 {
		t.Fatalf("%s: %d rows, want %d; rejected %v", path, len(c.Rows), len(all)-1, c.Rejected)
	}
	for i, row := range all[1:] {
		got := make([]string, len(row))
		for j, name := range all[0] {
			got[j] = c.Rows[i][name]
		}
		if !slices.Equal(got, row) {
			t.Fatalf("%s: %q, want %q", c.Origins[i], got, row)
		}
	}
}
