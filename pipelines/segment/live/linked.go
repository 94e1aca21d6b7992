package live

import (
	"context"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
)

// Link says that a person belongs to an account.
type Link struct {
	Person  string `json:"person"`
	Account string `json:"account"`
}

// askers are those who ask about a profile, by the kind that it has.
type askers map[weir.Kind]map[string][]string

func askersOf(links []Link) askers {
	out := askers{weir.Person: {}, weir.Account: {}}
	done := make(map[Link]bool, len(links))
	for _, l := range links {
		if !done[l] {
			done[l] = true
			out[weir.Person][l.Person] = append(out[weir.Person][l.Person], l.Account)
			out[weir.Account][l.Account] = append(out[weir.Account][l.Account], l.Person)
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
	by, parts := askersOf(e.Links), make([]*relating, e.workers(src))
	for w := range parts {
		parts[w] = &relating{part: asked.newPart(), related: related, askers: by, found: map[string][]rule.Linked{}}
	}
	if err := e.share(ctx, src, asked.reads, func(w, _ int, b *Block) { parts[w].block(b) }); err != nil {
		return err
	}
	e.linked = parts[0].found
	for _, p := range parts[1:] {
		for id, found := range p.found {
			into, known := e.linked[id]
			if !known {
				e.linked[id] = found
				continue
			}
			for slot := range found {
				into[slot].All, into[slot].Fit = into[slot].All+found[slot].All, into[slot].Fit+found[slot].Fit
			}
		}
	}
	return nil
}

// relating is what one worker found about linked profiles.
type relating struct {
	*part
	related *tally.Related
	askers  askers
	found   map[string][]rule.Linked // by the profile that asks, then by slot
}

// block evaluates those of a block that somebody asks about.
func (p *relating) block(b *Block) {
	people, rows := p.people(b, func(id string, kind weir.Kind) bool { return len(p.askers[kind][id]) > 0 })
	if len(rows) == 0 {
		return
	}
	answers := p.related.Answers(p.cohort(people, b, rows).Outcome())
	for place, id := range people.IDs {
		for _, asks := range p.askers[people.Kinds[place]][id] {
			found := p.found[asks]
			if found == nil {
				found = make([]rule.Linked, len(answers))
				p.found[asks] = found
			}
			for slot, fits := range answers {
				if people.Kinds[place] != p.related.Kind(slot) {
					continue
				}
				found[slot].All++
				if fits == nil || fits.Has(place) {
					found[slot].Fit++
				}
			}
		}
	}
}

// giveLinked tells a cohort who is linked to its profiles.
func (e *evaluation) giveLinked(c *tally.Cohort, people *tally.Profiles) {
	if len(e.linked) == 0 {
		return
	}
	for place, id := range people.IDs {
		for slot, l := range e.linked[id] {
			c.Relate(place, slot, l)
		}
	}
}
