package evidence_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
)

func compile(t *testing.T, def weir.IdentityDef) *evidence.Rules {
	t.Helper()
	def.Kind = weir.Person
	r, err := evidence.Compile([]weir.IdentityDef{def})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func person(ids weir.Identifiers, attributes map[string]string) *weir.Record {
	return &weir.Record{ID: "r", Kind: weir.Person, Identifiers: ids, Attributes: attributes}
}

func rulesOf(e evidence.Evidence) (names []string) {
	for _, k := range e.Keys {
		names = append(names, k.Rule)
	}
	return names
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"Élodie  O'Neill-Roux": "elodie oneill roux", "LEFÈVRE": "lefevre", "Straße": "strasse", "Łódź": "lodz",
		"  van der Berg ": "van der berg", "ﬁne": "fine", "Æther": "aether", "…": "", "already": "already", "张伟": "张伟", "J.R.R.": "jrr",
		"bad\xffutf8": "badutf8",
	} {
		if got := evidence.Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
		if got := evidence.Fold(evidence.Fold(in)); got != want {
			t.Errorf("Fold is not stable on %q: %q", in, got)
		}
	}
}

func TestBlockedValues(t *testing.T) {
	r := compile(t, weir.IdentityDef{Identifiers: map[string]weir.IdentifierRule{"email": {Blocked: []string{"^no-?body@"}}}})
	for at, want := range map[string]evidence.Reason{
		"email=test@test.com": "placeholder", "email=none@none.com": "placeholder", "email=noreply@shop.fr": "shared_mailbox",
		"email=No-Reply@shop.fr": "shared_mailbox", "email=info+x@shop.fr": "shared_mailbox", "email=contact@shop.fr": "shared_mailbox",
		"email=NO-BODY@x.fr": "configured", "email=a@example.com": "placeholder", "email=000@x.fr": "zeros",
		"email=ann.infor@shop.fr": "", "email=testa@shop.fr": "",
		"phone=+33000000000": "repeated", "phone=+15551111111": "repeated", "phone=+33601234567": "repeated", "phone=0000000000": "zeros",
		"phone=+33612345670": "", "phone=+33611111112": "",
		"crm_id=0000": "zeros", "crm_id=n/a": "placeholder", "crm_id=Unknown": "placeholder", "crm_id=-": "placeholder",
		"crm_id=1111111": "", "crm_id=10": "", "idfa=00000000-0000-0000-0000-000000000000": "zeros",
	} {
		kind, value, _ := strings.Cut(at, "=")
		e := r.Of(person(weir.Identifiers{kind: {value}}, nil))
		if e.Held[0].Blocked != want || (len(e.Keys) == 0) != (want != "") {
			t.Errorf("%s: blocked as %q, want %q (%d keys)", at, e.Held[0].Blocked, want, len(e.Keys))
		}
	}
	account := r.Of(&weir.Record{Kind: weir.Account, Identifiers: weir.Identifiers{"email": {"info@shop.fr"}}})
	if account.Held[0].Blocked != "" {
		t.Error("a company's own mailbox is blocked")
	}
}

func TestKeysOfRules(t *testing.T) {
	r := compile(t, weir.IdentityDef{Order: []string{"email", "phone"},
		Identifiers: map[string]weir.IdentifierRule{"email": {}, "phone": {NoLink: true, SharedBy: 3}},
		Rules:       []weir.MatchRule{{Name: "phone_and_name", Match: []string{"phone", "family_name"}}, {Name: "whole_name", Match: []string{"given_name", "family_name"}}}})
	key := func(rule string, rec *weir.Record) []evidence.Key {
		return slices.DeleteFunc(r.Of(rec).Keys, func(k evidence.Key) bool { return k.Rule != rule })
	}
	a := key("phone_and_name", person(weir.Identifiers{"phone": {"+33612345670", "+33612345671"}}, map[string]string{"family_name": "Lefèvre"}))
	b := key("phone_and_name", person(weir.Identifiers{"phone": {"+33612345671"}}, map[string]string{"family_name": "LEFEVRE "}))
	if len(a) != 2 || len(b) != 1 || a[1].Hash != b[0].Hash || a[0].Hash == b[0].Hash {
		t.Fatalf("keys %v and %v", a, b)
	}
	phone := key("same_phone", person(weir.Identifiers{"phone": {"+33612345671"}}, nil))
	if phone[0].Hash != b[0].Anchor {
		t.Error("the rule's key does not lie with its phone")
	}
	for _, rec := range []*weir.Record{
		person(weir.Identifiers{"phone": {"+33612345671"}}, nil),
		person(weir.Identifiers{"phone": {"+33612345671"}}, map[string]string{"family_name": " - "}),
		person(weir.Identifiers{"phone": {"+33000000000"}}, map[string]string{"family_name": "Roux"}),
		person(nil, map[string]string{"family_name": "Roux"}),
	} {
		if k := key("phone_and_name", rec); len(k) != 0 {
			t.Errorf("a missing or blocked part gave a key: %+v", rec)
		}
	}
	x := key("whole_name", person(nil, map[string]string{"given_name": "ab", "family_name": "c"}))
	y := key("whole_name", person(nil, map[string]string{"given_name": "a", "family_name": "bc"}))
	if x[0].Hash == y[0].Hash {
		t.Error("parts run into each other")
	}
	rule, err := r.Rule(weir.Person, "phone_and_name")
	if err != nil || rule.SharedBy != 3 || !rule.Links {
		t.Errorf("rule %+v, %v", rule, err)
	}
	if rule, err = r.Rule(weir.Person, "same_phone"); err != nil || rule.Links {
		t.Errorf("rule %+v, %v", rule, err)
	}
	if _, err = r.Rule(weir.Person, "nonsense"); err == nil {
		t.Error("an unknown rule has a strength")
	}
}

func TestStrengthFollowsTheDeclaration(t *testing.T) {
	r := compile(t, weir.IdentityDef{Order: []string{"z", "a"}, Identifiers: map[string]weir.IdentifierRule{"a": {}, "z": {}},
		Rules: []weir.MatchRule{{Name: "r", Match: []string{"a"}}}})
	last := 1e9
	for _, name := range []string{"same_z", "same_a", "r", "same_undeclared"} {
		rule, err := r.Rule(weir.Person, name)
		if err != nil || rule.Strength >= last || rule.Strength < 20 {
			t.Errorf("%s: %+v after %v, %v", name, rule, last, err)
		}
		last = rule.Strength
	}
}

func TestContradictedRecordUsesNone(t *testing.T) {
	r := compile(t, weir.IdentityDef{Identifiers: map[string]weir.IdentifierRule{"id": {Limit: 1, Hard: true}, "email": {}}})
	e := r.Of(person(weir.Identifiers{"id": {"1", "2"}, "email": {"a@x.fr"}}, nil))
	if !slices.Equal(e.Contradicted, []string{"id"}) || !slices.Equal(rulesOf(e), []string{"same_email"}) || len(e.Limited) != 0 {
		t.Fatalf("evidence %+v", e)
	}
}

func TestBadDefinitions(t *testing.T) {
	for name, def := range map[string]weir.IdentityDef{
		"regular expression": {Identifiers: map[string]weir.IdentifierRule{"email": {Blocked: []string{"("}}}},
		"taken name":         {Identifiers: map[string]weir.IdentifierRule{"email": {}}, Rules: []weir.MatchRule{{Name: "same_email", Match: []string{"x"}}}},
		"empty rule":         {Rules: []weir.MatchRule{{Name: "r"}}},
	} {
		if _, err := evidence.Compile([]weir.IdentityDef{def}); weir.CodeOf(err) != weir.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestARuleOfManyValuesIsCut(t *testing.T) {
	r := compile(t, weir.IdentityDef{Rules: []weir.MatchRule{{Name: "r", Match: []string{"email", "phone"}}}})
	ids := weir.Identifiers{}
	for i := range 20 {
		ids.Add("email", fmt.Sprintf("e%02d@x.fr", i))
		ids.Add("phone", fmt.Sprintf("+336123456%02d", i))
	}
	e := r.Of(person(ids, nil))
	if len(e.Keys) != 40+64 || e.Cut != 400-64 {
		t.Fatalf("%d keys, %d cut", len(e.Keys), e.Cut)
	}
}

func TestWeigh(t *testing.T) {
	def := weir.IdentityDef{Identifiers: map[string]weir.IdentifierRule{"phone": {}, "email": {}, "customer_id": {Limit: 1}}}
	r := compile(t, def)
	for name, c := range map[string]struct {
		n    int
		ids  func(i int) weir.Identifiers
		name func(i int) string
		want int
	}{
		"everybody with an e-mail": {3000, func(i int) weir.Identifiers { return weir.Identifiers{"email": {fmt.Sprintf("u%d@x.fr", i)}} }, nil, 3000},
		"a second value shared by all": {500, func(i int) weir.Identifiers {
			return weir.Identifiers{"email": {"one@x.fr"}, "customer_id": {fmt.Sprint(i + 1)}}
		}, nil, 500},
		"a second value, other names":    {30, func(int) weir.Identifiers { return weir.Identifiers{"email": {"one@x.fr"}} }, func(i int) string { return fmt.Sprint("n", i) }, 30},
		"one customer, one e-mail":       {40, func(int) weir.Identifiers { return weir.Identifiers{"email": {"one@x.fr"}} }, func(int) string { return "roux" }, 1},
		"one customer, a device a visit": {40, func(i int) weir.Identifiers { return weir.Identifiers{"anonymous_id": {fmt.Sprint("d", i)}} }, nil, 1},
		"too many devices":               {1500, func(i int) weir.Identifiers { return weir.Identifiers{"anonymous_id": {fmt.Sprint("d", i)}} }, nil, 15},
		"nothing else":                   {3000, func(int) weir.Identifiers { return nil }, nil, 1},
		"names only":                     {25, func(int) weir.Identifiers { return nil }, func(i int) string { return fmt.Sprint("n", i) }, 25},
	} {
		t.Run(name, func(t *testing.T) {
			var members [][]evidence.Tell
			for i := range c.n {
				ids := weir.Identifiers{"phone": {"+33612345670"}}
				for k, v := range c.ids(i) {
					ids[k] = v
				}
				attributes := map[string]string{}
				if c.name != nil {
					attributes["family_name"] = c.name(i)
				}
				for _, k := range r.Of(person(ids, attributes)).Keys {
					if k.Rule == "same_phone" {
						members = append(members, evidence.Unpack(evidence.Pack(k.Tells)))
					}
				}
			}
			v := evidence.Weigh(members)
			if v.Profiles != c.want || len(v.Parts)+v.Extra != v.Profiles {
				t.Fatalf("%+v profiles, want %d", v.Profiles, c.want)
			}
			rand.New(rand.NewPCG(1, 1)).Shuffle(len(members), func(a, b int) { members[a], members[b] = members[b], members[a] })
			if again := evidence.Weigh(members); again.Profiles != v.Profiles {
				t.Fatalf("%d profiles in another order", again.Profiles)
			}
		})
	}
}

func TestWhatOnlyAccountsHaveTellsNothingOfAPerson(t *testing.T) {
	r, err := evidence.Compile([]weir.IdentityDef{
		{Kind: weir.Person, Order: []string{"email"}, Identifiers: map[string]weir.IdentifierRule{"email": {}},
			Rules: []weir.MatchRule{{Name: "job", Match: []string{"account_id", "family_name"}}}},
		{Kind: weir.Account, Order: []string{"account_id", "domain"}, Identifiers: map[string]weir.IdentifierRule{"account_id": {}, "domain": {}},
			Rules:  []weir.MatchRule{{Name: "name", Match: []string{"name", "postcode"}}},
			People: &weir.PeopleDef{FreeMail: []string{"ours.fr"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	e := r.Of(person(weir.Identifiers{"account_id": {"A1"}, "email": {"a@x.fr"}, "other": {"1"}}, map[string]string{"family_name": "Roux"}))
	if got := rulesOf(e); !slices.Equal(got, []string{"same_email", "same_other", "job"}) || len(e.Held) != 3 {
		t.Errorf("keys %v, held %v", got, e.Held)
	}
	for _, k := range e.Keys {
		if want := map[string]int{"same_email": 2, "same_other": 2, "job": 2}[k.Rule]; len(k.Tells) != want { // never of account_id
			t.Errorf("%s tells %v", k.Rule, k.Tells)
		}
	}
	if rule, err := r.Rule(weir.Person, "same_account_id"); err != nil || rule.Links {
		t.Errorf("%+v, %v", rule, err)
	}
	company := func(name, domain string) evidence.Evidence {
		return r.Of(&weir.Record{ID: "a", Kind: weir.Account, Identifiers: weir.Identifiers{"domain": {domain}}, Attributes: map[string]string{"name": name, "postcode": "75001"}})
	}
	a, b := company("Acme SARL", "ours.fr"), company("ACME", "web.de")
	for _, e := range []evidence.Evidence{a, b} {
		if got := rulesOf(e); !slices.Equal(got, []string{"name"}) || e.Held[0].Blocked != evidence.FreeMail {
			t.Errorf("keys %v, held %v", got, e.Held)
		}
	}
	if a.Keys[0].Hash != b.Keys[0].Hash || company("Acme Nord", "x.fr").Keys[1].Hash == a.Keys[0].Hash {
		t.Error("the legal form decides, or the name does not")
	}
	if got := rulesOf(company("GmbH", "x.fr")); !slices.Equal(got, []string{"same_domain"}) {
		t.Errorf("a name of a legal form alone makes keys %v", got)
	}
}

func TestClaims(t *testing.T) {
	account := weir.IdentityDef{Kind: weir.Account, Order: []string{"account_id", "email", "note", "domain"},
		Identifiers: map[string]weir.IdentifierRule{"account_id": {}, "email": {}, "note": {NoLink: true}, "domain": {}}}
	r, err := evidence.Compile([]weir.IdentityDef{account})
	if err != nil {
		t.Fatal(err)
	}
	p := r.People()
	if !slices.Equal(p.By, []string{"account_id", "domain", weir.EmailDomain}) {
		t.Errorf("by %v", p.By)
	}
	for _, c := range []struct {
		of          weir.Kind
		kind, value string
		why         evidence.Reason
		want        string
	}{
		{weir.Person, "email", "jo@mail.acme.co.uk", "", "[{email_domain acme.co.uk}]"},
		{weir.Person, "work_email", "jo@acme.fr", "", "[{email_domain acme.fr}]"},
		{weir.Person, "email", "info@acme.fr", evidence.SharedMailbox, "[{email_domain acme.fr}]"},
		{weir.Person, "email", "jo@acme.fr", evidence.Contradicted, "[]"},
		{weir.Person, "email", "jo@gmail.com", "", "[]"},
		{weir.Person, "email", "jo@localhost", "", "[]"},
		{weir.Person, "email", "jo@[10.0.0.1]", "", "[]"},
		{weir.Person, "account_id", "7", "", "[{account_id 7}]"},
		{weir.Person, "account_id", "7", evidence.Configured, "[]"},
		{weir.Person, "note", "7", "", "[]"},
		{weir.Account, "email", "jo@acme.fr", "", "[]"},
		{weir.Account, "domain", "acme.fr", "", "[{domain acme.fr} {email_domain acme.fr}]"},
		{weir.Account, "domain", "gmail.com", evidence.FreeMail, "[]"},
	} {
		if got := fmt.Sprint(p.Claims(c.of, c.kind, c.value, c.why)); got != c.want {
			t.Errorf("%s %s %s: %s, want %s", c.of, c.kind, c.value, got, c.want)
		}
	}
	if none := (*evidence.People)(nil).Claims(weir.Person, "email", "a@x.fr", ""); none != nil {
		t.Error("nobody's rules claim something")
	}
	account.People = &weir.PeopleDef{By: []string{"nothing"}}
	if _, err := evidence.Compile([]weir.IdentityDef{account}); err == nil {
		t.Error("by an identifier that is not declared")
	}
}
