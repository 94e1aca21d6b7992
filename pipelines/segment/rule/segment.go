package rule

import (
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
)

// declared is a segment that conditions may name.
type declared struct {
	def   *weir.SegmentDef
	twice bool
	done  bool
	rule  *Rule
	errs  []error
}

// Declare names all segments, so that the rule of one can ask for membership of
// another.
func (b *Book) Declare(defs []weir.SegmentDef) {
	b.all = defs
	b.segments, b.cycles = make(map[string]*declared, len(defs)), map[string][]string{}
	b.defs = make(map[string]*weir.SegmentDef, len(defs))
	for i := range defs {
		if d := b.segments[defs[i].Name]; d != nil {
			d.twice = true
			continue
		}
		b.segments[defs[i].Name] = &declared{def: &defs[i]}
		b.defs[defs[i].Name] = &defs[i]
	}
}

// Cycle returns the shortest way from a segment over the segments that its rule
// names back to itself, both ends included; nil if there is none.
func Cycle(name string, defs map[string]*weir.SegmentDef) []string {
	came := map[string]string{}
	for queue := []string{name}; len(queue) > 0; queue = queue[1:] {
		def := defs[queue[0]]
		if def == nil {
			continue
		}
		for _, next := range def.Where.Segments() {
			if next == name {
				way := []string{name}
				for at := queue[0]; at != name; at = came[at] {
					way = append(way, at)
				}
				way = append(way, name)
				slices.Reverse(way)
				return way
			}
			if _, seen := came[next]; !seen {
				came[next] = queue[0]
				queue = append(queue, next)
			}
		}
	}
	return nil
}

// member compiles membership of another segment.
func (c *compiler) member(n *Node) {
	name := n.Condition.Segment
	d := c.book.segments[name]
	if d == nil {
		err := weir.Errorf(weir.Invalid, "there is no segment %q", name)
		if near := Nearest(name, c.book.segments); near != "" {
			err = err.Then("did you mean " + near + "?")
		}
		c.fail(n.Condition, err)
		return
	}
	if way := c.book.cycle(c.segment); way != nil && slices.Contains(way, name) {
		c.fail(n.Condition, weir.Errorf(weir.Invalid, "segments depend on each other: %s", strings.Join(way, " → ")).Then("break the circle"))
		return
	}
	r := c.book.compiled(d)
	if r == nil && c.book.inner && c.book.asksRelated(name) {
		c.failf(n.Condition, "segment %s asks about people or accounts itself, and such conditions don't nest", name)
		return
	}
	if r == nil {
		c.failf(n.Condition, "segment %s, which this one asks for, is wrong itself", name)
		return
	}
	if r.Of != c.kind {
		c.failf(n.Condition, "segment %s is of kind %s, and this one of kind %s", name, r.Of, c.kind)
	}
	r.shared = true
	n.target = r
}

// cycle is Cycle over the declared segments.
func (b *Book) cycle(name string) []string {
	way, known := b.cycles[name]
	if !known && b.defs != nil {
		way = Cycle(name, b.defs)
		b.cycles[name] = way
	}
	return way
}

// compiled compiles a declared segment once; nil if it is wrong.
func (b *Book) compiled(d *declared) *Rule {
	if d.twice || b.cycle(d.def.Name) != nil {
		return nil
	}
	if !d.done {
		d.done = true
		d.rule, d.errs = b.compile(*d.def)
	}
	return d.rule
}

// verdict remembers what a subject is of a rule that others ask for.
type verdict uint8

const (
	open verdict = iota
	outside
	inside
)

// Matches says whether the subject belongs to the segment.
func (r *Rule) Matches(s *Subject) bool {
	if !r.shared {
		return s.Kind == r.Of && r.Root.Holds(s)
	}
	if len(s.verdicts) <= r.slot {
		s.verdicts = append(s.verdicts, make([]verdict, r.slot+1-len(s.verdicts))...)
	}
	if s.verdicts[r.slot] == open {
		found := outside
		if s.Kind == r.Of && r.Root.Holds(s) {
			found = inside
		}
		s.verdicts[r.slot] = found
	}
	return s.verdicts[r.slot] == inside
}

// Target returns the rule of the segment that the node asks for, else nil.
func (n *Node) Target() *Rule { return n.target }
