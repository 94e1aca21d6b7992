package btyd

import (
	"cmp"
	"math"
	"slices"

	"github.com/weir-cdp/weir"
)

// History is what the models need to know of a customer. The unit of time is the
// caller's, the same for all.
type History struct {
	Repeats float64 // x: purchases after the first, a whole number
	Last    float64 // t_x: age at the last purchase; 0 if there was one only
	Age     float64 // T: from the first purchase to the end of observation
}

// check says why a history cannot be one.
func (h History) check() error {
	switch {
	case !finite(h.Repeats, h.Last, h.Age):
		return weir.Errorf(weir.Invalid, "a customer's history holds a number that is not finite")
	case h.Repeats < 0 || h.Last < 0 || h.Age < 0 || h.Repeats != math.Floor(h.Repeats):
		return weir.Errorf(weir.Invalid, "a customer's history holds a number below 0, or repeats that are no whole number")
	case h.Last > h.Age:
		return weir.Errorf(weir.Invalid, "a customer's last purchase (%g) lies after the end of observation (%g)", h.Last, h.Age)
	case h.Repeats == 0 && h.Last != 0:
		return weir.Errorf(weir.Invalid, "a customer without repeats has a last repeat at %g", h.Last)
	}
	return nil
}

func finite(xs ...float64) bool {
	for _, x := range xs {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return false
		}
	}
	return true
}

// Counted is a history and how many customers have it.
type Counted struct {
	History
	Customers float64
}

// Group counts equal histories and puts them in order.
func Group(hs []Counted) []Counted {
	out := slices.Clone(hs)
	slices.SortFunc(out, func(a, b Counted) int {
		return cmp.Or(cmp.Compare(a.Repeats, b.Repeats), cmp.Compare(a.Last, b.Last), cmp.Compare(a.Age, b.Age), cmp.Compare(a.Customers, b.Customers))
	})
	n := 0
	for _, h := range out {
		if n > 0 && out[n-1].History == h.History {
			out[n-1].Customers += h.Customers
			continue
		}
		out[n] = h
		n++
	}
	return out[:n]
}
