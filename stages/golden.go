package stages

import (
	"context"
	"encoding/json"
	"time"

	"github.com/weir-cdp/weir"
)

// ProfileView is all that the tables say of one profile.
type ProfileView struct {
	Who       Who                  `json:"who"`
	Profile   weir.Profile         `json:"profile"`
	Records   []RecordOf           `json:"records"`
	Lineage   []FieldOrigin        `json:"lineage"`
	Traits    []Trait              `json:"traits"`
	Segments  []weir.Membership    `json:"segments"`
	Consents  []weir.Consent       `json:"consents"`
	Decisions []Ruling             `json:"decisions"` // in force, one an activation
	Held      []weir.DeliveryState `json:"held"`      // what destinations hold now
	Sent      []weir.Delivery      `json:"sent"`      // the latest deliveries
	Merges    []weir.Merge         `json:"merges"`    // how its id came to be
	Accounts  []Employer           `json:"accounts"`  // a person's
	Staff     Staff                `json:"staff"`     // an account's
}

// RecordOf is one of a profile's records.
type RecordOf struct {
	RecordID    string           `json:"record_id"`
	Source      string           `json:"source"`
	Stream      string           `json:"stream"`
	ObservedAt  time.Time        `json:"observed_at"`
	Identifiers weir.Identifiers `json:"identifiers"`
}

// FieldOrigin says which record gave a field its value, by which rule.
type FieldOrigin struct {
	Field      string    `json:"field"`
	Value      string    `json:"value"`
	RecordID   string    `json:"record_id"`
	Rule       string    `json:"rule"`
	ObservedAt time.Time `json:"observed_at"`
}

// Trait is a computed value as text.
type Trait struct {
	Name  string `json:"trait"`
	Value string `json:"value"`
}

// Ruling is a decision in force with its class's reasons.
type Ruling struct {
	weir.Decision
	Basis    string   `json:"basis"`
	Reasons  []string `json:"reasons"`
	Revision string   `json:"policy_revision"`
}

// sentShown bounds how many deliveries a view has.
const sentShown = 50

// Profile tells all about the profile of a reference: KIND:VALUE, a record's id,
// or a profile's id of any age. NotFound: there is none; Conflict: the value
// leads to no single profile.
func (h *House) Profile(ctx context.Context, ref string) (ProfileView, error) {
	q, err := h.ask(ctx, append([]string{"core.lineage", "core.traits", "core.consents", "segment.memberships", "consent.decisions",
		"consent.classes", "identity.accounts", "activation.state", "activation.deliveries"}, whoTables...)...)
	if err != nil {
		return ProfileView{}, err
	}
	defer q.close()
	v := ProfileView{}
	if v.Who, err = q.one(ctx, ref); err != nil {
		return v, err
	}
	id := v.Who.ProfileID
	if v.Profile, err = q.golden(ctx, id); err != nil {
		return v, err
	}
	steps := []func() error{
		func() error { v.Records, err = q.recordsOf(ctx, id); return err },
		func() error { v.Lineage, err = q.lineage(ctx, v.Profile); return err },
		func() error { v.Accounts, err = q.employers(ctx, id); return err },
		func() error { v.Staff, err = q.staff(ctx, id); return err },
		func() error { v.Traits, err = q.traits(ctx, id); return err },
		func() error {
			v.Segments, err = list[weir.Membership](ctx, q, "segment.memberships", "where profile_id = ? order by segment", id)
			return err
		},
		func() error { v.Consents, err = q.consentsOf(ctx, v.Profile.Identifiers); return err },
		func() error { v.Decisions, err = q.rulings(ctx, id); return err },
		func() error {
			v.Held, err = list[weir.DeliveryState](ctx, q, "activation.state", "where profile_id = ? order by activation", id)
			return err
		},
		func() error {
			v.Sent, err = list[weir.Delivery](ctx, q, "activation.deliveries", "where profile_id = ? order by \"at\" desc, activation, sequence desc, delivery_id limit ?", id, sentShown)
			return err
		},
		func() error {
			v.Merges, err = list[weir.Merge](ctx, q, "identity.merges", "where from_profile_id = ? or to_profile_id = ? order by \"at\", change, from_profile_id", id, id)
			return err
		},
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return v, err
		}
	}
	return v, nil
}

// golden reads one row of core.profiles.
func (q *asking) golden(ctx context.Context, id string) (weir.Profile, error) {
	fields := [][2]string{}
	for _, c := range q.have["core.profiles"].Attributes() {
		fields = append(fields, [2]string{c.Name, jsonValue(quote(c.Name), c.Type)})
	}
	attributes := "'{}'::json"
	if len(fields) > 0 {
		attributes = fieldsJSON(fields...) + "::json"
	}
	row := fieldsJSON([2]string{"profile_id", "profile_id"}, [2]string{"kind", "kind"}, [2]string{"first_seen_at", moment("first_seen_at")},
		[2]string{"last_seen_at", moment("last_seen_at")}, [2]string{"records", "records"}, [2]string{"identifiers", "identifiers"}, [2]string{"marked", attributes})
	type marked struct {
		weir.Profile
		Marked map[string]any `json:"marked"`
	}
	found, err := decoded[marked](ctx, q, "select "+row+" from core.profiles where profile_id = ?", id)
	if err != nil {
		return weir.Profile{}, err
	}
	if len(found) == 0 {
		return weir.Profile{}, weir.Errorf(weir.NotFound, "profile %q has no golden record yet", id).Then("weir run unify")
	}
	p := found[0].Profile
	p.Attributes = plain(found[0].Marked)
	return p, nil
}

func (q *asking) recordsOf(ctx context.Context, profile string) ([]RecordOf, error) {
	row := fieldsJSON([2]string{"record_id", "r.record_id"}, [2]string{"source", "source"}, [2]string{"stream", "stream"},
		[2]string{"observed_at", moment("observed_at")}, [2]string{"identifiers", "identifiers"})
	return decoded[RecordOf](ctx, q, "select "+row+" from core.records r join identity.links l using (record_id) where l.profile_id = ? order by r.record_id", profile)
}

func (q *asking) lineage(ctx context.Context, p weir.Profile) ([]FieldOrigin, error) {
	rows, err := list[weir.Lineage](ctx, q, "core.lineage", "where profile_id = ? order by field", p.ID)
	out := make([]FieldOrigin, len(rows))
	for i, r := range rows {
		out[i] = FieldOrigin{Field: r.Field, Value: p.Attributes[r.Field], RecordID: r.RecordID, Rule: r.Rule, ObservedAt: r.ObservedAt}
	}
	return out, err
}

func (q *asking) traits(ctx context.Context, profile string) ([]Trait, error) {
	value := "coalesce(rtrim(rtrim(cast(number as varchar), '0'), '.'), " + moment(quote("time")) + ", text)"
	return decoded[Trait](ctx, q, "select "+fieldsJSON([2]string{"trait", "trait"}, [2]string{"value", value})+" from core.traits where profile_id = ? order by trait", profile)
}

// consentsOf lists what was said about any of these identifiers, the earliest first.
func (q *asking) consentsOf(ctx context.Context, ids weir.Identifiers) ([]weir.Consent, error) {
	text, err := json.Marshal(ids)
	if err != nil {
		return nil, weir.Errorf(weir.Internal, "identifiers: %w", err)
	}
	return list[weir.Consent](ctx, q, "core.consents", `where list_contains(
		cast(cast(?::json as map(varchar, varchar[]))[identifier_kind] as varchar[]), identifier_value) order by occurred_at, recorded_at, consent_id`, string(text))
}

// rulings lists the decisions in force about a profile.
func (q *asking) rulings(ctx context.Context, profile string) ([]Ruling, error) {
	if err := q.placeDecisions(ctx, q.sess); err != nil {
		return nil, err
	}
	decisions, err := list[weir.Decision](ctx, q, "consent.decisions",
		"left join decide_runs using (run_id) where profile_id = ? qualify row_number() over (partition by activation "+inForce+") = 1 order by activation", profile)
	if err != nil {
		return nil, err
	}
	out := []Ruling{}
	for _, d := range decisions {
		r := Ruling{Decision: d}
		classes, err := list[weir.DecisionClass](ctx, q, "consent.classes", "where class_id = ?", d.ClassID)
		if err != nil {
			return nil, err
		}
		if len(classes) > 0 {
			r.Basis, r.Reasons, r.Revision = classes[0].Basis, classes[0].Reasons, classes[0].PolicyRevision
		}
		out = append(out, r)
	}
	return out, nil
}
