package stages

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/policies/consents"
	"github.com/weir-cdp/weir/project"
)

// ConsentView is what was said about a person, and what holds of it now.
type ConsentView struct {
	Who     Who            `json:"who"`
	Entries []weir.Consent `json:"entries"` // the earliest first
	// Ledger is what the ledger of consents says of the same addresses, opened.
	Ledger []LedgerLine `json:"ledger"`
	Now    time.Time    `json:"now"`
	Folded []Standing   `json:"folded"`
}

// Standing is what holds for one purpose and channel.
type Standing struct {
	Purpose string         `json:"purpose"`
	Channel string         `json:"channel"`
	State   consents.State `json:"state"`
}

// consentTables are those that Consents reads.
var consentTables = slices.Concat([]string{"core.consents"}, ledgerTables, whoTables)

// Consents tells of an address or profile: its entries, and their fold at now
// for every purpose and channel that an entry or an activation names. A value
// that leads to no profile has its own entries alone.
func (h *House) Consents(ctx context.Context, p *project.Project, ref string, now time.Time) (ConsentView, error) {
	v := ConsentView{Now: now, Entries: []weir.Consent{}, Folded: []Standing{}}
	q, err := h.ask(ctx, consentTables...)
	if err != nil {
		return v, err
	}
	defer q.close()
	if v.Who, err = q.whoever(ctx, ref); err != nil {
		return v, err
	}
	ids := weir.Identifiers{}
	if v.Who.ProfileID != "" {
		profile, err := q.golden(ctx, v.Who.ProfileID)
		if err != nil {
			return v, err
		}
		ids = profile.Identifiers
	}
	ids.Add(v.Who.Kind, v.Who.Value)
	if v.Entries, err = q.consentsOf(ctx, ids); err != nil {
		return v, err
	}
	if v.Ledger, err = q.ledgerOf(ctx, ids); err != nil {
		return v, err
	}
	held, err := q.held(ctx, v.Who)
	if err != nil {
		return v, err
	}
	about := policies.Expanded(consents.Profile{Entries: v.Entries, Held: held})
	for _, pair := range asked(p, v.Entries) {
		query := consents.Query{Purpose: pair[0], Channel: pair[1], Now: now, Addresses: addressesOf(v.Who, ids, pair[1])}
		v.Folded = append(v.Folded, Standing{Purpose: pair[0], Channel: pair[1], State: consents.Fold(about, query)})
	}
	return v, nil
}

// whoever is who, where an address that nobody holds will do too: something may have
// been said for it.
func (q *asking) whoever(ctx context.Context, ref string) (Who, error) {
	w, err := q.who(ctx, ref)
	if m := identifierForm.FindStringSubmatch(reference(ref)); m != nil && weir.CodeOf(err) == weir.NotFound {
		all := spellings(m[1], m[2])
		return Who{Kind: m[1], Value: all[len(all)-1]}, nil
	}
	return w, err
}

// held is what each record behind a reference holds together.
func (q *asking) held(ctx context.Context, w Who) ([]weir.Identifiers, error) {
	if w.ProfileID == "" {
		return decoded[weir.Identifiers](ctx, q, "select cast(to_json(identifiers) as varchar) from core.records where list_contains(identifiers[?], ?) order by record_id", w.Kind, w.Value)
	}
	return decoded[weir.Identifiers](ctx, q, `select cast(to_json(r.identifiers) as varchar) from core.records r join identity.links l using (record_id)
		where l.profile_id = ? order by r.record_id`, w.ProfileID)
}

// asked lists the purposes and channels that matter: of entries and activations.
func asked(p *project.Project, entries []weir.Consent) [][2]string {
	var out [][2]string
	for _, a := range p.Activations {
		out = append(out, [2]string{a.Purpose, a.Channel})
	}
	for _, e := range entries {
		if e.Purpose != "" && e.Channel != "" {
			out = append(out, [2]string{e.Purpose, e.Channel})
		}
	}
	slices.SortFunc(out, func(a, b [2]string) int { return strings.Compare(a[0]+"\x00"+a[1], b[0]+"\x00"+b[1]) })
	return slices.Compact(out)
}

// addressesOf are the addresses that a channel would use: the one asked for, or
// the profile's of the channel's kind.
func addressesOf(w Who, ids weir.Identifiers, channel string) []consents.Address {
	if w.Kind != "" {
		return []consents.Address{{Kind: w.Kind, Value: w.Value}}
	}
	kind := "email"
	if channel == "sms" || channel == "phone" || channel == "call" || channel == "whatsapp" {
		kind = "phone"
	}
	if values := ids[kind]; len(values) > 0 {
		return []consents.Address{{Kind: kind, Value: values[0]}}
	}
	return nil
}

// Answer is what the gate says now of one profile and one activation, and why.
type Answer struct {
	Who         Who                  `json:"who"`
	Activation  string               `json:"activation"`
	Member      bool                 `json:"member"` // of the activation's segment
	Held        bool                 `json:"held"`   // the destination has the profile now
	HasKey      bool                 `json:"has_key"`
	Input       policies.Input       `json:"input"` // facts alone, no personal value
	Explanation policies.Explanation `json:"explanation"`
	Recorded    *Ruling              `json:"recorded,omitempty"` // the decision in force
	// HeldBack is why the last run did not even ask the gate about the profile.
	HeldBack *weir.HeldBack `json:"held_back,omitempty"`
	// Unmet are obligations of an allow that nobody would carry out: it is denied then.
	Unmet []string `json:"unmet_obligations,omitempty"`
}

// ExplainDecision asks the gate about one profile, as the decide stage would at
// now, and says why it answers so. Nothing is recorded.
func (h *House) ExplainDecision(ctx context.Context, p *project.Project, ref, activation string, now time.Time) (Answer, error) {
	a := Answer{Activation: activation}
	def, ok := p.Activation(activation)
	if _, swapped := p.Activation(ref); !ok && swapped {
		return a, weir.Errorf(weir.Invalid, "%s is an activation, and the profile goes before it", ref).Then("write: weir policy explain " + activation + " " + ref)
	}
	if !ok {
		return a, noActivation(p, activation)
	}
	q, err := h.ask(ctx, append([]string{"core.consents", "core.traits", "segment.memberships", "activation.state", "consent.decisions", "consent.classes", "core.events", heldBackTable}, whoTables...)...)
	if err != nil {
		return a, err
	}
	defer q.close()
	if a.Who, err = q.one(ctx, ref); err != nil {
		return a, err
	}
	if back, err := list[weir.HeldBack](ctx, q, heldBackTable, "where activation = ? and profile_id = ?", activation, a.Who.ProfileID); err != nil {
		return a, err
	} else if len(back) > 0 {
		a.HeldBack = &back[0]
	}
	who, err := q.person(ctx, a.Who.ProfileID)
	if err != nil {
		return a, err
	}
	if who.contact, err = q.contact(ctx, p, who.profile, now); err != nil {
		return a, err
	}
	_, a.Held = who.state[activation]
	a.Member = slices.Contains(who.segments, def.Segment)
	rulings, err := q.rulings(ctx, a.Who.ProfileID)
	if err != nil {
		return a, err
	}
	for _, r := range rulings {
		if r.Activation == activation {
			a.Recorded = &r
		}
	}
	_, addresses, ok := compose(def, who)
	if a.HasKey = ok; !ok {
		return a, nil // nothing to send it by: the gate is not asked
	}
	gate, err := h.Ruling(ctx, p, now)
	if err != nil {
		return a, err
	}
	if a.Input, err = h.question(gate, p, def, who, addresses, now); err != nil {
		return a, err
	}
	if a.Explanation, err = gate.Explain(ctx, a.Input); err != nil || len(a.Explanation.Verdict.Obligations) == 0 {
		return a, err
	}
	asked, err := h.questions(p, weir.Run{}).of(ctx, gate, def)
	a.Unmet = asked.Unmet(a.Explanation.Verdict.Obligations)
	return a, err
}

func noActivation(p *project.Project, name string) error {
	var have []string
	for _, a := range p.Activations {
		have = append(have, a.Name)
	}
	return weir.Errorf(weir.NotFound, "there is no activation %q", name).Then("the project has: " + strings.Join(have, ", "))
}

// question is what the gate is asked about a person.
func (h *House) question(gate *policies.Gate, p *project.Project, def weir.ActivationDef, who *person, addresses []consents.Address, now time.Time) (policies.Input, error) {
	destination, _ := p.Destination(def.Destination)
	run := weir.Run{Workspace: p.Name, ID: weir.NewRunID(now, "explain"), Now: now}
	d, err := gate.Decider(policies.Question{Run: run, Activation: def, Destination: destination.Privacy, Subject: p.Subject, Controller: p.Controller})
	if err != nil {
		return policies.Input{}, err
	}
	return d.Input(d.Describe(who.asked(addresses))), nil
}

// person gathers what the gate and the activations need of one profile.
func (q *asking) person(ctx context.Context, id string) (*person, error) {
	profile, err := q.golden(ctx, id)
	if err != nil {
		return nil, err
	}
	out := &person{profile: id, values: map[string]any{}, identifiers: profile.Identifiers, state: map[string]weir.DeliveryState{}}
	for name, text := range profile.Attributes {
		out.values[name] = "=" + text
	}
	traits, err := q.traits(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, t := range traits {
		out.values["trait."+t.Name] = "=" + t.Value
	}
	if out.consents, err = q.consentsOf(ctx, profile.Identifiers); err != nil {
		return nil, err
	}
	if out.held, err = q.held(ctx, Who{ProfileID: id}); err != nil {
		return nil, err
	}
	if out.segments, err = q.column(ctx, "select segment from segment.memberships where profile_id = ? order by 1", id); err != nil {
		return nil, err
	}
	held, err := list[weir.DeliveryState](ctx, q, "activation.state", "where profile_id = ? order by activation", id)
	for _, s := range held {
		out.state[s.Activation] = s
	}
	return out, err
}

// contact is when a profile last came into contact, as the project defines it.
func (q *asking) contact(ctx context.Context, p *project.Project, id string, now time.Time) (time.Time, error) {
	names := contactEvents(p)
	if len(names) == 0 {
		return time.Time{}, nil
	}
	query, err := contactQuery(names, p, now)
	if err != nil {
		return time.Time{}, err
	}
	found, err := q.column(ctx, "with considered as (select ? as profile_id) select contact from ("+query+")", id)
	if err != nil || len(found) == 0 {
		return time.Time{}, err
	}
	m := &merge{}
	return m.time(found[0]), m.err
}
