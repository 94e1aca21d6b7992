package resolve_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
)

var firms = weir.IdentityDef{
	Kind:  weir.Account,
	Order: []string{"account_id", "siren", "domain"},
	Identifiers: map[string]weir.IdentifierRule{
		"account_id": {Limit: 1, Hard: true}, "siren": {Limit: 1}, "domain": {},
	},
	Rules: []weir.MatchRule{{Name: "name_and_postcode", Match: []string{"company_name", "postcode"}}},
}

var clients = weir.IdentityDef{
	Order:       []string{"crm_id", "email"},
	Identifiers: map[string]weir.IdentifierRule{"crm_id": {Limit: 1, Hard: true}, "email": {}},
}

func newFirms(t testing.TB, account weir.IdentityDef) *lake {
	l := newLake(t, clients, "company_name", "name", "postcode")
	l.params.Identity = append(l.params.Identity, account)
	return l
}

// employers lists a run's links as "person>account by=value", of record keys: the
// smallest of each profile.
func (l *lake) employers(r result) []string {
	name := map[string]string{}
	for _, key := range slices.Backward(slices.Sorted(maps.Keys(r.links))) {
		name[r.links[key]] = key
	}
	var out []string
	for _, a := range scan[weir.AccountLink](l, r.Manifest, "identity.accounts") {
		out = append(out, fmt.Sprintf("%s>%s %s=%s", name[a.ProfileID], name[a.AccountID], a.By, a.Value))
	}
	slices.Sort(out)
	return out
}

func TestCompaniesAreOneWhateverTheirLegalFormSays(t *testing.T) {
	l := newFirms(t, firms)
	l.addTo(weir.Account, "a", "@company_name=Müller & Söhne GmbH", "@postcode=20095")
	l.addTo(weir.Account, "b", "@company_name=MULLER UND SOHNE G.m.b.H. & Co. KG", "@postcode=20095")
	l.addTo(weir.Account, "c", "@company_name=Muller Sohne", "@postcode=10115") // elsewhere
	l.addTo(weir.Account, "d", "@company_name=GmbH", "@postcode=20095")         // only a legal form says nothing
	l.addTo(weir.Account, "e", "@company_name=G.m.b.H.", "@postcode=20095")
	l.addTo(weir.Account, "f", "domain=gmail.com") // a form filled in with a free address
	l.addTo(weir.Account, "g", "domain=gmail.com")
	l.addTo(weir.Account, "h") // nothing at all
	l.add("p", "email=a@x.fr", "@company_name=Müller & Söhne GmbH", "@postcode=20095")
	r := l.resolve()
	r.same(t, "a b | c | d | e | f | g | h | p")
	if r.Counts["blocked_free_mail"] != 2 || r.Counts["unlinkable"] < 3 || r.Counts["profiles_account"] != 7 {
		t.Errorf("counts %v", r.Counts)
	}
}

func TestPeopleBelongToAccounts(t *testing.T) {
	l := newFirms(t, firms)
	l.addTo(weir.Account, "acme", "account_id=A1", "siren=552081317", "domain=acme.fr", "domain=gmail.com")
	l.addTo(weir.Account, "acme2", "siren=552081317", "domain=acme.com") // the same company
	l.addTo(weir.Account, "beta", "account_id=B1", "domain=beta.de")
	l.addTo(weir.Account, "twin1", "account_id=T1", "domain=twin.org")
	l.addTo(weir.Account, "twin2", "account_id=T2", "domain=twin.org") // apart by account_id: an ambiguous domain
	l.add("ann", "email=ann@sales.acme.fr")
	l.add("bob", "email=bob@acme.com", "account_id=B1") // an identifier decides before an address
	l.add("cat", "email=cat@gmail.com")
	l.add("dan", "email=dan@twin.org")
	l.add("eve", "email=info@beta.de", "crm_id=7") // a shared mailbox is at a company all the same
	l.add("fay", "account_id=A1", "crm_id=8")
	l.add("gil", "account_id=A1", "crm_id=9") // a colleague, not the same person
	l.add("hal", "siren=552081317", "account_id=gone", "crm_id=10")
	l.add("ivy", "email=ivy@unknown.fr")
	l.add("joe", "account_id=A1", "account_id=B1", "crm_id=11") // works for two
	joe := l.records["crm/contacts/joe"]
	joe.Identifiers.Add("account_id", "B1")
	l.event("account_id=A1", "anonymous_id=dev", "crm_id=8")
	r := l.resolve()
	r.same(t, "acme acme2 | beta | twin1 | twin2 | ann | bob | cat | dan | eve | fay | gil | hal | ivy | joe")
	want := []string{
		"ann>acme email_domain=acme.fr",
		"bob>beta account_id=B1",
		"eve>beta email_domain=beta.de",
		"fay>acme account_id=A1",
		"gil>acme account_id=A1",
		"hal>acme siren=552081317",
		"joe>acme account_id=A1",
		"joe>beta account_id=B1",
	}
	if got := l.employers(r); !slices.Equal(got, want) {
		t.Errorf("links\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if r.Counts["accounts_ambiguous"] != 1 || r.Counts["people_of_accounts"] != 7 || r.Counts["hubs"] != 0 {
		t.Errorf("counts %v", r.Counts)
	}
	if r.identifiers["account_id=A1"] != r.links["acme"] || r.identifiers["account_id=gone"] != "?" || r.identifiers["anonymous_id=dev"] != r.links["fay"] {
		t.Errorf("identifiers %v", r.identifiers)
	}
}

func TestWhatLinksPeopleIsConfigured(t *testing.T) {
	for _, c := range []struct {
		people *weir.PeopleDef
		want   string
	}{
		{nil, "p>a account_id=A1"},
		{&weir.PeopleDef{By: []string{weir.EmailDomain, "account_id"}}, "p>b email_domain=b.fr"},
		{&weir.PeopleDef{By: []string{weir.EmailDomain, "account_id"}, FreeMail: []string{"www.b.fr"}}, "p>a account_id=A1"},
		{&weir.PeopleDef{By: []string{"siren"}}, ""},
		{&weir.PeopleDef{None: true}, ""},
	} {
		def := firms
		def.People = c.people
		l := newFirms(t, def)
		l.addTo(weir.Account, "a", "account_id=A1")
		l.addTo(weir.Account, "b", "domain=b.fr")
		l.add("p", "account_id=A1", "email=p@b.fr")
		r := l.resolve()
		if got := strings.Join(l.employers(r), " "); got != c.want {
			t.Errorf("%+v: %q, want %q", c.people, got, c.want)
		}
	}
}

func TestPersonalIdentifierIsNotTheCompanys(t *testing.T) {
	l := newFirms(t, firms)
	for i := range 400 { // a large employer: no hub, no merged people
		l.add(fmt.Sprintf("p%03d", i), "account_id=A1", fmt.Sprintf("crm_id=%d", i))
	}
	l.addTo(weir.Account, "a", "account_id=A1")
	r := l.resolve()
	if r.Counts["profiles_person"] != 400 || r.Counts["hubs"] != 0 || len(l.employers(r)) != 400 {
		t.Errorf("%d links, counts %v", len(l.employers(r)), r.Counts)
	}
}

// The oracle joins every person's record with every account's, over the profiles
// that the run found.
func naiveEmployers(l *lake, r result, free map[string]bool) []string {
	key := func(id string) string { return strings.TrimPrefix(id, "crm/contacts/") }
	name := map[string]string{}
	for _, k := range slices.Backward(slices.Sorted(maps.Keys(r.links))) {
		name[r.links[k]] = k
	}
	holders := func(by, value string) map[string]bool {
		found := map[string]bool{}
		kind := by
		if by == weir.EmailDomain {
			kind = "domain"
		}
		for id, rec := range l.records {
			if rec.Kind == weir.Account && slices.Contains(rec.Identifiers[kind], value) {
				found[r.links[key(id)]] = true
			}
		}
		return found
	}
	links := map[string]map[string]bool{} // person and by
	for id, rec := range l.records {
		if rec.Kind != weir.Person {
			continue
		}
		for _, by := range []string{"account_id", "siren", "domain", weir.EmailDomain} {
			values := rec.Identifiers[by]
			if by == weir.EmailDomain {
				for _, e := range rec.Identifiers["email"] {
					values = append(values, e[strings.IndexByte(e, '@')+1:])
				}
			}
			for _, v := range values {
				if found := holders(by, v); len(found) == 1 && !free[v] {
					at := r.links[key(id)] + " " + by
					if links[at] == nil {
						links[at] = map[string]bool{}
					}
					for a := range found {
						links[at][fmt.Sprintf("%s>%s %s=%s", name[r.links[key(id)]], name[a], by, v)] = true
					}
				}
			}
		}
	}
	var out []string
	for _, p := range r.links {
		for _, by := range []string{"account_id", "siren", "domain", weir.EmailDomain} {
			if found := links[p+" "+by]; found != nil {
				out = append(out, slices.Collect(maps.Keys(found))...)
				break
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func TestAccountsAreANaiveJoin(t *testing.T) {
	free := map[string]bool{"gmail.com": true, "web.de": true, "ours.fr": true}
	domains := []string{"gmail.com", "web.de", "ours.fr"}
	for i := range 30 {
		domains = append(domains, fmt.Sprintf("firm%d.fr", i))
	}
	links := 0
	for seed := range uint64(6) {
		var want []string
		for cut := range 3 { // other orders and files, the same table
			rng := rand.New(rand.NewPCG(seed, 1))
			def := firms
			def.People = &weir.PeopleDef{FreeMail: []string{"ours.fr"}}
			l := newFirms(t, def)
			pick := func(fields ...string) (out []string) {
				for _, f := range fields {
					if rng.IntN(3) > 0 {
						out = append(out, f)
					}
				}
				return out
			}
			for i := range 40 {
				l.addTo(weir.Account, fmt.Sprintf("a%d", i), pick(fmt.Sprintf("account_id=c%d", rng.IntN(35)), fmt.Sprintf("siren=s%d", rng.IntN(30)), "domain="+domains[rng.IntN(33)])...)
			}
			for i := range 200 {
				l.add(fmt.Sprintf("p%d", i), pick(fmt.Sprintf("crm_id=%d", rng.IntN(150)), fmt.Sprintf("email=x%d@%s", rng.IntN(60), domains[rng.IntN(33)]),
					fmt.Sprintf("account_id=c%d", rng.IntN(120)), fmt.Sprintf("siren=s%d", rng.IntN(90)))...)
			}
			if cut > 0 {
				l.order, l.files = rand.New(rand.NewPCG(seed, uint64(cut))), 1+cut*2
			}
			r := l.resolve()
			got := l.employers(r)
			if naive := naiveEmployers(l, r, free); !slices.Equal(got, naive) {
				t.Fatalf("seed %d: links\n%s\nnaively\n%s", seed, strings.Join(got, "\n"), strings.Join(naive, "\n"))
			}
			if r.identifiers["domain=gmail.com"] != "" && r.identifiers["domain=gmail.com"] != "?" {
				t.Errorf("gmail.com is somebody's")
			}
			if links += len(got); cut == 0 {
				want = r.files("identity.accounts")
			} else if !slices.Equal(want, r.files("identity.accounts")) {
				t.Errorf("seed %d: other files of identity.accounts: %v, %v", seed, want, r.files("identity.accounts"))
			}
			if again := l.resolve(); !slices.Equal(want, again.files("identity.accounts")) {
				t.Errorf("seed %d: a second run writes other links", seed)
			}
		}
	}
	if links < 500 {
		t.Errorf("only %d links: the test tests little", links)
	}
}

func TestPeopleWithoutAccounts(t *testing.T) {
	l := newLake(t, clients)
	l.add("p", "email=a@acme.fr", "account_id=1")
	if got := l.employers(l.resolve()); len(got) != 0 {
		t.Errorf("links %v", got)
	}
	l = newFirms(t, firms)
	l.add("p", "email=a@acme.fr")
	r := l.resolve()
	if got := l.employers(r); len(got) != 0 {
		t.Errorf("links %v", got)
	}
	l.addTo(weir.Account, "a", "domain=acme.fr")
	if got := l.employers(l.resolve()); !slices.Equal(got, []string{"p>a email_domain=acme.fr"}) {
		t.Errorf("links %v", got)
	}
	delete(l.records, "crm/contacts/a")
	if got := l.employers(l.resolve()); len(got) != 0 {
		t.Errorf("links of an account that is gone: %v", got)
	}
}
