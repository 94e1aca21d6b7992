package rule

import (
	"github.com/weir-cdp/weir"
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
)

// Node is one compiled condition.
type Node struct {
	Form      Form
	Condition *weir.Condition
	Children  []*Node
	tests     []value.Test
	typ       weir.AttributeType // of an attribute
	slot      int                // of a trait or of a counted filter
	book      *Book
}

// Rule is one compiled segment.
type Rule struct {
	Name string
	Of   weir.Kind
	Root *Node
}

// Matches says whether the subject belongs to the segment.
func (r *Rule) Matches(s *Subject) bool {
	return s.Kind == r.Of && r.Root.Holds(s)
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
	}
	return value.HoldsAll(n.tests, n.Value(s), s.Now)
}

// Value returns what a leaf compares: the attribute, the trait or the number of
// events.
func (n *Node) Value(s *Subject) value.Value {
	switch n.Form {
	case Attribute:
		return value.Read(s.Attributes[n.Condition.Attribute], n.typ, n.book.schema.Location)
	case Trait:
		if n.slot < len(s.Traits) {
			return s.Traits[n.slot]
		}
	case Event:
		if n.slot < len(s.Counts) {
			return value.OfNumber(value.Whole(s.Counts[n.slot]))
		}
		return value.OfNumber(value.Whole(0))
	}
	return value.Value{}
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
	for _, t := range n.tests {
		if t.Now() {
			return true
		}
	}
	return n.Form == Event && n.book.filters[n.slot].Now()
}

// Traits returns the names of the traits that the rule compares.
func (r *Rule) Traits() map[string]bool {
	traits := map[string]bool{}
	names(r.Root.Condition, traits, map[string]bool{})
	return traits
}

// Attributes returns the names of the attributes that the rule compares.
func (r *Rule) Attributes() map[string]bool {
	attributes := map[string]bool{}
	names(r.Root.Condition, map[string]bool{}, attributes)
	return attributes
}
