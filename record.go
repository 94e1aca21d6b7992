package weir

import (
	"sort"
	"strings"
	"time"
)

// Kind says what a record or profile is about.
type Kind string

// The kinds. Anonymous is of profiles only: known by identifiers of events or
// consents, by no record.
const (
	Person    Kind = "person"
	Account   Kind = "account"
	Anonymous Kind = "anonymous"
)

// Identifiers maps an identifier's kind (email, phone, crm_id) to its
// standardised values, sorted and without repeats.
type Identifiers map[string][]string

// Add puts a value in its sorted place; an empty or known value changes nothing.
func (ids Identifiers) Add(kind, value string) {
	if value == "" {
		return
	}
	vs := ids[kind]
	i := sort.SearchStrings(vs, value)
	if i < len(vs) && vs[i] == value {
		return
	}
	vs = append(vs, "")
	copy(vs[i+1:], vs[i:])
	vs[i] = value
	ids[kind] = vs
}

// IsAddress tells whether an identifier's kind names a place to which something
// can be sent: an e-mail address or a phone number, also with a prefix
// (work_email). A grant has to reach each address that is sent.
func IsAddress(kind string) bool {
	switch kind {
	case "email", "phone", "mobile", "fax":
		return true
	}
	return strings.HasSuffix(kind, "_email") || strings.HasSuffix(kind, "_phone") || strings.HasSuffix(kind, "_mobile")
}

// IsDomain tells whether an identifier's kind names internet domains: domain, also
// with a prefix (web_domain).
func IsDomain(kind string) bool { return kind == "domain" || strings.HasSuffix(kind, "_domain") }

// IsEmail tells whether an identifier's kind names e-mail addresses: email, also
// with a prefix (work_email).
func IsEmail(kind string) bool { return kind == "email" || strings.HasSuffix(kind, "_email") }

// Record is one row about a person or account as one source tells it. In
// core.records each attribute is a column of its own; here it is the canonical
// text of the attribute's type.
type Record struct {
	ID          string            `json:"record_id"` // RecordID
	Kind        Kind              `json:"kind"`
	Source      string            `json:"source"`
	Stream      string            `json:"stream"`
	ObservedAt  time.Time         `json:"observed_at"` // zero: the source does not say
	Attributes  map[string]string `json:"attributes"`
	Identifiers Identifiers       `json:"identifiers"`
}

// RecordID builds `<source>/<stream>/<key>`: key parts percent-encoded and
// joined by a comma. A part that is personal must be hashed by the caller
// (design, section 2, Records).
func RecordID(source, stream string, key []string) string {
	var b strings.Builder
	b.WriteString(source)
	b.WriteByte('/')
	b.WriteString(stream)
	b.WriteByte('/')
	for i, k := range key {
		if i > 0 {
			b.WriteByte(',')
		}
		escapeKey(&b, k)
	}
	return b.String()
}

func escapeKey(b *strings.Builder, s string) {
	const hex = "0123456789ABCDEF"
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9',
			c == '-', c == '_', c == '.', c == '~':
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
}

// Event is a row of core.events: something that happened, at one source, to
// whoever holds its identifiers. Events are never rewritten when identities
// change.
type Event struct {
	ID          string            `parquet:"event_id" json:"event_id"`
	Name        string            `parquet:"name" json:"name"`
	OccurredAt  time.Time         `parquet:"occurred_at,timestamp(microsecond)" json:"occurred_at"`
	ReceivedAt  time.Time         `parquet:"received_at,timestamp(microsecond)" json:"received_at"`
	Source      string            `parquet:"source" json:"source"`
	Stream      string            `parquet:"stream" json:"stream"`
	Identifiers Identifiers       `parquet:"identifiers" json:"identifiers"`
	Properties  map[string]string `parquet:"properties" json:"properties"` // canonical text; nested keys are dotted
}

// Consent is a row of core.consents: one thing that one person (or a signal, or
// an officer) said about what may be done, for one address.
type Consent struct {
	ID             string    `parquet:"consent_id" json:"consent_id"`
	Kind           string    `parquet:"identifier_kind" json:"identifier_kind"`
	Value          string    `parquet:"identifier_value" json:"identifier_value"`
	Purpose        string    `parquet:"purpose" json:"purpose"` // "" with a restriction: all purposes
	Channel        string    `parquet:"channel" json:"channel"` // "": all channels
	Action         Action    `parquet:"action" json:"action"`
	Basis          string    `parquet:"basis" json:"basis"`
	Explicit       bool      `parquet:"explicit" json:"explicit"`
	Jurisdiction   string    `parquet:"jurisdiction" json:"jurisdiction"`
	OccurredAt     time.Time `parquet:"occurred_at,timestamp(microsecond)" json:"occurred_at"`
	RecordedAt     time.Time `parquet:"recorded_at,timestamp(microsecond)" json:"recorded_at"`
	ExpiresAt      time.Time `parquet:"expires_at,optional,timestamp(microsecond)" json:"expires_at"` // zero: never said
	Proof          string    `parquet:"proof" json:"proof"`
	Method         string    `parquet:"method" json:"method"`
	Actor          string    `parquet:"actor" json:"actor"`
	Notice         string    `parquet:"notice" json:"notice"`
	NoticeHash     string    `parquet:"notice_hash" json:"notice_hash"` // SHA-256 of the notice's text, hex; "": not told
	RawSignal      string    `parquet:"raw_signal" json:"raw_signal"`
	MappingVersion string    `parquet:"mapping_version" json:"mapping_version"`
	Source         string    `parquet:"source" json:"source"`
	Stream         string    `parquet:"stream" json:"stream"`
}

// Action is what a consent entry does.
type Action string

// The actions. Granted is the only one that widens what may be done; all others
// restrict, and a restriction spreads to the whole profile.
const (
	Granted          Action = "granted"
	RefusedConsent   Action = "denied"
	Withdrawn        Action = "withdrawn"
	Objected         Action = "objected"            // to direct marketing, GDPR 21(2)
	OptedOut         Action = "opted_out"           // of sale and sharing, CCPA 1798.120
	Signal           Action = "signal"              // GPC, TCF, GPP: see RawSignal
	Restricted       Action = "restricted"          // GDPR 18
	ErasureRequested Action = "erasure_requested"   // GDPR 17
	Unrestricted     Action = "unrestricted"        // lifts Restricted
	OptedOutAds      Action = "opted_out_ads"       // of targeted advertising, VCDPA and its like
	OptedOutProfiles Action = "opted_out_profiling" // of profiling, VCDPA and its like
	LimitSensitive   Action = "limit_sensitive"     // of the use of sensitive data, CCPA 1798.121
	Suppressed       Action = "suppressed"          // a channel: STOP, a complaint, a hard bounce
)
