package weir

import (
	"regexp"
	"slices"
	"time"
)

// This file holds what a project directory declares (design, section 4), as
// package project has read and checked it. All of it is plain data: a stage's
// spec carries it as JSON.

// AttributeType is the type of an attribute's or trait's values.
type AttributeType string

// The types and their canonical texts.
const (
	Text    AttributeType = "text"
	Number  AttributeType = "number"  // plain decimal, no exponent: "12.5"
	Date    AttributeType = "date"    // 2006-01-02
	Instant AttributeType = "time"    // RFC 3339, UTC, microseconds at most
	Boolean AttributeType = "boolean" // true, false
)

// Mapping turns one stream's raw rows into records, events or consents. Each
// value is a column's name if the stream has such a column, else a CEL
// expression.
type Mapping struct {
	Source        string            `json:"source"`
	Stream        string            `json:"stream"`
	As            string            `json:"as"`    // person, account, event, consent
	Where         string            `json:"where"` // CEL, boolean; "" keeps all
	Key           []string          `json:"key"`
	PersonalKey   []string          `json:"personal_key"` // those of Key that hold a personal identifier: hashed
	Identifiers   map[string]string `json:"identifiers"`
	Attributes    map[string]string `json:"attributes"`
	Properties    map[string]string `json:"properties"`
	Fields        map[string]string `json:"fields"`         // observed_at, name, occurred_at, received_at, purpose, channel, action, …
	DefaultRegion string            `json:"default_region"` // for phones and dates
	Timezone      string            `json:"timezone"`       // for times without a zone
	// AttributeTypes gives each attribute's type; an absent one is Text.
	AttributeTypes map[string]AttributeType `json:"attribute_types"`
}

// IdentifierRule says what an identifier's kind is worth as evidence.
type IdentifierRule struct {
	Limit    int      `json:"limit"`     // distinct values a profile may hold; 0: any number
	Hard     bool     `json:"hard"`      // the limit is a constraint, not evidence
	SharedBy int      `json:"shared_by"` // a value on more profiles links nothing; 0: 10
	Blocked  []string `json:"blocked"`   // regular expressions, beside the built-in list
	NoLink   bool     `json:"no_link"`   // `link: false`
}

// MatchRule is a deterministic rule: two records that agree on all of Match
// (identifier kinds or attributes) are the same.
type MatchRule struct {
	Name  string   `json:"name"`
	Match []string `json:"match"`
}

// Survivorship says how the golden record chooses each field.
type Survivorship struct {
	Default []string            `json:"default"` // latest, first, most_frequent, most_complete, longest, source(NAME)
	Fields  map[string][]string `json:"fields"`
	Groups  map[string][]string `json:"groups"` // fields taken together from one record
}

// IdentityDef is one section (person, account) of identity.yaml.
type IdentityDef struct {
	Kind         Kind                      `json:"kind"`
	Identifiers  map[string]IdentifierRule `json:"identifiers"`
	Order        []string                  `json:"order"` // identifier kinds as declared: the strongest first
	Rules        []MatchRule               `json:"rules"`
	Survivorship Survivorship              `json:"survivorship"`
	Categories   map[string]string         `json:"categories"`       // attribute to special category
	Model        *ModelDef                 `json:"model,omitempty"`  // nil: deterministic rules only
	People       *PeopleDef                `json:"people,omitempty"` // of the account section; nil: as the identifiers suggest
}

// EmailDomain in PeopleDef.By is the domain of a person's e-mail addresses.
const EmailDomain = "email_domain"

// PeopleDef is `people:` of identity.yaml's account section: what says that a
// person belongs to an account.
type PeopleDef struct {
	None     bool     `json:"none,omitempty"`      // `people: none`: nothing does
	By       []string `json:"by,omitempty"`        // identifier kinds of the account section and EmailDomain: the first that leads to an account decides; none: all, EmailDomain last
	FreeMail []string `json:"free_mail,omitempty"` // domains that everybody can have a mailbox of, beside the built-in list
}

// ModelDef is `model:` of identity.yaml: what the probabilistic model compares.
// What is left out is chosen from the data. With Auto alone, everything is.
type ModelDef struct {
	Auto      bool              `json:"auto,omitempty"`      // `model: auto`
	Compare   map[string]string `json:"compare,omitempty"`   // attribute or identifier kind to comparison: name, date, text, email, phone, postcode, place, number, company, exact, ignore
	Order     []string          `json:"order,omitempty"`     // the keys of Compare as declared
	Block     [][]string        `json:"block,omitempty"`     // each rule: attributes or identifier kinds that must agree, each with an optional transform: name:prefix3
	Threshold float64           `json:"threshold,omitempty"` // probability of a link, 0 to 1; 0: the default
}

// SegmentDef is segments/<name>.yaml.
type SegmentDef struct {
	Name       string    `json:"name"`
	Of         Kind      `json:"of"`
	Where      Condition `json:"where"`
	Categories []string  `json:"categories"`
	Timezone   string    `json:"timezone,omitempty"` // IANA name; "": the workspace's
}

// TraitDef is traits/<name>.yaml: one aggregate over a profile's events, or a
// value computed from attributes and other traits.
type TraitDef struct {
	Name string `json:"name"`
	Of   Kind   `json:"of"`
	// Aggregate is sum, avg, min, max, count, distinct, first, last, most_frequent,
	// list, since, until, ratio or expression.
	Aggregate  string                  `json:"aggregate"`
	Field      string                  `json:"field"` // properties.<name>, occurred_at, events; of since and until first, last, attribute.<name>, trait.<name>
	Event      string                  `json:"event"` // "": any event
	Where      map[string][]Comparison `json:"where"`
	Within     time.Duration           `json:"within"`
	Categories []string                `json:"categories"`
	Window     *Window                 `json:"window,omitempty"`
	Ratio      []string                `json:"ratio,omitempty"`      // of aggregate ratio: two traits
	Expression string                  `json:"expression,omitempty"` // of aggregate expression: CEL over trait.<name> and attribute.<name>
	Currency   string                  `json:"currency,omitempty"`   // properties.<name>: what the field's amounts are in; none, "": not asked
	Timezone   string                  `json:"timezone,omitempty"`   // IANA name; "": the workspace's
	Score      *ScoreDef               `json:"score,omitempty"`      // with Aggregate Score: learned from all profiles
	Query      *QueryDef               `json:"query,omitempty"`      // with Aggregate Query: given by SQL over the lake
	At         string                  `json:"at,omitempty"`         // file:line of what it computes
}

// Unplaced returns the trait without the lines that it stands on.
func (t TraitDef) Unplaced() TraitDef {
	t.At = ""
	if t.Score != nil {
		score := *t.Score
		score.At = ""
		t.Score = &score
	}
	if t.Query != nil {
		query := *t.Query
		query.At = ""
		t.Query = &query
	}
	return t
}

// mention is a trait or an attribute in an expression.
var mention = regexp.MustCompile(`\b(trait|attribute)\.([a-zA-Z_][a-zA-Z0-9_]*)`)

// Reads returns the traits and attributes that a trait is computed from, each once, in
// the order in which it names them.
func (t TraitDef) Reads() (traits, attributes []string) {
	add := func(list *[]string, name string) {
		if !slices.Contains(*list, name) {
			*list = append(*list, name)
		}
	}
	text := t.Field
	switch t.Aggregate {
	case "ratio":
		for _, name := range t.Ratio {
			add(&traits, name)
		}
		return traits, nil
	case "expression":
		text = t.Expression
	case "since", "until":
	default:
		return nil, nil
	}
	for _, m := range mention.FindAllStringSubmatch(text, -1) {
		if m[1] == "trait" {
			add(&traits, m[2])
		} else {
			add(&attributes, m[2])
		}
	}
	return traits, attributes
}

// Privacy is what a destination declares for the gate.
type Privacy struct {
	Role      string   `json:"role"`     // processor, controller, third_party
	Kind      string   `json:"kind"`     // esp, crm, analytics, ads_match, …
	Transfer  string   `json:"transfer"` // none, sale, share
	Country   string   `json:"country"`
	Mechanism string   `json:"mechanism"`
	DPA       bool     `json:"dpa"`
	Purposes  []string `json:"purposes"`
	TCFVendor int      `json:"tcf_vendor,omitempty"` // the vendor's id in IAB's Global Vendor List; 0: none
	Google    bool     `json:"google,omitempty"`     // Google's EU user consent policy binds it
}

// Mode is how an activation keeps its destination.
type Mode string

// The modes. Mirror adds, updates and removes; Upsert does not remove members
// who merely left; AppendOnly never removes, and so refuses purposes that need it.
const (
	Mirror     Mode = "mirror"
	Upsert     Mode = "upsert"
	AppendOnly Mode = "append"
)

// ActivationDef is activations/<name>.yaml.
type ActivationDef struct {
	Name        string            `json:"name"`
	Segment     string            `json:"segment"`
	Destination string            `json:"destination"`
	Purpose     string            `json:"purpose"`
	Channel     string            `json:"channel"`
	Mode        Mode              `json:"mode"`
	Key         string            `json:"key"`        // an identifier's kind or an attribute
	Fields      map[string]string `json:"fields"`     // sent name to attribute, identifier kind or trait.<name>
	Categories  []string          `json:"categories"` // union of the segment's and of all fields sent
	// Effect is significant where what is done has legal or similar effects on a
	// person (GDPR Art. 22); "" is none.
	Effect      string `json:"effect,omitempty"`
	HumanReview bool   `json:"human_review,omitempty"` // a person can be asked to look at it again

	Suppress  []string `json:"suppress,omitempty"`  // segments whose members are not sent, beside those of contact.yaml
	Waterfall string   `json:"waterfall,omitempty"` // of contact.yaml: who counts for an earlier segment of it is not sent
	Pressure  string   `json:"pressure,omitempty"`  // held (also ""), counted, exempt
	// OptOutLink is the address that a row carries where the policy demands an opt-out
	// link, with {key}, {profile_id}, {activation}, {purpose} and {channel}; "": none.
	OptOutLink string `json:"optout_link,omitempty"`
}

// SubjectDef is weir.yaml's `subject`: where the gate finds what the law asks.
type SubjectDef struct {
	Jurisdiction []string `json:"jurisdiction"` // attribute.<name>, consent.jurisdiction
	Region       []string `json:"region"`
	BirthDate    []string `json:"birth_date"`
	LastContact  []string `json:"last_contact"` // event.<name>
	// Customer says who bought here or supports the charity, OptOutOffered to whom
	// an opt-out was offered then and in each message since: attribute.<name>,
	// trait.<name>. A number above zero, a date and a text that says yes are yes.
	Customer      []string `json:"customer,omitempty"`
	OptOutOffered []string `json:"opt_out_offered,omitempty"`
}

// ControllerDef is weir.yaml's `controller`: what the law asks about whoever
// runs the workspace. What is not said is no.
type ControllerDef struct {
	Charity bool `json:"charity,omitempty"`
	Minors  bool `json:"minors,omitempty"` // what it offers is directed at minors
}
