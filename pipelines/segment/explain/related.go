package explain

import (
	"strconv"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
)

// Examples is how many linked profiles a verdict tells of.
const Examples = 3

// Linked is how many profiles are linked to one, and how many of them fit.
type Linked struct {
	All int `json:"all"`
	Fit int `json:"fit"`
}

// examples are verdicts on the first of the linked profiles that fit, and of those
// that don't.
type examples struct{ fit, misfit []Verdict }

// relate evaluates what rules ask of the linked profiles, one after the other.
func (x *explainer) relate(related *tally.Related, who *Subject) error {
	if related == nil {
		return nil
	}
	x.linked, x.some = make([]rule.Linked, related.Slots()), make([]examples, related.Slots())
	copy(x.linked, who.Counts)
	if who.Linked == nil {
		return nil
	}
	clear(x.linked)
	for other, err := range who.Linked {
		if err != nil {
			return err
		}
		theirs := explainer{now: x.now, types: x.types}
		theirs.see(related.Plan, other, func(*tally.State) {})
		for slot := range x.linked {
			if other.Profile.Kind != related.Kind(slot) {
				continue
			}
			x.linked[slot].All++
			into := &x.some[slot].misfit
			if related.Fits(slot, &theirs.subject) {
				x.linked[slot].Fit++
				into = &x.some[slot].fit
			}
			if len(*into) == Examples {
				continue
			}
			v := Verdict{What: string(other.Profile.Kind) + " " + other.Profile.ID, Holds: into == &x.some[slot].fit, Known: true}
			if root := related.Root(slot); root != nil {
				v.Children = []Verdict{theirs.verdict(root)}
			}
			*into = append(*into, v)
		}
	}
	return nil
}

// related tells how many fit, and of some that make it so: of `all` of those that
// don't fit, if there are any, of none of those that fit alone.
func (x *explainer) related(n *rule.Node, v *Verdict) {
	r, slot := n.Condition.Related, n.RelationSlot()
	l := Linked{All: int(x.linked[slot].All), Fit: int(x.linked[slot].Fit)}
	v.Linked, v.Value = &l, strconv.Itoa(l.Fit)+" of "+strconv.Itoa(l.All)
	some := x.some[slot]
	v.Children = some.fit
	if r.How != "none" && len(some.fit) == 0 || r.How == "all" && len(some.misfit) > 0 {
		v.Children = some.misfit
	}
	if len(v.Children) == 0 && r.Where != nil {
		v.What += ": " + inline(r.Where)
	}
}

// inline prints a condition with its children in one line.
func inline(c *weir.Condition) string {
	var below []string
	for _, list := range [][]weir.Condition{c.All, c.Any, c.None} {
		for i := range list {
			below = append(below, inline(&list[i]))
		}
	}
	if len(below) == 0 {
		return Say(c)
	}
	return Say(c) + " (" + strings.Join(below, "; ") + ")"
}

// related prints how many people of an account, or accounts of a person, have to
// fit; what fits stands below.
func related(r *weir.Related) string {
	who := "accounts"
	if r.Kind == weir.Person {
		who = "people"
	}
	if r.Where == nil {
		switch r.How {
		case "":
			return "number of its " + who + " " + comparisons(r.Count)
		case "none":
			return "it has no " + who
		}
		return "it has " + who
	}
	switch r.How {
	case "any":
		return "at least one of its " + who + " fits this"
	case "all":
		return "it has " + who + ", and all of them fit this"
	case "none":
		return "none of its " + who + " fits this"
	}
	return "number of its " + who + " that fit this " + comparisons(r.Count)
}
