package policies

import (
	"maps"
	"slices"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/internal/mint"
	"github.com/weir-cdp/weir/policies/permit"
)

// Delivery is what Admit needs of the moment and the destination.
type Delivery struct {
	Now       time.Time // of the sending, not of the run
	BatchRows int       // most rows of a batch; 0: 100
}

// Admit makes the batches of one delivery: rows that Recheck has passed, each
// batch of one consent class. Rows keep their order within a class; classes
// stand in the order of their first rows. A row that does not go is among the
// refused.
func Admit(c Checked, d Delivery, rows []permit.Row) ([]permit.Batch, []Refused) {
	var refused []Refused
	var order []string
	groups := map[string][]int{}
	for i := range rows {
		p, reason := c.admissible(&rows[i], d)
		if reason != "" {
			refused = append(refused, Refused{ProfileID: rows[i].ProfileID, DecisionID: rows[i].DecisionID, Row: i, Reasons: []string{reason}})
			continue
		}
		if groups[p.class] == nil {
			order = append(order, p.class)
		}
		groups[p.class] = append(groups[p.class], i)
	}
	var out []permit.Batch
	for _, class := range order {
		for chunk := range slices.Chunk(groups[class], size(d.BatchRows)) {
			out = append(out, c.batch(class, rows, chunk))
		}
	}
	return out, refused
}

// admissible finds a row's pass, or the reason why it has none.
func (c Checked) admissible(r *permit.Row, d Delivery) (pass, string) {
	p, ok := c.passed[r.ProfileID]
	switch {
	case r.Op == weir.Remove:
		return pass{}, UseRemovals
	case !ok || r.DecisionID == "" || r.DecisionID != p.decision.ID:
		return pass{}, NotDecided
	case r.Key == "":
		return pass{}, WithoutKey
	case d.Now.IsZero() || (!p.validUntil.IsZero() && !d.Now.Before(p.validUntil)):
		return pass{}, Ended
	}
	var demanded map[string]any
	if len(p.verdict.Obligations) > 0 {
		demanded = Obliged(c.q.Activation, p.verdict.Obligations, r.Key, r.ProfileID)
		if len(c.q.Unmet(p.verdict.Obligations)) > 0 || !keeps(r, demanded) {
			return pass{}, UnmetObligation
		}
	}
	for _, f := range r.Fields {
		// A field that the activation does not declare has categories that nobody
		// was asked about. What the policy itself demands has none.
		_, declared := c.q.Activation.Fields[f.Name]
		if _, due := demanded[f.Name]; !declared && !due {
			return pass{}, UndeclaredField
		}
	}
	return p, ""
}

func (c Checked) batch(class string, rows []permit.Row, chunk []int) permit.Batch {
	b := mint.Batched{Activation: c.q.Activation.Name, Run: c.q.Run, ClassID: class}
	admitted := make([]permit.Row, len(chunk))
	for i, n := range chunk {
		admitted[i] = rows[n]
		p := c.passed[rows[n].ProfileID]
		b.PolicyRevision, b.Obligations = p.revision, maps.Clone(p.verdict.Obligations)
		b.ValidUntil = soonest(b.ValidUntil, p.validUntil)
	}
	return mint.New(b, admitted)
}

// Removals makes the batches that remove rows from a destination. They ask no
// policy and need no gate, so that even a broken policy never keeps a person's
// data at a destination (invariant 7): the key alone goes, no fields.
func Removals(run weir.Run, activation string, batchRows int, rows []permit.Row) ([]permit.Batch, []Refused) {
	var refused []Refused
	var keyed []permit.Row
	for i, r := range rows {
		reason := ""
		switch {
		case r.Op != weir.Remove:
			reason = UseRemovals
		case r.Key == "":
			reason = WithoutKey
		}
		if reason != "" {
			refused = append(refused, Refused{ProfileID: r.ProfileID, Row: i, Reasons: []string{reason}})
			continue
		}
		keyed = append(keyed, permit.Row{Op: weir.Remove, Key: r.Key, ProfileID: r.ProfileID, IdempotencyKey: r.IdempotencyKey, Sequence: r.Sequence})
	}
	var out []permit.Batch
	for chunk := range slices.Chunk(keyed, size(batchRows)) {
		out = append(out, mint.New(mint.Batched{Activation: activation, Run: run}, slices.Clone(chunk)))
	}
	return out, refused
}

func size(n int) int {
	if n <= 0 {
		return 100
	}
	return n
}
