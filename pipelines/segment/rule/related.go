package rule

import (
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// Relation is what rules ask about the profiles of the other kind that are linked to
// a profile. Equal questions are one.
type Relation struct {
	Kind weir.Kind // of those that are asked about
	// Where is what fits, with the seed of each random share in it; nil: each of them.
	Where    *weir.Condition
	Timezone string
}

// Linked is how many profiles of the other kind are linked to a profile, each once,
// and how many of them fit.
type Linked struct{ All, Fit uint32 }

// Relations returns what rules ask about linked profiles, by slot of Subject.Related.
func (b *Book) Relations() []Relation { return b.relations }

// Relations says whether the rule, or that of a segment that it asks for, asks about
// people of accounts or accounts of people: then its outcome depends on other
// profiles too.
func (r *Rule) Relations() bool { return r.Root.relations() }

func (n *Node) relations() bool {
	for _, c := range n.Children {
		if c.relations() {
			return true
		}
	}
	return n.Form == Related || n.Form == Segment && n.target.Relations()
}

// RelationSlot returns the node's place in Subject.Related; -1: it is of another form.
func (n *Node) RelationSlot() int {
	if n.Form != Related {
		return -1
	}
	return n.slot
}

// fits says whether so many linked profiles make the condition true. All of nobody
// is not true: nothing is known that says it.
func (n *Node) fits(l Linked, now time.Time) bool {
	switch n.Condition.Related.How {
	case "any":
		return l.Fit > 0
	case "all":
		return l.All > 0 && l.Fit == l.All
	case "none":
		return l.Fit == 0
	}
	return value.HoldsAll(n.tests, value.OfNumber(value.Whole(int64(l.Fit))), now)
}

// related compiles a condition about people of accounts or accounts of people.
func (c *compiler) related(n *Node, depth int) {
	r := n.Condition.Related
	switch {
	case c.book.inner:
		c.fail(n.Condition, weir.Errorf(weir.Invalid, "conditions about people and accounts don't nest").Then("one step, from accounts to people or back, is all there is"))
		return
	case r.Kind != weir.Person && r.Kind != weir.Account:
		c.failf(n.Condition, "one asks about people or accounts, not about %q", r.Kind)
		return
	case r.Kind == c.kind && r.Kind == weir.Person:
		c.fail(n.Condition, weir.Errorf(weir.Invalid, "an account has people, and this segment is of kind person").Then("write of: account, or ask for accounts"))
		return
	case r.Kind == c.kind:
		c.fail(n.Condition, weir.Errorf(weir.Invalid, "a person has accounts, and this segment is of kind account").Then("write of: person, or ask for people"))
		return
	}
	c.howMany(n)
	if r.Where != nil {
		inner := &compiler{book: c.book.other(), segment: c.segment, kind: r.Kind, loc: c.loc}
		n.inner = inner.node(r.Where, depth+1)
		c.errs = append(c.errs, inner.errs...)
	}
	if len(c.errs) > 0 {
		return
	}
	rel := Relation{Kind: r.Kind, Timezone: c.loc.String()}
	if r.Where != nil {
		where := seeded(r.Where.Unplaced(), c.segment)
		rel.Where = &where
	}
	var err error
	n.slot, err = c.book.once("related", rel, c.loc, func() (int, error) {
		c.book.relations = append(c.book.relations, rel)
		return len(c.book.relations) - 1, nil
	})
	if err != nil {
		c.fail(n.Condition, err)
	}
}

// howMany compiles how many have to fit.
func (c *compiler) howMany(n *Node) {
	r := n.Condition.Related
	switch {
	case r.How == "any" || r.How == "all" || r.How == "none":
		if len(r.Count) > 0 {
			c.failf(n.Condition, "either %s of them fit or a number of them", r.How)
		}
		return
	case r.How != "" || len(r.Count) == 0:
		c.failf(n.Condition, "any, all, none or a number of them fit, not %q", r.How)
		return
	}
	for _, one := range r.Count {
		t, err := value.Compile(one, weir.Number, c.loc)
		if err == nil && one.Op == "exists" {
			err = weir.Errorf(weir.Invalid, "there always is a count").Then("write any, or at_least: 1")
		}
		if err != nil {
			c.failf(n.Condition, "how many fit: %w", err)
			continue
		}
		n.tests = append(n.tests, t)
	}
}

// other is the book in which conditions about linked profiles are checked.
func (b *Book) other() *Book {
	if b.others == nil {
		b.others = NewBook(b.schema)
		b.others.inner = true
		b.others.Declare(b.all)
	}
	return b.others
}

// asksRelated says whether a segment, or one that it names, asks about linked
// profiles.
func (b *Book) asksRelated(name string) bool {
	segments, _ := Reach(name, b.defs)
	for _, s := range segments {
		if b.defs[s].Where.AsksRelated() {
			return true
		}
	}
	return false
}

// seeded returns the condition with the seed of each random share that has none of
// its own: that of the segment's name.
func seeded(c weir.Condition, segment string) weir.Condition {
	return c.Each(func(one *weir.Condition) {
		if one.Random != nil && one.Random.Seed == "" {
			share := *one.Random
			share.Seed = segment
			one.Random = &share
		}
	})
}
