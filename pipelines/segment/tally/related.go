package tally

import (
	"slices"
	"strconv"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
)

// Related is what rules ask about the people of accounts and the accounts of people:
// each question a rule of a plan of its own, over the profiles that are asked about.
// How many fit is told to those who ask (Cohort.Relate, Subject.Related).
type Related struct {
	*Plan
	Definitions Definitions
	relations   []rule.Relation
	rules       []*rule.Rule // by slot; nil: each profile of the kind fits
}

// Relations says whether some rule asks about people of accounts or accounts of
// people, so that its outcome depends on other profiles too.
func (p *Plan) Relations() bool { return len(p.book.Relations()) > 0 }

// Related returns what rules ask about linked profiles; nil: nothing.
func (p *Plan) Related() *Related { return p.related }

// relate compiles what the book's rules ask about linked profiles. The book has
// checked it, so nothing of it can be broken.
func (p *Plan) relate(d Definitions) error {
	relations := p.book.Relations()
	if len(relations) == 0 {
		return nil
	}
	r := &Related{relations: relations, rules: make([]*rule.Rule, len(relations))}
	var own []string
	for i, rel := range relations {
		if rel.Where != nil {
			d.Segments = append(slices.Clone(d.Segments), weir.SegmentDef{Name: slotName(i), Of: rel.Kind, Where: *rel.Where, Timezone: rel.Timezone})
			own = append(own, slotName(i))
		}
	}
	r.Definitions = Needed(d, own...)
	var err error
	if r.Plan, _, err = New(r.Definitions); err != nil {
		return err
	}
	for i, rel := range relations {
		if r.rules[i] = r.Rule(slotName(i)); r.rules[i] == nil && rel.Where != nil {
			return weir.Errorf(weir.Internal, "what a segment asks about %s %d cannot be evaluated", rel.Kind, i)
		}
	}
	p.related = r
	return nil
}

// slotName names what is asked as a segment that no project can have.
func slotName(slot int) string { return "\x00" + strconv.Itoa(slot) }

// Slots returns how many questions there are.
func (r *Related) Slots() int { return len(r.relations) }

// Kind returns the kind of profiles that a question is about.
func (r *Related) Kind(slot int) weir.Kind { return r.relations[slot].Kind }

// Kinds says of which kinds profiles are asked about.
func (r *Related) Kinds() map[weir.Kind]bool {
	out := map[weir.Kind]bool{}
	for _, rel := range r.relations {
		out[rel.Kind] = true
	}
	return out
}

// Root returns a question's condition; nil: each profile of the kind fits.
func (r *Related) Root(slot int) *rule.Node {
	if r.rules[slot] == nil {
		return nil
	}
	return r.rules[slot].Root
}

// Fits says whether a profile fits, of those of the question's kind.
func (r *Related) Fits(slot int, s *rule.Subject) bool {
	return s.Kind == r.relations[slot].Kind && (r.rules[slot] == nil || r.rules[slot].Matches(s))
}

// Answers returns the profiles of a cohort that fit, by slot; nil: each of the kind.
func (r *Related) Answers(c Columns) []rule.Bits {
	out := make([]rule.Bits, len(r.rules))
	for _, s := range c.Segments {
		for i := range r.rules {
			if s.Name == slotName(i) {
				out[i] = s.Bits
			}
		}
	}
	return out
}

// ReadsEvents says whether the plan looks at events at all.
func (p *Plan) ReadsEvents() bool {
	return len(p.byName) > 0 || !p.always.idle()
}

func (w *watch) idle() bool {
	return len(w.filters)+len(w.traits)+len(w.measures)+len(w.edges)+len(w.sequences)+len(w.busiest) == 0
}

// Relate tells how many profiles that fit are linked to one, by the slot of the
// plan's Related; what is told adds up.
func (c *Cohort) Relate(profile, slot int, l rule.Linked) {
	if slot < 0 || slot >= len(c.plan.book.Relations()) {
		return
	}
	if c.related == nil {
		c.related = make([][]rule.Linked, len(c.plan.book.Relations()))
	}
	if c.related[slot] == nil {
		c.related[slot] = make([]rule.Linked, len(c.profiles.IDs))
	}
	to := &c.related[slot][profile]
	to.All, to.Fit = to.All+l.All, to.Fit+l.Fit
}

// Relate is Cohort.Relate of one profile.
func (p *Plan) Relate(s *State, slot int, l rule.Linked) {
	if slot < 0 || slot >= len(p.book.Relations()) {
		return
	}
	if s.related == nil {
		s.related = make([]rule.Linked, len(p.book.Relations()))
	}
	s.related[slot].All += l.All
	s.related[slot].Fit += l.Fit
}

// Needed cuts definitions down to these segments and what they rest on: the
// segments that they name and the traits that they compare, over any number of
// steps. What is left comes to the same for them.
func Needed(d Definitions, segments ...string) Definitions {
	defs := make(map[string]*weir.SegmentDef, len(d.Segments))
	for i := range d.Segments {
		defs[d.Segments[i].Name] = &d.Segments[i]
	}
	wanted, traits := map[string]bool{}, map[string]bool{}
	for _, name := range segments {
		reached, compared := rule.Reach(name, defs)
		for _, s := range reached {
			wanted[s] = true
		}
		for t := range compared {
			traits[t] = true
		}
	}
	d.Segments = slices.DeleteFunc(slices.Clone(d.Segments), func(s weir.SegmentDef) bool { return !wanted[s.Name] })
	rule.Follow(d.Traits, traits, map[string]bool{})
	d.Traits = slices.DeleteFunc(slices.Clone(d.Traits), func(t weir.TraitDef) bool { return !traits[t.Name] })
	return d
}
