package policies

import (
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/consents"
)

// Question is what is asked about every row: fixed for one activation's run.
type Question struct {
	Run         weir.Run
	Activation  weir.ActivationDef
	Destination weir.Privacy
	Subject     weir.SubjectDef
}

// fixed are the inputs that all rows share.
func (q Question) fixed() Input {
	p := q.Destination
	return Input{
		Activation: Activation{Categories: ListOf(q.Activation.Categories...), Channel: known(q.Activation.Channel), Purpose: known(q.Activation.Purpose)},
		Destination: Destination{Country: known(p.Country), DPA: FactOf(p.DPA), Kind: known(p.Kind), Mechanism: known(p.Mechanism),
			Purposes: ListOf(p.Purposes...), Role: known(p.Role), Transfer: known(p.Transfer)},
	}
}

func known(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

// Person is what the host knows of one profile.
type Person struct {
	ProfileID  string
	Attributes map[string]string // canonical texts
	// Consents are all entries about any identifier of the profile, and what its
	// records hold together.
	Consents consents.Profile
	// Addresses are those that would be sent: a grant must reach each of them.
	Addresses []consents.Address
	// LastContactAt is the latest contact that came from the person
	// (SubjectDef.LastContact); zero: not known.
	LastContactAt time.Time
}

// Candidate is one row to be decided: facts only, no address and no name.
type Candidate struct {
	ProfileID string
	Subject   Subject
	Consent   Consent
	// The times behind the day counts, from which a decision's end is computed;
	// zero: not known, or never.
	GivenAt       time.Time
	LastContactAt time.Time
	ExpiresAt     time.Time
	// Rests are the consent entries behind the facts.
	Rests []string
}

// Describe states what is known of a person as the facts that the law asks for.
func (d *Decider) Describe(p Person) Candidate {
	now := d.q.Run.Now
	s := consents.Fold(p.Consents, consents.Query{Purpose: d.q.Activation.Purpose, Channel: d.q.Activation.Channel, Addresses: p.Addresses, Now: now})
	erasure := ErasureNone
	if s.Erasure {
		erasure = ErasureRequested
	}
	return Candidate{
		ProfileID: p.ProfileID,
		Subject: Subject{AgeBand: d.age(p.Attributes), Erasure: erasure, GPC: FactOf(s.Signal), InactiveDays: DaysSince(p.LastContactAt, now),
			Jurisdictions: d.jurisdictions(p.Attributes, s.Jurisdictions), Objected: FactOf(s.Objected), OptedOut: FactOf(s.OptedOut), Restricted: FactOf(s.Restricted)},
		Consent: Consent{AgeDays: DaysSince(s.GivenAt, now), Explicit: FactOf(s.Explicit), Proof: FactOf(s.Proof), Status: statusOf(s.Status)},
		GivenAt: s.GivenAt, ExpiresAt: s.ExpiresAt, LastContactAt: p.LastContactAt, Rests: s.Rests,
	}
}

func statusOf(s consents.Status) Status {
	switch s {
	case consents.None:
		return StatusNone
	case consents.Given:
		return StatusGranted
	case consents.Refused:
		return StatusDenied
	case consents.Withdrawn:
		return StatusWithdrawn
	case consents.Expired:
		return StatusExpired
	}
	return StatusUnknown
}

// jurisdictions gathers what all declared sources say: each law is asked, and a
// place that the policy does not know makes the list unknown.
func (d *Decider) jurisdictions(attributes map[string]string, claimed []string) List {
	var region string
	for _, source := range d.q.Subject.Region {
		if name, ok := strings.CutPrefix(source, "attribute."); ok && region == "" {
			region = attributes[name]
		}
	}
	var out []string
	add := func(text string) {
		if text == "" {
			return
		}
		code, ok := d.gate.vocab.place(text, region)
		if !ok {
			code = "unknown"
		}
		out = append(out, code)
	}
	for _, source := range d.q.Subject.Jurisdiction {
		if name, ok := strings.CutPrefix(source, "attribute."); ok {
			add(attributes[name])
		} else if source == "consent.jurisdiction" {
			for _, c := range claimed {
				add(c)
			}
		}
	}
	if len(out) == 0 {
		return "unknown"
	}
	return ListOf(out...)
}

// age cuts the years since the first birth date that can be read.
func (d *Decider) age(attributes map[string]string) AgeBand {
	for _, source := range d.q.Subject.BirthDate {
		name, ok := strings.CutPrefix(source, "attribute.")
		if !ok {
			continue
		}
		born, err := time.Parse(time.DateOnly, attributes[name])
		if err != nil {
			continue
		}
		now := d.q.Run.Now.UTC()
		years := now.Year() - born.Year()
		if now.Month() < born.Month() || (now.Month() == born.Month() && now.Day() < born.Day()) {
			years--
		}
		switch {
		case years < 0 || years > 130:
			return AgeUnknown
		case years < 13:
			return AgeUnder13
		case years < 16:
			return Age13To15
		case years < 18:
			return Age16To17
		}
		return Adult
	}
	return AgeUnknown
}

// check refuses sources that the gate can't read.
func (q Question) check() error {
	for key, sources := range map[string][]string{"jurisdiction": q.Subject.Jurisdiction, "region": q.Subject.Region, "birth_date": q.Subject.BirthDate} {
		for _, s := range sources {
			if strings.HasPrefix(s, "attribute.") || (key == "jurisdiction" && s == "consent.jurisdiction") {
				continue
			}
			return weir.Errorf(weir.Invalid, "subject.%s can't be read from %q", key, s).At("weir.yaml").Then("use attribute.<name>" + map[bool]string{true: " or consent.jurisdiction"}[key == "jurisdiction"])
		}
	}
	if q.Run.Now.IsZero() {
		return weir.Errorf(weir.Internal, "the run has no now")
	}
	return nil
}
