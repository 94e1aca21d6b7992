package stages

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"

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
	if x.compare != nil {
		return x.rehearsed(ctx, people, progress)
	}
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

// rehearsed is all where nothing is written, so that activations need no order among
// them: each processor has its own, while the next people are read.
func (x *deciding) rehearsed(ctx context.Context, people *audience, progress func(weir.Progress)) error {
	const peopleAtOnce = 256
	workers := min(runtime.GOMAXPROCS(0), len(x.activations))
	g, gctx := errgroup.WithContext(ctx)
	queues := make([]chan []*person, workers)
	for w := range queues {
		queues[w] = make(chan []*person, 2)
		part := *x
		part.activations, part.order, part.rows = nil, nil, 0
		for i := w; i < len(x.activations); i += workers {
			part.activations = append(part.activations, x.activations[i])
		}
		part.order = part.activations
		g.Go(func() error {
			for list := range queues[w] {
				for _, p := range list {
					if err := part.about(gctx, p, func(weir.Progress) {}); err != nil {
						return err
					}
				}
			}
			return part.end(gctx)
		})
	}
	g.Go(func() error {
		defer func() {
			for _, q := range queues {
				close(q)
			}
		}()
		var list []*person
		var seen int64
		hand := func() error {
			for _, q := range queues {
				select {
				case q <- list:
				case <-gctx.Done():
					return gctx.Err()
				}
			}
			seen += int64(len(list))
			list = nil
			progress(weir.Progress{Done: seen, Unit: "people"})
			return nil
		}
		for p, err := range people.people(gctx) {
			if err != nil {
				return err
			}
			if list = append(list, p); len(list) == peopleAtOnce {
				if err := hand(); err != nil {
					return err
				}
			}
		}
		return hand()
	})
	return g.Wait()
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
		state, held := p.state[a.def.Name]
		b := pending{member: member, prior: p.decided[a.def.Name], held: state, sent: p.sent}
		var addresses []consents.Address
		var ok bool
		if x.compare == nil {
			b.row, addresses, ok = compose(a.def, p)
		} else { // nothing will be sent of it
			b.row.Key, addresses = reaches(a.def, p)
			ok = b.row.Key != ""
		}
		if !ok {
			if member { // else merged away, or gone: its old key is removed
				a.keyless++
			}
			continue
		}
		b.fresh = !held && p.refused[a.def.Name] != [2]string{b.row.Key, b.row.Checksum}
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
		if (p.sent == nil || x.compare != nil) && len(a.block) == blockRows {
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
