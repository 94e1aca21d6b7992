package train

import (
	"cmp"
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
	// Of answers that were held out, how many a model agrees with: one that was
	// trained without any answer, and one that had all the others. 0 where there
	// are too few answers to hold some out.
	HeldOut int `json:"held_out,omitempty"`
	Without int `json:"without,omitempty"`
	With    int `json:"with,omitempty"`
}

// fewestLabels is how many answers it takes to hold a third of them out.
const fewestLabels = 30

// Agreement counts the answers that a model gives too: at least its threshold
// where a person said the same, below it where not. Answers about records that
// are not among these are left out.
func Agreement(m *model.Model, records []weir.Record, labels []Label) (agree, of int) {
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
		if (m.Score(&x, &y) >= m.Threshold()) == l.Same {
			agree++
		}
	}
	return agree, of
}

// CheckLabels trains twice more, without a third of the labels and without any,
// and tells how far each agrees with the third that neither had. Below 30 labels,
// or where train uses none of them, it only counts.
func CheckLabels(s *Sample, def weir.IdentityDef, o Options, trained *model.Model) (*LabelCheck, error) {
	if len(s.Labels) == 0 {
		return nil, nil
	}
	_, known := Agreement(trained, s.Records, s.Labels)
	check := &LabelCheck{Given: known, Unknown: len(s.Labels) - known}
	if known < fewestLabels || trained.Trained.Labels == 0 {
		return check, nil
	}
	labels := slices.Clone(s.Labels)
	slices.SortFunc(labels, func(a, b Label) int {
		return cmp.Or(cmp.Compare(model.Hash(o.Seed, a.A+"\x00"+a.B), model.Hash(o.Seed, b.A+"\x00"+b.B)),
			strings.Compare(a.A, b.A), strings.Compare(a.B, b.B))
	})
	third := len(labels) / 3
	without, with := *s, *s
	without.Labels, with.Labels = nil, labels[third:]
	for _, arm := range []struct {
		sample *Sample
		agree  *int
	}{{&without, &check.Without}, {&with, &check.With}} {
		m, _, err := Train(arm.sample, def, o)
		if err != nil {
			return nil, err
		}
		*arm.agree, check.HeldOut = Agreement(m, s.Records, labels[:third])
	}
	return check, nil
}
