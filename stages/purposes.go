package stages

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/pipelines/conform/standard"
	"github.com/weir-cdp/weir/project"
)

// purposesFor lists the purposes that a statement by hand may name: those of the policy
// that rules. What only restricts may also name what the activations send for and what
// people have spoken of, and needs no policy: while no policy can be used, people still
// withdraw (invariant 7).
func (h *House) purposesFor(ctx context.Context, p *project.Project, does weir.Action, purpose string, now time.Time) ([]string, error) {
	gate, err := h.Ruling(ctx, p, now)
	var known []string
	if err == nil {
		known = slices.Clone(gate.Purposes())
	}
	if standard.Widens(does) || (err == nil && spokenOf(known, purpose)) {
		return known, err
	}
	if err != nil {
		h.Log.WarnContext(ctx, "no policy can be used: the purpose is held against activations and statements", "why", err)
	}
	for _, a := range p.Activations {
		known = append(known, a.Purpose)
	}
	if spokenOf(known, purpose) {
		return known, nil
	}
	said, err := h.purposesSaid(ctx)
	return append(known, said...), err
}

// purposesSaid lists what the statements of core.consents are about, sorted.
func (h *House) purposesSaid(ctx context.Context) ([]string, error) {
	snap, err := h.Lake.Current(ctx, consentsTable)
	if weir.CodeOf(err) == weir.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	files, err := h.Lake.Files(ctx, consentsTable, snap.ID)
	if err != nil {
		return nil, err
	}
	type row struct {
		ID      string `parquet:"consent_id"`
		Purpose string `parquet:"purpose"`
	}
	seen := map[string]bool{"": true}
	var out []string
	for r, err := range rowfile.Scan[row](ctx, h.store(), schema.Named(consentsTable), files) {
		if err != nil {
			return nil, err
		}
		if !seen[r.Purpose] {
			seen[r.Purpose] = true
			out = append(out, r.Purpose)
		}
	}
	slices.Sort(out)
	return out, nil
}

// spokenOf tells whether a purpose is one of those, or has one of them below it; none is.
func spokenOf(purposes []string, purpose string) bool {
	return purpose == "" || slices.Contains(useWords, purpose) ||
		slices.ContainsFunc(purposes, func(k string) bool { return k == purpose || strings.HasPrefix(k, purpose+".") })
}
