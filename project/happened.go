package project

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
)

// literal is a CEL text that computes nothing: 'Order Completed'.
var literal = regexp.MustCompile(`^\s*(?:'([^'\\]*)'|"([^"\\]*)")\s*$`)

// happened returns the names of events and of their properties that the sources
// map. names is nil where some stream computes its events' names, or reads them
// from a column: then only the rows know.
func (p *Project) happened() (names, properties []string) {
	known, fields, all := map[string]bool{}, map[string]bool{}, true
	for _, s := range p.Sources {
		for _, stream := range s.Streams {
			m := stream.Mapping
			if m.As != "event" {
				continue
			}
			for name := range m.Properties {
				fields[name] = true
			}
			if l := literal.FindStringSubmatch(m.Fields["name"]); l != nil {
				known[l[1]+l[2]] = true
			} else {
				all = false
			}
		}
	}
	properties = slices.Sorted(maps.Keys(fields))
	if all {
		names = slices.Sorted(maps.Keys(known))
	}
	return names, properties
}

// EventNames lists the names of events that the sources map as they are written; other
// names only the rows know.
func (p *Project) EventNames() []string {
	known := map[string]bool{}
	for _, s := range p.Sources {
		for _, stream := range s.Streams {
			if l := literal.FindStringSubmatch(stream.Mapping.Fields["name"]); l != nil && stream.Mapping.As == "event" {
				known[l[1]+l[2]] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(known))
}

// checkEvent checks an event's name and properties; "" is any name. A name that no
// source maps is a mistake where it is near to one that is: else it may be of
// events that are still to come.
func (l *loader) checkEvent(at, name string, where map[string][]weir.Comparison, v vocabulary) {
	if name != "" && misspelt(name, v.events) {
		l.add(at, didYouMean(name, v.events), "no source maps an event %q", name)
	}
	for _, p := range slices.Sorted(maps.Keys(where)) {
		l.checkProperty(at, "properties."+p, v)
	}
}

// checkProperty checks properties.NAME; other fields are always there.
func (l *loader) checkProperty(at, field string, v vocabulary) {
	p, is := strings.CutPrefix(field, "properties.")
	if is && misspelt(p, v.properties) {
		l.add(at, didYouMean(p, v.properties), "no source maps a property %q of events", p)
	}
}

func misspelt(name string, known []string) bool {
	return !slices.Contains(known, name) && connectors.Nearest(name, known) != ""
}
