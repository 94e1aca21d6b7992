package stages

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/project"
)

// Redriven is the status of a rejected delivery that a person wants to be sent
// again.
const Redriven = "redriven"

// ActivationPreview is what the next run of an activation would send, as was
// decided last.
type ActivationPreview struct {
	Activation  string           `json:"activation"`
	Destination string           `json:"destination"`
	DecidedAt   time.Time        `json:"decided_at,omitzero"` // the now of that decision; zero: none yet
	Counts      map[string]int64 `json:"counts"`              // by operation: add, update, remove
	Held        int64            `json:"held"`                // rows that the destination has now
	Rejected    int64            `json:"rejected"`            // rows that it refused and that are not tried again by themselves
	// HeldBack are the members who are not sent, by reason, before any policy is
	// asked: activation.held_back says who.
	HeldBack map[string]int64 `json:"held_back"`
	Sample   []Planned        `json:"sample"`
	// PolicyChanged says that the project's policy is another than that decision's.
	PolicyChanged bool `json:"policy_changed,omitempty"`
	// Waits says that nothing goes before the destination that it was moved from
	// is empty.
	Waits bool `json:"waits,omitempty"`
}

// Planned is one row to be sent; the key is masked.
type Planned struct {
	Op        weir.Op  `json:"op"`
	ProfileID string   `json:"profile_id"`
	Key       string   `json:"key"`
	Fields    []string `json:"fields"` // their names
}

// PreviewActivation compares what was decided last with what the destination
// holds. sample bounds the rows shown of each operation.
func (h *House) PreviewActivation(ctx context.Context, p *project.Project, name string, sample int) (ActivationPreview, error) {
	v := ActivationPreview{Activation: name, Counts: map[string]int64{}, HeldBack: map[string]int64{}, Sample: []Planned{}}
	def, ok := p.Activation(name)
	if !ok {
		return v, noActivation(p, name)
	}
	v.Destination = def.Destination
	q, err := h.ask(ctx, append([]string{heldBackTable}, differenceTables...)...)
	if err != nil {
		return v, err
	}
	defer q.close()
	if last, ran, err := h.last(ctx, weir.Decide, ""); err != nil {
		return v, err
	} else if ran {
		v.DecidedAt = last.Now
	}
	if v.PolicyChanged, err = h.PolicyChanged(ctx, p); err != nil {
		return v, err
	}
	held, err := decoded[int64](ctx, q, "select count(*)::varchar from activation.state where activation = ?", name)
	if err != nil {
		return v, err
	}
	v.Held = held[0]
	back, err := decoded[struct {
		Reason string `json:"reason"`
		People int64  `json:"people"`
	}](ctx, q, "select "+fieldsJSON([2]string{"reason", "reason"}, [2]string{"people", "count(*)"})+" from activation.held_back where activation = ? group by reason", name)
	if err != nil {
		return v, err
	}
	for _, b := range back {
		v.HeldBack[b.Reason] = b.People
	}
	refused, err := q.rejected(ctx, name)
	if err != nil {
		return v, err
	}
	v.Rejected = int64(len(refused))
	all, err := (&activate{h}).comparisons(ctx, p, def.Destination, q.pins)
	if err != nil {
		return v, err
	}
	at := slices.IndexFunc(all, func(c comparison) bool { return c.Name == name && !c.Empty })
	if v.Waits = at < 0; v.Waits {
		return v, nil
	}
	run := weir.Run{Workspace: p.Name, Now: h.Clock()}
	err = h.changes(ctx, q.sess, run, all[at], q.pins, func(c change) error {
		if v.Counts[string(c.Op)]++; v.Counts[string(c.Op)] > int64(sample) {
			return nil
		}
		row, err := c.row(def.Fields)
		if err != nil {
			return err
		}
		planned := Planned{Op: c.Op, ProfileID: c.ProfileID, Key: Masked(c.Key), Fields: []string{}}
		for _, f := range row.Fields {
			planned.Fields = append(planned.Fields, f.Name)
		}
		v.Sample = append(v.Sample, planned)
		return nil
	})
	return v, err
}

// Masked hides an address but for what helps to recognise it.
func Masked(key string) string {
	local, domain, isEmail := strings.Cut(key, "@")
	if isEmail {
		key = local
		domain = "@" + domain
	}
	runes := []rune(key)
	if len(runes) > 1 {
		runes = runes[:1]
	}
	return string(runes) + "***" + domain
}

// rejected lists the deliveries of an activation whose profile's last word is a
// refusal.
func (q *asking) rejected(ctx context.Context, activation string) ([]weir.Delivery, error) {
	return list[weir.Delivery](ctx, q, "activation.deliveries", `where status = ? and delivery_id in (
		select delivery_id from activation.deliveries where activation = ?
		qualify row_number() over (partition by profile_id order by sequence desc, "at" desc, status) = 1 and status = ?)
		and activation = ? order by profile_id`, string(connectors.Rejected), activation, string(connectors.Rejected), activation)
}

// Redrive lets rejected deliveries of an activation be sent again by the next
// run, after somebody has mended what the destination refused: one delivery, or
// with "" all whose refusal is the last word. It returns those; NotFound: there
// are none.
func (h *House) Redrive(ctx context.Context, run weir.Run, activation, deliveryID string) ([]weir.Delivery, error) {
	q, err := h.ask(ctx, "activation.deliveries")
	if err != nil {
		return nil, err
	}
	rows, err := q.rejected(ctx, activation)
	q.close()
	if err != nil {
		return nil, err
	}
	if deliveryID != "" {
		rows = slices.DeleteFunc(rows, func(d weir.Delivery) bool { return d.ID != deliveryID })
	}
	if len(rows) == 0 {
		what := fmt.Sprintf("activation %s has no rejected delivery", activation)
		if deliveryID != "" {
			what += " " + deliveryID + " that is the last of its profile"
		}
		return nil, weir.Errorf(weir.NotFound, "%s", what).Then("weir query \"select * from activation.deliveries where status = 'rejected'\"")
	}
	for i := range rows {
		at := run.Now
		if !at.After(rows[i].At) { // a refusal of a run whose now was later than this one
			at = rows[i].At.Add(time.Microsecond)
		}
		rows[i].RunID, rows[i].Status, rows[i].Reply, rows[i].Attempts, rows[i].At = run.ID, Redriven, "", 0, at
	}
	return rows, h.record(ctx, run, rows)
}

// record appends rows to activation.deliveries as a run of each destination.
func (h *House) record(ctx context.Context, run weir.Run, rows []weir.Delivery) error {
	t, err := h.Lake.Ensure(ctx, schema.Named("activation.deliveries"))
	if err != nil {
		return err
	}
	w, err := rowfile.NewTableWriter[weir.Delivery](ctx, h.store(), t, "")
	if err != nil {
		return err
	}
	defer w.Abort()
	for _, r := range rows {
		if err := w.Write(r); err != nil {
			return err
		}
	}
	files, err := w.Close()
	if err != nil {
		return err
	}
	n := int64(len(rows))
	_, err = h.commit(ctx, result{Manifest: weir.Manifest{Run: run, Stage: weir.Activate,
		Tables: []weir.TableFiles{{Table: t.Name, Files: files}},
		Counts: map[string]int64{"redriven": n, "rows_in": n}}, Part: rows[0].Destination, StartedAt: h.Clock()})
	return err
}
