package segment

import (
	"context"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/segment/index"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
)

// This file sends the events of an increment to their profiles.

// freshOwners are the owners of the identifiers that new events carry, and what of
// them the index needs: by partition and place.
type freshOwners struct {
	*owners
	profiles [][]string
	hashes   [][]int64
}

// scatterNew sends new events on, and of the places that they name whose they are.
func (x *increment) scatterNew(ctx context.Context) error {
	f, err := pipelines.Shared(x.t, "fresh", func() (*freshOwners, error) { return x.readFresh(ctx) })
	if err != nil {
		return err
	}
	g := x.gathering(x.t, f.owners)
	g.nobody = map[int64]bool{}
	told := map[owner]bool{}
	g.used = func(to owner) error {
		if told[to] {
			return nil
		}
		told[to] = true
		row := rosterRow{Place: int32(to.place), Profile: f.profiles[to.partition][to.place-1], Hash: f.hashes[to.partition][to.place-1]}
		return pipelines.Emit(x.t, "compute:roster", int(to.partition), row)
	}
	if err := g.all(ctx, nil); err != nil {
		return err
	}
	return g.tellUnowned()
}

// readFresh finds the owners of what new events carry: first what that is, then one
// scan of the table.
func (x *increment) readFresh(ctx context.Context) (*freshOwners, error) {
	wanted := map[int64]bool{}
	for b, err := range pipelines.InputBatches(ctx, x.t, "core.events", []string{"identifiers"}) {
		if err != nil {
			return nil, err
		}
		m, err := mapColumn(b.Rows, "identifiers")
		if err != nil {
			return nil, err
		}
		for row := range int(b.Rows.NumRows()) {
			from, to := m.entries(row)
			for e := from; e < to; e++ {
				start, end := m.span(e)
				for v := start; v < end; v++ {
					wanted[identifierHash(m.keys.Value(e), m.item(v))] = true
				}
			}
		}
	}
	partitions := max(1, x.t.Spec().Partitions)
	f := &freshOwners{owners: newOwners(int64(len(wanted))), profiles: make([][]string, partitions), hashes: make([][]int64, partitions)}
	// Of two identifiers of one hash both are held: room for twice as many is there.
	err := eachOwner(pipelines.InputBatches(ctx, x.t, "identity.identifiers", ownerColumns), func(kind, value, profile string) error {
		h := identifierHash(kind, value)
		if !wanted[h] {
			return nil
		}
		p := pipelines.PartitionOf(profile, partitions)
		f.profiles[p], f.hashes[p] = append(f.profiles[p], strings.Clone(profile)), append(f.hashes[p], h)
		f.add(f.kindHash(kind), value, owner{uint32(p), uint32(len(f.profiles[p]))})
		return nil
	})
	return f, err
}

// checkOwners refuses the increment where an identifier leads elsewhere than before
// and events that are kept may have to follow it.
func (x *increment) checkOwners(ctx context.Context) error {
	moved := map[uint64]uint64{} // the owner's hash; 0: nobody
	read := func(files []weir.DataFile, do func(h, owner uint64)) error {
		for _, f := range files {
			err := eachOwner(pipelines.FileBatches(ctx, x.t, f, ownerColumns), func(kind, value, profile string) error {
				do(uint64(identifierHash(kind, value)), uint64(identifierHash("", profile)))
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
	if err := read(x.p.OwnersGone, func(h, owner uint64) { moved[h] = owner }); err != nil {
		return err
	}
	if err := read(x.p.OwnersAdded, func(h, owner uint64) {
		if before, known := moved[h]; known && before == owner {
			delete(moved, h)
		} else {
			moved[h] = owner
		}
	}); err != nil {
		return err
	}
	if len(moved) == 0 {
		return nil
	}
	for _, part := range x.from.Parts {
		for _, key := range part.Seen {
			data, err := x.left(ctx, key)
			if err != nil {
				return err
			}
			met := false
			if err := index.EachSeen(data, func(h uint64) {
				if _, is := moved[h]; is {
					met = true
				}
			}); err != nil {
				return x.refuse(refusedIndex, err)
			}
			if met {
				return x.refuse(refusedIdentifiers, nil)
			}
		}
	}
	return nil
}

// people compares the partition's profiles with those that the index has: now is in
// the order of ids, with the numbers that blocks of events know.
type people struct {
	was, now *index.People
	touched  []bool // of now
	gone     []string
	changed  bool // somebody is new, gone or another
}

func (x *increment) people(ctx context.Context, part *index.Part) (*people, error) {
	was := &index.People{}
	if part.People != "" {
		data, err := x.left(ctx, part.People)
		if err != nil {
			return nil, err
		}
		if was, err = index.Unmarshal(data); err != nil {
			return nil, x.refuse(refusedIndex, err)
		}
	}
	out := &people{was: was, now: was}
	if !x.p.Profiles {
		out.touched = make([]bool, len(was.IDs))
		return out, nil
	}
	p := &partition{setup: x.setup, t: x.t}
	if err := p.readProfiles(ctx); err != nil {
		return nil, err
	}
	out.compare(&p.profiles, x.names)
	if !out.changed {
		out.now = was
	}
	for i, is := range out.touched {
		if !is {
			continue
		}
		if _, missed := slices.BinarySearch(part.Absent, out.now.IDs[i]); missed {
			return nil, x.refuse(refusedProfile, nil) // with events that nobody had
		}
	}
	return out, nil
}

// compare finds out who is new, gone or another.
func (p *people) compare(now *tally.Profiles, names []string) {
	p.now = &index.People{Profiles: *now, Numbers: make([]uint32, len(now.IDs)), Next: p.was.Next}
	p.touched = make([]bool, len(now.IDs))
	old := 0
	for i, id := range now.IDs {
		for old < len(p.was.IDs) && p.was.IDs[old] < id {
			p.gone = append(p.gone, p.was.IDs[old])
			old++
		}
		if old == len(p.was.IDs) || p.was.IDs[old] != id {
			p.now.Numbers[i], p.touched[i] = p.now.Next, true
			p.now.Next++
			continue
		}
		p.now.Numbers[i] = p.was.Numbers[old]
		p.touched[i] = now.Kinds[i] != p.was.Kinds[old] || slices.ContainsFunc(names, func(name string) bool {
			return now.Text(i, name) != p.was.Text(old, name)
		})
		old++
	}
	p.gone = append(p.gone, p.was.IDs[old:]...)
	p.changed = len(p.gone) > 0 || slices.Contains(p.touched, true)
}
