package rule

import (
	"iter"
	"time"

	"github.com/weir-cdp/weir/pipelines/segment/timeline"
	"github.com/weir-cdp/weir/pipelines/segment/trait"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// This file says what of a rule compares with the clock, beyond the windows of its
// events.

// Timed yields the rule's own leaves whose comparison may come out otherwise with
// time alone; those of segments that it asks for are theirs.
func (r *Rule) Timed() iter.Seq[*Node] {
	return func(yield func(*Node) bool) { r.Root.timed(yield) }
}

func (n *Node) timed(yield func(*Node) bool) bool {
	for _, c := range n.Children {
		if !c.timed(yield) {
			return false
		}
	}
	for _, t := range n.tests {
		if t.Now() {
			return yield(n)
		}
	}
	return true
}

// Moments are the moments of which the leaf's comparison is true at now; false if it
// is not one of moments with an age.
func (n *Node) Moments(now time.Time) (timeline.Micros, bool) {
	low, high, ok := value.Bounds(n.tests, func(t *value.Test) (int64, int64, bool) { return t.Moments(now) })
	return timeline.Between(low, high), ok
}

// Flips says whether the leaf, an attribute's, says otherwise of a text at one moment
// than at the other.
func (n *Node) Flips(text string, before, after time.Time) bool {
	v := value.Read(text, n.typ, n.loc)
	return value.HoldsAll(n.tests, v, before) != value.HoldsAll(n.tests, v, after)
}

// Measured is the aggregate of events that the leaf compares; nil: it is another leaf.
func (n *Node) Measured() *trait.Trait {
	if n.Form == Event && n.source == measured {
		return &n.book.measures[n.slot]
	}
	return nil
}

// Edge is the first or last event whose moment the leaf compares; nil: it is another
// leaf.
func (n *Node) Edge() *timeline.Edge {
	if n.Form == Event && n.source == edge {
		return &n.book.edges[n.slot]
	}
	return nil
}
