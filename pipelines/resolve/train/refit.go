package train

import (
	"math"

	"github.com/weir-cdp/weir"
)

// labelWeight is how many unlabelled pairs one answer counts for.
const labelWeight = 10

// labelled is a pair that a person judged.
type labelled struct {
	pair
	same bool
	seen observed
}

// label finds the records of the answers. Answers about records that are not in
// the sample are left out.
func (t *trainer) label(records []weir.Record, labels []Label) {
	if len(labels) == 0 {
		return
	}
	at := make(map[string]int32, len(records))
	for i := range records {
		at[records[i].ID] = int32(i)
	}
	for _, l := range labels {
		a, okA := at[l.A]
		b, okB := at[l.B]
		if !okA || !okB || a == b {
			continue
		}
		x := labelled{pair: pair{a: min(a, b), b: max(a, b)}, same: l.Same}
		t.observe(&x.pair, &x.seen)
		t.labels = append(t.labels, x)
	}
}

// learnLabels adds the answers to what one pass expects: their class is known.
func (t *trainer) learnLabels(s *sums) {
	for i := range t.labels {
		l := &t.labels[i]
		t.reprice(&l.pair, &l.seen)
		var p [8]float64
		t.likelihoods(&l.seen, p[:])
		sum := 0.0
		for k := range t.classes {
			if t.classes[k].Match != l.same {
				p[k] = 0
			}
			sum += p[k]
		}
		if sum == 0 {
			continue
		}
		for k := 1; k < len(t.classes); k++ {
			for c := range t.cols {
				if v := l.seen.level[c]; v != missing {
					m, u := t.chances(c, &l.seen)
					t.share(v, k, c, m, u, labelWeight*p[k]/sum, s)
				}
			}
		}
	}
}

// shift moves all scores by what makes the answers most likely, near nothing
// where there are few: a logistic regression with a slope of one, and a normal
// prior of two bits.
func (t *trainer) shift() {
	if len(t.labels) == 0 {
		return
	}
	odds := make([]float64, len(t.labels))
	for i := range t.labels {
		p := min(max(t.posterior(&t.labels[i].seen), 1e-12), 1-1e-12)
		odds[i] = math.Log2(p) - math.Log2(1-p)
	}
	slope := func(b float64) float64 { // of the log likelihood, which is concave
		g := -b / 4
		for i := range odds {
			y := 0.0
			if t.labels[i].same {
				y = 1
			}
			g += math.Ln2 * (y - 1/(1+math.Exp2(-(odds[i]+b))))
		}
		return g
	}
	const most = 6 // bits
	lo, hi := -float64(most), float64(most)
	for range 40 {
		if mid := (lo + hi) / 2; slope(mid) > 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
	b := (lo + hi) / 2
	for k := range t.classes {
		if t.classes[k].Match {
			t.classes[k].Prior = min(t.classes[k].Prior*math.Exp2(b), 1)
		}
	}
}
