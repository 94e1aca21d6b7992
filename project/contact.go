package project

import (
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
)

// contact reads contact.yaml: suppression, waterfalls, pressure and priority.
func (l *loader) contact(r *reader, _ string, root *yaml.Node) {
	c := &l.p.Contact
	r.object(root, keys{
		"suppress": r.texts(&c.Suppress),
		"waterfalls": func(n *yaml.Node) {
			r.each(n, func(k, v *yaml.Node) {
				w := weir.WaterfallDef{Name: k.Value}
				if !nameForm.MatchString(w.Name) {
					r.problem(k, "", "a waterfall's name has small letters, digits and _, a letter first; found %q", w.Name)
				}
				if r.texts(&w.Segments)(v); len(w.Segments) < 2 {
					r.problem(v, "write "+w.Name+": [vip, loyal, everybody]", "waterfall %s has fewer than two segments", w.Name)
				}
				c.Waterfalls = append(c.Waterfalls, w)
			})
		},
		"pressure": func(n *yaml.Node) {
			for _, item := range r.list(n) {
				c.Pressure = append(c.Pressure, r.pressure(item))
			}
		},
		"priority": r.texts(&c.Priority),
	})
	l.noteKeys(r, "contact.yaml", root)
	l.noteItems(r, "contact.yaml", root)
}

// noteItems remembers where each item of a list of texts stands: "contact.yaml
// priority.2", the first as 0.
func (l *loader) noteItems(r *reader, thing string, n *yaml.Node) {
	var walk func(prefix string, n *yaml.Node)
	walk = func(prefix string, n *yaml.Node) {
		switch n.Kind {
		case yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				walk(prefix+n.Content[i].Value+".", n.Content[i+1])
			}
		case yaml.SequenceNode:
			for i, item := range n.Content {
				l.note(thing+" "+prefix+strconv.Itoa(i), r.at(item))
			}
		}
	}
	walk("", n)
}

// pressureWindows are the calendar windows that end now: a limit on one that is
// over holds nobody back.
var pressureWindows = []string{"today", "this_week", "this_month", "this_quarter", "this_year"}

// pressure reads one limit: {channel: email, at_most: 2, within: 7d}.
func (r *reader) pressure(n *yaml.Node) weir.PressureDef {
	var p weir.PressureDef
	var window *yaml.Node
	said := false
	r.object(n, keys{
		"channel": r.text(&p.Channel),
		"at_most": func(n *yaml.Node) { said = true; r.integer(&p.AtMost, 1)(n) },
		"within":  func(n *yaml.Node) { window = n; r.within(&p.Within, &p.Window)(n) },
		"during": func(n *yaml.Node) {
			var s string
			r.oneOf(&s, pressureWindows...)(n)
			if window != nil {
				r.problem(n, "keep one of them", "two windows")
			}
			window, p.Window = n, &weir.Window{During: s}
		},
	})
	if !said {
		r.lacks("at_most", n, "add at_most: 2", "the limit has no at_most")
	}
	if window == nil {
		r.lacks("within", n, "add within: 7d, or during: this_week", "the limit has no window")
	}
	return p
}

// Waterfall returns the waterfall of this name.
func (p *Project) Waterfall(name string) (weir.WaterfallDef, bool) {
	return find(p.Contact.Waterfalls, func(w weir.WaterfallDef) bool { return w.Name == name })
}

// Suppressing lists the segments whose members an activation doesn't send, each
// once: those of contact.yaml first.
func (p *Project) Suppressing(a weir.ActivationDef) []string {
	var out []string
	for _, s := range slices.Concat(p.Contact.Suppress, a.Suppress) {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// Ahead lists the segments of an activation's waterfall that come before its own.
func (p *Project) Ahead(a weir.ActivationDef) []string {
	w, _ := p.Waterfall(a.Waterfall)
	return w.Segments[:max(0, slices.Index(w.Segments, a.Segment))]
}

// leavesOut lists the segments whose members an activation doesn't send.
func (p *Project) leavesOut(a weir.ActivationDef) []string {
	return append(p.Suppressing(a), p.Ahead(a)...)
}

// checkContact finds what contact.yaml names and nothing declares.
func (l *loader) checkContact() {
	c := l.p.Contact
	segments := namesOf(l.p.Segments, func(s weir.SegmentDef) string { return s.Name })
	known := func(path string, names []string) {
		for i, name := range names {
			at := l.p.Place("contact.yaml", path+"."+strconv.Itoa(i))
			if !slices.Contains(segments, name) {
				l.add(at, didYouMean(name, segments), "there is no segment %q", name)
			}
			if slices.Contains(names[:i], name) {
				l.add(at, "remove it", "segment %s appears twice", name)
			}
		}
	}
	known("suppress", c.Suppress)
	for _, w := range c.Waterfalls {
		known("waterfalls."+w.Name, w.Segments)
	}
	activations := namesOf(l.p.Activations, func(a weir.ActivationDef) string { return a.Name })
	for i, name := range c.Priority {
		at := l.p.Place("contact.yaml", "priority."+strconv.Itoa(i))
		if !slices.Contains(activations, name) {
			l.add(at, didYouMean(name, activations), "there is no activation %q", name)
		}
		if slices.Contains(c.Priority[:i], name) {
			l.add(at, "remove it", "activation %s appears twice", name)
		}
	}
	channels := namesOf(l.p.Activations, func(a weir.ActivationDef) string { return a.Channel })
	for _, p := range c.Pressure {
		if p.Channel != "" && !slices.Contains(channels, p.Channel) && connectors.Nearest(p.Channel, channels) != "" {
			l.add(l.p.Place("contact.yaml", "pressure"), didYouMean(p.Channel, channels), "no activation sends by channel %q", p.Channel)
		}
	}
	for _, a := range l.p.Activations {
		l.checkHolding(a, segments)
	}
}

// checkHolding checks what an activation says of whom it doesn't send.
func (l *loader) checkHolding(a weir.ActivationDef, segments []string) {
	where := func(key string) string { return l.p.Place("activation "+a.Name, key) }
	of, _ := l.p.Segment(a.Segment)
	for _, name := range a.Suppress {
		s, ok := l.p.Segment(name)
		switch {
		case !ok:
			l.add(where("suppress"), didYouMean(name, segments), "there is no segment %q", name)
		case s.Of != of.Of && of.Name != "":
			l.add(where("suppress"), "name a segment of: "+string(of.Of), "segment %s is of: %s, so no member of %s is in it", name, s.Of, of.Name)
		}
	}
	if slices.Contains(l.p.Suppressing(a), a.Segment) {
		l.add(where("segment"), "remove the activation or the suppression", "segment %s is suppressed, so nobody of it is ever sent", a.Segment)
	}
	if a.Waterfall == "" {
		return
	}
	w, ok := l.p.Waterfall(a.Waterfall)
	if names := namesOf(l.p.Contact.Waterfalls, func(w weir.WaterfallDef) string { return w.Name }); !ok {
		l.add(where("waterfall"), didYouMean(a.Waterfall, names), "contact.yaml has no waterfall %q", a.Waterfall)
	} else if !slices.Contains(w.Segments, a.Segment) {
		l.add(where("waterfall"), "add it to the list in contact.yaml", "segment %s is not in waterfall %s", a.Segment, w.Name)
	}
}
