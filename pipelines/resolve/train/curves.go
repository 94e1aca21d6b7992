package train

import (
	"cmp"
	"math"
	"slices"

	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// This file says how a trained model divides what it was trained on: how many
// pairs reach which score, and which records can't reach one.

// ScoreBin counts the pairs whose score, log2 odds, is in [From, From+binWidth).
// The outermost bins hold all beyond.
type ScoreBin struct {
	From    float64 `json:"from"`
	Pairs   float64 `json:"pairs"`   // that training looked at, those left out counted too
	Matches float64 `json:"matches"` // expected among them: the sum of their probabilities
}

// RecordBin counts the records whose own best possible score, that of a copy of
// themselves, is in [From, From+binWidth): below the threshold they can be linked
// to nothing (the unlinkables of Splink).
type RecordBin struct {
	From    float64 `json:"from"`
	Records int     `json:"records"`
}

// The bins of scores, in log2 odds.
const (
	binWidth  = 0.5
	binLowest = -30
	binMost   = 60
)

func binOf(score float64) int { return int(math.Floor(min(max(score, binLowest), binMost) / binWidth)) }

// odds is the log2 odds of a pair, as model.Model.Odds gives them.
func (t *trainer) odds(o *observed) (score, probability float64) {
	var p [8]float64
	sum := t.likelihoods(o, p[:])
	match := 0.0
	for k := range t.classes {
		if t.classes[k].Match {
			match += p[k]
		}
	}
	if sum == 0 {
		return math.Inf(-1), 0
	}
	return math.Log2(match) - math.Log2(sum-match), match / sum
}

// scores counts pairs by their score.
func (t *trainer) scores(s *seen) []ScoreBin {
	type scored struct{ score, probability float64 }
	of := make([]scored, len(s.of))
	t.parallel(len(s.of), func(i int) { of[i].score, of[i].probability = t.odds(&s.of[i]) })
	bins := map[int]*ScoreBin{}
	for i, x := range of { // in the order of the pairs: sums don't depend on the workers
		at := binOf(x.score)
		if bins[at] == nil {
			bins[at] = &ScoreBin{From: float64(at) * binWidth}
		}
		bins[at].Pairs += s.times[i]
		bins[at].Matches += s.times[i] * x.probability
	}
	out := make([]ScoreBin, 0, len(bins))
	for _, b := range bins {
		out = append(out, *b)
	}
	slices.SortFunc(out, func(a, b ScoreBin) int { return cmp.Compare(a.From, b.From) })
	return out
}

// unlinkables counts the sample's records by their own best score.
func (t *trainer) unlinkables(m *model.Model) []RecordBin {
	at := make([]int16, t.size)
	t.parallel(len(at), func(i int) { at[i] = int16(binOf(m.Score(&t.features[i], &t.features[i]))) })
	n := map[int16]int{}
	for _, b := range at {
		n[b]++
	}
	out := make([]RecordBin, 0, len(n))
	for b, k := range n {
		out = append(out, RecordBin{From: float64(b) * binWidth, Records: k})
	}
	slices.SortFunc(out, func(a, b RecordBin) int { return cmp.Compare(a.From, b.From) })
	return out
}
