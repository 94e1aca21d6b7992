package stages

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/sql"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/policies/consents"
	"github.com/weir-cdp/weir/project"
)

// contactTables are those that contactQuery reads, beside a table `considered` of
// profile ids.
var contactTables = []string{"core.events", "identity.identifiers"}

// contactEvents are the events that a project takes for a contact that came from
// the person (weir.yaml, subject.last_contact).
func contactEvents(p *project.Project) []string {
	var names []string
	for _, ref := range p.Subject.LastContact {
		if name, ok := strings.CutPrefix(ref, "event."); ok {
			names = append(names, name)
		}
	}
	return names
}

// contactQuery finds when each considered profile last came into contact, until
// now: (profile_id, time). An event goes to the profile of its strongest
// unambiguous identifier, as in the segment stage.
func contactQuery(names []string, p *project.Project, now time.Time) (string, error) {
	kinds, err := json.Marshal(p.IdentifierKinds())
	if err != nil {
		return "", weir.Errorf(weir.Internal, "identifier kinds: %w", err)
	}
	return fmt.Sprintf(`
		with contacts as (select event_id, occurred_at, unnest(map_entries(identifiers)) as e from core.events
			where name in (%s) and occurred_at <= '%s'::timestamptz),
		claims as (select event_id, occurred_at, e.key as kind, unnest(e.value) as value from contacts),
		owners as (select kind, value, profile_id from identity.identifiers where not ambiguous and profile_id <> ''),
		near as (select distinct event_id from claims join owners using (kind, value) semi join considered using (profile_id)),
		owned as (select c.occurred_at, o.profile_id from claims c semi join near using (event_id) join owners o using (kind, value)
			qualify row_number() over (partition by c.event_id order by
				coalesce(nullif(list_position(cast(%s::json as varchar[]), c.kind), 0), 1000000), c.kind, c.value) = 1)
		select profile_id, strftime(max(occurred_at) at time zone 'UTC', '%%Y-%%m-%%dT%%H:%%M:%%S.%%fZ') as contact
		from owned semi join considered using (profile_id) group by profile_id`,
		literals(names), now.UTC().Format(time.RFC3339Nano), sql.QuoteText(string(kinds))), nil
}

// asked is what the gate is told of a person who would be sent under these
// addresses.
func (p *person) asked(addresses []consents.Address) policies.Person {
	return policies.Person{ProfileID: p.profile, Attributes: plain(p.values), Addresses: addresses,
		Consents: consents.Profile{Entries: p.consents, Held: p.held}, LastContactAt: p.contact}
}
