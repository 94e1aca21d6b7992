package project

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
)

// check finds what no single file shows: references to things that are not
// declared, and what follows from several files together.
func (l *loader) check() {
	l.checkIdentity()
	l.checkMentions()
	l.checkSubject()
	l.checkScores()
	l.personalKeys()
	names := l.vocabulary()
	for _, t := range l.p.Traits {
		l.checkTrait(t, names)
	}
	for _, s := range l.p.Segments {
		l.checkSegment(s, names)
	}
	l.checkContact()
	for i := range l.p.Activations {
		l.checkActivation(&l.p.Activations[i])
	}
}

func (l *loader) checkSegment(s weir.SegmentDef, names vocabulary) {
	l.checkCondition(s.Where, names)
	l.checkRelated(s)
	if way := l.p.circle(s.Name); way != nil {
		l.add(s.Where.At, "break the circle", "segments depend on each other: %s", strings.Join(way, " → "))
	}
}

// vocabulary is what a rule may name.
func (l *loader) vocabulary() vocabulary {
	names := vocabulary{attributes: l.p.AttributeNames(), traits: namesOf(l.p.Traits, func(t weir.TraitDef) string { return t.Name }), segments: namesOf(l.p.Segments, func(s weir.SegmentDef) string { return s.Name })}
	names.events, names.properties = l.p.happened()
	return names
}

type vocabulary struct{ attributes, traits, segments, events, properties []string }

func namesOf[T any](in []T, name func(T) string) []string {
	out := make([]string, len(in))
	for i := range in {
		out[i] = name(in[i])
	}
	return out
}

func (l *loader) add(where, next, format string, args ...any) {
	l.problems = append(l.problems, Problem{Where: where, Message: fmt.Sprintf(format, args...), Next: next})
}

func (l *loader) checkCondition(c weir.Condition, v vocabulary) {
	for _, list := range [][]weir.Condition{c.All, c.Any, c.None} {
		for _, child := range list {
			l.checkCondition(child, v)
		}
	}
	if c.Related != nil && c.Related.Where != nil {
		l.checkCondition(*c.Related.Where, v)
	}
	if c.Attribute != "" && !slices.Contains(v.attributes, c.Attribute) {
		l.add(c.At, didYouMean(c.Attribute, v.attributes), "no source maps an attribute %q", c.Attribute)
	}
	if c.Trait != "" && !slices.Contains(v.traits, c.Trait) {
		l.add(c.At, didYouMean(c.Trait, v.traits), "there is no trait %q", c.Trait)
	}
	l.checkEvent(c.At, c.Event, c.Where, v)
	l.checkProperty(c.At, c.Session, v)
	if c.Sequence != nil {
		for _, step := range c.Sequence.Steps {
			l.checkEvent(c.At, step.Event, step.Where, v)
		}
	}
	for _, m := range c.Measures {
		l.checkProperty(c.At, m.Of, v)
		l.checkProperty(c.At, m.Currency, v)
		if l.unsaidCurrency(m.How, m.Of, m.Currency) {
			l.add(c.At, sayCurrency, "%s of %s adds amounts whatever their currency", m.How, m.Of)
		}
	}
	if c.Segment != "" && !slices.Contains(v.segments, c.Segment) {
		l.add(c.At, didYouMean(c.Segment, v.segments), "there is no segment %q", c.Segment)
	}
}

func (l *loader) checkIdentity() {
	attributes, kinds := l.p.AttributeNames(), l.p.IdentifierKinds()
	sources := namesOf(l.p.Sources, func(s Source) string { return s.Name })
	for _, d := range l.p.Identity {
		where := func(key string) string { return l.p.Place("identity "+string(d.Kind), key) }
		for _, field := range slices.Sorted(maps.Keys(d.Survivorship.Fields)) {
			at := where("survivorship." + field)
			if !slices.Contains(attributes, field) && !slices.Contains(kinds, field) {
				l.add(at, didYouMean(field, attributes), "survivorship of %q, which no source maps", field)
			}
			l.checkSources(at, d.Survivorship.Fields[field], sources)
		}
		l.checkSources(where("survivorship.default"), d.Survivorship.Default, sources)
		for _, group := range slices.Sorted(maps.Keys(d.Survivorship.Groups)) {
			for _, f := range d.Survivorship.Groups[group] {
				if !slices.Contains(attributes, f) {
					l.add(where("survivorship.groups."+group), didYouMean(f, attributes), "group %s holds %q, which no source maps", group, f)
				}
			}
		}
		for _, a := range slices.Sorted(maps.Keys(d.Categories)) {
			if !slices.Contains(attributes, a) {
				l.add(where("categories."+a), didYouMean(a, attributes), "category of %q, which no source maps", a)
			}
		}
	}
}

func (l *loader) checkSources(where string, rules, sources []string) {
	for _, rule := range rules {
		if name, ok := strings.CutPrefix(rule, "source("); ok {
			name = strings.TrimSuffix(name, ")")
			if !slices.Contains(sources, name) {
				l.add(where, didYouMean(name, sources), "survivorship rule %s names no source", rule)
			}
		}
	}
}

func (l *loader) checkSubject() {
	attributes, traits := l.p.AttributeNames(), namesOf(l.p.Traits, func(t weir.TraitDef) string { return t.Name })
	s := l.p.Subject
	for key, list := range map[string][]string{"jurisdiction": s.Jurisdiction, "region": s.Region, "birth_date": s.BirthDate, "last_contact": s.LastContact,
		"customer": s.Customer, "opt_out_offered": s.OptOutOffered} {
		at := l.p.Place("weir.yaml", "subject."+key)
		for _, ref := range list {
			kind, name, _ := strings.Cut(ref, ".")
			switch {
			case kind == "attribute" && slices.Contains(attributes, name):
			case kind == "attribute":
				l.add(at, didYouMean(name, attributes), "subject.%s names attribute %q, which no source maps", key, name)
			case key == "jurisdiction" && ref == "consent.jurisdiction":
			case kind == "trait" && subjectTraits(key) && slices.Contains(traits, name):
			case kind == "trait" && subjectTraits(key):
				l.add(at, didYouMean(name, traits), "subject.%s names trait %q, which there is not", key, name)
			case key == "last_contact" && kind == "event" && name != "":
			default:
				l.add(at, subjectSources[key], "subject.%s can't be taken from %q", key, ref)
			}
		}
	}
}

// subjectSources says from where the gate can take each fact.
var subjectSources = map[string]string{
	"jurisdiction":    "attribute.NAME or consent.jurisdiction",
	"region":          "attribute.NAME",
	"birth_date":      "attribute.NAME",
	"last_contact":    "event.NAME",
	"customer":        "attribute.NAME or trait.NAME",
	"opt_out_offered": "attribute.NAME or trait.NAME",
}

// subjectTraits says which facts a trait may tell.
func subjectTraits(key string) bool { return key == "customer" || key == "opt_out_offered" }

// personalKeys marks the key columns that are also mapped to a personal
// identifier: they enter a record's id only as a keyed hash.
func (l *loader) personalKeys() {
	for _, s := range l.p.Sources {
		for i := range s.Streams {
			m := &s.Streams[i].Mapping
			for _, col := range m.Key {
				for kind, value := range m.Identifiers {
					if value == col && slices.Contains(personalKinds, kind) {
						m.PersonalKey = append(m.PersonalKey, col)
						break
					}
				}
			}
		}
	}
}

// personalKinds are identifiers that say by themselves who somebody is.
var personalKinds = []string{"email", "phone", "mobile", "ip", "device_id", "advertising_id", "national_id", "ssn"}

func (l *loader) checkActivation(a *weir.ActivationDef) {
	where := func(key string) string { return l.p.Place("activation "+a.Name, key) }
	attributes, kinds := l.p.AttributeNames(), l.p.IdentifierKinds()
	traits := namesOf(l.p.Traits, func(t weir.TraitDef) string { return t.Name })
	segment, ok := l.p.Segment(a.Segment)
	if !ok && a.Segment != "" {
		l.add(where("segment"), didYouMean(a.Segment, namesOf(l.p.Segments, func(s weir.SegmentDef) string { return s.Name })), "there is no segment %q", a.Segment)
	}
	if _, ok := l.p.Destination(a.Destination); !ok && a.Destination != "" {
		l.add(where("destination"), didYouMean(a.Destination, namesOf(l.p.Destinations, func(d Destination) string { return d.Name })), "there is no destination %q", a.Destination)
	}
	if a.Key != "" && !slices.Contains(kinds, a.Key) && !slices.Contains(attributes, a.Key) {
		l.add(where("key"), didYouMean(a.Key, append(slices.Clone(kinds), attributes...)), "key %q is neither an identifier nor an attribute", a.Key)
	}
	for _, sent := range slices.Sorted(maps.Keys(a.Fields)) {
		value := a.Fields[sent]
		if name, isTrait := strings.CutPrefix(value, "trait."); isTrait {
			if !slices.Contains(traits, name) {
				l.add(where("fields."+sent), didYouMean(name, traits), "field %s sends trait %q, which there is not", sent, name)
			}
			continue
		}
		if !slices.Contains(kinds, value) && !slices.Contains(attributes, value) {
			l.add(where("fields."+sent), didYouMean(value, append(slices.Clone(kinds), attributes...)), "field %s sends %q, which is no attribute, identifier or trait.NAME", sent, value)
		}
	}
	if a.Mode == weir.AppendOnly && !strings.HasPrefix(a.Purpose, "service.") {
		l.add(where("mode"), "use mode: mirror, or upsert", "append can't remove, and whoever may be sent %s may withdraw", a.Purpose)
	}
	l.categories(a, segment)
}

// categories makes an activation's special categories the union of those
// declared, the segment's, and those of every attribute and trait that the
// segment reads or the activation sends: forgetting to tag fails closed.
func (l *loader) categories(a *weir.ActivationDef, s weir.SegmentDef) {
	set := map[string]bool{}
	addAll := func(list []string) {
		for _, c := range list {
			set[c] = true
		}
	}
	addAll(a.Categories)
	attribute := func(name string) {
		for _, d := range l.p.Identity {
			if c := d.Categories[name]; c != "" {
				set[c] = true
			}
		}
	}
	trait := func(name string) {
		traits, attributes := l.p.readsBelow(name)
		for _, n := range traits {
			if t, ok := l.p.Trait(n); ok {
				addAll(t.Categories)
			}
		}
		for _, n := range attributes {
			attribute(n)
		}
	}
	for _, v := range a.Fields {
		if name, ok := strings.CutPrefix(v, "trait."); ok {
			trait(name)
		} else {
			attribute(v)
		}
	}
	attribute(a.Key)
	walk := func(rule weir.Condition) {
		for c := range rule.Tree() {
			attribute(c.Attribute)
			trait(c.Trait)
		}
	}
	// who is left out says something of who is not: as with `none` in a rule
	for _, name := range append(l.p.leavesOut(*a), s.Name) {
		of, _ := l.p.Segment(name)
		addAll(of.Categories)
		walk(of.Where)
		for _, name := range l.p.segmentsBelow(name) {
			if below, ok := l.p.Segment(name); ok {
				addAll(below.Categories)
				walk(below.Where)
			}
		}
	}
	a.Categories = slices.Sorted(maps.Keys(set))
}
