package train

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// LabelCheck says what people's answers did for a model. The figures of labels
// that a model was trained with flatter it; those held out do not.
type LabelCheck struct {
	Given   int `json:"given"`   // answers about records of the sample
	Unknown int `json:"unknown"` // answers about records that are gone
	// Every answer is held out once, with a third of the others. HeldOut counts them;
	// Without and With are of how many a model agrees: one trained without any answer,
	// and the one that had the other two thirds. 0 where there are too few answers.
	HeldOut int `json:"held_out,omitempty"`
	Without int `json:"without,omitempty"`
	With    int `json:"with,omitempty"`
	// How far the answers that were held out surprise each of the two: the mean of
	// -log2 of the probability that it gave to the answer, in bits.
	WithoutBits float64 `json:"without_bits,omitempty"`
	WithBits    float64 `json:"with_bits,omitempty"`
}

// fewestLabels is how many answers it takes to hold some of them out.
const fewestLabels = 30

// Agreement counts the answers that a model gives too: at least its threshold
// where a person said the same, below it where not. Answers about records that
// are not among these are left out.
func Agreement(m *model.Model, records []weir.Record, labels []Label) (agree, of int) {
	agree, of, _ = judge(m, records, labels)
	return agree, of
}

// judge is Agreement, with the sum of the bits by which the answers surprise.
func judge(m *model.Model, records []weir.Record, labels []Label) (agree, of int, bits float64) {
	at := map[string]*weir.Record{}
	for i := range records {
		at[records[i].ID] = &records[i]
	}
	for _, l := range labels {
		a, b := at[l.A], at[l.B]
		if a == nil || b == nil {
			continue
		}
		of++
		x, y := m.Prepare(a), m.Prepare(b)
		score := m.Score(&x, &y)
		if (score >= m.Threshold()) == l.Same {
			agree++
		}
		if l.Same {
			score = -score
		}
		bits += math.Log2(1 + math.Exp2(score))
	}
	return agree, of, bits
}

// folds is into how many parts the answers are cut, each held out once.
const folds = 3

// CheckLabels trains once without any label, and three times without a third of
// them, and tells how far each agrees with what it had not. Below 30 labels, or where
// training used none of them, it only counts.
func CheckLabels(s *Sample, def weir.IdentityDef, o Options, trained *model.Model) (*LabelCheck, error) {
	if len(s.Labels) == 0 {
		return nil, nil
	}
	at := map[string]bool{}
	for i := range s.Records {
		at[s.Records[i].ID] = true
	}
	known := slices.DeleteFunc(slices.Clone(s.Labels), func(l Label) bool { return !at[l.A] || !at[l.B] })
	check := &LabelCheck{Given: len(known), Unknown: len(s.Labels) - len(known)}
	if len(known) < fewestLabels || trained.Trained.Labels == 0 {
		return check, nil
	}
	slices.SortFunc(known, func(a, b Label) int {
		return cmp.Or(cmp.Compare(model.Hash(o.Seed, a.A+"\x00"+a.B), model.Hash(o.Seed, b.A+"\x00"+b.B)),
			strings.Compare(a.A, b.A), strings.Compare(a.B, b.B))
	})
	arm := func(labels, held []Label) (agree, of int, bits float64, err error) {
		sample := *s
		sample.Labels = labels
		m, _, err := Train(&sample, def, o)
		if err != nil {
			return 0, 0, 0, err
		}
		agree, of, bits = judge(m, s.Records, held)
		return agree, of, bits, nil
	}
	var err error
	if check.Without, check.HeldOut, check.WithoutBits, err = arm(nil, known); err != nil {
		return nil, err
	}
	for k := range folds {
		lo, hi := k*len(known)/folds, (k+1)*len(known)/folds
		agree, _, bits, err := arm(slices.Concat(known[:lo], known[hi:]), known[lo:hi])
		if err != nil {
			return nil, err
		}
		check.With += agree
		check.WithBits += bits
	}
	check.WithoutBits /= float64(check.HeldOut)
	check.WithBits /= float64(check.HeldOut)
	return check, nil
}
