package conform

import (
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/conform/mapping"
	"github.com/weir-cdp/weir/pipelines/conform/standard"
)

// mapRow maps the present row into a body; false: it is withheld, its faults say
// why.
func (m *mapper) mapRow(out *body, collected time.Time) bool {
	switch m.Mapping.As {
	case mapping.Event:
		return m.event(out, collected)
	case mapping.Consent:
		return m.consent(out, collected)
	}
	m.record(out)
	return true
}

func (m *mapper) record(out *body) {
	observed, _ := m.instant(m.field("observed_at"))
	attributes := m.allAttributes()
	ids := m.allIdentifiers(nil)
	out.time(observed)
	for _, a := range attributes {
		out.text(a)
	}
	out.identifiers(ids)
}

// readRecord is record's other half.
func (s *stream) readRecord(id string, r *bodyReader) weir.Record {
	rec := weir.Record{ID: id, Kind: weir.Kind(s.Mapping.As), Source: s.Mapping.Source, Stream: s.Mapping.Stream,
		ObservedAt: r.time(), Attributes: make(map[string]string, len(s.attributes))}
	for i := range s.program.Attributes {
		if a := r.text(); a != "" {
			rec.Attributes[s.program.Attributes[i].Name] = a
		}
	}
	rec.Identifiers = r.identifiers()
	return rec
}

// event needs a name and a time: without them it has no place.
func (m *mapper) event(out *body, collected time.Time) bool {
	name, _, _ := m.standardised("", m.field("name"), standard.Text)
	if name == "" {
		m.withhold("name", "an event needs a name", "")
		return false
	}
	received, _ := m.instant(m.field("received_at"))
	occurred, _ := m.instant(m.field("occurred_at"))
	if occurred.IsZero() {
		occurred = received
	}
	if occurred.IsZero() {
		m.withhold("occurred_at", "an event needs a usable time", m.raw("occurred_at"))
		return false
	}
	if received.IsZero() {
		received = collected
	}
	out.text(name)
	out.time(occurred)
	out.time(received)
	out.identifiers(m.allIdentifiers(nil))
	out.texts(m.allProperties())
	return true
}

// raw is a field's value as it is, for an excerpt.
func (m *mapper) raw(name string) string {
	n := m.field(name)
	if n == nil {
		return ""
	}
	v, err := n.Eval(m.row)
	if err != nil {
		return ""
	}
	return v.String()
}

func (s *stream) readEvent(id string, r *bodyReader) weir.Event {
	e := weir.Event{ID: id, Source: s.Mapping.Source, Stream: s.Mapping.Stream, Name: r.text(), OccurredAt: r.time(), ReceivedAt: r.time()}
	e.Identifiers, e.Properties = r.identifiers(), r.texts()
	return e
}

// errUnknownAction is told of an action outside the vocabulary.
const errUnknownAction = standard.Fault("the action is not known: taken as a withdrawal")

// consent fails closed in both directions: see the package's documentation.
func (m *mapper) consent(out *body, collected time.Time) bool {
	purpose, _, purposeOK := m.optional("purpose", standard.Token)
	action, rawAction, _ := m.optional("action", standard.Text)
	does, known := standard.Action(action, purpose)
	switch {
	case known:
	case strings.TrimSpace(rawAction) == "":
		m.withhold("action", "a consent entry says nothing", rawAction)
		return false
	default:
		// A word that is not known is more likely a no than a yes, and a no must
		// not be lost: it restricts, and somebody is told (fails closed).
		m.report("action", errUnknownAction, rawAction, false)
		does = weir.Withdrawn
	}
	channel, _, channelOK := m.optional("channel", standard.Channel)
	expires, expiresOK := m.instant(m.field("expires_at"))
	occurred, occurredOK := m.instant(m.field("occurred_at"))
	recorded, _ := m.instant(m.field("recorded_at"))
	explicit, _, _ := m.optional("explicit", standard.Bool)
	loose := weir.Identifiers{}
	ids := m.allIdentifiers(loose)
	if standard.Widens(does) {
		switch {
		case !purposeOK || purpose == "" && does == weir.Granted:
			m.withhold("purpose", "a grant needs a usable purpose", m.raw("purpose"))
			return false
		case !channelOK:
			m.withhold("channel", "a grant's channel can't be used", m.raw("channel"))
			return false
		case !expiresOK:
			m.withhold("expires_at", "a grant's end can't be read", m.raw("expires_at"))
			return false
		case !occurredOK || occurred.IsZero():
			m.withhold("occurred_at", "a grant needs a usable time", m.raw("occurred_at"))
			return false
		}
	} else {
		for kind, values := range loose {
			for _, v := range values {
				ids.Add(kind, v)
			}
		}
		if occurred.IsZero() {
			occurred = collected
		}
	}
	if len(ids) == 0 {
		m.withhold("identifiers", "a consent needs a usable address", "")
		return false
	}
	if recorded.IsZero() {
		recorded = collected
	}
	for _, t := range []string{purpose, channel, string(does)} {
		out.text(t)
	}
	out.flag(explicit == "true")
	for _, at := range []time.Time{occurred, recorded, expires} {
		out.time(at)
	}
	for _, f := range consentTexts {
		text, _, _ := m.optional(f.name, f.standard)
		out.text(text)
	}
	out.identifiers(ids)
	return true
}

// consentTexts are the fields of a consent that narrow nothing, in their order in
// a body.
var consentTexts = []struct {
	name     string
	standard standard.Func
}{
	{"basis", standard.Token}, {"jurisdiction", jurisdiction}, {"proof", standard.Text}, {"method", standard.Token},
	{"actor", standard.Text}, {"notice", standard.Text}, {"raw_signal", standard.Text}, {"notice_hash", standard.Text},
}

// jurisdiction is a country, or country and region as in US-CA.
func jurisdiction(s string, c *standard.Context) (string, error) {
	if len(s) > 3 && (s[2] == '-' || s[2] == '_') {
		country, err := standard.Country(s[:2], c)
		if err != nil {
			return "", err
		}
		region, err := standard.State(s[3:], &standard.Context{Country: country})
		return country + "-" + region, err
	}
	return standard.Country(s, c)
}

// optional is standardised for a field that need not be mapped.
func (m *mapper) optional(name string, f standard.Func) (text, raw string, ok bool) {
	n := m.field(name)
	if n == nil {
		return "", "", true
	}
	return m.standardised("", n, f)
}

// readConsents gives one consent for each address.
func (s *stream) readConsents(id string, r *bodyReader) []weir.Consent {
	c := weir.Consent{ID: id, Source: s.Mapping.Source, Stream: s.Mapping.Stream, MappingVersion: s.Version,
		Purpose: r.text(), Channel: r.text(), Action: weir.Action(r.text()), Explicit: r.flag(),
		OccurredAt: r.time(), RecordedAt: r.time(), ExpiresAt: r.time()}
	for _, to := range []*string{&c.Basis, &c.Jurisdiction, &c.Proof, &c.Method, &c.Actor, &c.Notice, &c.RawSignal, &c.NoticeHash} {
		*to = r.text()
	}
	ids := r.identifiers()
	var out []weir.Consent
	for i := range s.program.Identifiers {
		kind := s.program.Identifiers[i].Name
		for n, value := range ids[kind] {
			one := c
			one.Kind, one.Value = kind, value
			one.ID = consentID(id, kind, len(s.program.Identifiers) > 1, n)
			out = append(out, one)
		}
	}
	return out
}

// Jurisdiction reads a country, or country and region as in US-CA, as a mapping does.
func Jurisdiction(s string) (string, error) { return jurisdiction(s, &standard.Context{}) }
