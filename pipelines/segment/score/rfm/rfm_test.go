package rfm_test

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/weir-cdp/weir/pipelines/segment/score/rfm"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// naive counts, for one customer, who is worse.
func naive(cs []rfm.Customer, c rfm.Customer, q int) rfm.Scores {
	var r, f, m int
	for _, o := range cs {
		if o.Recency > c.Recency {
			r++
		}
		if o.Frequency < c.Frequency {
			f++
		}
		if o.Money.Compare(c.Money) < 0 {
			m++
		}
	}
	n := len(cs)
	return rfm.Scores{R: 1 + q*r/n, F: 1 + q*f/n, M: 1 + q*m/n}
}

func TestScoresByCountingWhoIsWorse(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		q, spread := 2+rng.IntN(8), 1+rng.IntN(60) // few different values: many ties
		var cs []rfm.Customer
		for range 1 + rng.IntN(80) {
			cs = append(cs, rfm.Customer{Recency: int64(rng.IntN(spread)), Frequency: int64(1 + rng.IntN(spread)), Money: value.Whole(int64(rng.IntN(spread) - spread/3))})
		}
		var d, backwards rfm.Distribution
		for i, c := range cs {
			d.Add(c)
			backwards.Add(cs[len(cs)-1-i])
		}
		cuts, err := d.Cut(q)
		if err != nil {
			t.Fatal(err)
		}
		if other, _ := backwards.Cut(q); !reflect.DeepEqual(cuts, other) {
			t.Fatalf("in another order %+v, not %+v", other, cuts)
		}
		s, err := cuts.Scorer()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cs {
			if got, want := s.Score(c), naive(cs, c, q); got != want {
				t.Fatalf("%d quantiles, %+v of %v: %+v, want %+v", q, c, cs, got, want)
			}
		}
	}
}

func TestNobodyAndTooManyQuantiles(t *testing.T) {
	var d rfm.Distribution
	if _, err := d.Cut(5); err != nil {
		t.Error(err)
	}
	for _, q := range []int{-1, 0, 1, 10} {
		if _, err := d.Cut(q); err == nil {
			t.Errorf("%d quantiles are taken", q)
		}
	}
}

func TestDefaultCellsLeaveNobodyOut(t *testing.T) {
	seen := map[string]bool{}
	for r := 1; r <= 5; r++ {
		for f := 1; f <= 5; f++ {
			fits := 0
			for _, c := range rfm.DefaultCells() {
				if rfm.CellOf([]rfm.Cell{c}, rfm.Scores{R: r, F: f, M: 1}) != "" {
					fits++
					seen[c.Name] = true
				}
			}
			if fits != 1 {
				t.Errorf("r %d, f %d: in %d cells", r, f, fits)
			}
		}
	}
	if len(seen) != len(rfm.DefaultCells()) {
		t.Errorf("cells that hold nobody: %v", seen)
	}
	if got := rfm.CellOf([]rfm.Cell{{Name: "big", M: rfm.Range{From: 4, To: 5}}}, rfm.Scores{R: 1, F: 1, M: 3}); got != "" {
		t.Errorf("3 is in a cell of 4 to 5: %s", got)
	}
	if got := (rfm.Scores{R: 5, F: 4, M: 3}).Code(); got != "543" {
		t.Error(got)
	}
}
