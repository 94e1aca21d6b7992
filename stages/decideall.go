package stages

import (
	"context"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/policies/consents"
)

// all walks over the people once and decides each for every activation that
// they are a member of or were delivered to.
//
// Where there is contact pressure, what waits of all activations is decided at
// once, so that a person's deliveries are planned in the order of priority.
func (x *deciding) all(ctx context.Context, people *audience, progress func(weir.Progress)) error {
	for p, err := range people.people(ctx) {
		if err != nil {
			return err
		}
		if err := x.about(ctx, p, progress); err != nil {
			return err
		}
		if p.sent != nil && x.waiting >= 2*blockRows {
			x.waiting = 0
			if err := x.flushAll(ctx); err != nil {
				return err
			}
			progress(weir.Progress{Done: x.rows, Unit: "rows"})
		}
	}
	return x.end(ctx)
}

// about puts one person before the gate for all activations.
func (x *deciding) about(ctx context.Context, p *person, progress func(weir.Progress)) error {
	var portrait, shadowed *policies.Portrait // the same to all activations
	for _, a := range x.activations {
		member, looked, err := x.belongs(a, p)
		if err != nil {
			return err
		}
		if !looked {
			continue
		}
		state := p.state[a.def.Name]
		b := pending{member: member, prior: p.decided[a.def.Name], held: state, sent: p.sent}
		var addresses []consents.Address
		var ok bool
		if b.row, addresses, ok = compose(a.def, p); !ok {
			if member { // else merged away, or gone: its old key is removed
				a.keyless++
			}
			continue
		}
		b.refused = p.refused[a.def.Name]
		if a.decider == nil {
			x.rows++
			if err := x.standing(a, p, b.row, addresses, member || a.def.Mode == weir.Upsert); err != nil {
				return err
			}
			continue
		}
		if portrait == nil {
			portrait = a.decider.Portray(p.asked(nil))
		}
		b.candidate, b.shadow = a.decider.DescribeAs(portrait, addresses), a.shadow.describe(&shadowed, p, addresses)
		a.block = append(a.block, b)
		x.waiting++
		if p.sent == nil && len(a.block) == blockRows {
			x.waiting -= blockRows
			if err := x.flush(ctx, a); err != nil {
				return err
			}
			progress(weir.Progress{Done: x.rows, Unit: "rows", Note: a.def.Name})
		}
	}
	return nil
}

// end decides what is left, and completes each activation.
func (x *deciding) end(ctx context.Context) error {
	if err := x.flushAll(ctx); err != nil {
		return err
	}
	for _, a := range x.activations {
		if a.decider == nil {
			continue
		}
		if err := a.decider.Finish(ctx); err != nil {
			return err
		}
	}
	return nil
}
