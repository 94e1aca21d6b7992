package stages

import (
	"context"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/company"
)

// Employer is an account that a person belongs to.
type Employer struct {
	ProfileID string `json:"profile_id"`
	Name      string `json:"name"` // "": the account has none
	By        string `json:"by"`   // what says so: an identifier's kind or email_domain
	Value     string `json:"value"`
}

// Staff is who belongs to an account.
type Staff struct {
	People int64      `json:"people"`
	First  []Employee `json:"first"` // by their ids, up to ten
}

// Employee is a person of an account.
type Employee struct {
	ProfileID string `json:"profile_id"`
	By        string `json:"by"`
	Value     string `json:"value"`
}

// staffShown bounds how many people a view of an account has.
const staffShown = 10

// employers lists the accounts of a person.
func (q *asking) employers(ctx context.Context, person string) ([]Employer, error) {
	names := []string{"''"}
	for _, a := range slices.Backward(company.Attributes) {
		if _, ok := q.have["core.profiles"].Column(a); ok {
			names = append([]string{"nullif(cast(p." + quote(a) + " as varchar), '')"}, names...)
		}
	}
	row := fieldsJSON([2]string{"profile_id", "a.account_profile_id"}, [2]string{"name", "coalesce(" + strings.Join(names, ", ") + ")"},
		[2]string{"by", "a.linked_by"}, [2]string{"value", "a." + quote("value")})
	return decoded[Employer](ctx, q, "select "+row+` from identity.accounts a left join core.profiles p on p.profile_id = a.account_profile_id
		where a.profile_id = ? order by a.account_profile_id, a.linked_by, a."value"`, person)
}

// staff counts the people of an account and lists the first.
func (q *asking) staff(ctx context.Context, account string) (Staff, error) {
	counts, err := decoded[int64](ctx, q, "select cast(count(distinct profile_id) as varchar) from identity.accounts where account_profile_id = ?", account)
	if err != nil || len(counts) == 0 || counts[0] == 0 {
		return Staff{First: []Employee{}}, err
	}
	links, err := list[weir.AccountLink](ctx, q, "identity.accounts",
		`where account_profile_id = ? qualify row_number() over (partition by profile_id order by linked_by, "value") = 1 order by profile_id limit ?`, account, staffShown)
	s := Staff{People: counts[0], First: make([]Employee, len(links))}
	for i, l := range links {
		s.First[i] = Employee{ProfileID: l.ProfileID, By: l.By, Value: l.Value}
	}
	return s, err
}
