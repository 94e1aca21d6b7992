package propensity

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/score/feature"
)

// Example is a profile at the cut-off and what it did afterwards.
type Example struct {
	Profile string
	Raw     feature.Raw
	Did     bool
}

// Method chooses the model.
type Method string

// Auto takes the model that does better on the validation part, logistic
// regression if the trees don't do clearly better.
const (
	Auto           Method = "auto"
	LogisticMethod Method = "logistic"
	TreesMethod    Method = "trees"
)

// Model is a trained model.
type Model struct {
	Method   Method           `json:"method"`
	Encoder  *feature.Encoder `json:"encoder"`
	Logistic *Logistic        `json:"logistic,omitempty"`
	Trees    *Trees           `json:"trees,omitempty"`
}

// Probability that a profile does it.
func (m *Model) Probability(r feature.Raw) float64 {
	row := make([]float64, len(m.Encoder.Columns))
	m.Encoder.Row(r, row)
	return logistic(m.logOdds(row))
}

func (m *Model) logOdds(row []float64) float64 {
	if m.Trees != nil {
		return m.Trees.LogOdds(row)
	}
	return m.Logistic.LogOdds(row)
}

// Bounds of what is learned from.
const (
	maxExamples = 200_000
	fewest      = 25 // of each outcome, in the learning part; a third of it in the others
	heldOut     = 0.2
	validation  = 0.4 // lots below, and not held out, validate
)

// part is one part of the examples.
type part struct {
	examples []Example
	rows     [][]float64
	labels   []bool
}

func (p *part) encode(e *feature.Encoder) {
	raws := make([]feature.Raw, len(p.examples))
	p.labels = make([]bool, len(p.examples))
	for i, x := range p.examples {
		raws[i], p.labels[i] = x.Raw, x.Did
	}
	p.rows = e.Matrix(raws)
}

func (p *part) outcomes() (yes, no int) {
	for _, x := range p.examples {
		if x.Did {
			yes++
		} else {
			no++
		}
	}
	return yes, no
}

// Learn trains a model and says how good it is. Profiles must differ.
func Learn(s feature.Schema, examples []Example, method Method, seed uint64) (*Model, *Quality, error) {
	switch method {
	case Auto, LogisticMethod, TreesMethod:
	default:
		return nil, nil, weir.Errorf(weir.Invalid, "there is no method %q", method).Then("one of auto, logistic, trees")
	}
	learning, checking, testing := parts(examples, seed)
	for _, p := range []struct {
		part
		least int
	}{{learning, fewest}, {checking, fewest / 3}, {testing, fewest / 3}} {
		if yes, no := p.outcomes(); yes < p.least || no < p.least {
			all, none := (&part{examples: examples}).outcomes()
			return nil, nil, weir.Errorf(weir.Invalid, "too little to learn from: of %d profiles at the cut-off %d did it afterwards and %d did not",
				len(examples), all, none).Then("take a longer or later window, or more profiles; each outcome needs about 60")
		}
	}
	raws := make([]feature.Raw, len(learning.examples))
	for i, x := range learning.examples {
		raws[i] = x.Raw
	}
	m := &Model{Method: method, Encoder: feature.Fit(s, raws)}
	if len(m.Encoder.Columns) == 0 {
		return nil, nil, weir.Errorf(weir.Invalid, "all profiles have the same features").Then("name features that differ between profiles")
	}
	for _, p := range []*part{&learning, &checking, &testing} {
		p.encode(m.Encoder)
	}
	if err := m.fit(learning, checking); err != nil {
		return nil, nil, err
	}
	q := m.quality(testing, seed)
	q.Learned, q.Checked = len(learning.examples), len(checking.examples)
	return m, q, nil
}

// parts sorts the examples by profile, bounds them, and parts them by lot.
func parts(examples []Example, seed uint64) (learning, checking, testing part) {
	xs := slices.Clone(examples)
	slices.SortFunc(xs, func(a, b Example) int { return strings.Compare(a.Profile, b.Profile) })
	if len(xs) > maxExamples {
		slices.SortStableFunc(xs, func(a, b Example) int {
			return cmp.Compare(feature.Lot(seed+1, a.Profile), feature.Lot(seed+1, b.Profile))
		})
		xs = xs[:maxExamples]
		slices.SortFunc(xs, func(a, b Example) int { return strings.Compare(a.Profile, b.Profile) })
	}
	for _, x := range xs {
		p := &learning
		switch lot := feature.Lot(seed, x.Profile); {
		case lot < heldOut:
			p = &testing
		case lot < validation:
			p = &checking
		}
		p.examples = append(p.examples, x)
	}
	return learning, checking, testing
}

func (m *Model) fit(learning, checking part) error {
	var err error
	if m.Method != TreesMethod {
		if m.Logistic, err = fitLogistic(learning.rows, learning.labels); err != nil {
			return err
		}
	}
	if m.Method != LogisticMethod {
		m.Trees = fitTrees(learning.rows, learning.labels, checking.rows, checking.labels)
	}
	if m.Method != Auto {
		return nil
	}
	// The simpler model unless the other gains 0.5 % of the loss.
	if loss(m.Trees.LogOdds, checking) < 0.995*loss(m.Logistic.LogOdds, checking) {
		m.Method, m.Logistic = TreesMethod, nil
	} else {
		m.Method, m.Trees = LogisticMethod, nil
	}
	return nil
}

func loss(of func([]float64) float64, p part) float64 {
	odds := make([]float64, len(p.rows))
	for i, row := range p.rows {
		odds[i] = of(row)
	}
	return logLoss(odds, p.labels)
}

// entropy is the log-loss of who says the base rate of everybody.
func entropy(p float64) float64 {
	if p <= 0 || p >= 1 {
		return 0
	}
	return -p*math.Log(p) - (1-p)*math.Log(1-p)
}
