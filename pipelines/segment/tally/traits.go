package tally

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/derive"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
	"github.com/weir-cdp/weir/pipelines/segment/trait"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// derived is a trait that is computed from others, and its slot.
type derived struct {
	*derive.Trait
	slot int
}

// named is a trait's name and slot.
type named struct {
	name string
	slot int
}

// sortedTraits are a project's traits that can be computed.
type sortedTraits struct {
	counted []weir.TraitDef // from events, by name
	derived []*derive.Trait // each after those that it reads
	types   map[string]weir.AttributeType
	broken  []Broken
	// unusable are the names of broken, and those that Definitions calls so, and where.
	unusable map[string]string
}

// sortTraits compiles each trait by itself and keeps those without error.
func sortTraits(d Definitions, rates *trait.Rates, loc *time.Location) sortedTraits {
	out := sortedTraits{types: map[string]weir.AttributeType{}, unusable: map[string]string{}}
	maps.Copy(out.unusable, d.Unusable)
	times := map[string]int{}
	for _, def := range d.Traits {
		times[def.Name]++
	}
	fail := func(def *weir.TraitDef, err error) {
		err = weir.Errorf(weir.CodeOf(err), "trait %s: %w", def.Name, err).At(placeOf(def))
		out.unusable[def.Name] = placeOf(def)
		out.broken = append(out.broken, Broken{Name: def.Name, Trait: true, Errors: []error{err}})
	}
	kinds := map[string]weir.Kind{}
	scrap := rule.NewBook(rule.Schema{Location: loc})
	order, circles := derive.Order(d.Traits)
	for i := range d.Traits {
		if def := &d.Traits[i]; times[def.Name] > 1 {
			fail(def, weir.Errorf(weir.Invalid, "it is defined twice"))
		} else if way := circles[def.Name]; way != nil {
			fail(def, weir.Errorf(weir.Invalid, "traits depend on each other: %s", strings.Join(way, " → ")).Then("break the circle"))
		}
	}
	for i := range order {
		def := &order[i]
		if times[def.Name] > 1 {
			continue
		}
		own, err := value.Location(def.Timezone, loc)
		if err != nil {
			fail(def, err)
			continue
		}
		if derive.Is(*def) {
			t, err := derive.Compile(*def, derive.Schema{Attributes: d.AttributeTypes, Traits: out.types, Kinds: kinds, Location: own, Broken: out.unusable})
			if err != nil {
				fail(def, err)
				continue
			}
			out.derived = append(out.derived, t)
			out.types[def.Name], kinds[def.Name] = t.Type, t.Of
			continue
		}
		t, err := trait.Compile(*def, rates, scrap.Layout(), own)
		if err != nil {
			fail(def, err)
			continue
		}
		out.counted = append(out.counted, *def)
		out.types[def.Name], kinds[def.Name] = trait.TypeOf(*def), t.Of
	}
	slices.SortFunc(out.counted, func(a, b weir.TraitDef) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// placeOf is where a trait is declared.
func placeOf(def *weir.TraitDef) string {
	if def.At != "" {
		return def.At
	}
	return "traits/" + def.Name + ".yaml"
}

// addTraits compiles the traits with the book's layout and gives each its slot.
func (p *Plan) addTraits(s sortedTraits, rates *trait.Rates, loc *time.Location) error {
	for _, def := range s.counted {
		own, err := value.Location(def.Timezone, loc)
		if err != nil {
			return err
		}
		t, err := trait.Compile(def, rates, p.book.Layout(), own)
		if err != nil {
			return err // sortTraits has compiled it already
		}
		slot, _ := p.book.TraitSlot(def.Name)
		p.traits, p.slots = append(p.traits, t), append(p.slots, slot)
		p.names = append(p.names, named{def.Name, slot})
	}
	for _, t := range s.derived {
		slot, _ := p.book.TraitSlot(t.Name)
		p.derived = append(p.derived, derived{t, slot})
		p.names = append(p.names, named{t.Name, slot})
	}
	slices.SortFunc(p.names, func(a, b named) int { return cmp.Compare(a.name, b.name) })
	return nil
}

// inputs is what a profile's derived traits read.
type inputs struct {
	plan    *Plan
	subject *rule.Subject
}

// Trait implements derive.Profile.
func (i inputs) Trait(name string) value.Value {
	slot, _ := i.plan.book.TraitSlot(name)
	return i.subject.Traits[slot]
}

// Attribute implements derive.Profile.
func (i inputs) Attribute(name string) string { return i.subject.Attributes[name] }

// derive computes the traits that read others; failed counts expressions that
// cannot be computed.
func (p *Plan) derive(s *rule.Subject) (failed int64) {
	for _, t := range p.derived {
		if t.Of != s.Kind {
			continue
		}
		v, ok := t.Value(inputs{p, s}, s.Now)
		if !ok {
			failed++
		}
		s.Traits[t.slot] = v
	}
	return failed
}

// Attributes returns the names of the attributes that some rule or trait reads.
func (p *Plan) Attributes() map[string]bool {
	out := map[string]bool{}
	for _, r := range p.rules {
		for a := range r.Attributes() {
			out[a] = true
		}
	}
	for _, t := range p.derived {
		for _, a := range t.Attributes() {
			out[a] = true
		}
	}
	return out
}

// filterOf returns the filter of a trait that is computed from events.
func (p *Plan) filterOf(name string) (*timeline.Filter, weir.Kind) {
	for i := range p.traits {
		if t := &p.traits[i]; t.Name == name && !t.Given() {
			return &t.Filter, t.Of
		}
	}
	return nil, ""
}
