package policies

import (
	"slices"
	"strconv"
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
	Controller  weir.ControllerDef
	Carrier     Carrier // what the destination carries out
}

// fixed are the inputs that all rows share.
func (q Question) fixed() Input {
	p := q.Destination
	return Input{
		Activation: Activation{Categories: ListOf(q.Activation.Categories...), Channel: known(q.Activation.Channel), Device: FactOf(usesDevice(q.Activation)),
			Effect: orNone(q.Activation.Effect), HumanReview: FactOf(q.Activation.HumanReview), Purpose: known(q.Activation.Purpose)},
		Controller: Controller{Charity: FactOf(q.Controller.Charity), Minors: FactOf(q.Controller.Minors)},
		Destination: Destination{Country: known(p.Country), DPA: FactOf(p.DPA), Google: FactOf(p.Google), Kind: known(p.Kind), Mechanism: known(p.Mechanism),
			Purposes: ListOf(p.Purposes...), Role: known(p.Role), TCF: FactOf(p.TCFVendor != 0), Transfer: known(p.Transfer)},
	}
}

// usesDevice says whether an activation sends what is read from a device.
func usesDevice(a weir.ActivationDef) bool {
	if slices.Contains(consents.DeviceKinds, a.Key) {
		return true
	}
	for _, ref := range a.Fields {
		if slices.Contains(consents.DeviceKinds, ref) {
			return true
		}
	}
	return false
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
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
	OptedOutAt    time.Time
	ExpiresAt     time.Time
	// Rests are the consent entries behind the facts.
	Rests []string
}

// Describe states what is known of a person as the facts that the law asks for.
func (d *Decider) Describe(p Person) Candidate { return d.DescribeAs(d.Portray(p), p.Addresses) }

// DescribeAs is Describe of a portrait, which a decider of the same gate, run and
// subject made, where it would be sent to these addresses.
func (d *Decider) DescribeAs(x *Portrait, addresses []consents.Address) Candidate {
	now, p := d.q.Run.Now, x.person
	p.Addresses = addresses
	said := p
	said.Consents = x.said
	s := x.fold(consents.Query{Purpose: d.q.Activation.Purpose, Channel: d.q.Activation.Channel, Addresses: p.Addresses, Now: now})
	erasure := ErasureNone
	if s.Erasure {
		erasure = ErasureRequested
	}
	c := Candidate{
		ProfileID: p.ProfileID,
		Subject: Subject{AgeBand: x.age, Customer: x.customer, Erasure: erasure, GPC: FactOf(s.Signal),
			InactiveDays: DaysSince(p.LastContactAt, now), Jurisdictions: x.jurisdictions(d, s.Jurisdictions), LimitSensitive: FactOf(s.LimitSensitive),
			Objected: FactOf(s.Objected), OptOutOffered: x.offered, OptedOut: FactOf(s.OptedOut),
			OptedOutAds: FactOf(s.OptedOutAds), OptedOutDays: DaysSince(s.OptedOutAt, now), OptedOutProfiling: FactOf(s.OptedOutProfiling),
			Restricted: FactOf(s.Restricted), Suppressed: NotSuppressed, SuppressedElsewhere: FactOf(s.SuppressedElsewhere)},
		Consent: Consent{AgeDays: DaysSince(s.GivenAt, now), DeviceStorage: d.deviceStorage(p, now), Explicit: FactOf(s.Explicit),
			Google: d.google(said), Guardian: FactOf(s.Guardian), Proof: FactOf(s.Proof), Status: statusOf(s.Status), TCF: d.tcf(said)},
		GivenAt: s.GivenAt, ExpiresAt: s.ExpiresAt, LastContactAt: p.LastContactAt, OptedOutAt: s.OptedOutAt, Rests: s.Rests,
	}
	if s.Suppressed {
		c.Subject.Suppressed = Suppressed
		if end := s.SuppressedAt.Add(confirmWithin); !s.SuppressedAt.IsZero() && !now.Before(s.SuppressedAt) && now.Before(end) {
			c.Subject.Suppressed = FreshlySuppressed
			if c.ExpiresAt.IsZero() || end.Before(c.ExpiresAt) {
				c.ExpiresAt = end
			}
		}
	}
	return c
}

// confirmWithin is how long after a STOP one confirmation may be sent: 47 CFR
// 64.1200(a)(12).
const confirmWithin = 5 * time.Minute

// deviceStorage folds the consent to store and read on the person's device
// (ePrivacy 5(3)), where the activation uses what was read there.
func (d *Decider) deviceStorage(p Person, now time.Time) Fact {
	if d.input.Activation.Device != Yes {
		return Unknown
	}
	s := consents.Fold(p.Consents, consents.Query{Purpose: "device.storage", Channel: d.q.Activation.Channel, Addresses: p.Addresses, Now: now})
	return FactOf(s.Status == consents.Given)
}

// told reads a yes or no from the first declared attribute or trait that the
// person has; without one it is unknown. A number above zero and a date are yes.
func told(values map[string]string, sources []string) Fact {
	for _, source := range sources {
		name, attribute := strings.CutPrefix(source, "attribute.")
		if !attribute {
			name = source // traits stand as trait.<name>
		}
		text := strings.ToLower(strings.TrimSpace(values[name]))
		if text == "" {
			continue
		}
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			return FactOf(n > 0)
		}
		if len(text) >= len(time.DateOnly) {
			if _, err := time.Parse(time.DateOnly, text[:len(time.DateOnly)]); err == nil {
				return Yes
			}
		}
		switch text {
		case "yes", "true", "y", "t":
			return Yes
		case "no", "false", "n", "f":
			return No
		}
		return Unknown
	}
	return Unknown
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

// region is what the first declared source says.
func (d *Decider) region(attributes map[string]string) string {
	for _, source := range d.q.Subject.Region {
		if name, ok := strings.CutPrefix(source, "attribute."); ok && attributes[name] != "" {
			return attributes[name]
		}
	}
	return ""
}

// jurisdictions gathers what all declared sources say: each law is asked, and a
// place that the policy does not know makes the list unknown.
func (d *Decider) jurisdictions(attributes map[string]string, region string, claimed []string) List {
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
		case years < 18:
			return Age13 + AgeBand(years-13)
		}
		return Adult
	}
	return AgeUnknown
}

// check refuses sources that the gate can't read.
func (q Question) check() error {
	for key, sources := range map[string][]string{"jurisdiction": q.Subject.Jurisdiction, "region": q.Subject.Region, "birth_date": q.Subject.BirthDate,
		"customer": q.Subject.Customer, "opt_out_offered": q.Subject.OptOutOffered} {
		for _, s := range sources {
			trait := strings.HasPrefix(s, "trait.") && (key == "customer" || key == "opt_out_offered")
			if strings.HasPrefix(s, "attribute.") || trait || (key == "jurisdiction" && s == "consent.jurisdiction") {
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
