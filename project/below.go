package project

import (
	"maps"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
)

// ways returns how each segment that a segment's rule names, over any number of
// steps, is reached: the name before it.
func (p *Project) ways(name string) map[string]string {
	came := map[string]string{}
	for queue := []string{name}; len(queue) > 0; queue = queue[1:] {
		s, _ := p.Segment(queue[0])
		for _, next := range s.Where.Segments() {
			if _, seen := came[next]; !seen {
				came[next] = queue[0]
				queue = append(queue, next)
			}
		}
	}
	return came
}

// segmentsBelow returns the segments that a segment's rule names, over any number
// of steps, sorted.
func (p *Project) segmentsBelow(name string) []string {
	var out []string
	for n := range p.ways(name) {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// circle returns the way from a segment over those that it names back to itself;
// nil if there is none.
func (p *Project) circle(name string) []string {
	return wayBack(name, p.ways(name))
}

// readsBelow returns a trait and all that it is computed from, over any number of
// steps.
func (p *Project) readsBelow(name string) (traits, attributes []string) {
	seen, found := map[string]bool{name: true}, map[string]bool{}
	for queue := []string{name}; len(queue) > 0; queue = queue[1:] {
		t, _ := p.Trait(queue[0])
		below, more := t.Reads()
		for _, n := range below {
			if !seen[n] {
				seen[n] = true
				queue = append(queue, n)
			}
		}
		for _, n := range more {
			found[n] = true
		}
	}
	return slices.Sorted(maps.Keys(seen)), slices.Sorted(maps.Keys(found))
}

// traitCircle returns the way from a trait over those that it is computed from
// back to itself; nil if there is none.
func (p *Project) traitCircle(name string) []string {
	came := map[string]string{}
	for queue := []string{name}; len(queue) > 0; queue = queue[1:] {
		t, _ := p.Trait(queue[0])
		below, _ := t.Reads()
		for _, next := range below {
			if _, seen := came[next]; !seen {
				came[next] = queue[0]
				queue = append(queue, next)
			}
		}
	}
	return wayBack(name, came)
}

// wayBack follows how each name was reached back from name to itself.
func wayBack(name string, came map[string]string) []string {
	if _, back := came[name]; !back {
		return nil
	}
	way := []string{name}
	for at := came[name]; at != name; at = came[at] {
		way = append(way, at)
	}
	way = append(way, name)
	slices.Reverse(way)
	return way
}

// checkTrait checks what a trait's computation names.
func (l *loader) checkTrait(t weir.TraitDef, v vocabulary) {
	at := t.At
	traits, attributes := t.Reads()
	for _, n := range traits {
		if !slices.Contains(v.traits, n) {
			l.add(at, didYouMean(n, v.traits), "there is no trait %q", n)
		}
	}
	for _, n := range attributes {
		if !slices.Contains(v.attributes, n) {
			l.add(at, didYouMean(n, v.attributes), "no source maps an attribute %q", n)
		}
	}
	l.checkEvent(at, t.Event, t.Where, v)
	l.checkProperty(at, t.Field, v)
	l.checkProperty(at, t.Currency, v)
	if way := l.p.traitCircle(t.Name); way != nil {
		l.add(at, "break the circle", "traits depend on each other: %s", strings.Join(way, " → "))
	}
	if l.unsaidCurrency(t.Aggregate, t.Field, t.Currency) {
		l.add(at, sayCurrency, "%s of %s adds amounts whatever their currency", t.Aggregate, t.Field)
	}
}
