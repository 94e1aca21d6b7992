package segment

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/segment/membership"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
	"github.com/weir-cdp/weir/pipelines/segment/score"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
)

// Params is what the stage's plan fixes beside the inputs.
type Params struct {
	Segments        []weir.SegmentDef             `json:"segments"`
	Traits          []weir.TraitDef               `json:"traits"`
	IdentifierOrder []string                      `json:"identifier_order"` // kinds, the strongest first
	AttributeTypes  map[string]weir.AttributeType `json:"attribute_types"`
	Timezone        string                        `json:"timezone"`
	Currency        string                        `json:"currency,omitempty"` // the workspace's, where some trait asks
	Rates           []weir.Rate                   `json:"rates,omitempty"`
	// PriorDigests is what Digests gave for the last committed run; PriorNow that
	// run's now (zero: none). Merges before it are settled: a run whose now lies
	// before the last one's hands no entered_at over.
	PriorDigests map[string]string `json:"prior_digests"`
	PriorNow     time.Time         `json:"prior_now"`
	// Unanswered are the queries of traits that gave no answer in this run.
	Unanswered []Unanswered `json:"unanswered,omitempty"`
	Keep       *Keep        `json:"keep,omitempty"` // nil: no index is left
}

// Unanswered is a query (weir.QueryDef) that could not be asked, or whose answer
// can't be used.
type Unanswered struct {
	Query  *weir.QueryDef `json:"query"`
	Reason string         `json:"reason"`
	// Kept: the answers are those of the last run that had some; else the query's
	// traits, and the segments that go by them, are broken.
	Kept bool `json:"kept,omitempty"`
}

// broken names the query's traits.
func (u Unanswered) broken() []tally.Broken {
	var out []tally.Broken
	for _, c := range u.Query.Columns {
		out = append(out, tally.Broken{Name: u.Query.ColumnTrait(c.Name), Trait: true,
			Errors: []error{weir.Errorf(weir.Invalid, "query %s: %s", u.Query.Trait, u.Reason).At(u.Query.At)}})
	}
	return out
}

// Definitions returns the part of the parameters that the pure packages take.
func (p Params) Definitions() tally.Definitions {
	return tally.Definitions{Segments: p.Segments, Traits: p.Traits, AttributeTypes: p.AttributeTypes, Timezone: p.Timezone,
		Currency: p.Currency, Rates: p.Rates}
}

// ReadsCurrencies says whether some definition takes amounts in currencies, and
// so depends on the workspace's own and on rates.
func (p Params) ReadsCurrencies() bool {
	return slices.ContainsFunc(p.Traits, func(t weir.TraitDef) bool { return t.Currency != "" }) ||
		slices.ContainsFunc(p.Segments, func(s weir.SegmentDef) bool { return rule.HasMoney(&s.Where) })
}

// Digests returns what the next run needs as PriorDigests once this one is
// committed.
func (p Params) Digests() (map[string]string, error) {
	_, _, broken, err := p.compile(time.Time{})
	if err != nil {
		return nil, err
	}
	return tally.Digests(p.Definitions(), broken, p.PriorDigests), nil
}

// Broken returns the definitions that can't be used as they are written, or because
// a query gave no answer. What only data can tell, that a score can't be learned, is
// not among them.
func (p Params) Broken(now time.Time) ([]tally.Broken, error) {
	_, _, broken, err := p.compile(now)
	return broken, err
}

// setup is what every task of a run shares.
type setup struct {
	params     Params
	plan       *tally.Plan
	scores     *score.Plan
	broken     []tally.Broken
	status     map[string]membership.Status
	attributes map[string]bool // that some rule reads
	names      []string        // of these, sorted
	rank       map[string]int  // of an identifier's kind
	step       string          // compute or, of related, relate
	related    *setup          // of step relate; nil: no rule asks about linked profiles
	asked      *tally.Related  // of that setup alone: what is asked about its profiles
}

func prepared(t *pipelines.Task) (*setup, error) {
	params, err := pipelines.Params[Params](t)
	if err != nil {
		return nil, err
	}
	return pipelines.Shared(t, "setup", func() (*setup, error) { return newSetup(params, t.Spec().Run.Now) })
}

// compile compiles scores, then all else; segments that use a broken score, or a
// query without an answer, are broken with it.
func (p Params) compile(now time.Time) (*tally.Plan, *score.Plan, []tally.Broken, error) {
	d := p.Definitions()
	scores, broken, err := score.New(d, now)
	if err != nil {
		return nil, nil, nil, err
	}
	var kept []tally.Broken // told of, and used as the last run had them
	for _, u := range p.Unanswered {
		if u.Kept {
			kept = append(kept, u.broken()...)
		} else {
			broken = append(broken, u.broken()...)
		}
	}
	d.Unusable = map[string]string{}
	for _, b := range broken {
		d.Unusable[b.Name] = b.Where()
	}
	d.Traits = slices.DeleteFunc(slices.Clone(d.Traits), func(t weir.TraitDef) bool {
		_, unusable := d.Unusable[t.Name]
		return unusable
	})
	plan, more, err := tally.New(d)
	return plan, scores, slices.Concat(broken, kept, more), err
}

func newSetup(params Params, now time.Time) (*setup, error) {
	s := &setup{params: params, status: map[string]membership.Status{}, rank: map[string]int{}, step: "compute"}
	var err error
	if s.plan, s.scores, s.broken, err = params.compile(now); err != nil {
		return nil, err
	}
	digests := tally.Digests(params.Definitions(), nil, nil)
	for _, def := range params.Segments {
		before, known := params.PriorDigests[def.Name]
		s.status[def.Name] = membership.Status{Changed: !known || before != digests[def.Name]}
	}
	for _, b := range s.broken {
		if !b.Trait {
			s.status[b.Name] = membership.Status{Broken: true}
		}
	}
	s.readsOf(s.plan)
	for i, kind := range params.IdentifierOrder {
		if _, twice := s.rank[kind]; !twice {
			s.rank[kind] = i
		}
	}
	s.relating()
	return s, nil
}

// readsOf notes the attributes that a plan reads.
func (s *setup) readsOf(plan *tally.Plan) {
	s.attributes = plan.Attributes()
	base := schema.Named("core.profiles") // an attribute of such a name has no column
	s.names = slices.DeleteFunc(slices.Sorted(maps.Keys(s.attributes)), func(name string) bool {
		_, taken := base.Column(name)
		return taken
	})
}

// identifier is one value that an event carries.
type identifier struct{ kind, value string }

// key addresses an identifier's partition.
func (i identifier) key() string { return i.kind + "\x00" + i.value }

// ordered lists an event's identifiers, the strongest first.
func (s *setup) ordered(ids weir.Identifiers) []identifier {
	var out []identifier
	for kind, values := range ids {
		for _, v := range values {
			if v != "" {
				out = append(out, identifier{kind, v})
			}
		}
	}
	place := func(kind string) int {
		if r, ok := s.rank[kind]; ok {
			return r
		}
		return len(s.rank)
	}
	slices.SortFunc(out, func(a, b identifier) int {
		if pa, pb := place(a.kind), place(b.kind); pa != pb {
			return pa - pb
		}
		return strings.Compare(a.key(), b.key())
	})
	return slices.Compact(out)
}
