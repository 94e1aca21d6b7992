package train

import (
	"math"

	"github.com/weir-cdp/weir"
)

// trust is how many matches the sample without answers counts for beside them: what
// holds the model near the one that nobody taught. More answers than that count for
// as much as the sample.
const trust = 100

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

// learnLabels adds to what one pass expects of the matches what the answers say
// beyond it: of each answered pair, the levels as they are expected knowing the
// answer, less those expected without. That is the gradient of the chance of the
// answers, given the pairs; so it does not matter that review asks of uncertain
// pairs, which are like no others (multi-conditional learning: McCallum, Pal, Druck
// and Wang 2006). How sure the model is altogether is left to calibrate.
func (t *trainer) learnLabels(s *sums) {
	if len(t.labels) == 0 {
		return
	}
	offset := t.offset()
	matches := 0.0
	for k := range t.classes {
		if t.classes[k].Match {
			matches += s.class[k]
		}
	}
	weight := matches / float64(max(trust, len(t.labels)))
	var more sums
	for i := range t.labels {
		l := &t.labels[i]
		var p [8]float64
		sum := t.likelihoods(&l.seen, p[:])
		match := 0.0
		for k := range t.classes {
			if t.classes[k].Match {
				match += p[k]
			}
		}
		if match == 0 || sum == 0 {
			continue
		}
		beyond := -chance(log2odds(match/sum) + offset)
		if l.same {
			beyond++
		}
		for k := range t.classes {
			if !t.classes[k].Match {
				continue
			}
			for c := range t.cols {
				if v := l.seen.level[c]; v != missing {
					m, u := t.chances(c, &l.seen)
					t.share(v, k, c, m, u, weight*beyond*p[k]/match, &more)
				}
			}
		}
	}
	for c := range t.cols {
		for l := range t.cols[c].Levels {
			was := s.level[c][l]
			s.level[c][l] = max(was+more.level[c][l], was/4)
		}
	}
}

func chance(odds float64) float64 { return 1 / (1 + math.Exp2(-odds)) }

func log2odds(p float64) float64 {
	p = min(max(p, 1e-12), 1-1e-12)
	return math.Log2(p) - math.Log2(1-p)
}

// offset is by how much all scores would have to move to make the answers most
// likely, near nothing where there are few: a logistic regression with a slope of
// one, and a normal prior of two bits.
func (t *trainer) offset() float64 {
	odds := make([]float64, len(t.labels))
	for i := range t.labels {
		l := &t.labels[i]
		t.reprice(&l.pair, &l.seen)
		odds[i] = log2odds(t.posterior(&l.seen))
	}
	slope := func(b float64) float64 { // of the log likelihood, which is concave
		g := -b / 4
		for i := range odds {
			y := 0.0
			if t.labels[i].same {
				y = 1
			}
			g += math.Ln2 * (y - chance(odds[i]+b))
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
	return (lo + hi) / 2
}

// calibrate moves all scores by the offset, so that a probability is what the
// answers say it is. A threshold that somebody declared stays the probability that
// it is. The default goes with the scores as long as what is linked at it is rather
// the same than not: answers say which of the uncertain pairs are the same, and not
// that fewer should be linked.
func (t *trainer) calibrate(declared bool) {
	if len(t.labels) == 0 {
		return
	}
	b := t.offset()
	for k := range t.classes {
		if t.classes[k].Match {
			t.classes[k].Prior = min(t.classes[k].Prior*math.Exp2(b), 1)
		}
	}
	if !declared {
		t.content.Threshold = min(max(t.content.Threshold+b, 0), t.content.Threshold)
	}
}
