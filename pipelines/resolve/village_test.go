package resolve_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// village is a lake in which everything collides: identifiers with limits of both
// kinds, hubs of four, blocks of five, accounts, events.
func village(t *testing.T, modelled bool) *lake {
	person := weir.IdentityDef{
		Order: []string{"customer_id", "crm_id", "email", "phone"},
		Identifiers: map[string]weir.IdentifierRule{
			"customer_id": {Limit: 1, Hard: true}, "crm_id": {Limit: 1}, "email": {Limit: 2, SharedBy: 2, Blocked: []string{"^shop"}}, "phone": {NoLink: true, SharedBy: 2}},
		Rules: []weir.MatchRule{{Name: "phone_and_name", Match: []string{"phone", "family_name"}}, {Name: "names", Match: []string{"given_name", "family_name", "birth_date"}}},
	}
	l := newLake(t, person, "family_name", "given_name", "birth_date", "city", "name")
	l.params.Identity = append(l.params.Identity, weir.IdentityDef{Kind: weir.Account, Order: []string{"account_id", "domain"},
		Identifiers: map[string]weir.IdentifierRule{"account_id": {Limit: 1, Hard: true}, "domain": {}}})
	if !modelled {
		return l
	}
	l.params.Identity[0].Rules, l.params.Identity[0].Model = l.params.Identity[0].Rules[:1], &weir.ModelDef{Auto: true}
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 500 {
		villager(l, r, fmt.Sprint(i), 200)
		for k := range r.IntN(3) { // doubles
			double := l.records["crm/contacts/"+fmt.Sprint(i)]
			double.ID += fmt.Sprint("-", k)
			l.records[double.ID] = double
		}
	}
	const key = "models/person/v.json"
	l.train(key)
	data, err := l.store.ReadFile(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	c := m.Content
	c.MaxBlock, c.Threshold = 5, -2
	column := func(name string) []model.Part {
		i := slices.IndexFunc(c.Columns, func(c model.Column) bool { return c.Name == name })
		if i < 0 {
			t.Fatalf("the model does not compare %s: %v", name, c.Columns)
		}
		return []model.Part{{Column: i, Transform: model.Whole}}
	}
	c.Rules = []model.Rule{{Name: "family", Parts: column("family_name"), Second: column("given_name")},
		{Name: "given", Parts: column("given_name"), Second: column("birth_date")}, {Name: "date", Parts: column("birth_date")},
		{Name: "city", Parts: column("city"), Second: column("family_name")}, {Name: "email", Parts: column("email")}}
	if m, err = model.New(c); err != nil {
		t.Fatal(err)
	}
	if data, err = m.JSON(); err != nil {
		t.Fatal(err)
	}
	if err := l.store.Put(t.Context(), key, bytes.NewReader(data), int64(len(data))); err != nil {
		t.Fatal(err)
	}
	l.records = map[string]weir.Record{}
	return l
}

// villager makes or changes a person's record, of a world of so many names.
func villager(l *lake, r *rand.Rand, key string, names int) {
	fields := []string{fmt.Sprintf("@family_name=%s", word(r.IntN(names/4+2), 5)), fmt.Sprintf("@given_name=%s", word(r.IntN(names/4+2), 3)),
		fmt.Sprintf("@birth_date=19%02d-01-%02d", 50+r.IntN(min(40, names)), 1+r.IntN(9)), "@city=" + word(r.IntN(4), 7)}
	may := func(share int, field string) {
		if r.IntN(share) == 0 {
			fields = append(fields, field)
		}
	}
	may(3, fmt.Sprintf("email=e%d@x%d.fr", r.IntN(names), r.IntN(2)))
	may(8, fmt.Sprintf("email=f%d@x.fr", r.IntN(names)))
	may(9, "email=shop@x.fr")
	may(4, fmt.Sprintf("phone=+3361234%04d", r.IntN(names/3+2)))
	may(3, fmt.Sprintf("crm_id=%d", 1+r.IntN(names)))
	may(6, fmt.Sprintf("customer_id=%d", 1+r.IntN(names)))
	may(20, fmt.Sprintf("customer_id=%d", 1+r.IntN(names)))
	may(5, fmt.Sprintf("anonymous_id=a%d", r.IntN(names)))
	may(9, fmt.Sprintf("account_id=k%d", r.IntN(8)))
	if r.IntN(30) == 0 {
		fields = nil
	}
	l.add(key, fields...)
}

// word spells a number.
func word(n, seed int) string {
	r := rand.New(rand.NewPCG(uint64(n), uint64(seed)))
	return words(r, 1)[0]
}
