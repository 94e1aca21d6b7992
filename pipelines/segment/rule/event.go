package rule

import (
	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// Parts cuts an event condition that looks at several things (a count and
// aggregates) into conditions of one each, all of which must hold.
func Parts(c *weir.Condition) []weir.Condition {
	if c.Which != "" || len(c.Measures) == 0 || len(c.Measures) == 1 && len(c.Count) == 0 {
		return []weir.Condition{*c}
	}
	bare := *c
	bare.Count, bare.Measures = nil, nil
	var out []weir.Condition
	if len(c.Count) > 0 {
		part := bare
		part.Count = c.Count
		out = append(out, part)
	}
	for i := range c.Measures {
		part := bare
		part.Measures = c.Measures[i : i+1]
		out = append(out, part)
	}
	return out
}

// event compiles an event condition of one part.
func (c *compiler) event(n *Node) {
	cond := n.Condition
	switch {
	case cond.Which != "":
		c.edge(n)
	case len(cond.Measures) == 1:
		c.measure(n)
	default:
		c.count(n)
	}
}

func (c *compiler) count(n *Node) {
	cond := n.Condition
	slot := c.book.filter
	if cond.Session != "" {
		slot, n.source = c.book.busiestSession, inSession
	}
	var err error
	if n.slot, err = slot(cond, c.loc); err != nil {
		c.failf(cond, "event %q: %w", cond.Event, err)
	}
	count := cond.Count
	if len(count) == 0 {
		count = []weir.Comparison{{Op: "at_least", Values: []string{"1"}}}
	}
	for _, one := range count {
		t, err := value.Compile(one, weir.Number, c.loc)
		if err == nil && one.Op == "exists" {
			err = weir.Errorf(weir.Invalid, "there always is a count").Then("use count: {at_least: 1}")
		}
		if err != nil {
			c.failf(cond, "count: %w", err)
			continue
		}
		n.tests = append(n.tests, t)
	}
}

func (c *compiler) measure(n *Node) {
	m := n.Condition.Measures[0]
	if n.Condition.Session != "" {
		c.failf(n.Condition, "of a session there is a count, and no %s", m.How)
	}
	what := m.How + " of " + m.Of
	slot, typ, err := c.book.measure(n.Condition, m, c.loc)
	if err != nil {
		c.failf(n.Condition, "event %q: %w", n.Condition.Event, err)
		return
	}
	n.slot, n.source = slot, measured
	if len(m.Compare) == 0 {
		c.failf(n.Condition, "%s is compared with nothing; write an operator, or exists: true", what)
	}
	for _, one := range m.Compare {
		t, err := value.Compile(one, typ, c.loc)
		if err != nil {
			c.failf(n.Condition, "%s: %w", what, err)
			continue
		}
		n.tests = append(n.tests, t)
	}
}

// edge compiles `first: true` and `last: true`.
func (c *compiler) edge(n *Node) {
	cond := n.Condition
	if cond.Which != "first" && cond.Which != "last" {
		c.failf(cond, "an event is the first or the last, not %q", cond.Which)
		return
	}
	if len(cond.Count) > 0 || len(cond.Measures) > 0 || cond.Session != "" {
		c.failf(cond, "the %s event is one: it has no count, no sum and no session", cond.Which)
	}
	var err error
	if n.slot, err = c.book.edge(cond, c.loc); err != nil {
		c.failf(cond, "event %q: %w", cond.Event, err)
		return
	}
	n.source = edge
}

// sequence compiles events one after the other.
func (c *compiler) sequence(n *Node) {
	var err error
	if n.slot, err = c.book.sequence(n.Condition, c.loc); err != nil {
		c.failf(n.Condition, "sequence: %w", err)
	}
}
