package project

import (
	"maps"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/weir-cdp/weir"
)

// score reads `score:` of a trait: one of the kinds, with its settings. It is nil
// where there is none.
func (r *reader) score(trait string, n *yaml.Node) *weir.ScoreDef {
	var d *weir.ScoreDef
	known := keys{}
	for _, kind := range weir.ScoreKinds() {
		known[kind] = func(v *yaml.Node) {
			if d != nil {
				r.problem(v, "make a second trait", "both %s and %s", d.Kind, kind)
				return
			}
			d = &weir.ScoreDef{Kind: kind, Trait: trait, At: r.at(v)}
			settings := r.scoreSettings(d)
			r.object(v, settings)
			r.checkScore(d, v)
		}
	}
	r.object(n, known)
	if d == nil {
		r.problem(n, "add one of clv, rfm, churn, propensity, lookalike", "trait %s says no score", trait)
	}
	return d
}

// scoreSettings are the keys that a kind of score takes.
func (r *reader) scoreSettings(d *weir.ScoreDef) keys {
	seed := 0
	all := keys{
		"event": r.text(&d.Event), "where": func(n *yaml.Node) { d.Where = r.where(n) },
		"value": r.property(&d.Value), "order": r.property(&d.Order),
		"within": r.duration(&d.Within), "horizon": r.duration(&d.Horizon), "discount": r.discount(&d.Discount),
		"quantiles": r.integer(&d.Quantiles, 2), "cells": func(n *yaml.Node) { d.Cells = r.cells(n) },
		"features": r.texts(&d.Features), "method": r.oneOf(&d.Method, "auto", "logistic", "trees"),
		"seed":    func(n *yaml.Node) { r.integer(&seed, 0)(n); d.Seed = uint64(seed) },
		"segment": r.text(&d.Segment),
	}
	takes := map[string][]string{
		"clv":        {"event", "where", "value", "horizon", "discount"},
		"rfm":        {"event", "where", "value", "order", "within", "quantiles", "cells"},
		"churn":      {"event", "where", "value", "horizon", "features", "method", "seed"},
		"propensity": {"event", "where", "value", "horizon", "features", "method", "seed"},
		"lookalike":  {"segment", "features", "seed"},
	}
	maps.DeleteFunc(all, func(key string, _ func(*yaml.Node)) bool { return !slices.Contains(takes[d.Kind], key) })
	return all
}

// discount reads a share by the month.
func (r *reader) discount(into *float64) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if err := n.Decode(into); err != nil || n.Kind != yaml.ScalarNode || !(*into >= 0 && *into < 1) {
			r.problem(n, "0.01 is 1 % a month", "discount is no number from 0 to 1")
		}
	}
}

func (r *reader) property(into *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		r.text(into)(n)
		if len(*into) <= len("properties.") || (*into)[:len("properties.")] != "properties." {
			r.problem(n, "write it like properties.revenue", "%q is no property of an event", *into)
		}
	}
}

func (r *reader) checkScore(d *weir.ScoreDef, n *yaml.Node) {
	lacks := func(key, example string) { r.lacks(key, n, "add "+key+": "+example, "%s needs %s", d.Kind, key) }
	if d.Kind == "lookalike" {
		if d.Segment == "" {
			lacks("segment", "vip")
		}
		return
	}
	if d.Event == "" {
		lacks("event", "Order Completed")
	}
	if d.Value == "" && (d.Kind == "clv" || d.Kind == "rfm") {
		lacks("value", "properties.revenue")
	}
	if d.Horizon == 0 && d.Kind != "rfm" {
		lacks("horizon", "90d")
	}
	if d.Quantiles > 9 {
		r.problem(n, "", "quantiles is at most 9")
	}
	most := d.Quantiles
	if most == 0 {
		most = 5
	}
	for _, c := range d.Cells {
		for _, span := range [][2]int{c.R, c.F, c.M} {
			if span != [2]int{} && (span[0] < 1 || span[1] < span[0] || span[1] > most) {
				r.problem(n, "write it like {r: [4, 5], f: 5}", "cell %s has scores that are not from 1 to %d", c.Name, most)
				return
			}
		}
	}
}

// cells reads {champions: {r: [4, 5], f: 5}, …}, the first that fits.
func (r *reader) cells(n *yaml.Node) []weir.ScoreCell {
	var out []weir.ScoreCell
	r.each(n, func(k, v *yaml.Node) {
		c := weir.ScoreCell{Name: k.Value}
		r.object(v, keys{"r": r.scores(&c.R), "f": r.scores(&c.F), "m": r.scores(&c.M)})
		out = append(out, c)
	})
	return out
}

// scores reads one score, or from and to.
func (r *reader) scores(into *[2]int) func(*yaml.Node) {
	return func(n *yaml.Node) {
		var texts []string
		r.texts(&texts)(n)
		if len(texts) == 1 {
			texts = append(texts, texts[0])
		}
		if len(texts) != 2 {
			r.problem(n, "write it like [4, 5], or 5", "scores are one, or from and to")
			return
		}
		for i, text := range texts {
			v, err := strconv.Atoi(text)
			if err != nil {
				r.problem(n, "write it like [4, 5], or 5", "%q is no score", text)
				return
			}
			into[i] = v
		}
	}
}

// checkScores finds what scores refer to that is not there, and names that two
// traits would have.
func (l *loader) checkScores() {
	traits := namesOf(l.p.Traits, func(t weir.TraitDef) string { return t.Name })
	attributes := l.p.AttributeNames()
	segments := namesOf(l.p.Segments, func(s weir.SegmentDef) string { return s.Name })
	held := map[string]*weir.ScoreDef{} // by the name of an output
	queried := map[string]bool{}
	for _, t := range l.p.Traits {
		queried[t.Name] = queried[t.Name] || t.Query != nil
		if t.Score != nil {
			held[t.Name] = t.Score
		}
	}
	for _, t := range l.p.Traits {
		d := t.Score
		if d == nil && held[t.Name] != nil {
			l.add(held[t.Name].At, "rename one of the two traits", "the score gives a trait %q, and there is one of that name", t.Name)
		}
		if d == nil || t.Field != "" { // each score once
			continue
		}
		if d.Segment != "" && !slices.Contains(segments, d.Segment) {
			l.add(d.At, didYouMean(d.Segment, segments), "there is no segment %q", d.Segment)
		}
		if name := l.p.asksRelated(d.Segment); name != "" {
			l.add(d.At, "name a segment that asks for attributes, traits and events", "segment %s asks about people or accounts, and members to be alike are known by their own values", name)
		}
		for _, f := range d.Features {
			isAttribute := slices.Contains(attributes, f)
			switch {
			case held[f] != nil:
				l.add(d.At, "name traits that are computed of events", "feature %q is a score", f)
			case queried[f]:
				l.add(d.At, "name traits that are computed of events", "feature %q is given by a query: what it was before the cut-off is not known", f)
			case slices.Contains(traits, f):
			case isAttribute && d.Kind == "lookalike":
			case isAttribute:
				l.add(d.At, "name traits that are computed of events", "feature %q is an attribute: what it was before the cut-off is not known", f)
			default:
				l.add(d.At, didYouMean(f, traits), "there is no trait %q", f)
			}
		}
	}
}
