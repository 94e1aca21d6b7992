package score

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/derive"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
	"github.com/weir-cdp/weir/pipelines/segment/score/propensity"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
	"github.com/weir-cdp/weir/pipelines/segment/trait"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

const day = 24 * time.Hour

// compiler gathers what all scores need of one tally, then compiles each.
type compiler struct {
	plan        *Plan
	definitions tally.Definitions
	plain       map[string]weir.TraitDef   // traits of events
	wanted      map[string]weir.TraitDef   // of them and of our own, those that are features
	segments    map[string]weir.SegmentDef // to be like
}

// features checks a definition and returns the names of its features: traits
// first, then attributes.
func (c *compiler) features(s *score) ([]string, error) {
	d := s.def
	switch d.Kind {
	case "rfm", "clv":
		return nil, nil
	case "lookalike":
		return c.likeness(s)
	}
	if d.Horizon < day {
		return nil, weir.Errorf(weir.Invalid, "%s looks no day ahead", d.Kind).Then("add horizon: 90d")
	}
	switch propensity.Method(d.Method) {
	case "", propensity.Auto, propensity.LogisticMethod, propensity.TreesMethod:
	default:
		return nil, weir.Errorf(weir.Invalid, "there is no method %q", d.Method).Then("one of auto, logistic, trees")
	}
	names := d.Features
	if len(names) == 0 {
		names = c.usual(s)
	}
	for _, name := range names {
		def, ok := c.plain[name]
		if _, ours := c.wanted[name]; !ok && ours {
			continue
		}
		if !ok {
			return nil, weir.Errorf(weir.Invalid, "feature %q is no trait that is computed of events", name).
				Then("name such traits: of attributes and of other scores the values at the cut-off are not known")
		}
		if err := c.want(s, def); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// want takes a trait, and all that it is computed from, into the tally.
func (c *compiler) want(s *score, def weir.TraitDef) error {
	return c.wantAll(s, def, map[string]bool{})
}

func (c *compiler) wantAll(s *score, def weir.TraitDef, seen map[string]bool) error {
	if seen[def.Name] { // a circle is found by the tally
		return nil
	}
	seen[def.Name] = true
	traits, attributes := def.Reads()
	if len(attributes) > 0 && s.def.Kind != "lookalike" {
		return weir.Errorf(weir.Invalid, "feature %q reads the attribute %q: what it was at the cut-off is not known", def.Name, attributes[0]).
			Then("name traits that are computed of events")
	}
	for _, name := range attributes {
		c.plan.attributes[name] = true
	}
	for _, name := range traits {
		from, ok := c.plain[name]
		if !ok {
			return weir.Errorf(weir.Invalid, "%q reads %q, which is a score or is not there", def.Name, name)
		}
		if err := c.wantAll(s, from, seen); err != nil {
			return err
		}
	}
	of := def.Of
	if of == "" {
		of = weir.Person
	}
	if of != s.of {
		return weir.Errorf(weir.Invalid, "feature %q is of another kind of profile", def.Name)
	}
	c.wanted[def.Name] = def
	return nil
}

// usual makes the features that are taken where none are named: how recent,
// frequent, regular and long the event in question is, and its worth.
func (c *compiler) usual(s *score) []string {
	d := s.def
	var names []string
	add := func(name, how, field string, within time.Duration) {
		def := weir.TraitDef{Name: d.Event + ": " + name, Of: s.of, Aggregate: how, Field: field, Event: d.Event, Where: d.Where, Within: within}
		if len(d.Where) > 0 || s.of != weir.Person { // another score may have the event with another filter
			def.Name = d.Trait + ", " + def.Name
		}
		names = append(names, def.Name)
		c.wanted[def.Name] = def
	}
	add("days since the last", "last", "occurred_at", 0)
	add("days since the first", "first", "occurred_at", 0)
	add("number", "count", "events", 0)
	for _, days := range []int{30, 90, 365} {
		add(fmt.Sprintf("number in %d days", days), "count", "events", time.Duration(days)*day)
	}
	if d.Value != "" {
		add("sum of "+d.Value, "sum", d.Value, 0)
		add("mean of "+d.Value, "avg", d.Value, 0)
	}
	return names
}

// likeness checks a lookalike: its segment, which no score may decide, and its
// features, which may be attributes too.
func (c *compiler) likeness(s *score) ([]string, error) {
	i := slices.IndexFunc(c.definitions.Segments, func(d weir.SegmentDef) bool { return d.Name == s.def.Segment })
	if i < 0 {
		return nil, weir.Errorf(weir.Invalid, "there is no segment %q to be like", s.def.Segment)
	}
	seed := c.definitions.Segments[i]
	of := seed.Of
	if of == "" {
		of = weir.Person
	}
	if of != s.of {
		return nil, weir.Errorf(weir.Invalid, "segment %s is of another kind of profile", seed.Name)
	}
	defs := map[string]*weir.SegmentDef{}
	for i := range c.definitions.Segments {
		defs[c.definitions.Segments[i].Name] = &c.definitions.Segments[i]
	}
	reached, traits := rule.Reach(seed.Name, defs)
	for _, name := range slices.Sorted(maps.Keys(traits)) {
		def, ok := c.plain[name]
		if !ok {
			return nil, weir.Errorf(weir.Invalid, "segment %s goes by %q, which is a score or is not there", seed.Name, name).
				Then("be like a segment that no score decides")
		}
		if err := c.want(s, def); err != nil {
			return nil, err
		}
	}
	for _, name := range reached {
		c.segments[name] = *defs[name]
	}
	names := s.def.Features
	if len(names) == 0 {
		for _, name := range slices.Sorted(maps.Keys(c.plain)) {
			if def := c.plain[name]; c.want(s, def) == nil { // else of another kind, or by a score
				names = append(names, name)
			}
		}
	}
	for _, name := range names {
		def, isTrait := c.plain[name]
		_, isAttribute := c.definitions.AttributeTypes[name]
		switch {
		case isTrait:
			if err := c.want(s, def); err != nil {
				return nil, err
			}
		case !isAttribute:
			return nil, weir.Errorf(weir.Invalid, "feature %q is neither an attribute nor a trait that is computed of events", name)
		}
	}
	if len(names) == 0 {
		return nil, weir.Errorf(weir.Invalid, "there is no feature to be alike in").Then("add features: [country, lifetime_value]")
	}
	return names, nil
}

func (c *compiler) compileTally() error {
	d := c.definitions
	d.Traits, d.Segments = nil, nil
	for _, name := range slices.Sorted(maps.Keys(c.wanted)) {
		d.Traits = append(d.Traits, c.wanted[name])
	}
	for _, name := range slices.Sorted(maps.Keys(c.segments)) {
		d.Segments = append(d.Segments, c.segments[name])
	}
	var err error
	c.plan.tally, _, err = tally.New(d) // broken ones are found missing by compile
	return err
}

// compile compiles what a score reads, after the tally.
func (c *compiler) compile(s *score, names []string) error {
	d, p := s.def, c.plan
	if d.Kind != "lookalike" {
		t, err := trait.Compile(weir.TraitDef{Name: d.Trait, Of: s.of, Aggregate: "count", Field: "events", Event: d.Event, Where: d.Where, Within: d.Within}, nil, p.tally.Layout(), p.zone)
		if err != nil {
			return err
		}
		s.picks = &t
	}
	if d.Value != "" {
		s.value = p.tally.Layout().Property(strings.TrimPrefix(d.Value, "properties."))
	}
	if d.Order != "" {
		s.order = p.tally.Layout().Property(strings.TrimPrefix(d.Order, "properties."))
	}
	if d.Horizon > 0 {
		s.then = p.now.Add(-d.Horizon)
	}
	switch d.Kind {
	case "clv":
		if d.Horizon < day {
			return weir.Errorf(weir.Invalid, "clv looks no day ahead").Then("add horizon: 365d")
		}
		if d.Value == "" {
			return weir.Errorf(weir.Invalid, "clv has no value").Then("add value: properties.revenue")
		}
		if d.Discount < 0 || d.Discount >= 1 {
			return weir.Errorf(weir.Invalid, "a discount of %g by the month", d.Discount).Then("0.01 is 1 %")
		}
		return nil
	case "rfm":
		if d.Value == "" {
			return weir.Errorf(weir.Invalid, "rfm has no value").Then("add value: properties.revenue")
		}
		return nil
	case "lookalike":
		if p.tally.Rule(d.Segment) == nil {
			return weir.Errorf(weir.Invalid, "segment %s is broken", d.Segment)
		}
		if p.tally.Rule(d.Segment).Relations() {
			return weir.Errorf(weir.Invalid, "segment %s asks about people or accounts, and members to be alike are known by their own values", d.Segment).
				Then("name a segment that asks for attributes, traits and events")
		}
		for _, name := range p.tally.Segments() {
			for a := range p.tally.Rule(name).Attributes() {
				p.attributes[a] = true
			}
		}
	default:
		s.moment = p.momentOf(s.then)
	}
	s.tallied = true
	return c.sources(s, names)
}

// sources finds where features come from: numbers and moments become numbers,
// all else texts.
func (c *compiler) sources(s *score, names []string) error {
	var texts []source
	for _, name := range names {
		from, typ := source{}, weir.AttributeType("")
		if def, ok := c.wanted[name]; ok {
			slot, ok := c.plan.tally.TraitSlot(name)
			if !ok {
				return weir.Errorf(weir.Invalid, "feature %q is broken", name)
			}
			from.slot, typ = slot, trait.TypeOf(def)
			if derive.Is(def) { // of an expression, what is no number is unknown
				typ = weir.Number
			}
		} else {
			from.attribute, typ = name, c.definitions.AttributeTypes[name]
			c.plan.attributes[name] = true
		}
		switch typ {
		case weir.Number:
		case weir.Instant, weir.Date:
			from.instant = true
		case value.Dynamic, weir.Text, "":
			s.schema.Texts, texts = append(s.schema.Texts, name), append(texts, from)
			continue
		default: // yes or no
			s.schema.Texts, texts = append(s.schema.Texts, name), append(texts, from)
			continue
		}
		s.schema.Numbers, s.features = append(s.schema.Numbers, name), append(s.features, from)
	}
	s.features = append(s.features, texts...)
	return nil
}
