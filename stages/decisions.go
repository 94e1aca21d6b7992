package stages

import (
	"context"
	"slices"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
	resolver "github.com/weir-cdp/weir/pipelines/resolve"
	"github.com/weir-cdp/weir/pipelines/resolve/decisions"
)

// This file is how people's decisions about identities reach resolve (invariant 5).

const decisionsTable = "identity.decisions"

// followsDecisions tells, in ops.runs, up to which decision the links follow: the
// moment of the last one.
const followsDecisions = "decisions"

// decided reads what people decided, the earliest first.
func (in *inputs) decided(ctx context.Context) ([]decisions.Decision, error) {
	rows := slices.Clone(in.extra)
	if in.pins[decisionsTable] != 0 {
		files, err := in.house.Lake.Files(ctx, decisionsTable, in.pins[decisionsTable])
		if err != nil {
			return nil, err
		}
		for row, err := range rowfile.Scan[weir.IdentityDecision](ctx, in.house.store(), schema.Named(decisionsTable), files) {
			if err != nil {
				return nil, err
			}
			rows = append(rows, row)
		}
	}
	return decisions.List(rows), nil
}

// known is up to when the current links follow decisions.
func (in *inputs) known(ctx context.Context) (time.Time, error) {
	last, _, err := in.house.last(ctx, weir.Resolve, "")
	if err != nil {
		return time.Time{}, err
	}
	at, _ := time.Parse(time.RFC3339Nano, last.Follows[followsDecisions]) // zero: no decision was known
	return at, nil
}

// settled turns decisions into what resolve takes, marking what is new since then.
func settled(list []decisions.Decision, since time.Time) (standing, ended []resolver.Decision) {
	together, apart := decisions.Settle(list)
	word := lastWords(list)
	tell := func(i int, d resolver.Decision) resolver.Decision {
		d.ID = list[i].ID
		if w := list[word[i]]; w.At.After(since) {
			d.New, d.By, d.Reason, d.Author = true, w.ID, w.Reason, w.Author
		}
		return d
	}
	for _, t := range together {
		standing = append(standing, tell(t.Decision, resolver.Decision{Together: t.Records}))
	}
	for _, a := range apart {
		standing = append(standing, tell(a.Decision, resolver.Decision{Stays: a.Stays, Moves: a.Moves}))
	}
	for i, d := range list {
		if !d.Gone {
			continue
		}
		e := tell(i, resolver.Decision{Together: d.Stays})
		if d.Change == weir.DecidedApart {
			e.Together, e.Stays, e.Moves = nil, d.Stays, d.Moves
		}
		if e.New && d.Change != weir.DecidedWithdrawn {
			ended = append(ended, e)
		}
	}
	return standing, ended
}

// lastWords says of each decision which one spoke last of it: itself, a
// withdrawal, or the withdrawal of a withdrawal.
func lastWords(list []decisions.Decision) []int {
	at := map[string]int{}
	out := make([]int, len(list))
	for i, d := range list {
		at[d.ID], out[i] = i, i
	}
	for i, d := range list { // later ones come later
		for n := 0; d.Change == weir.DecidedWithdrawn && n < len(list); n++ {
			target, known := at[d.Undoes]
			if !known {
				break
			}
			out[target] = max(out[target], i)
			d = list[target]
		}
	}
	return out
}

// bare leaves only what decides: two runs that differ in nothing else give the same.
func bare(all []resolver.Decision) []resolver.Decision {
	out := make([]resolver.Decision, len(all))
	for i, d := range all {
		out[i] = resolver.Decision{ID: d.ID, Together: d.Together, Stays: d.Stays, Moves: d.Moves}
	}
	return out
}
