package project

import (
	"maps"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"go.yaml.in/yaml/v3"
)

// Comparisons are the types of `model: {compare: …}`; ignore leaves a field out
// that the automatic choice would take.
var Comparisons = []string{"name", "date", "text", "email", "phone", "postcode", "place", "number", "company", "exact", "ignore"}

// Transforms make a blocking key coarser: birth_date:year.
var Transforms = []string{"exact", "phonetic", "prefix3", "prefix4", "prefix1", "first_word", "last_word", "year", "month_day", "year_day", "local", "names", "rarest_word"}

// MostBlocks is how many blocking rules a model has at most.
const MostBlocks = 256

// mention is a name that some stream of a kind of records has to map, and where it
// is used.
type mention struct {
	of               weir.Kind
	name, use, where string
}

// model reads `model: auto`, or the keys of an explicit one; what these leave out
// is chosen from the data.
func (l *loader) model(r *reader, of weir.Kind, n *yaml.Node) *weir.ModelDef {
	if n.Kind == yaml.ScalarNode {
		switch n.Value {
		case "auto":
			return &weir.ModelDef{Auto: true}
		case "none":
			return nil
		}
		r.problem(n, "model: auto, or keys compare, block, threshold", "unknown model %q", n.Value)
		return nil
	}
	d := &weir.ModelDef{}
	r.object(n, keys{
		"compare": func(n *yaml.Node) {
			d.Compare = map[string]string{}
			r.each(n, func(k, v *yaml.Node) {
				var kind string
				r.text(&kind)(v)
				if !slices.Contains(Comparisons, kind) {
					r.problem(v, didYouMean(kind, Comparisons), "unknown comparison %q of %s", kind, k.Value)
					return
				}
				d.Order = append(d.Order, k.Value)
				d.Compare[k.Value] = kind
				l.mentions = append(l.mentions, mention{of, k.Value, "the model compares", r.at(k)})
			})
		},
		"block":     func(n *yaml.Node) { d.Block = l.blocks(r, of, n) },
		"threshold": r.fraction(&d.Threshold),
	})
	d.Auto = len(d.Compare) == 0 && len(d.Block) == 0
	return d
}

// blocks reads the blocking rules: records that agree on all parts of one are
// compared.
func (l *loader) blocks(r *reader, of weir.Kind, n *yaml.Node) [][]string {
	var out [][]string
	for _, c := range r.list(n) {
		var parts []string
		for _, p := range r.list(c) {
			var part string
			r.text(&part)(p)
			name, transform, coarse := strings.Cut(part, ":")
			if coarse && !slices.Contains(Transforms, transform) {
				r.problem(p, didYouMean(transform, Transforms), "unknown transform %q of %s", transform, name)
			}
			l.mentions = append(l.mentions, mention{of, name, "a blocking rule uses", r.at(p)})
			parts = append(parts, part)
		}
		if len(parts) == 0 {
			r.problem(c, "[family_name, birth_date]", "a blocking rule needs at least one field")
			continue
		}
		out = append(out, parts)
	}
	if len(out) > MostBlocks {
		r.problem(n, "leave some out", "%d blocking rules, at most %d", len(out), MostBlocks)
	}
	return out
}

// fraction reads a probability between 0 and 1, both left out.
func (r *reader) fraction(into *float64) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if err := n.Decode(into); err != nil || n.Kind != yaml.ScalarNode || !(*into > 0 && *into < 1) {
			r.problem(n, "a probability: 0.95", "threshold is no number between 0 and 1")
		}
	}
}

// checkMentions finds names that no source maps, or none for these records.
func (l *loader) checkMentions() {
	anywhere := l.mappedFor("")
	for _, m := range l.mentions {
		known := l.mappedFor(m.of)
		switch {
		case slices.Contains(known, m.name):
		case m.of == "" && !strings.HasPrefix(didYouMean(m.name, known), "did you mean"): // declared before its source
		case slices.Contains(anywhere, m.name):
			l.add(m.where, didYouMean(m.name, known), "%s %q, which no stream with as: %s maps", m.use, m.name, m.of)
		default:
			l.add(m.where, didYouMean(m.name, known), "%s %q, which no source maps", m.use, m.name)
		}
	}
}

// mappedFor lists the identifiers and attributes that records of a kind may hold; "":
// all that sources map.
func (l *loader) mappedFor(kind weir.Kind) []string {
	names := map[string]bool{}
	for _, s := range l.p.Sources {
		for _, t := range s.Streams {
			if kind != "" && t.Mapping.As != string(kind) {
				continue
			}
			for k := range t.Mapping.Identifiers {
				names[k] = true
			}
			for a := range t.Mapping.Attributes {
				names[a] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}
