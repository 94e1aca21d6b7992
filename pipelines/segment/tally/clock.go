package tally

import (
	"slices"
	"time"

	"github.com/weir-cdp/weir/pipelines/segment/rule"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
	"github.com/weir-cdp/weir/pipelines/segment/trait"
)

// Clock tells whose outcome may be another at a later moment, over the same events
// and attributes. Who is not told of comes to the same; of those who are, some do too.
type Clock struct {
	// All: some definition depends on time in a way that events and attributes alone
	// don't tell, such as an age in days.
	All bool

	before, after time.Time
	always        []timeline.Shift
	named         map[string][]timeline.Shift
	attributes    []*rule.Node
}

// Clock compares two moments, the second not before the first.
func (p *Plan) Clock(before, after time.Time) *Clock {
	c := &Clock{before: before, after: after, named: map[string][]timeline.Shift{}}
	if before.Equal(after) {
		return c
	}
	for i := range p.book.Filters() {
		c.filter(&p.book.Filters()[i])
	}
	for i := range p.traits {
		c.trait(&p.traits[i])
	}
	for i := range p.book.Measures() {
		c.trait(&p.book.Measures()[i])
	}
	for i := range p.book.Edges() {
		f := &p.book.Edges()[i].Filter
		c.filter(f)
		c.add(f.Name, (&timeline.Window{}).Shift(before, after)) // the edge is one of all events up to now
	}
	for i := range p.book.Sequences() {
		q := &p.book.Sequences()[i]
		c.All = c.All || q.HasAge()
		for _, name := range q.Names() {
			c.add(name, q.Window.Shift(before, after))
		}
	}
	for i := range p.book.Busiest() {
		b := &p.book.Busiest()[i]
		c.All = c.All || b.Filter.HasAge()
		c.add(b.Name(), b.Filter.Window.Shift(before, after))
	}
	c.All = c.All || p.Related() != nil // whoever they are
	for _, t := range p.derived {
		c.All = c.All || t.Now()
	}
	for _, r := range p.rules {
		for n := range r.Timed() {
			c.leaf(p, n)
		}
	}
	return c
}

func (c *Clock) filter(f *timeline.Filter) {
	c.All = c.All || f.HasAge()
	c.add(f.Name, f.Window.Shift(c.before, c.after))
}

func (c *Clock) trait(t *trait.Trait) {
	if t.Given() {
		c.All = c.All || t.Learned()
		return
	}
	c.All = c.All || t.Ages()
	c.filter(&t.Filter)
}

func (c *Clock) add(name string, s timeline.Shift) {
	if s.Before == s.After {
		return
	}
	if name == "" {
		if !slices.Contains(c.always, s) {
			c.always = append(c.always, s)
		}
	} else if !slices.Contains(c.named[name], s) {
		c.named[name] = append(c.named[name], s)
	}
}

// Still says that no event moves.
func (c *Clock) Still() bool { return len(c.always)+len(c.named) == 0 }

// leaf takes a comparison with an age: of an attribute it is asked, of a moment that
// is some event's it is a window for that event.
func (c *Clock) leaf(p *Plan, n *rule.Node) {
	if n.Form == rule.Attribute {
		c.attributes = append(c.attributes, n)
		return
	}
	var f *timeline.Filter
	if n.Form == rule.Trait {
		for i := range p.traits {
			if t := &p.traits[i]; t.Name == n.Condition.Trait && t.IsMoment() {
				f = &t.Filter
			}
		}
	} else if m := n.Measured(); m != nil && m.IsMoment() {
		f = &m.Filter
	} else if g := n.Edge(); g != nil {
		f = &g.Filter
	}
	before, ok := n.Moments(c.before)
	after, ok2 := n.Moments(c.after)
	if f == nil || !ok || !ok2 {
		c.All = true
		return
	}
	c.add(f.Name, timeline.Shift{Before: before, After: after})
}

// Moves returns what says whether an event of the name, by its moment in microseconds
// since 1970, makes its profile's outcome another; nil: none does.
func (c *Clock) Moves(name string) func(at int64) bool {
	shifts := c.always
	if name != "" { // or twice
		shifts = slices.Concat(c.named[name], c.always)
	}
	if len(shifts) == 0 {
		return nil
	}
	return func(at int64) bool {
		for _, s := range shifts {
			if s.Moves(at) {
				return true
			}
		}
		return false
	}
}

// Attributes calls do for each attribute that is compared with an age, with what says
// whether the comparison of a text comes out otherwise.
func (c *Clock) Attributes(do func(name string, flips func(text string) bool)) {
	for _, n := range c.attributes {
		do(n.Condition.Attribute, func(text string) bool { return n.Flips(text, c.before, c.after) })
	}
}
