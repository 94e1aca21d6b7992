package rule

import (
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// Form is what a node of a rule does.
type Form string

// The forms.
const (
	All       Form = "all"
	Any       Form = "any"
	None      Form = "none"
	Attribute Form = "attribute"
	Trait     Form = "trait"
	Event     Form = "event"
	Segment   Form = "segment"
	Random    Form = "random"
	Sequence  Form = "sequence"
	Related   Form = "related"
)

// Node is one compiled condition.
type Node struct {
	Form      Form
	Condition *weir.Condition
	Children  []*Node
	tests     []value.Test
	typ       weir.AttributeType // of an attribute
	slot      int                // of a trait, or by the kind of source
	source    source             // of an event
	share     *share             // of random
	target    *Rule              // of a segment
	inner     *Node              // of related: what fits, of a book of its own; nil: each
	cell      int                // of equal conditions one
	book      *Book
	loc       *time.Location
}

// source is what an event condition looks at.
type source uint8

const (
	counted source = iota
	measured
	edge
	inSession
)

// Rule is one compiled segment.
type Rule struct {
	Name   string
	Of     weir.Kind
	Root   *Node
	slot   int  // in Subject's verdicts
	shared bool // other rules ask for membership
}

// Holds says whether the condition is true of the subject.
func (n *Node) Holds(s *Subject) bool {
	switch n.Form {
	case All:
		for _, c := range n.Children {
			if !c.Holds(s) {
				return false
			}
		}
		return true
	case Any, None:
		for _, c := range n.Children {
			if c.Holds(s) {
				return n.Form == Any
			}
		}
		return n.Form == None
	case Segment:
		return n.target.Matches(s)
	case Random:
		return n.share.has(s.ID)
	case Sequence:
		return at(s.Sequences, n.slot).Holds
	case Related:
		return n.fits(at(s.Related, n.slot), s.Now)
	}
	if n.Form == Event && n.source == edge {
		return n.slot < len(s.Edges) && s.Edges[n.slot].Fits
	}
	return value.HoldsAll(n.tests, n.Value(s), s.Now)
}

// Value returns what a leaf compares: the attribute, the trait, the number of
// events, their aggregate, the moment of the first or last of them, the profile's
// place in percent of a random share, or how many of its people or accounts fit.
func (n *Node) Value(s *Subject) value.Value {
	switch n.Form {
	case Attribute:
		return value.Read(s.Attributes[n.Condition.Attribute], n.typ, n.loc)
	case Trait:
		return at(s.Traits, n.slot)
	case Event:
		return n.ofEvents(s)
	case Random:
		return value.OfNumber(value.Billionths(Position(n.share.seed, s.ID)))
	case Related:
		return value.OfNumber(value.Whole(int64(at(s.Related, n.slot).Fit)))
	}
	return value.Value{}
}

func (n *Node) ofEvents(s *Subject) value.Value {
	switch n.source {
	case measured:
		return at(s.Measures, n.slot)
	case edge:
		if e := at(s.Edges, n.slot); e.Known {
			return value.OfTime(e.At)
		}
		return value.Value{}
	case inSession:
		return value.OfNumber(value.Whole(at(s.Busiest, n.slot)))
	}
	return value.OfNumber(value.Whole(at(s.Counts, n.slot)))
}

// at returns an element, of a slice that is too short the zero one.
func at[T any](list []T, i int) T {
	if i < len(list) {
		return list[i]
	}
	var zero T
	return zero
}

// Now says whether the rule's outcome may change with time alone, apart from
// events that lie in the future.
func (r *Rule) Now() bool { return r.Root.now() }

func (n *Node) now() bool {
	for _, c := range n.Children {
		if c.now() {
			return true
		}
	}
	switch n.Form {
	case Segment:
		return n.target.Now()
	case Sequence:
		return n.book.sequences[n.slot].Now()
	case Related:
		return n.inner != nil && n.inner.now()
	}
	for _, t := range n.tests {
		if t.Now() {
			return true
		}
	}
	if n.Form == Event && n.source == measured {
		return n.book.measures[n.slot].Now()
	}
	return n.Form == Event && n.filter().Now()
}

// Behind says whether the node's value comes of the event too.
func (n *Node) Behind(s *Subject, e *timeline.Event) bool {
	if n.Form == Sequence {
		o := at(s.Sequences, n.slot)
		return n.book.sequences[n.slot].Behind(&o, e, s.Now)
	}
	if n.Form != Event {
		return false
	}
	if n.source == edge {
		g := at(s.Edges, n.slot)
		return g.Known && g.ID == e.ID && g.At.Equal(e.At)
	}
	return n.filter().Picks(e, s.Now)
}

// filter returns the filter that picks an event condition's events.
func (n *Node) filter() *timeline.Filter {
	switch n.source {
	case measured:
		return &n.book.measures[n.slot].Filter
	case edge:
		return &n.book.edges[n.slot].Filter
	case inSession:
		return &n.book.busiest[n.slot].Filter
	}
	return &n.book.filters[n.slot]
}

// Traits returns the names of the traits that the rule compares.
func (r *Rule) Traits() map[string]bool {
	traits, _ := Compared(r.Root.Condition)
	return traits
}

// Attributes returns the names of the attributes of the profile itself that the rule
// compares.
func (r *Rule) Attributes() map[string]bool {
	_, attributes := OwnCompared(r.Root.Condition)
	return attributes
}
