package segment

import (
	"maps"
	"slices"
	"strings"

	"github.com/weir-cdp/weir/pipelines"
)

// This file finds the owners of events, some events at a time: a look-up waits for
// memory, and those of many events wait together.

// pendingEvents is of how many events owners are looked up at once.
const pendingEvents = 512

// pending are the identifiers of the events whose owners are not known yet.
type pending struct {
	counts     []bool // now, by event; else it is for the index alone
	ends       []int32
	candidates []candidate
	values     []byte
}

// candidate is an identifier of an event.
type candidate struct {
	kind        *kind
	from, to    int32 // of values
	where, what uint64
}

// kind is what is known of a kind of identifiers.
type kind struct {
	name string
	rank int
	hash [2]uint64
}

func (g *gathering) kind(name string) *kind {
	k := g.kinds[name]
	if k == nil {
		k = &kind{name: strings.Clone(name), rank: len(g.rank)}
		if r, ok := g.rank[name]; ok {
			k.rank = r
		}
		k.hash = g.owners.kindHash(name)
		g.kinds[k.name] = k
	}
	return k
}

// stronger says whether an identifier goes before another: of equally strong kinds, the
// first by the kind's and the value's bytes.
func (k *kind) stronger(value string, than *kind, its string) bool {
	if k.rank != than.rank {
		return k.rank < than.rank
	}
	if c := strings.Compare(k.name, than.name); c != 0 {
		return c < 0
	}
	return value < its
}

// candidate notes an identifier of the event that is being held.
func (p *pending) candidate(k *kind, value string) {
	if value == "" {
		return
	}
	from := int32(len(p.values))
	p.values = append(p.values, value...)
	p.candidates = append(p.candidates, candidate{kind: k, from: from, to: int32(len(p.values))})
}

// end ends the event.
func (p *pending) end(counts bool) {
	p.counts, p.ends = append(p.counts, counts), append(p.ends, int32(len(p.candidates)))
}

// value is valid until the pending events are resolved.
func (p *pending) value(c *candidate) string { return text(p.values[c.from:c.to]) }

// resolve finds the owners of the pending events, and holds those that have one.
func (g *gathering) resolve() error {
	p, h := &g.pending, g.held
	for i := range p.candidates {
		c := &p.candidates[i]
		c.where, c.what = g.owners.hash(c.kind.hash, p.value(c))
	}
	g.touched += g.owners.touch(p.candidates)
	from := int32(0)
	for i, end := range p.ends {
		to := g.ownerAmong(p.candidates[from:end])
		if to.place != 0 {
			if g.used != nil {
				if err := g.used(to); err != nil {
					return err
				}
			}
			h.send(i, to)
		} else if p.counts[i] && from < end {
			g.unowned++
		} else if p.counts[i] {
			g.unidentified++
		}
		from = end
	}
	h.settled()
	p.counts, p.ends, p.candidates, p.values = p.counts[:0], p.ends[:0], p.candidates[:0], p.values[:0]
	return nil
}

// ownerAmong returns the owner of the strongest identifier that has one.
func (g *gathering) ownerAmong(all []candidate) (best owner) {
	var strongest *candidate
	for i := range all {
		c := &all[i]
		if strongest != nil && !c.kind.stronger(g.pending.value(c), strongest.kind, g.pending.value(strongest)) {
			continue
		}
		if o := g.owners.at(c.where, c.what).owner; o.place != 0 {
			best, strongest = o, c
		} else if g.nobody != nil {
			g.nobody[identifierHash(c.kind.name, g.pending.value(c))] = true
		}
	}
	return best
}

// tellUnowned sends what led to nobody to the index.
func (g *gathering) tellUnowned() error {
	for _, h := range slices.Sorted(maps.Keys(g.nobody)) {
		to := int(uint64(h) % uint64(max(1, g.t.Spec().Partitions)))
		if err := pipelines.Emit(g.t, "compute:unowned", to, unownedRow{h}); err != nil {
			return err
		}
	}
	return nil
}
