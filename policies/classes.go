package policies

import (
	"maps"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
)

// Classes are all classes that the decider holds, as rows of consent.classes, sorted
// by id: all that it met, unless Drain was called.
func (d *Decider) Classes() []weir.DecisionClass { return d.list(func(*class) bool { return true }) }

// maxClasses is how many classes a decider holds after Drain.
const maxClasses = 1 << 17

// Drain gives the classes met since the last call, sorted by id. Where a decider holds
// too many it forgets them all, so that its memory is bounded whatever the policy tells
// apart; a class that is met again is asked and given again.
func (d *Decider) Drain() []weir.DecisionClass {
	out := d.list(func(c *class) bool { return !c.given })
	for _, c := range d.classes {
		c.given = true
	}
	if d.Full() {
		d.tally(&d.stats)
		d.classes, d.lenses = map[classKey]*class{}, map[List]*lens{}
	}
	return out
}

func (d *Decider) list(want func(*class) bool) []weir.DecisionClass {
	var out []weir.DecisionClass
	for _, c := range d.classes {
		if !want(c) {
			continue
		}
		v := c.verdict
		out = append(out, weir.DecisionClass{ID: c.id, Activation: d.q.Activation.Name, PolicyRevision: d.gate.revision, Inputs: c.inputs,
			Allow: v.Allow, Basis: v.Basis, Reasons: v.Reasons, Obligations: obligationsText(v.Obligations), Rules: v.Rules})
	}
	slices.SortFunc(out, func(a, b weir.DecisionClass) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// Reasons are the codes against a row of the block that was decided last; empty if it
// may go.
func (d *Decider) Reasons(row int) []string { return d.last[row].verdict.Reasons }

// Part names what a class says of its rows: the facts that made a difference, the basis
// and the obligations. A class of another revision of the policy that says the same is
// the same part, so that what is kept apart by classes stays where it is.
func Part(c weir.DecisionClass) string {
	return digest("part", c.Activation, c.Inputs, c.Basis, c.Obligations)
}

// Part is that of a row of the block that was decided last.
func (d *Decider) Part(row int) string {
	c := d.last[row]
	if c.part == "" {
		c.part = Part(weir.DecisionClass{Activation: d.q.Activation.Name, Inputs: c.inputs, Basis: c.verdict.Basis, Obligations: obligationsText(c.verdict.Obligations)})
	}
	return c.part
}

// Obligations are those under which a row of the block that was decided last may go.
func (d *Decider) Obligations(row int) map[string]string { return d.last[row].verdict.Obligations }

// Full says that the decider holds so many classes that it is time to Drain.
func (d *Decider) Full() bool { return len(d.classes) > maxClasses }

// Stats says what was done so far.
func (d *Decider) Stats() Stats {
	s := d.stats
	s.Reasons, s.Faults = maps.Clone(s.Reasons), slices.Clone(s.Faults)
	d.tally(&s)
	return s
}

// tally adds what the classes count.
func (d *Decider) tally(s *Stats) {
	for _, c := range d.classes {
		if c.verdict.Allow {
			s.Allowed += c.rows
		}
		if c.rows == 0 {
			continue // of a recheck
		}
		for _, code := range c.verdict.Reasons {
			s.Reasons[code] += c.rows
		}
	}
}
