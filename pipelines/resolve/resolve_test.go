package resolve_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve"
	"github.com/weir-cdp/weir/pipelines/resolve/stableid"
)

var shop = weir.IdentityDef{
	Order: []string{"customer_id", "crm_id", "email", "phone"},
	Identifiers: map[string]weir.IdentifierRule{
		"customer_id": {Limit: 1, Hard: true},
		"crm_id":      {Limit: 1},
		"email":       {Limit: 5, Blocked: []string{`^shop-\d+@`}},
		"phone":       {NoLink: true},
	},
	Rules: []weir.MatchRule{{Name: "phone_and_name", Match: []string{"phone", "family_name"}}},
}

func TestRulesLink(t *testing.T) {
	l := newLake(t, shop, "family_name", "given_name")
	l.add("a", "email=ann@x.fr", "customer_id=1")
	l.add("b", "email=ann@x.fr", "crm_id=7")
	l.add("c", "crm_id=7", "phone=+33612345670", "@family_name=Lefèvre")
	l.add("d", "phone=+33612345670", "@family_name=LEFEVRE")
	l.add("e", "phone=+33612345670", "@family_name=Martin") // the phone alone does not link
	l.add("f", "phone=+33612345670")                        // a missing name never matches
	l.add("g", "phone=+33612345670")
	l.add("h", "email=info@x.fr")
	l.add("i", "email=info@x.fr") // a shared mailbox
	l.add("j", "email=shop-12@x.fr")
	l.add("k", "email=shop-12@x.fr") // blocked in identity.yaml
	l.add("m", "customer_id=2", "email=ann@x.fr")
	l.addTo(weir.Account, "z", "email=ann@x.fr") // never with a person
	r := l.resolve()
	r.same(t, "a b c d | e | f | g | h | i | j | k | m | z")
	if got := r.identifiers; got["email=ann@x.fr"] != "?" || got["customer_id=2"] != r.links["m"] || got["email=info@x.fr"] != "?" ||
		got["phone=+33612345670"] != "?" || got["crm_id=7"] != r.links["a"] {
		t.Fatalf("identifiers %v", got)
	}
	want := []string{
		"a b same_email true ",
		"a m same_email false limit: customer_id",
		"b c same_crm_id true ",
		"c d phone_and_name true ",
	}
	var edges []string
	for _, e := range r.edges {
		edges = append(edges, strings.ReplaceAll(fmt.Sprintf("%s %s %s %v %s", e.Left, e.Right, e.Rule, e.Used, e.RefusedBy), "crm/contacts/", ""))
		if e.Probability < 0.99 || e.Weight <= 20 {
			t.Errorf("weight of %+v", e)
		}
	}
	if !slices.Equal(edges, want) {
		t.Fatalf("edges\n%s", strings.Join(edges, "\n"))
	}
	if r.Counts["blocked_shared_mailbox"] != 2 || r.Counts["blocked_configured"] != 2 || r.Counts["profiles_person"] != 9 || r.Counts["profiles_account"] != 1 {
		t.Errorf("counts %v", r.Counts)
	}
}

func TestHubLinksNothing(t *testing.T) {
	l := newLake(t, weir.IdentityDef{Order: []string{"customer_id", "email", "phone"},
		Identifiers: map[string]weir.IdentifierRule{"customer_id": {Limit: 1}, "email": {}, "phone": {}},
		Rules:       []weir.MatchRule{{Name: "phone_and_name", Match: []string{"phone", "family_name"}}}}, "family_name", "given_name")
	// The company's own phone on 3,000 customers of 600 family names; 40 records of
	// one customer who logs in from anywhere.
	for i := range 3000 {
		l.add(fmt.Sprintf("hub%04d", i), fmt.Sprintf("customer_id=c%d", i), fmt.Sprintf("email=u%d@x.fr", i), "phone=+33199887766",
			fmt.Sprintf("@family_name=Name%d", i%600)) // what is a hub links nothing in a rule either
	}
	for i := range 40 {
		l.add(fmt.Sprintf("one%02d", i), "email=regular@x.fr", "customer_id=77", fmt.Sprintf("anonymous_id=dev-%d", i), "@family_name=Roux")
		l.add(fmt.Sprintf("two%02d", i), "email=zoe.blanc@gmail.com", "@family_name=Blanc", "@given_name=Zoé")
		l.add(fmt.Sprintf("bare%02d", i), "email=bare@gmail.com")
	}
	r := l.resolve()
	profiles := map[string]int{}
	for _, p := range r.links {
		profiles[p]++
	}
	if len(profiles) != 3003 {
		t.Errorf("%d profiles, want 3,000 customers and three with 40 records", len(profiles))
	}
	if profiles[r.links["one00"]] != 40 || profiles[r.links["two00"]] != 40 || profiles[r.links["bare00"]] != 40 {
		t.Errorf("the customers with 40 records have %d, %d, %d", profiles[r.links["one00"]], profiles[r.links["two00"]], profiles[r.links["bare00"]])
	}
	if r.identifiers["phone=+33199887766"] != "?" || r.identifiers["email=regular@x.fr"] != r.links["one00"] {
		t.Errorf("hub owned by %q, a regular customer's e-mail by %q", r.identifiers["phone=+33199887766"], r.identifiers["email=regular@x.fr"])
	}
	if r.Counts["hubs"] != 1 || len(r.quarantine) != 1 || r.quarantine[0].Reason != "hub: shared by 3000 profiles" ||
		r.quarantine[0].Field != "phone" || r.quarantine[0].Excerpt != "" {
		t.Errorf("hubs %d, report %+v", r.Counts["hubs"], r.quarantine)
	}
}

func TestContradictionIsReportedAndUnused(t *testing.T) {
	l := newLake(t, shop)
	l.add("a", "customer_id=1", "email=a@x.fr")
	l.add("b", "customer_id=2", "email=b@x.fr")
	l.add("dirty", "customer_id=1", "email=b@x.fr")
	dirty := l.records["crm/contacts/dirty"]
	dirty.Identifiers.Add("customer_id", "2")
	r := l.resolve()
	r.same(t, "a | b dirty")
	if len(r.quarantine) != 1 || r.quarantine[0].Origin != "crm/contacts/dirty" || r.quarantine[0].Field != "customer_id" || r.identifiers["customer_id=1"] != r.links["a"] {
		t.Fatalf("quarantine %+v, identifiers %v", r.quarantine, r.identifiers)
	}
}

func TestDecisionsOfPeople(t *testing.T) {
	l := newLake(t, shop)
	l.add("a", "email=a@x.fr")
	l.add("b", "email=a@x.fr")
	l.add("c", "email=c@x.fr")
	before := l.resolve()
	before.same(t, "a b | c")
	key := func(ks ...string) (out []string) {
		for _, k := range ks {
			out = append(out, "crm/contacts/"+k)
		}
		return out
	}
	l.params.Decisions = []resolve.Decision{{ID: "d1", Stays: key("b"), Moves: key("a"), New: true, By: "d1", Reason: "two people", Author: "ann"},
		{ID: "d2", Stays: key("a"), Moves: key("gone")}, {ID: "d3", Together: key("c", "a"), New: true, By: "d3", Reason: "moved", Author: "bob"}}
	r := l.resolve()
	r.same(t, "a c | b")
	for _, e := range r.edges {
		if want := map[string]string{"same_email": "do_not_link: d1", "linked": ""}[e.Rule]; e.RefusedBy != want {
			t.Errorf("edge %+v, want it refused by %q", e, want)
		}
	}
	var said []string
	for _, m := range r.merges {
		said = append(said, fmt.Sprint(m.Change, " ", m.Reason, " by ", m.Author))
	}
	if want := []string{"split d1: two people by ann"}; !slices.Equal(said, want) {
		t.Errorf("merges %q, want %q", said, want)
	}
	if r.Counts["decisions_idle"] != 1 {
		t.Errorf("counts %v", r.Counts)
	}
	l.params.Decisions = nil
	again := l.resolve()
	again.same(t, "a b | c")
	if !maps.Equal(before.links, again.links) {
		t.Errorf("%v is %v after the undo", before.links, again.links)
	}
}

func TestSameRecordsInAnyOrderAndCut(t *testing.T) {
	var want result
	for round := range 4 {
		l := newLake(t, shop, "family_name")
		data := rand.New(rand.NewPCG(5, 5))
		for i := range 400 {
			l.add(fmt.Sprint(i), fmt.Sprintf("email=e%d@x.fr", data.IntN(250)), fmt.Sprintf("customer_id=%d", 1+data.IntN(200)),
				fmt.Sprintf("phone=+3361234%04d", data.IntN(100)), fmt.Sprintf("@family_name=f%d", data.IntN(20)))
			l.event(fmt.Sprintf("customer_id=%d", 1+data.IntN(300)), fmt.Sprintf("anonymous_id=dev%d", data.IntN(200)))
			l.event(fmt.Sprintf("anonymous_id=dev%d", data.IntN(400)), fmt.Sprintf("session_id=s%d", data.IntN(300)))
		}
		if round > 0 {
			l.order, l.files = rand.New(rand.NewPCG(uint64(round), 9)), 1+round*3
		}
		r := l.resolve()
		if round == 0 {
			want = r
			continue
		}
		for _, table := range []string{"identity.links", "identity.edges", "identity.identifiers"} {
			if len(want.files(table)) == 0 || !slices.Equal(r.files(table), want.files(table)) {
				t.Errorf("round %d: other files of %s: %v, %v", round, table, r.files(table), want.files(table))
			}
		}
	}
}

func TestRunAgainChangesNothing(t *testing.T) {
	l := newLake(t, shop)
	for i := range 50 {
		l.add(fmt.Sprint(i), fmt.Sprintf("email=e%d@x.fr", i%30), fmt.Sprintf("customer_id=%d", i%40))
		l.event(fmt.Sprintf("anonymous_id=a%d", i%20), fmt.Sprintf("session_id=s%d", i%30))
	}
	first := l.resolve()
	second := l.resolve()
	if len(second.merges) != 0 {
		t.Errorf("merges %+v", second.merges)
	}
	for _, table := range []string{"identity.links", "identity.edges", "identity.identifiers"} {
		if !slices.Equal(first.files(table), second.files(table)) {
			t.Errorf("%s is written again in other bytes", table)
		}
	}
	if first.Counts["profiles_anonymous"] == 0 {
		t.Error("no anonymous profile: the test tests little")
	}
}

func TestAnonymousUntilARecordJoins(t *testing.T) {
	l := newLake(t, shop)
	l.add("a", "email=a@x.fr", "customer_id=1")
	l.add("b", "email=b@x.fr", "customer_id=2")
	l.event("anonymous_id=known", "customer_id=1")
	l.event("anonymous_id=shared", "customer_id=1")
	l.event("anonymous_id=shared", "customer_id=2")
	l.event("anonymous_id=visitor", "session_id=s")
	l.event("anonymous_id=lone")
	l.consent = []weir.Consent{{ID: "c1", Kind: "email", Value: "later@x.fr"}, {ID: "c2", Kind: "email", Value: "noreply@x.fr"}}
	l.event("anonymous_id=visitor", "email=later@x.fr")
	r := l.resolve()
	anon := r.identifiers["anonymous_id=visitor"]
	if !stableid.IsAnonymous(anon) || r.identifiers["session_id=s"] != anon || r.identifiers["email=later@x.fr"] != anon {
		t.Fatalf("identifiers %v", r.identifiers)
	}
	if r.identifiers["anonymous_id=known"] != r.links["a"] || r.identifiers["anonymous_id=shared"] != "?" ||
		!stableid.IsAnonymous(r.identifiers["anonymous_id=lone"]) || r.identifiers["email=noreply@x.fr"] != "?" {
		t.Fatalf("identifiers %v", r.identifiers)
	}
	l.add("c", "email=later@x.fr", "customer_id=3")
	r = l.resolve()
	for _, id := range []string{"anonymous_id=visitor", "session_id=s", "email=later@x.fr"} {
		if r.identifiers[id] != r.links["c"] {
			t.Errorf("%s is of %s, want %s", id, r.identifiers[id], r.links["c"])
		}
	}
	if len(r.merges) != 1 || r.merges[0].Change != "merge" || r.merges[0].From != anon || r.merges[0].To != r.links["c"] {
		t.Errorf("merges %+v", r.merges)
	}
}

func TestEveryIDOfAHistoryResolves(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 3))
	l := newLake(t, shop)
	ever := map[string]bool{}
	for step := range 12 {
		for range 6 {
			key := fmt.Sprint(rng.IntN(25))
			if rng.IntN(3) == 0 {
				delete(l.records, "crm/contacts/"+key)
				continue
			}
			l.add(key, fmt.Sprintf("email=e%d@x.fr", rng.IntN(10)), fmt.Sprintf("crm_id=%d", 1+rng.IntN(20)), fmt.Sprintf("anonymous_id=a%d", rng.IntN(15)))
			l.event(fmt.Sprintf("anonymous_id=a%d", rng.IntN(30)), fmt.Sprintf("session_id=s%d", rng.IntN(40)))
		}
		r := l.resolve()
		living := map[string]bool{}
		for _, p := range r.links {
			living[p], ever[p] = true, true
		}
		for _, p := range r.identifiers {
			if p != "?" {
				living[p], ever[p] = true, true
			}
		}
		h := stableid.NewHistory(l.merges)
		for id := range ever {
			now, alive := h.Resolve(id)
			if alive != living[now] || (living[id] && now != id) {
				t.Fatalf("step %d: %s resolves to %q (alive %v), living %v", step, id, now, alive, living[now])
			}
		}
	}
	if len(l.merges) < 10 {
		t.Fatalf("only %d changes: the history tests little", len(l.merges))
	}
}

func TestNothingToResolve(t *testing.T) {
	l := newLake(t, shop)
	if r := l.resolve(); len(r.links) != 0 || len(r.Tables) != 7 {
		t.Fatalf("tables %+v", r.Tables)
	}
	l.add("a", "email=a@x.fr")
	l.resolve()
	l.records = map[string]weir.Record{}
	if r := l.resolve(); len(r.links) != 0 || len(r.merges) != 1 || r.merges[0].Change != "retire" {
		t.Fatalf("links %v merges %+v", r.links, r.merges)
	}
}
