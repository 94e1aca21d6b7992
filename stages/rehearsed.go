package stages

import (
	"context"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/policies/consents"
)

// This file asks a policy about everybody for all activations and counts its answers.
// Nothing is written, so nothing is made of a person but the facts; and of activations
// that are one question to the policy, the facts of a person are found and told apart
// once. A row then costs an entry in a count.

// rehearsing is a rehearsal of all activations, or of those of some questions.
type rehearsing struct {
	*deciding
	acts   []*rehearsed
	groups []*alike
	routes int // ways in which activations reach people
}

// rehearsed is one activation's part.
type rehearsed struct {
	*decidingFor
	number        int // among the project's activations
	route         int // activations of the same key and fields reach the same addresses
	group, member int
	found         map[finding]int64
	gain, lose    []someMove // the first
}

// someMove is one who gains or loses, and the decision in force.
type someMove struct {
	PolicyMove
	prior int32
}

// alike are the activations of one question, with the people that wait for an answer.
type alike struct {
	asks *policies.Alike
	rows []policies.Candidate
	wait []waiting
}

// waiting is one activation's row of a person.
type waiting struct {
	act   *rehearsed
	row   int32
	prior int32
	held  bool
	key   string
}

// finding is what rows of an activation have in common, and a count is told by.
type finding struct {
	now    *policies.Outcome
	places policies.List
	prior  int32 // as person.prior
	held   bool
}

// alikeRows is how many people a question is asked about at once.
const alikeRows = 4096

func (x *deciding) rehearsal() (*rehearsing, error) {
	r := &rehearsing{deciding: x}
	var deciders []*policies.Decider
	routes := map[string]int{}
	for i, a := range x.activations {
		deciders = append(deciders, a.decider)
		var refs []string
		for _, ref := range a.def.Fields {
			refs = append(refs, ref)
		}
		slices.Sort(refs)
		way := a.def.Key + "\x00" + strings.Join(slices.Compact(refs), "\x00")
		if _, known := routes[way]; !known {
			routes[way] = len(routes)
		}
		r.acts = append(r.acts, &rehearsed{decidingFor: a, number: i, route: routes[way], found: map[finding]int64{}})
	}
	r.routes = len(routes)
	groups, place, err := policies.Group(deciders)
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		r.groups = append(r.groups, &alike{asks: g})
	}
	for i, at := range place {
		r.acts[i].group, r.acts[i].member = at[0], at[1]
	}
	return r, nil
}

// all walks over the people once. The questions are shared out among the processors,
// which have the same people before them while the next are read.
func (r *rehearsing) all(ctx context.Context, people *audience, progress func(weir.Progress)) error {
	const peopleAtOnce = 256
	workers := max(1, min(runtime.GOMAXPROCS(0), len(r.groups)))
	g, gctx := errgroup.WithContext(ctx)
	queues := make([]chan []*person, workers)
	for w := range queues {
		queues[w] = make(chan []*person, 2)
		part := *r
		part.acts = slices.DeleteFunc(slices.Clone(r.acts), func(a *rehearsed) bool { return a.group%workers != w })
		g.Go(func() error { return part.about(gctx, queues[w]) })
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

// about puts people before the gate for the activations of this part.
func (r *rehearsing) about(ctx context.Context, queue <-chan []*person) error {
	if len(r.acts) == 0 { // there is nothing to ask
		for range queue { //nolint:revive // what is handed out has to be taken
		}
		return nil
	}
	w := &whereabouts{ways: make([]routed, r.routes)}
	for list := range queue {
		for _, p := range list {
			if err := r.person(ctx, p, w); err != nil {
				return err
			}
		}
	}
	seen := map[int]bool{}
	for _, a := range r.acts {
		if seen[a.group] {
			continue
		}
		seen[a.group] = true
		if err := r.ask(ctx, r.groups[a.group]); err != nil {
			return err
		}
		if err := r.groups[a.group].asks.Finish(ctx); err != nil {
			return err
		}
	}
	return nil
}

// whereabouts is what is found of one person, as it is asked for.
type whereabouts struct {
	portrait *policies.Portrait
	ways     []routed
	told     []telling
}

// routed is how activations of the same key and fields reach the person.
type routed struct {
	known     bool
	key       string
	addresses []consents.Address
}

// telling is that a group's block has the person under these addresses.
type telling struct {
	group     int
	addresses []consents.Address
	row       int32
}

// person puts one person before the gate.
func (r *rehearsing) person(ctx context.Context, p *person, w *whereabouts) error {
	w.portrait, w.told = nil, w.told[:0]
	clear(w.ways)
	for _, a := range r.acts {
		_, looked, err := r.belongs(a.decidingFor, p)
		if err != nil {
			return err
		}
		if !looked {
			continue
		}
		to := &w.ways[a.route]
		if !to.known {
			to.known = true
			to.key, to.addresses = reaches(a.def, p)
		}
		if to.key == "" {
			continue
		}
		g := r.groups[a.group]
		row := w.row(a.group, to.addresses)
		if row < 0 {
			if len(g.rows) >= alikeRows { // before the person's first row of the block
				if err := r.ask(ctx, g); err != nil {
					return err
				}
				w.forget(a.group)
			}
			if w.portrait == nil {
				w.portrait = g.asks.Decider().Portray(p.asked(nil))
			}
			row = int32(len(g.rows))
			g.rows = append(g.rows, g.asks.Decider().DescribeAs(w.portrait, to.addresses))
			w.told = append(w.told, telling{a.group, to.addresses, row})
		}
		_, held := p.state[a.def.Name]
		g.wait = append(g.wait, waiting{act: a, row: row, prior: p.prior[a.number], held: held, key: to.key})
	}
	return nil
}

// row finds the person in a group's block; -1 if they are not there.
func (w *whereabouts) row(group int, addresses []consents.Address) int32 {
	for _, t := range w.told {
		if t.group == group && slices.Equal(t.addresses, addresses) {
			return t.row
		}
	}
	return -1
}

// forget is that a group's block has gone.
func (w *whereabouts) forget(group int) {
	w.told = slices.DeleteFunc(w.told, func(t telling) bool { return t.group == group })
}

// ask decides a group's block and counts the answers.
func (r *rehearsing) ask(ctx context.Context, g *alike) error {
	if err := g.asks.Decide(ctx, g.rows); err != nil {
		return err
	}
	for i := range g.wait {
		b := &g.wait[i]
		c := &g.rows[b.row]
		now := g.asks.Outcome(b.act.member, int(b.row))
		b.act.found[finding{now, c.Subject.Jurisdictions, b.prior, b.held}]++
		if b.prior == unruled || now.Allow == allowedBefore(b.prior) {
			continue
		}
		moves, change := &b.act.lose, "lose"
		if now.Allow {
			moves, change = &b.act.gain, "gain"
		}
		if len(*moves) < examplesShown {
			*moves = append(*moves, someMove{PolicyMove{change, c.ProfileID, b.key, now.Reasons}, b.prior})
		}
	}
	g.rows, g.wait = g.rows[:0], g.wait[:0]
	return nil
}
