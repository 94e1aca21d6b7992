package stages

import (
	"fmt"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

func TestProfileShowsAccountsAndPeople(t *testing.T) {
	v := newVillage(t)
	types := map[string]weir.AttributeType{"company_name": weir.Text}
	profiles := []weir.Profile{
		{ID: "a_acme", Kind: weir.Account, Attributes: map[string]string{"company_name": "Acme S.A."}, Identifiers: weir.Identifiers{"vat": {"FR83404833048"}}, Records: 1},
		{ID: "a_beta", Kind: weir.Account, Records: 1},
	}
	var links []weir.AccountLink
	for i := range 14 {
		id := fmt.Sprintf("p_%02d", i)
		profiles = append(profiles, weir.Profile{ID: id, Kind: weir.Person, Records: 1})
		links = append(links, weir.AccountLink{ProfileID: id, AccountID: "a_acme", By: "email_domain", Value: "acme.fr"})
	}
	links = append(links, weir.AccountLink{ProfileID: "p_00", AccountID: "a_acme", By: "email_domain", Value: "acme.org"},
		weir.AccountLink{ProfileID: "p_00", AccountID: "a_beta", By: "email_domain", Value: "beta.de"})
	put(v, schema.Profiles(types), weir.Unify, "", profiles...)
	putNamed(v, "identity.accounts", weir.Resolve, links...)
	putNamed(v, "identity.identifiers", weir.Resolve, weir.IdentifierOwner{Kind: "vat", Value: "FR83404833048", ProfileID: "a_acme"})

	account, err := v.Profile(t.Context(), "vat:fr 83 404 833 048")
	if err != nil {
		t.Fatal(err)
	}
	if s := account.Staff; s.People != 14 || len(s.First) != staffShown || s.First[0] != (Employee{"p_00", "email_domain", "acme.fr"}) || len(account.Accounts) != 0 {
		t.Errorf("staff %+v, accounts %+v", s, account.Accounts)
	}
	person, err := v.Profile(t.Context(), "p_00")
	if err != nil {
		t.Fatal(err)
	}
	want := []Employer{{"a_acme", "Acme S.A.", "email_domain", "acme.fr"}, {"a_acme", "Acme S.A.", "email_domain", "acme.org"}, {"a_beta", "", "email_domain", "beta.de"}}
	if fmt.Sprint(person.Accounts) != fmt.Sprint(want) || person.Staff.People != 0 {
		t.Errorf("accounts %+v, staff %+v", person.Accounts, person.Staff)
	}
}
