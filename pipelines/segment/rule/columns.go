package rule

import (
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
	"github.com/weir-cdp/weir/pipelines/segment/trait"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// Columns is what rules see of many profiles at the moment Now: what Subject is of
// one. A condition that several rules have is asked once.
type Columns struct {
	Profiles int
	ID       func(i int) string
	Kind     func(i int) weir.Kind
	// Attribute returns the canonical texts of an attribute; nil codes: nobody has it.
	Attribute func(name string) (codes []uint32, texts *timeline.Texts)
	Traits    []*trait.Values // by TraitSlot
	Measures  []*trait.Values // by slot of Measures
	Counts    [][]int64       // by slot of Filters
	Related   [][]Linked      // by slot of Relations
	// Subject returns the profile's Edges, Sequences and Busiest.
	Subject func(i int) *Subject
	Now     time.Time

	cells []Bits
	kinds map[weir.Kind]Bits
}

// Select returns the profiles that belong to the segment. The bits are the columns':
// nobody may set any.
func (r *Rule) Select(c *Columns) Bits {
	of, known := c.kinds[r.Of]
	if !known {
		of = NewBits(c.Profiles)
		for i := range c.Profiles {
			if c.Kind(i) == r.Of {
				of.Set(i)
			}
		}
		if c.kinds == nil {
			c.kinds = map[weir.Kind]Bits{}
		}
		c.kinds[r.Of] = of
	}
	return r.Root.bits(c).and(of)
}

// bits are the profiles of which the condition is true.
func (n *Node) bits(c *Columns) Bits {
	for n.cell >= len(c.cells) {
		c.cells = append(c.cells, make([]Bits, n.book.cells.n-len(c.cells))...)
	}
	if c.cells[n.cell] == nil {
		c.cells[n.cell] = n.ask(c)
	}
	return c.cells[n.cell]
}

func (n *Node) ask(c *Columns) Bits {
	switch n.Form {
	case All:
		out := n.Children[0].bits(c)
		for _, child := range n.Children[1:] {
			out = out.and(child.bits(c))
		}
		return out
	case Any, None:
		out := n.Children[0].bits(c)
		for _, child := range n.Children[1:] {
			out = out.or(child.bits(c))
		}
		if n.Form == None {
			out = out.not(c.Profiles)
		}
		return out
	case Segment:
		return n.target.Select(c)
	}
	out := NewBits(c.Profiles)
	n.leaf(c, out)
	return out
}

// leaf sets the profiles of which a leaf is true.
func (n *Node) leaf(c *Columns, out Bits) {
	switch {
	case n.Form == Attribute:
		codes, texts := c.Attribute(n.Condition.Attribute)
		if codes == nil {
			codes, texts = make([]uint32, c.Profiles), &timeline.Texts{}
		}
		trait.HoldCodes(codes, texts, func(text string) bool {
			return value.HoldsAll(n.tests, value.Read(text, n.typ, n.loc), c.Now)
		}, out.Set)
	case n.Form == Trait && n.slot < len(c.Traits) && c.Traits[n.slot] != nil:
		c.Traits[n.slot].Holds(n.tests, c.Now, out.Set)
	case n.Form == Event && n.source == measured:
		c.Measures[n.slot].Holds(n.tests, c.Now, out.Set)
	case n.Form == Event && n.source == counted:
		n.counts(c, out)
	case n.Form == Related:
		of := at(c.Related, n.slot)
		for i := range c.Profiles {
			if n.fits(at(of, i), c.Now) {
				out.Set(i)
			}
		}
	case n.Form == Random:
		for i := range c.Profiles {
			if n.share.has(c.ID(i)) {
				out.Set(i)
			}
		}
	default:
		for i := range c.Profiles {
			if n.Holds(c.Subject(i)) {
				out.Set(i)
			}
		}
	}
}

func (n *Node) counts(c *Columns, out Bits) {
	counts := c.Counts[n.slot]
	low, high, ok := value.Bounds(n.tests, (*value.Test).Numbers)
	if !ok {
		for i, count := range counts {
			if value.HoldsAll(n.tests, value.OfNumber(value.Whole(count)), c.Now) {
				out.Set(i)
			}
		}
		return
	}
	const unit, most = 1_000_000_000, 1 << 33 // no more events than billionths can count
	for i, count := range counts {
		if b := min(count, most) * unit; low <= b && b <= high {
			out.Set(i)
		}
	}
}
