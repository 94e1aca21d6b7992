package stages

import (
	"context"
	"runtime/debug"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/policies/permit"
	"github.com/weir-cdp/weir/project"
)

// deliverTimeout bounds one call of a destination that may hang.
const deliverTimeout = 60 * time.Second

// delivering is one run to one destination.
type delivering struct {
	*House
	sp      activateSpec
	j       journal
	p       *project.Project
	dest    connectors.Destination
	caps    connectors.Capabilities
	limit   *rate.Limiter
	gate    *policies.Gate
	noGate  error // why there is none
	classes map[string]weir.DecisionClass
	// stuck are the profiles of each activation whose removal did not go through:
	// nothing new is sent of them before the old key is gone.
	stuck map[[2]string]bool
	// arrived are the consents that came since the decision, as they were looked at last.
	arrived *arrivals
}

func (a *activate) delivering(ctx context.Context, sp activateSpec, j journal) (*delivering, error) {
	p, err := a.project(ctx, sp.Run.Project)
	if err != nil {
		return nil, err
	}
	def, ok := p.Destination(sp.Destination)
	if !ok {
		return nil, weir.Errorf(weir.NotFound, "there is no destination %q", sp.Destination)
	}
	d := &delivering{House: a.House, sp: sp, j: j, p: p, stuck: map[[2]string]bool{}}
	if d.dest, err = a.OpenDestination(ctx, p, def); err != nil {
		return nil, err
	}
	d.caps = d.dest.Capabilities()
	d.limit = rate.NewLimiter(rate.Inf, 1)
	if d.caps.RowsPerSec > 0 {
		d.limit = rate.NewLimiter(rate.Limit(d.caps.RowsPerSec), max(1, int(d.caps.RowsPerSec), d.caps.BatchRows, 100))
	}
	if d.gate, err = a.Enforced(ctx, p, sp.Run.Now); err == nil {
		d.classes, err = a.classesOf(ctx, sp)
	}
	// Even a broken policy must not keep a person's data at a destination
	// (invariant 7): the removals go, the rest waits.
	d.noGate = err
	return d, nil
}

// now is the time of the sending, however long ago the run was planned or due. A
// now that a person chose moves on with the clock.
func (d *delivering) now() time.Time {
	if d.sp.Run.Logical {
		return d.sp.Run.Now.Add(d.Clock().Sub(d.sp.PlannedAt))
	}
	if clock := d.Clock(); clock.After(d.sp.Run.Now) {
		return clock
	}
	return d.sp.Run.Now
}

// chunk delivers one row group of the plan, unless it already has outcomes.
func (d *delivering) chunk(ctx context.Context, n int) error {
	if known, done, err := d.j.outcomes(ctx, n); err != nil || done {
		d.remember(known)
		return err
	}
	changes, err := rowfile.ReadGroup[change](ctx, d.store(), d.sp.planKey(d.j), n)
	if err != nil {
		return err
	}
	first, err := d.j.start(ctx, n)
	if err != nil {
		return err
	}
	out := &outcomes{d: d, rows: make(map[string]*weir.Delivery, len(changes)), maybe: map[string]bool{}}
	var rows []permit.Row
	def, _ := d.p.Activation(d.sp.Chunks[n].Activation)
	for _, c := range changes {
		out.add(c)
		out.maybe[c.ID] = !first // an earlier attempt may have sent it before it broke off
		if d.stuck[[2]string{c.Activation, c.ProfileID}] && c.Op != weir.Remove {
			out.stop(c.ID, "the old key could not be removed yet")
			continue
		}
		r, err := c.row(def.Fields)
		if err != nil {
			return err
		}
		rows = append(rows, r)
	}
	if d.sp.Chunks[n].Removals {
		err = d.send(ctx, out, rows, func(rows []permit.Row, batch int) ([]permit.Batch, []policies.Refused, error) {
			batches, refused := policies.Removals(d.sp.Run, d.sp.Chunks[n].Activation, batch, rows)
			return batches, refused, nil
		}, nil)
	} else {
		err = d.upserts(ctx, out, d.sp.Chunks[n].Activation, changes, rows)
	}
	if err != nil {
		return err
	}
	all := out.all(changes)
	d.remember(all)
	return d.j.finish(ctx, n, all)
}

func (d *delivering) remember(known []weir.Delivery) {
	for _, k := range known {
		if k.Op == weir.Remove && k.Status != string(connectors.Delivered) {
			d.stuck[[2]string{k.Activation, k.ProfileID}] = true
		}
	}
}

// upserts rechecks decisions against consents that arrived since, and sends what
// the gate still admits. The recheck is made anew before every try.
func (d *delivering) upserts(ctx context.Context, out *outcomes, activation string, changes []change, rows []permit.Row) error {
	if unusable(d.noGate) && (d.gate == nil || weir.CodeOf(d.noGate) == weir.Invalid) {
		for _, r := range rows { // tried again by the next run, whose plan finds them still wanted
			out.stop(r.IdempotencyKey, "the policy can't be used: weir policy check")
		}
		return nil
	}
	if d.noGate != nil {
		return d.noGate
	}
	def, _ := d.p.Activation(activation)
	destination, _ := d.p.Destination(d.sp.Destination)
	decider, err := d.gate.Decider(policies.Question{Run: weir.Run{Workspace: d.sp.Run.Workspace, ID: d.sp.Run.ID, Now: d.now(), Project: d.sp.Run.Project},
		Activation: def, Destination: destination.Privacy, Subject: d.p.Subject, Controller: d.p.Controller, Carrier: carrier(d.dest)})
	if err != nil {
		return err
	}
	byID := map[string]change{}
	for _, c := range changes {
		byID[c.ID] = c
	}
	var seen int64 // the consents that the rows were last admitted with
	arrived := func(ctx context.Context) bool {
		now, err := d.consentsNow(ctx)
		return err != nil || now != seen // what can't be known is asked, and told, by the gate
	}
	return d.send(ctx, out, rows, func(rows []permit.Row, batch int) ([]permit.Batch, []policies.Refused, error) {
		if seen, err = d.consentsNow(ctx); err != nil {
			return nil, nil, err
		}
		decided := make([]policies.Decided, len(rows))
		for i, r := range rows {
			c := byID[r.IdempotencyKey]
			decided[i] = policies.Decided{Class: d.classes[c.ClassID], Decision: weir.Decision{ID: c.DecisionID, Activation: activation,
				ProfileID: c.ProfileID, ClassID: c.ClassID, Allow: true, At: c.DecidedAt, ValidUntil: c.ValidUntil}}
		}
		fresh, unknown, err := d.fresh(ctx, decider, def, rows, byID)
		if err != nil {
			return nil, nil, err
		}
		decided = slices.DeleteFunc(decided, func(x policies.Decided) bool { return unknown[x.Decision.ProfileID] })
		checked, refused, err := decider.Recheck(ctx, decided, fresh)
		if err != nil {
			return nil, nil, err
		}
		why := map[string][]string{}
		for _, r := range refused {
			why[r.ProfileID] = r.Reasons
		}
		batches, more := policies.Admit(checked, policies.Delivery{Now: d.now(), BatchRows: batch}, rows)
		for i := range more {
			if reasons, ok := why[more[i].ProfileID]; ok {
				more[i].Reasons = reasons
			}
		}
		return batches, more, nil
	}, arrived)
}

// consentsNow is the newest snapshot of core.consents, pinned or not; 0: there is none.
func (d *delivering) consentsNow(ctx context.Context) (int64, error) {
	snap, err := d.Lake.Current(ctx, consentsTable)
	if weir.CodeOf(err) == weir.NotFound {
		return 0, nil
	}
	return snap.ID, err
}

// fresh describes anew those in rows whom consent entries concern that arrived after
// those that the decision knew. unknown are such of whom nothing is known now, or other
// than is planned: their decision can't be confirmed.
func (d *delivering) fresh(ctx context.Context, decider *policies.Decider, def weir.ActivationDef, rows []permit.Row, planned map[string]change) (out []policies.Candidate, unknown map[string]bool, err error) {
	pins, err := d.Lake.Pins(ctx)
	if err != nil {
		return nil, nil, err
	}
	current, err := d.Lake.Current(ctx, "core.consents")
	if weir.CodeOf(err) == weir.NotFound {
		return nil, nil, nil
	}
	if err != nil || current.ID == d.sp.Consents {
		return nil, nil, err
	}
	whom, err := d.concerned(ctx, pins, current.ID, profilesOf(rows))
	if err != nil || len(whom) == 0 {
		return nil, nil, err
	}
	unknown = map[string]bool{}
	for _, id := range whom {
		unknown[id] = true
	}
	pins["core.consents"] = current.ID // even if its stage is not whole yet: it can only restrict here
	people, err := d.openAudienceOf(ctx, d.p, []weir.ActivationDef{def}, pins, d.sp.Run.Now, whom)
	if err != nil {
		return nil, nil, err
	}
	defer people.Close()
	asPlanned := make(map[string]change, len(rows))
	for _, r := range rows {
		asPlanned[r.ProfileID] = planned[r.IdempotencyKey]
	}
	for p, err := range people.people(ctx) {
		if err != nil {
			return nil, nil, err
		}
		// What is judged must be what is sent: somebody whose address or values have
		// changed waits for the next run's plan.
		was := asPlanned[p.profile]
		row, addresses, ok := compose(def, p)
		if !ok {
			continue
		}
		if row, err = underClass(def, row, d.classes[was.ClassID]); err != nil {
			return nil, nil, err
		}
		if row.Key == was.Key && row.Checksum == was.Checksum {
			out = append(out, decider.Describe(p.asked(addresses)))
			delete(unknown, p.profile)
		}
	}
	return out, unknown, nil
}

func profilesOf(rows []permit.Row) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = r.ProfileID
	}
	return out
}

// sendAll sends batches, as many at once as the destination takes, and gives
// back the rows to try again and how long to wait at least, and those that did not go
// since consents arrived.
func (d *delivering) sendAll(ctx context.Context, out *outcomes, batches []permit.Batch, arrived func(context.Context) bool) (again, overtaken []permit.Row, wait time.Duration, failed error) {
	results := make([]sent, len(batches))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, d.caps.Parallel))
	for i, b := range batches {
		g.Go(func() error {
			results[i] = d.one(gctx, b, arrived)
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return nil, nil, 0, err
	}
	for i, r := range results {
		if r.overtaken {
			overtaken = append(overtaken, batches[i].Rows()...)
			continue
		}
		if r.err != nil {
			failed = r.err
		}
		for n, row := range batches[i].Rows() {
			if r.ended {
				out.stop(row.IdempotencyKey, "gate: ["+policies.Ended+"]")
				continue
			}
			if r.err != nil {
				out.unsure(row.IdempotencyKey)
				again = append(again, row)
				continue
			}
			o := r.outcomes[n]
			out.set(row.IdempotencyKey, o)
			if o.Status == connectors.Retry {
				again, wait = append(again, row), max(wait, o.RetryAfter)
			}
		}
	}
	return again, overtaken, wait, failed
}

type sent struct {
	outcomes  []connectors.Outcome
	overtaken bool // it did not go: consents arrived
	ended     bool // the permit ended before its turn: nothing was sent
	err       error
}

func (d *delivering) one(ctx context.Context, b permit.Batch, arrived func(context.Context) bool) sent {
	if err := d.limit.WaitN(ctx, min(b.Len(), d.limit.Burst())); err != nil {
		return sent{err: err}
	}
	if end := b.ValidUntil(); !end.IsZero() && !d.now().Before(end) {
		return sent{ended: true}
	}
	if arrived != nil && arrived(ctx) {
		return sent{overtaken: true}
	}
	ctx, cancel := context.WithTimeout(ctx, deliverTimeout)
	defer cancel()
	outs, err := d.deliver(ctx, b)
	if err == nil && len(outs) != b.Len() {
		err = weir.Errorf(weir.Internal, "destination %s answered %d outcomes for %d rows", d.sp.Destination, len(outs), b.Len())
	}
	return sent{outcomes: outs, err: err}
}

// deliver lets the connector deliver. Its panic counts as an error of which nothing
// is known.
func (d *delivering) deliver(ctx context.Context, b permit.Batch) (outs []connectors.Outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			d.Log.ErrorContext(ctx, "a connector panicked", "destination", d.sp.Destination, "stack", string(debug.Stack()))
			err = weir.Errorf(weir.Internal, "a defect of the connector stopped the delivery").Then("see the log of the worker, and report it")
		}
	}()
	return d.dest.Deliver(ctx, b)
}

// finish lets a destination that publishes at the end do so.
func (d *delivering) finish(ctx context.Context) error {
	f, ok := d.dest.(connectors.Finisher)
	if !ok {
		return nil
	}
	done := map[string]bool{}
	for _, c := range d.sp.Chunks {
		if !done[c.Activation] {
			done[c.Activation] = true
			if err := f.Finish(ctx, c.Activation, d.sp.Run); err != nil {
				return err
			}
		}
	}
	return d.j.mark(ctx, publishedMark)
}
