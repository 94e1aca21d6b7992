package segment

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object/objecttest"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
)

// relate tells each profile's state, link by link, who is linked to it.
func (w world) relate(plan *tally.Plan, states, asked map[string]*tally.State) {
	related := plan.Related()
	if related == nil {
		return
	}
	profiles := map[string]*weir.Profile{}
	for i := range w.profiles {
		profiles[w.profiles[i].ID] = &w.profiles[i]
	}
	done := map[[2]string]bool{}
	for _, l := range w.links {
		person, account := profiles[l.ProfileID], profiles[l.AccountID]
		if pair := [2]string{l.ProfileID, l.AccountID}; done[pair] || person == nil || account == nil {
			continue
		} else {
			done[pair] = true
		}
		for _, way := range [][2]*weir.Profile{{person, account}, {account, person}} {
			subject, _ := related.Subject(way[1], asked[way[1].ID], now)
			for slot := range related.Slots() {
				if way[1].Kind != related.Kind(slot) || (way[1] == person) != (related.Kind(slot) == weir.Person) {
					continue
				}
				l := rule.Linked{All: 1}
				if related.Fits(slot, &subject) {
					l.Fit = 1
				}
				plan.Relate(states[way[0].ID], slot, l)
			}
		}
	}
}

func ask(kind weir.Kind, how string, where weir.Condition) weir.Condition {
	return weir.Condition{Related: &weir.Related{Kind: kind, How: how, Where: &where}}
}

// relatedWorld is newWorld with people of accounts, and segments that ask about them.
func relatedWorld() (world, Params) {
	w, p := newWorld(), testParams()
	r := rand.New(rand.NewPCG(7, 8))
	var people, accounts []string
	for i := range w.profiles {
		switch w.profiles[i].Kind {
		case weir.Person, weir.Anonymous:
			people = append(people, w.profiles[i].ID)
		case weir.Account:
			accounts = append(accounts, w.profiles[i].ID)
		}
	}
	people, accounts = append(people, "gone1", accounts[5]), append(accounts, "gone2", people[0]) // not all are of the kind
	for range 60 {                                                                                // some accounts have nobody
		l := weir.AccountLink{ProfileID: people[r.IntN(len(people))], AccountID: accounts[3+r.IntN(len(accounts)-3)], By: []string{"email_domain", "vat"}[r.IntN(2)], Value: "v"}
		w.links = append(w.links, l)
		if r.IntN(4) == 0 { // by two identifiers
			l.Value = "another"
			w.links = append(w.links, l)
		}
	}
	query := &weir.QueryDef{Trait: "support", Columns: []weir.QueryColumn{{Name: "tickets", Type: weir.Number}}}
	p.Traits = append(p.Traits, query.Traits(weir.Person, nil)...)
	for i, id := range append(slices.Clone(people), "nobody") {
		if i%3 > 0 {
			w.answers = append(w.answers, weir.TraitValue{ProfileID: id, Trait: "support_tickets", Number: fmt.Sprint(i % 7)})
		}
	}
	slices.SortFunc(w.answers, byTrait)
	order := weir.Condition{IsEvent: true, Event: "Order Completed", Within: 30 * 24 * time.Hour, Where: map[string][]weir.Comparison{"product": compare("in", "sku1", "sku2", "sku3")}}
	french := weir.Condition{Attribute: "country", Compare: compare("is", "FR")}
	many := weir.Condition{Related: &weir.Related{Kind: weir.Person, Count: compare("between", "1", "2"), Where: &weir.Condition{Segment: "worth"}}}
	p.Segments = append(p.Segments,
		weir.SegmentDef{Name: "warm", Of: weir.Account, Where: ask(weir.Person, "any", order)},
		weir.SegmentDef{Name: "all_french", Of: weir.Account, Where: ask(weir.Person, "all", french)},
		weir.SegmentDef{Name: "no_tickets", Of: weir.Account, Where: ask(weir.Person, "none", weir.Condition{Trait: "support_tickets", Compare: compare("at_least", "2")})},
		weir.SegmentDef{Name: "some_worth", Of: weir.Account, Where: weir.Condition{Any: []weir.Condition{many, {Segment: "all_french"}}}},
		weir.SegmentDef{Name: "empty", Of: weir.Account, Where: weir.Condition{Related: &weir.Related{Kind: weir.Person, How: "none"}}},
		weir.SegmentDef{Name: "staff_of_french", Where: weir.Condition{All: []weir.Condition{{None: []weir.Condition{french}}, ask(weir.Account, "any", french)}}},
		weir.SegmentDef{Name: "busy_firm", Where: ask(weir.Account, "any", weir.Condition{IsEvent: true, Event: "Viewed"})},
		weir.SegmentDef{Name: "typo_within", Of: weir.Account, Where: ask(weir.Person, "any", weir.Condition{Attribute: "contry", Compare: compare("is", "FR"), At: "segments/typo_within.yaml:4"})},
	)
	p.PriorDigests = tally.Digests(p.Definitions(), nil, nil)
	return w, p
}

// TestRelatedInTheStage: segments that ask about people of accounts, and accounts of
// people, over any number of partitions and both ways of events.
func TestRelatedInTheStage(t *testing.T) {
	s := objecttest.Open(t)
	w, params := relatedWorld()
	wantTraits, matches := expected(t, w, params)
	slices.SortFunc(wantTraits, byTrait)
	sizes := map[string]int{}
	check := func(name string, partitions int) (weir.Manifest, []weir.Membership) {
		m, d := run(t, s, w, params, partitions, 100, name)
		if traits := rows(t, s, m, d, "core.traits", byTrait); !reflect.DeepEqual(traits, wantTraits) {
			t.Errorf("%s: %d traits, want %d", name, len(traits), len(wantTraits))
		}
		members := rows(t, s, m, d, "segment.memberships", byMember)
		clear(sizes)
		for _, x := range members {
			sizes[x.Segment]++
			if x.Segment != "typo" && !matches[x.Segment+" "+x.ProfileID] {
				t.Errorf("%s: %s is in %s", name, x.ProfileID, x.Segment)
			}
		}
		want := map[string]int{}
		for k := range matches {
			want[k[:slices.Index([]byte(k), ' ')]]++
		}
		want["typo"] = sizes["typo"]
		if !reflect.DeepEqual(sizes, want) {
			t.Errorf("%s: sizes %v, want %v", name, sizes, want)
		}
		return m, members
	}
	told, _ := check("told", 4)
	check("one", 1)
	check("seven", 7)
	for _, name := range []string{"warm", "all_french", "no_tickets", "some_worth", "empty", "staff_of_french", "busy_firm"} {
		if sizes[name] == 0 {
			t.Errorf("nobody is in %s: %v", name, sizes)
		}
	}
	defer func(rows int64) { toldRows = rows }(toldRows)
	toldRows = 0
	shuffled, _ := check("shuffled", 4)
	if !reflect.DeepEqual(told.Tables, shuffled.Tables) || !reflect.DeepEqual(told.Counts, shuffled.Counts) {
		t.Errorf("told %v\nshuffled %v", told.Counts, shuffled.Counts)
	}
	without := params
	without.Segments = slices.DeleteFunc(slices.Clone(params.Segments), func(d weir.SegmentDef) bool {
		return slices.ContainsFunc(slices.Collect(d.Where.Own()), func(c *weir.Condition) bool { return c.Related != nil })
	})
	toldRows = 1000
	plain, _ := run(t, s, w, without, 4, 100, "without")
	for _, counted := range []string{"events_unowned", "events_later", "answers_unowned", "values_not_numbers"} {
		if plain.Counts[counted] != told.Counts[counted] {
			t.Errorf("%s: %d, and %d where rules ask about others", counted, plain.Counts[counted], told.Counts[counted])
		}
	}
}

// TestRelatedByScores: what is asked about linked people may be a score.
func TestRelatedByScores(t *testing.T) {
	s := objecttest.Open(t)
	w := cdnow(t)
	saved := now
	t.Cleanup(func() { now = saved })
	now = time.Date(1997, 9, 30, 20, 0, 0, 0, time.UTC)
	params := scoreParams(weir.ScoreDef{Kind: "clv", Trait: "clv", Event: "Order Completed", Value: "properties.revenue", Horizon: 39 * 7 * 24 * time.Hour})
	alive := weir.Condition{Trait: "clv_probability_alive", Compare: compare("at_least", "0.5")}
	params.Segments = []weir.SegmentDef{{Name: "alive", Of: weir.Account, Where: weir.Condition{Related: &weir.Related{Kind: weir.Person, Count: compare("at_least", "34"), Where: &alive}}}}
	r := rand.New(rand.NewPCG(1, 2))
	account := map[string]string{}
	for i := range w.profiles {
		account[w.profiles[i].ID] = fmt.Sprintf("a%02d", r.IntN(50))
		w.links = append(w.links, weir.AccountLink{ProfileID: w.profiles[i].ID, AccountID: account[w.profiles[i].ID], By: "vat"})
	}
	for i := range 50 {
		w.profiles = append(w.profiles, weir.Profile{ID: fmt.Sprintf("a%02d", i), Kind: weir.Account, Attributes: map[string]string{}, Identifiers: weir.Identifiers{}, Records: 1})
	}
	m, d := run(t, s, w, params, 3, 2000, "scores")
	fit, want := map[string]int{}, []string{}
	for _, v := range rows(t, s, m, d, "core.traits", byTrait) {
		if v.Trait == "clv_probability_alive" && v.Number >= "0.5" {
			fit[account[v.ProfileID]]++
		}
	}
	for i := range 50 {
		if id := fmt.Sprintf("a%02d", i); fit[id] >= 34 {
			want = append(want, id)
		}
	}
	var got []string
	for _, x := range rows(t, s, m, d, "segment.memberships", byMember) {
		got = append(got, x.ProfileID)
	}
	if !slices.Equal(got, want) || len(want) < 5 || len(want) > 45 {
		t.Errorf("got %v\nwant %v", got, want)
	}
}
