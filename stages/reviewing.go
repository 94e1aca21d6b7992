package stages

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
	"github.com/weir-cdp/weir/pipelines/resolve/review"
	"github.com/weir-cdp/weir/project"
)

// ReviewPair is a pair about which a person's answer would tell much.
type ReviewPair struct {
	weir.Candidate
	Off    float64       `json:"off"` // log2 odds from the threshold
	Fields []ReviewField `json:"fields"`
}

// ReviewField is one attribute or identifier of both records.
type ReviewField struct {
	Name       string   `json:"name"`
	Identifier bool     `json:"identifier"`
	Left       string   `json:"left"`
	Right      string   `json:"right"`
	Same       bool     `json:"same"`
	Level      string   `json:"level,omitempty"`  // as the model compares it; "" where it does not
	Weight     *float64 `json:"weight,omitempty"` // that the level adds, in bits
}

// Review is what can be asked.
type Review struct {
	Pairs    []ReviewPair `json:"pairs"`
	Answered int          `json:"answered"` // pairs that people answered before
	Gone     int          `json:"gone"`     // answers about records that are no longer there
}

// ReviewPairs chooses uncertain pairs of the last run that nobody answered yet:
// near the threshold, and of many patterns of agreement. It reads personal data.
func (h *House) ReviewPairs(ctx context.Context, p *project.Project, kind weir.Kind, limit int) (Review, error) {
	out := Review{Pairs: []ReviewPair{}, Answered: len(p.Labels)}
	kinds, err := Modelled(p, kind)
	if err != nil {
		return out, err
	}
	q, err := h.ask(ctx, "identity.candidates", "identity.models", "core.records")
	if err != nil {
		return out, err
	}
	defer q.close()
	if out.Gone, err = q.gone(ctx, p.Labels); err != nil {
		return out, err
	}
	for _, k := range kinds {
		_, m, err := q.currentModel(ctx, k)
		if err != nil {
			return out, err
		}
		pairs, err := q.toReview(ctx, p, k, m, limit)
		if err != nil {
			return out, err
		}
		out.Pairs = append(out.Pairs, pairs...)
	}
	out.Pairs = out.Pairs[:min(limit, len(out.Pairs))]
	return out, nil
}

// gone counts the labels of which a record is no longer there.
func (q *asking) gone(ctx context.Context, labels []project.Label) (int, error) {
	ids := map[string]bool{}
	for _, l := range labels {
		ids[l.Left], ids[l.Right] = true, true
	}
	found, err := q.recordsByID(ctx, slices.Sorted(maps.Keys(ids)))
	if err != nil {
		return 0, err
	}
	for _, r := range found {
		delete(ids, r.ID)
	}
	n := 0
	for _, l := range labels {
		if ids[l.Left] || ids[l.Right] {
			n++
		}
	}
	return n, nil
}

// toReview chooses among one kind's candidates.
func (q *asking) toReview(ctx context.Context, p *project.Project, kind weir.Kind, m *model.Model, limit int) ([]ReviewPair, error) {
	all, err := list[weir.Candidate](ctx, q, "identity.candidates", "where kind = ? order by left_record_id, right_record_id", string(kind))
	if err != nil {
		return nil, err
	}
	answered := map[[2]string]bool{}
	ids := map[string]bool{}
	for _, l := range p.Labels {
		answered[[2]string{l.Left, l.Right}] = true
		ids[l.Left], ids[l.Right] = true, true
	}
	all = slices.DeleteFunc(all, func(c weir.Candidate) bool { return answered[[2]string{c.Left, c.Right}] })
	for _, c := range all {
		ids[c.Left], ids[c.Right] = true, true
	}
	usable, err := q.usable(ctx, p, kind, slices.Sorted(maps.Keys(ids)))
	if err != nil {
		return nil, err
	}
	at := map[string]*weir.Record{}
	for i := range usable {
		at[usable[i].ID] = &usable[i]
	}
	asked := map[string]int{}
	for _, l := range p.Labels {
		if a, b := at[l.Left], at[l.Right]; a != nil && b != nil {
			asked[pattern(m, a, b)]++
		}
	}
	pairs := make([]review.Pair, 0, len(all))
	all = slices.DeleteFunc(all, func(c weir.Candidate) bool { return at[c.Left] == nil || at[c.Right] == nil })
	for _, c := range all {
		pairs = append(pairs, review.Pair{Off: c.Weight - m.Threshold(), Pattern: pattern(m, at[c.Left], at[c.Right])})
	}
	out := []ReviewPair{}
	for _, i := range review.Order(pairs, asked, limit) {
		c := all[i]
		out = append(out, ReviewPair{Candidate: c, Off: pairs[i].Off, Fields: beside(m, at[c.Left], at[c.Right])})
	}
	return out, nil
}

// pattern is the levels that a pair shows.
func pattern(m *model.Model, a, b *weir.Record) string {
	x, y := m.Prepare(a), m.Prepare(b)
	var names []string
	for _, s := range m.Waterfall(&x, &y) {
		if s.Comparison != "dependence" {
			names = append(names, s.Level)
		}
	}
	return strings.Join(names, "|")
}

// beside puts the fields of two records beside each other: first those that the
// model compares, in its order.
func beside(m *model.Model, a, b *weir.Record) []ReviewField {
	x, y := m.Prepare(a), m.Prepare(b)
	steps := m.Waterfall(&x, &y) // the prior, then a step a column
	var out []ReviewField
	shown := map[string]bool{}
	field := func(name string, identifier bool) ReviewField {
		shown[name] = true
		f := ReviewField{Name: name, Identifier: identifier, Left: a.Attributes[name], Right: b.Attributes[name]}
		if identifier {
			f.Left, f.Right = strings.Join(a.Identifiers[name], ", "), strings.Join(b.Identifiers[name], ", ")
		}
		f.Same = f.Left == f.Right
		return f
	}
	for i, c := range m.Columns {
		f := field(c.Name, c.IsIdentifier)
		if s := steps[i+1]; s.Level != "missing" {
			f.Level, f.Weight = s.Level, &steps[i+1].Weight
		}
		if f.Left != "" || f.Right != "" {
			out = append(out, f)
		}
	}
	rest := map[string]bool{} // name to: an identifier
	for _, r := range []*weir.Record{a, b} {
		for name, v := range r.Attributes {
			if v != "" {
				rest[name] = false
			}
		}
		for name, vs := range r.Identifiers {
			if len(vs) > 0 {
				rest[name] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rest)) {
		if !shown[name] {
			out = append(out, field(name, rest[name]))
		}
	}
	return out
}
