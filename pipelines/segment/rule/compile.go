package rule

import (
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// maxDepth is how deep conditions may be nested.
const maxDepth = 50

// Check returns everything that is wrong with a segment, each error with its
// place: unknown attribute or trait (with the nearest name), unknown operator,
// operands of the wrong type, a window of nothing or of more than 100 years,
// conditions nested deeper than 50.
func Check(def weir.SegmentDef, attributes, traits map[string]weir.AttributeType) []error {
	_, errs := NewBook(Schema{Attributes: attributes, Traits: traits}).Compile(def)
	return errs
}

// Compile compiles a segment; with errors there is no rule. Segments that it
// names are those of Declare.
func (b *Book) Compile(def weir.SegmentDef) (*Rule, []error) {
	if d := b.segments[def.Name]; d != nil && !d.twice && b.cycle(def.Name) == nil {
		return b.compiled(d), d.errs
	}
	return b.compile(def)
}

func (b *Book) compile(def weir.SegmentDef) (*Rule, []error) {
	c := compiler{book: b, segment: def.Name}
	r := &Rule{Name: def.Name, Of: def.Of, slot: b.rules}
	b.rules++
	var err error
	if c.loc, err = value.Location(def.Timezone, b.schema.Location); err != nil {
		c.fail(&def.Where, err)
		return nil, c.errs
	}
	switch def.Of {
	case "":
		r.Of = weir.Person
	case weir.Person, weir.Account, weir.Anonymous:
	default:
		c.fail(&def.Where, weir.Errorf(weir.Invalid, "there are no profiles of kind %q", def.Of).Then("write of: person or of: account"))
	}
	c.kind = r.Of
	r.Root = c.node(&def.Where, 1)
	if len(c.errs) > 0 {
		return nil, c.errs
	}
	return r, nil
}

type compiler struct {
	book    *Book
	segment string
	kind    weir.Kind
	loc     *time.Location
	errs    []error
}

func (c *compiler) fail(at *weir.Condition, err error) {
	c.errs = append(c.errs, weir.Errorf(weir.Invalid, "segment %s: %w", c.segment, err).At(at.At))
}

func (c *compiler) failf(at *weir.Condition, format string, args ...any) {
	c.fail(at, weir.Errorf(weir.Invalid, format, args...))
}

// node compiles a condition; after an error its result is not used.
func (c *compiler) node(cond *weir.Condition, depth int) *Node {
	n := c.compile(cond, depth)
	if len(c.errs) == 0 {
		if err := c.book.cells.number(n); err != nil {
			c.fail(cond, err)
		}
	}
	return n
}

func (c *compiler) compile(cond *weir.Condition, depth int) *Node {
	n := &Node{Condition: cond, book: c.book, loc: c.loc}
	if depth > maxDepth {
		c.failf(cond, "conditions are nested deeper than %d", maxDepth)
		return n
	}
	forms := formsOf(cond)
	if len(forms) != 1 {
		c.failf(cond, "a condition has exactly one of all, any, none, attribute, trait, event, segment, random, sequence, people, accounts, and this one has %d", len(forms))
		return n
	}
	n.Form = forms[0]
	c.strays(cond, n.Form)
	switch n.Form {
	case Attribute:
		c.attribute(n)
	case Trait:
		c.trait(n)
	case Event:
		if parts := Parts(cond); len(parts) > 1 {
			n.Form, n.Condition = All, &weir.Condition{All: parts, At: cond.At}
			for i := range parts {
				n.Children = append(n.Children, c.node(&parts[i], depth))
			}
			return n
		}
		c.event(n)
	case Segment:
		c.member(n)
	case Random:
		c.random(n)
	case Sequence:
		c.sequence(n)
	case Related:
		c.related(n, depth)
	default:
		for _, list := range [][]weir.Condition{cond.All, cond.Any, cond.None} {
			for i := range list {
				n.Children = append(n.Children, c.node(&list[i], depth+1))
			}
		}
		if len(n.Children) == 0 {
			c.failf(cond, "%s needs at least one condition", n.Form)
		}
	}
	return n
}

func formsOf(c *weir.Condition) []Form {
	var out []Form
	for _, f := range []struct {
		has  bool
		form Form
	}{
		{c.All != nil, All}, {c.Any != nil, Any}, {c.None != nil, None},
		{c.Attribute != "", Attribute}, {c.Trait != "", Trait}, {c.IsEvent, Event},
		{c.Segment != "", Segment}, {c.Random != nil, Random}, {c.Sequence != nil, Sequence}, {c.Related != nil, Related},
	} {
		if f.has {
			out = append(out, f.form)
		}
	}
	return out
}

// strays refuses keys that the form does not take.
func (c *compiler) strays(cond *weir.Condition, f Form) {
	if f != Event && (cond.Event != "" || len(cond.Where) > 0 || len(cond.Count) > 0 || cond.Which != "" || len(cond.Measures) > 0) {
		c.failf(cond, "where, count and aggregates belong to an event, not to %s", f)
	}
	if f != Event && f != Sequence && (cond.Within != 0 || cond.Window != nil || cond.Session != "") {
		c.failf(cond, "windows and sessions belong to an event or a sequence, not to %s", f)
	}
	if f != Attribute && f != Trait && len(cond.Compare) > 0 {
		c.failf(cond, "%s takes no comparison", f)
	}
}

func (c *compiler) attribute(n *Node) {
	name := n.Condition.Attribute
	typ, ok := c.book.schema.Attributes[name]
	if !ok {
		c.fail(n.Condition, unknownName("attribute", name, c.book.schema.Attributes))
		return
	}
	if typ == "" {
		typ = weir.Text
	}
	n.typ = typ
	c.compare(n, "attribute "+name, typ)
}

func (c *compiler) trait(n *Node) {
	name := n.Condition.Trait
	typ, ok := c.book.schema.Traits[name]
	if !ok {
		c.fail(n.Condition, UnknownTrait(name, c.book.schema.Traits, c.book.schema.Broken))
		return
	}
	n.slot = c.book.traits[name]
	c.compare(n, "trait "+name, typ)
}

func (c *compiler) compare(n *Node, what string, typ weir.AttributeType) {
	if len(n.Condition.Compare) == 0 {
		c.failf(n.Condition, "%s is compared with nothing; write an operator, or exists: true", what)
	}
	for _, one := range n.Condition.Compare {
		t, err := value.Compile(one, typ, c.loc)
		if err != nil {
			c.failf(n.Condition, "%s: %w", what, err)
			continue
		}
		n.tests = append(n.tests, t)
	}
}
