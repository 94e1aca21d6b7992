package stages

import (
	"context"
	"errors"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/project"
)

// CheckQueries examines the queries of traits against the tables that are there,
// without asking them. A table that no run has written yet is a warning.
func (h *House) CheckQueries(ctx context.Context, p *project.Project) []Finding {
	var out []Finding
	for _, q := range queriesOf(p.Traits) {
		part := "trait " + q.Trait
		err := h.checkQuery(ctx, q)
		var refused *mistake
		switch {
		case err == nil:
			out = append(out, good(part, "its query can be asked"))
		case errors.As(err, &refused) && refused.early:
			out = append(out, Finding{Part: part, Status: Warn, What: refused.reason, Where: q.At, Next: "look at its name, or run the sources first"})
		default:
			out = append(out, wrong(part, err, q.At, "weir query helps to try it"))
		}
	}
	return out
}

func (h *House) checkQuery(ctx context.Context, q *weir.QueryDef) error {
	pins, err := h.Lake.Pins(ctx)
	if err != nil {
		return err
	}
	a := &answer{inputs: &inputs{house: h, pins: pins, run: weir.Run{Now: h.Clock()}}, query: q}
	sess, err := h.Analyst(ctx)
	if err != nil {
		return err
	}
	defer sess.Close()
	if err := a.attach(ctx, sess); err != nil {
		return err
	}
	if err := a.fits(ctx, sess); err != nil {
		return err
	}
	rows, err := sess.Query(ctx, a.statement()+" limit 0")
	if err != nil {
		return a.blame(err)
	}
	return rows.Close()
}
