package tally_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
)

// relatedHolds: the oracle looks at one linked profile after the other.
func (w world) relatedHolds(r weir.Related) bool {
	all, fit := 0, 0
	for _, p := range w.linked {
		if p.profile.Kind != r.Kind {
			continue
		}
		all++
		theirs := w
		theirs.profile, theirs.events, theirs.linked = p.profile, p.events, nil
		if r.Where == nil || theirs.holds(*r.Where) {
			fit++
		}
	}
	switch r.How {
	case "any":
		return fit >= 1
	case "all":
		return all >= 1 && fit == all
	case "none":
		return fit < 1
	}
	for _, c := range r.Count {
		n := strconv.Itoa(fit)
		if !naiveCompare(thing{num: rat(n)}, c, true, w.now, w.zone) {
			return false
		}
	}
	return true
}

// pair is a row of identity.accounts.
type pair struct{ person, account int }

// society draws people, accounts and others, and who belongs where; a link may be
// there twice, and lead to nobody.
func (g gen) society() (people []person, links []pair) {
	for i := range 7 {
		p := person{profile: g.profile()}
		p.profile.ID = fmt.Sprintf("p%d", i)
		p.profile.Kind = pick(g, []weir.Kind{weir.Person, weir.Person, weir.Person, weir.Account, weir.Account, weir.Anonymous})
		for j := range g.IntN(6) {
			e := g.event(j)
			e.ID = fmt.Sprint(p.profile.ID, e.ID)
			p.events = append(p.events, e)
		}
		people = append(people, p)
	}
	for range g.IntN(40) { // those that lead from no person, or to no account, are none
		links = append(links, pair{g.IntN(len(people) + 1), g.IntN(len(people) + 1)})
	}
	return people, links
}

// linkedTo lists whom a profile is linked to, each once.
func linkedTo(people []person, links []pair, i int) (out []person) {
	seen := map[int]bool{}
	for _, l := range links {
		if l.person >= len(people) || l.account >= len(people) || people[l.person].profile.Kind != weir.Person || people[l.account].profile.Kind != weir.Account {
			continue
		}
		other := -1
		switch i {
		case l.person:
			other = l.account
		case l.account:
			other = l.person
		}
		if other >= 0 && !seen[other] {
			seen[other] = true
			out = append(out, people[other])
		}
	}
	return out
}

// aloneWith evaluates one profile, and those that it is linked to, one by one.
func aloneWith(plan *tally.Plan, p person, linked []person, now time.Time) tally.Outcome {
	state := plan.NewState()
	for i := range p.events {
		e := plan.Event(&p.events[i])
		plan.Add(state, &e, now)
	}
	if related := plan.Related(); related != nil {
		for _, o := range linked {
			theirs := related.NewState()
			for i := range o.events {
				e := related.Event(&o.events[i])
				related.Add(theirs, &e, now)
			}
			subject, _ := related.Subject(&o.profile, theirs, now)
			for slot := range related.Slots() {
				if o.profile.Kind != related.Kind(slot) {
					continue
				}
				l := rule.Linked{All: 1}
				if related.Fits(slot, &subject) {
					l.Fit = 1
				}
				plan.Relate(state, slot, l)
			}
		}
	}
	return plan.Outcome(&p.profile, state, now)
}

// asCohorts evaluates all as one cohort, after those who are asked about as another.
func asCohorts(plan *tally.Plan, people []person, links []pair, now time.Time, order func(n int) []int) []tally.Outcome {
	c := cohort(plan, people, now, order)
	if related := plan.Related(); related != nil {
		answers := related.Answers(cohort(related.Plan, people, now, order).Outcome())
		for i := range people {
			for _, o := range linkedTo(people, links, i) {
				at := slices.IndexFunc(people, func(p person) bool { return p.profile.ID == o.profile.ID })
				for slot, fits := range answers {
					if o.profile.Kind != related.Kind(slot) {
						continue
					}
					l := rule.Linked{All: 1}
					if fits == nil || fits.Has(at) {
						l.Fit = 1
					}
					c.Relate(i, slot, l)
				}
			}
		}
	}
	return outcomes(people, c.Outcome())
}

// seeded is a condition whose random shares go by a name.
func seeded(c weir.Condition, name string) weir.Condition {
	return c.Each(func(one *weir.Condition) {
		if one.Random != nil && one.Random.Seed == "" {
			share := *one.Random
			share.Seed = name
			one.Random = &share
		}
	})
}

// asking draws a rule of a kind with questions about the other; plain are segments
// without such, by kind.
func (g gen) asking(depth int, kind weir.Kind, traits map[weir.Kind][]weir.TraitDef, plain map[weir.Kind][]string, before []string) weir.Condition {
	if depth > 0 && g.IntN(2) == 0 {
		list := []weir.Condition{g.asking(depth-1, kind, traits, plain, before), g.asking(depth-1, kind, traits, plain, before)}
		return pick(g, []weir.Condition{{All: list}, {Any: list}, {None: list}})
	}
	if g.IntN(5) == 0 {
		return g.condition(1, traits[kind], before...)
	}
	r := &weir.Related{Kind: weir.Account, How: pick(g, []string{"any", "all", "none", ""})}
	if kind == weir.Account {
		r.Kind = weir.Person
	}
	if r.How == "" {
		r.Count = []weir.Comparison{compare(pick(g, []string{"at_least", "at_most", "is"}), strconv.Itoa(g.IntN(3)))}
	}
	if g.IntN(8) > 0 {
		where := g.condition(1+g.IntN(2), traits[r.Kind], plain[r.Kind]...)
		if g.IntN(6) == 0 {
			where = weir.Condition{Random: &weir.Random{To: "50"}} // by the name of the segment that asks
		}
		r.Where = &where
	}
	return weir.Condition{Related: r}
}

// TestRelatedAgainstOracle compares what rules say of linked profiles, one by one and
// as a cohort, with the oracle.
func TestRelatedAgainstOracle(t *testing.T) {
	const cases = 30_000
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Skipf("no time zones on this machine, install tzdata: %v", err)
	}
	g := gen{rand.New(rand.NewPCG(4, 11)), nows[0]}
	done, matched, linked := 0, 0, 0
	for done < cases {
		g.now = pick(g, nows)
		people, links := g.society()
		d := tally.Definitions{AttributeTypes: caseTypes, Timezone: "Europe/Paris"}
		w := world{traits: map[string]weir.TraitDef{}, rules: map[string]weir.SegmentDef{}, types: caseTypes, now: g.now, zone: zone}
		traits, plain, before := map[weir.Kind][]weir.TraitDef{}, map[weir.Kind][]string{}, map[weir.Kind][]string{}
		for _, kind := range []weir.Kind{weir.Person, weir.Account} {
			def := weir.TraitDef{Name: "t_" + string(kind), Of: kind, Aggregate: "last", Field: "properties.category", Event: pick(g, names)}
			d.Traits, w.traits[def.Name], traits[kind] = append(d.Traits, def), def, []weir.TraitDef{def}
		}
		for i := range 8 {
			kind := []weir.Kind{weir.Person, weir.Account}[i%2]
			s := weir.SegmentDef{Name: fmt.Sprintf("s%d", i), Of: kind}
			if i < 4 {
				s.Where = g.condition(2, traits[kind], plain[kind]...)
				plain[kind] = append(plain[kind], s.Name)
			} else {
				s.Where = g.asking(2, kind, traits, plain, before[kind])
			}
			before[kind] = append(before[kind], s.Name)
			d.Segments = append(d.Segments, s)
			s.Where = seeded(s.Where, s.Name)
			w.rules[s.Name] = s
		}
		g.Shuffle(len(d.Segments), func(i, j int) { d.Segments[i], d.Segments[j] = d.Segments[j], d.Segments[i] })
		plan, broken, err := tally.New(d)
		if err != nil {
			t.Fatal(err)
		}
		wrong := map[string]bool{}
		for _, b := range broken {
			wrong[b.Name] = true
		}
		together := asCohorts(plan, people, links, w.now, g.Perm)
		for i, p := range people {
			w.profile, w.events, w.linked = p.profile, p.events, linkedTo(people, links, i)
			alone := aloneWith(plan, p, w.linked, w.now)
			linked += len(w.linked)
			for _, s := range d.Segments {
				if wrong[s.Name] || p.profile.Kind != s.Of {
					continue
				}
				done++
				want := w.holds(w.rules[s.Name].Where)
				if got := slices.Contains(alone.Segments, s.Name); got != want {
					t.Fatalf("%s of %s: got %v, the oracle says %v\nrule %+v\nprofile %+v\nlinked %+v", s.Name, p.profile.ID, got, want, s.Where, p, w.linked)
				}
				if got := slices.Contains(together[i].Segments, s.Name); got != want {
					t.Fatalf("%s of %s in a cohort: got %v, the oracle says %v\nrule %+v", s.Name, p.profile.ID, got, want, s.Where)
				}
				if want {
					matched++
				}
			}
		}
	}
	if matched < cases/5 || matched > cases*4/5 || linked < cases/8 {
		t.Fatalf("%d of %d cases match, %d links: the cases test little", matched, done, linked)
	}
}
