package live

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
)

// Link says that a person belongs to an account.
type Link struct{ Person, Account string }

// linked are links by numbers: there may be millions.
type linked struct {
	numbers map[weir.Kind]map[string]uint32
	asks    map[weir.Kind]*asking // by the kind that is asked about
	related *tally.Related
	counts  [][]rule.Linked // by slot of related, then by the number of who asks
}

// asking are those who ask about each profile of a kind: of number n those from
// first[n] to before first[n+1].
type asking struct{ first, who []uint32 }

func linkedBy(links []Link, related *tally.Related) *linked {
	people, accounts := make(map[string]uint32, len(links)), map[string]uint32{}
	pairs := make([]uint64, 0, len(links))
	for _, l := range links {
		pairs = append(pairs, uint64(number(people, l.Person))<<32|uint64(number(accounts, l.Account)))
	}
	out := &linked{numbers: map[weir.Kind]map[string]uint32{weir.Person: people, weir.Account: accounts}, asks: map[weir.Kind]*asking{}, related: related}
	kinds := related.Kinds()
	if kinds[weir.Person] {
		out.asks[weir.Person] = askingOf(pairs, len(people))
	}
	if kinds[weir.Account] {
		for i, p := range pairs {
			pairs[i] = p>>32 | p<<32
		}
		out.asks[weir.Account] = askingOf(pairs, len(accounts))
	}
	for slot := range related.Slots() {
		askers := accounts
		if related.Kind(slot) == weir.Account {
			askers = people
		}
		out.counts = append(out.counts, make([]rule.Linked, len(askers)))
	}
	return out
}

func number(of map[string]uint32, id string) uint32 {
	n, known := of[id]
	if !known {
		n = uint32(len(of))
		of[id] = n
	}
	return n
}

// askingOf sorts pairs of who is asked about and who asks, each once.
func askingOf(pairs []uint64, asked int) *asking {
	slices.Sort(pairs)
	a := &asking{first: make([]uint32, asked+1)}
	for i, p := range pairs {
		if i == 0 || p != pairs[i-1] {
			a.who = append(a.who, uint32(p))
			a.first[p>>32+1]++
		}
	}
	for n := range asked {
		a.first[n+1] += a.first[n]
	}
	return a
}

// of returns those who ask about a profile.
func (l *linked) of(id string, kind weir.Kind) []uint32 {
	a := l.asks[kind]
	if a == nil {
		return nil
	}
	n, known := l.numbers[kind][id]
	if !known {
		return nil
	}
	return a.who[a.first[n]:a.first[n+1]]
}

// told are the counts of one that asks, by slot; nil: nobody is linked to it.
func (l *linked) told(id string, kind weir.Kind) []rule.Linked {
	if l == nil {
		return nil
	}
	n, known := l.numbers[kind][id]
	if !known {
		return nil
	}
	out := make([]rule.Linked, len(l.counts))
	for slot, counts := range l.counts {
		if l.related.Kind(slot) != kind { // who asks is of the other kind
			out[slot] = counts[n]
		}
	}
	return out
}

// relate evaluates what the rules ask about linked profiles, over all blocks, and
// notes for each profile that asks how many there are and how many fit.
func (e *evaluation) relate(ctx context.Context, src Source) error {
	related := e.plan.Related()
	if related == nil || len(e.Links) == 0 {
		return nil
	}
	asked := &evaluation{Question: e.Question, plan: related.Plan, kinds: map[string]bool{}}
	asked.By, asked.Sample = nil, 0
	for kind := range related.Kinds() {
		asked.kinds[string(kind)] = true
	}
	asked.reads = readsOf(related.Definitions, related.Plan, nil)
	asked.look(src)
	asked.give(related.Definitions)
	e.linked = linkedBy(e.Links, related)
	part := asked.newPart() // it holds nothing of its own
	return e.share(ctx, src, asked.reads, func(_, _ int, b *Block) { e.linked.block(part, b) })
}

// block evaluates those of a block that somebody asks about.
func (l *linked) block(p *part, b *Block) {
	people, rows := p.people(b, func(id string, kind weir.Kind) bool { return len(l.of(id, kind)) > 0 })
	if len(rows) == 0 {
		return
	}
	answers := l.related.Answers(p.cohort(people, b, rows).Outcome())
	for place, id := range people.IDs {
		for slot, fits := range answers {
			if people.Kinds[place] != l.related.Kind(slot) {
				continue
			}
			fit := fits == nil || fits.Has(place)
			for _, asks := range l.of(id, people.Kinds[place]) {
				to := &l.counts[slot][asks]
				atomic.AddUint32(&to.All, 1)
				if fit {
					atomic.AddUint32(&to.Fit, 1)
				}
			}
		}
	}
}

// giveLinked tells a cohort who is linked to its profiles.
func (e *evaluation) giveLinked(c *tally.Cohort, people *tally.Profiles) {
	if e.linked == nil {
		return
	}
	for place, id := range people.IDs {
		for slot, n := range e.linked.told(id, people.Kinds[place]) {
			c.Relate(place, slot, n)
		}
	}
}
