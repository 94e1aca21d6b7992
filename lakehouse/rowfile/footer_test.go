package rowfile_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object/objecttest"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// Texts that outgrow their dictionary have pages of two encodings, which the library
// counts in the order of a map: the same rows have to give the same file all the same,
// held in memory or spilled.
func TestTheSameRowsGiveTheSameFile(t *testing.T) {
	store := objecttest.Open(t)
	table := schema.Named("core.traits")
	names := map[string]int{}
	for try := range 12 {
		w, err := rowfile.NewTableWriter[weir.TraitValue](t.Context(), store, table, "", rowfile.SpillBytes(int64(try%2)<<30))
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(3, 3))
		for i := range 60_000 {
			if err := w.Write(weir.TraitValue{ProfileID: fmt.Sprintf("p%07d", i), Trait: "t", Text: fmt.Sprintf("a text that is long enough, and its number is %d", r.IntN(1+i/2))}); err != nil {
				t.Fatal(err)
			}
		}
		files, err := w.Close()
		if err != nil || len(files) != 1 {
			t.Fatal(files, err)
		}
		names[files[0].Path]++
		n := 0
		for row, err := range rowfile.Scan[weir.TraitValue](t.Context(), store, table, files) {
			if err != nil || row.Text == "" {
				t.Fatal(row, err)
			}
			n++
		}
		if n != 60_000 {
			t.Fatalf("%d rows", n)
		}
	}
	if len(names) != 1 {
		t.Errorf("the same rows gave %d files: %v", len(names), names)
	}
}
