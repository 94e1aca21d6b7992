package tally

import (
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
	"github.com/weir-cdp/weir/pipelines/segment/trait"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// Cohort is many profiles evaluated at once: it comes to what State and Outcome come
// to for each of them. Events are added in blocks, in any order; of a profile it
// keeps what State keeps, column by column.
type Cohort struct {
	plan     *Plan
	now      time.Time
	profiles *Profiles
	texts    *timeline.Dictionary
	counts   []count
	traits   []*trait.Column
	measures []*trait.Column
	related  [][]rule.Linked // by slot of the book's relations; nil: nobody is linked
	rest     []*State        // edges, sequences and sessions, of profiles with events for them
	event    timeline.Event
	byName   map[uint32][]int32 // of a block, the rows of each name; kept for its memory
	all      []int32
}

// count is a filter and how many events it took, by profile.
type count struct {
	picker *timeline.Picker
	n      []int64
	picked []int32
}

// Profiles are those of a cohort, by place.
type Profiles struct {
	IDs        []string
	Kinds      []weir.Kind
	Attributes map[string]*Attribute // those that some rule or trait reads
}

// Attribute is one attribute of many profiles: their canonical texts, numbered.
type Attribute struct {
	Codes []uint32 // 0: none
	Texts timeline.Texts
}

// Set gives a profile its value of an attribute.
func (p *Profiles) Set(place int, name, text string) {
	a := p.Attributes[name]
	if a == nil {
		if p.Attributes == nil {
			p.Attributes = map[string]*Attribute{}
		}
		a = &Attribute{Codes: make([]uint32, len(p.IDs))}
		p.Attributes[name] = a
	}
	a.Codes[place] = a.Texts.Code(text)
}

// Text is a profile's value of an attribute, "" if it has none.
func (p *Profiles) Text(place int, name string) string {
	a := p.Attributes[name]
	if a == nil {
		return ""
	}
	return a.Texts.Text(a.Codes[place])
}

// Cohort begins the evaluation of profiles at now.
func (p *Plan) Cohort(profiles *Profiles, now time.Time) *Cohort {
	n := len(profiles.IDs)
	c := &Cohort{plan: p, now: now, profiles: profiles, rest: make([]*State, n), byName: map[uint32][]int32{},
		texts: &timeline.Dictionary{Properties: make([]timeline.Texts, len(p.Properties()))}}
	for i := range p.book.Filters() {
		c.counts = append(c.counts, count{picker: p.book.Filters()[i].Picker(c.texts, now), n: make([]int64, n)})
	}
	for i := range p.traits {
		c.traits = append(c.traits, p.traits[i].Column(n, c.texts, now))
	}
	for i := range p.book.Measures() {
		c.measures = append(c.measures, p.book.Measures()[i].Column(n, c.texts, now))
	}
	return c
}

// Texts numbers the texts of the blocks that are added.
func (c *Cohort) Texts() *timeline.Dictionary { return c.texts }

// Give sets the value of a trait that a score gives, by its place; -1 is left alone.
func (c *Cohort) Give(profile, place int, v value.Value) {
	if place >= 0 {
		c.traits[place].Give(profile, v)
	}
}

// Add takes the events of a block into account; each must be added once, and later
// than now none counts. Of a profile less than 0 there is none.
func (c *Cohort) Add(b *timeline.Block) {
	for name, rows := range c.byName {
		c.byName[name] = rows[:0]
	}
	c.all = c.all[:0]
	for i, p := range b.Profiles {
		if p >= 0 {
			c.all = append(c.all, int32(i))
			c.byName[b.Names[i]] = append(c.byName[b.Names[i]], int32(i))
		}
	}
	c.add(c.plan.always, b, c.all)
	for name, rows := range c.byName {
		if w := c.plan.byName[c.texts.Names.Text(name)]; w != nil && len(rows) > 0 {
			c.add(w, b, rows)
		}
	}
}

func (c *Cohort) add(w *watch, b *timeline.Block, rows []int32) {
	for _, f := range w.filters {
		count := &c.counts[f]
		count.picked = count.picker.Pick(b, rows, count.picked[:0])
		for _, i := range count.picked {
			count.n[b.Profiles[i]]++
		}
	}
	for _, t := range w.traits {
		c.traits[t].Add(b, rows)
	}
	for _, m := range w.measures {
		c.measures[m].Add(b, rows)
	}
	if len(w.edges)+len(w.sequences)+len(w.busiest) == 0 {
		return
	}
	part := &watch{edges: w.edges, sequences: w.sequences, busiest: w.busiest}
	for _, i := range rows {
		s := c.rest[b.Profiles[i]]
		if s == nil {
			s = c.plan.restState()
			c.rest[b.Profiles[i]] = s
		}
		b.Event(int(i), c.texts, &c.event)
		c.event.ID = string([]byte(c.event.ID)) // an edge keeps it, and the block goes
		c.plan.addMore(part, s, &c.event, c.now)
	}
}

// Columns is the outcome of a cohort.
type Columns struct {
	Traits   []TraitColumn // by name
	Segments []SegmentBits // by name
	Left
}

// TraitColumn is a trait's value of every profile.
type TraitColumn struct {
	Name string
	*trait.Values
}

// SegmentBits is who belongs to a segment.
type SegmentBits struct {
	Name string
	rule.Bits
}

// Outcome evaluates every trait and segment. The cohort is not used after.
func (c *Cohort) Outcome() Columns {
	p := c.plan
	var out Columns
	values := make([]*trait.Values, len(p.names))
	for i, col := range c.traits {
		values[p.slots[i]] = col.Values()
		of := p.traits[i].Of
		c.left(col, &out.Left, func(place int) bool { return c.profiles.Kinds[place] == of })
		values[p.slots[i]].Only(func(place int) bool { return c.profiles.Kinds[place] == of })
	}
	columns := &rule.Columns{Profiles: len(c.profiles.IDs), Now: c.now, Traits: values,
		ID:   func(i int) string { return c.profiles.IDs[i] },
		Kind: func(i int) weir.Kind { return c.profiles.Kinds[i] },
		Attribute: func(name string) ([]uint32, *timeline.Texts) {
			if a := c.profiles.Attributes[name]; a != nil {
				return a.Codes, &a.Texts
			}
			return nil, nil
		},
	}
	for _, m := range c.measures {
		columns.Measures = append(columns.Measures, m.Values())
		c.left(m, &out.Left, func(int) bool { return true })
	}
	for i := range c.counts {
		columns.Counts = append(columns.Counts, c.counts[i].n)
	}
	columns.Related = c.related
	columns.Subject = c.subjects(&out.Left)
	out.Failed = c.derive(values)
	for _, t := range p.names {
		out.Traits = append(out.Traits, TraitColumn{t.name, values[t.slot]})
	}
	for _, r := range p.rules {
		out.Segments = append(out.Segments, SegmentBits{r.Name, r.Select(columns)})
	}
	return out
}

// left adds up what did not enter a trait.
func (c *Cohort) left(col *trait.Column, l *Left, counts func(place int) bool) {
	for place := range c.profiles.IDs {
		if skipped, mixed := col.Skipped(place), col.Mixed(place); (skipped > 0 || mixed) && counts(place) {
			l.Skipped += skipped
			if mixed {
				l.Mixed++
			}
		}
	}
}

// subjects returns what rules see of one profile beyond columns.
func (c *Cohort) subjects(l *Left) func(i int) *rule.Subject {
	p := c.plan
	if len(p.book.Edges())+len(p.book.Sequences())+len(p.book.Busiest()) == 0 {
		none := &rule.Subject{Now: c.now}
		return func(int) *rule.Subject { return none }
	}
	none := p.restSubject(p.restState(), c.now, l)
	all := make([]*rule.Subject, len(c.rest))
	for i, s := range c.rest {
		all[i] = none
		if s != nil {
			all[i] = p.restSubject(s, c.now, l)
		}
	}
	return func(i int) *rule.Subject { return all[i] }
}

// derive computes the traits that read others.
func (c *Cohort) derive(values []*trait.Values) (failed int64) {
	in := placed{cohort: c, values: values}
	for _, t := range c.plan.derived {
		out := &trait.Values{Any: make([]value.Value, len(c.profiles.IDs))}
		for in.place = range out.Any {
			if t.Of != c.profiles.Kinds[in.place] {
				continue
			}
			v, ok := t.Value(in, c.now)
			if !ok {
				failed++
			}
			out.Any[in.place] = v
		}
		values[t.slot] = out
	}
	return failed
}

// placed is what one profile's derived traits read.
type placed struct {
	cohort *Cohort
	values []*trait.Values
	place  int
}

// Trait implements derive.Profile.
func (p placed) Trait(name string) value.Value {
	slot, _ := p.cohort.plan.book.TraitSlot(name)
	if p.values[slot] == nil {
		return value.Value{}
	}
	return p.values[slot].At(p.place)
}

// Attribute implements derive.Profile.
func (p placed) Attribute(name string) string { return p.cohort.profiles.Text(p.place, name) }
