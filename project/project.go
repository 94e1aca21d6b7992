package project

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
)

// Project is a whole project directory, read and checked.
type Project struct {
	Name          string             `json:"name"` // the workspace
	Timezone      string             `json:"timezone"`
	DefaultRegion string             `json:"default_region"`
	Currency      string             `json:"currency"`
	Lake          Lake               `json:"lake"`
	Temporal      Temporal           `json:"temporal"`
	Runner        Runner             `json:"runner"`
	Retention     Retention          `json:"retention"`
	Notify        Notify             `json:"notify"`
	Signers       []weir.Signer      `json:"signers"`
	PolicyMaxAge  time.Duration      `json:"policy_max_age"` // a signed policy that is older rules no more
	Subject       weir.SubjectDef    `json:"subject"`
	Controller    weir.ControllerDef `json:"controller,omitzero"`
	// Attributes are the types that weir.yaml declares; others follow the
	// vocabulary and the sources' columns.
	Attributes   map[string]weir.AttributeType `json:"attributes"`
	Sources      []Source                      `json:"sources"`
	Identity     []weir.IdentityDef            `json:"identity"`
	Labels       []Label                       `json:"labels,omitempty"` // people's answers, settled
	Traits       []weir.TraitDef               `json:"traits"`
	Segments     []weir.SegmentDef             `json:"segments"`
	Rates        []weir.Rate                   `json:"rates,omitempty"` // rates.yaml
	Destinations []Destination                 `json:"destinations"`
	Activations  []weir.ActivationDef          `json:"activations"`
	Contact      weir.ContactDef               `json:"contact,omitzero"` // contact.yaml
	// Policies says whether the project has rules of its own in policies/.
	Policies bool `json:"policies"`
	// PolicyRules names the unsigned ones in the store, by digest, once they are applied.
	PolicyRules string `json:"policy_rules,omitempty"`

	places map[string]string // of a project just loaded: see Place
}

// Place says where a key of something stands, "file:line:column": of "activation
// x" the key "fields.email", else the nearest one above it that is there; "" if the
// project was not read from files.
func (p *Project) Place(thing, key string) string {
	for {
		if at := p.places[strings.TrimSpace(thing+" "+key)]; at != "" || key == "" {
			return at
		}
		key = key[:max(0, strings.LastIndexByte(key, '.'))]
	}
}

// Runner is what executes pipelines: "", or prism, is the embedded one, a child
// process on this machine; flink is a cluster.
type Runner struct {
	Type        string `json:"type"`
	JobService  string `json:"job_service"` // host:port of Beam's
	REST        string `json:"rest"`        // URL of Flink's job manager
	Parallelism int    `json:"parallelism"` // of a job; 0: the cluster's own
	Worker      string `json:"worker"`      // path of weir-pipeline on the task managers; "": /opt/weir/weir-pipeline
}

// Retention bounds how long what is kept.
type Retention struct {
	QuarantineValues time.Duration `json:"quarantine_values"` // then the excerpt is dropped
	Snapshots        time.Duration `json:"snapshots"`         // time travel reaches this far back
}

// Notify says who is told of a failing schedule.
type Notify struct {
	Webhook string `json:"webhook"` // URL, may be a reference
	Email   Email  `json:"email"`
}

// Email is an SMTP server and who is written to.
type Email struct {
	SMTP     string   `json:"smtp"` // host:port
	From     string   `json:"from"`
	To       []string `json:"to"`
	Username string   `json:"username"`
	Password string   `json:"password"` // a reference
}

// Source is sources/<name>.yaml.
type Source struct {
	Name      string         `json:"name"`
	Connector string         `json:"connector"`
	Config    map[string]any `json:"config"` // as written, references unresolved
	Schedule  Schedule       `json:"schedule"`
	Streams   []Stream       `json:"streams"`
	At        string         `json:"at"` // file:line
}

// Schedule says when a source is collected; zero: on demand.
type Schedule struct {
	Every time.Duration `json:"every"`
	Cron  string        `json:"cron"`
}

// Stream is one stream of a source.
type Stream struct {
	Name     string            `json:"name"`
	Settings map[string]any    `json:"settings"` // the connector's own keys
	Types    map[string]string `json:"types"`
	Mode     string            `json:"mode"` // full, incremental, ""
	Cursor   string            `json:"cursor"`
	// MayBeEmpty says that a read without any row is no mistake.
	MayBeEmpty bool         `json:"may_be_empty,omitempty"`
	Mapping    weir.Mapping `json:"mapping"`
	At         string       `json:"at"`
}

// Destination is destinations/<name>.yaml.
type Destination struct {
	Name      string         `json:"name"`
	Connector string         `json:"connector"`
	Config    map[string]any `json:"config"`
	Privacy   weir.Privacy   `json:"privacy"`
	At        string         `json:"at"`
}

// Source returns the source of this name.
func (p *Project) Source(name string) (Source, bool) {
	return find(p.Sources, func(s Source) bool { return s.Name == name })
}

// Stream returns the stream of this name.
func (s Source) Stream(name string) (Stream, bool) {
	return find(s.Streams, func(t Stream) bool { return t.Name == name })
}

// Destination returns the destination of this name.
func (p *Project) Destination(name string) (Destination, bool) {
	return find(p.Destinations, func(d Destination) bool { return d.Name == name })
}

// Activation returns the activation of this name.
func (p *Project) Activation(name string) (weir.ActivationDef, bool) {
	return find(p.Activations, func(a weir.ActivationDef) bool { return a.Name == name })
}

// Segment returns the segment of this name.
func (p *Project) Segment(name string) (weir.SegmentDef, bool) {
	return find(p.Segments, func(s weir.SegmentDef) bool { return s.Name == name })
}

// Trait returns the trait of this name.
func (p *Project) Trait(name string) (weir.TraitDef, bool) {
	return find(p.Traits, func(t weir.TraitDef) bool { return t.Name == name })
}

func find[T any](in []T, is func(T) bool) (T, bool) {
	if i := slices.IndexFunc(in, is); i >= 0 {
		return in[i], true
	}
	var none T
	return none, false
}

// AttributeNames lists every attribute that a source maps, sorted.
func (p *Project) AttributeNames() []string {
	names := map[string]bool{}
	for _, s := range p.Sources {
		for _, t := range s.Streams {
			for a := range t.Mapping.Attributes {
				names[a] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// IdentifierKinds lists every identifier kind, those of identity.yaml first and
// in its order, then the others by name.
func (p *Project) IdentifierKinds() []string {
	var kinds []string
	for _, d := range p.Identity {
		for _, k := range d.Order {
			if !slices.Contains(kinds, k) {
				kinds = append(kinds, k)
			}
		}
	}
	rest := map[string]bool{}
	for _, s := range p.Sources {
		for _, t := range s.Streams {
			for k := range t.Mapping.Identifiers {
				if !slices.Contains(kinds, k) {
					rest[k] = true
				}
			}
		}
	}
	return append(kinds, slices.Sorted(maps.Keys(rest))...)
}

// Digest names the project's content: the same definitions give the same digest
// on any machine.
func (p *Project) Digest() string {
	b, err := json.Marshal(p)
	if err != nil {
		panic("project: " + err.Error()) // plain data always marshals
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}
