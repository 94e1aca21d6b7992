package trait

import (
	"strings"
	"time"

	"github.com/weir-cdp/weir/pipelines/segment/timeline"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// Column is a trait's states for many profiles, by place: what State is for one, laid
// out so that adding an event touches little memory and makes nothing anew.
type Column struct {
	t      *Trait
	now    time.Time
	texts  *timeline.Dictionary
	picker *timeline.Picker
	picked []int32

	n       []int64                // events that gave a value
	skipped []int32                // nil: none
	numbers []int64                // sum, smallest or largest, in billionths
	wide    map[int32]value.Number // those that numbers can't hold
	at      []int64
	codes   []uint32
	ids     *eventIDs
	seen    pairs
	parsed  []parsed // by number of the property's text

	states []State // of what has no columns; nil: not used
}

// parsed is a text read as a number.
type parsed struct {
	billionths int64
	is         reading
}

type reading uint8

const (
	unread reading = iota
	noNumber
	small
	large
)

// Column returns the trait's states of no event for so many profiles.
func (t *Trait) Column(profiles int, d *timeline.Dictionary, now time.Time) *Column {
	c := &Column{t: t, now: now, texts: d}
	if t.Given() {
		c.states = make([]State, profiles)
		return c
	}
	c.picker = t.Filter.Picker(d, now)
	_, property := t.field.Slot()
	switch {
	case t.money != nil, t.how == "most_frequent", t.how == "list", t.how == "distinct" && t.field.OccurredAt:
		c.states = make([]State, profiles)
		return c
	case t.how == "sum" || t.how == "avg" || (t.how == "min" || t.how == "max") && property:
		c.numbers, c.wide = make([]int64, profiles), map[int32]value.Number{}
	case t.field.OccurredAt && t.how != "count":
		c.at = make([]int64, profiles)
	case t.how == "first" || t.how == "last":
		c.at, c.codes, c.ids = make([]int64, profiles), make([]uint32, profiles), newEventIDs(profiles)
	}
	c.n = make([]int64, profiles)
	return c
}

// Add takes rows of a block into account that have the name of the trait's events.
func (c *Column) Add(b *timeline.Block, rows []int32) {
	if c.picker == nil {
		return
	}
	c.picked = c.picker.Pick(b, rows, c.picked[:0])
	if len(c.picked) == 0 {
		return
	}
	codes := b.Names
	if slot, property := c.t.field.Slot(); property && !c.t.every {
		codes = b.Properties[slot]
	}
	switch {
	case c.states != nil:
		var e timeline.Event
		for _, i := range c.picked {
			if b.Event(int(i), c.texts, &e); c.t.how == "first" || c.t.how == "last" {
				e.ID = strings.Clone(e.ID) // it is kept, and the block goes
			}
			c.t.Take(&c.states[b.Profiles[i]], &e)
		}
	case c.t.every || c.t.how == "count" && c.t.field.OccurredAt:
		for _, i := range c.picked {
			c.n[b.Profiles[i]]++
		}
	case c.t.field.OccurredAt:
		c.addMoments(b)
	case c.t.how == "count":
		for _, i := range c.picked {
			if codes[i] != 0 {
				c.n[b.Profiles[i]]++
			}
		}
	case c.t.how == "distinct":
		for _, i := range c.picked {
			if codes[i] != 0 && c.seen.add(b.Profiles[i], codes[i]) {
				c.n[b.Profiles[i]]++
			}
		}
	case c.numbers != nil:
		c.addNumbers(b, codes)
	default:
		c.addEdges(b, codes)
	}
}

// addMoments keeps the first or last moment.
func (c *Column) addMoments(b *timeline.Block) {
	last := c.t.how == "last" || c.t.how == "max"
	for _, i := range c.picked {
		p, at := b.Profiles[i], b.At[i]
		if c.n[p] == 0 || last && at > c.at[p] || !last && at < c.at[p] {
			c.at[p] = at
		}
		c.n[p]++
	}
}

// addEdges keeps the text of the first or last event.
func (c *Column) addEdges(b *timeline.Block, codes []uint32) {
	last := c.t.how == "last"
	for _, i := range c.picked {
		if codes[i] == 0 {
			continue
		}
		p, at := b.Profiles[i], b.At[i]
		if held := c.at[p]; c.n[p] > 0 && (at == held && !c.beats(b.ID(int(i)), p, last) || last && at < held || !last && at > held) {
			c.n[p]++
			continue
		}
		c.at[p], c.codes[p] = at, codes[i]
		c.ids.set(p, b.ID(int(i)))
		c.n[p]++
	}
}

// beats says which of two events of one moment counts.
func (c *Column) beats(id string, p int32, last bool) bool {
	order := strings.Compare(id, c.ids.get(p))
	return last && order > 0 || !last && order < 0
}

func (c *Column) addNumbers(b *timeline.Block, codes []uint32) {
	slot, _ := c.t.field.Slot()
	for _, i := range c.picked {
		code, p := codes[i], b.Profiles[i]
		if code == 0 {
			continue
		}
		if int(code) >= len(c.parsed) {
			c.parsed = append(c.parsed, make([]parsed, c.texts.Properties[slot].Len()-len(c.parsed))...)
		}
		x := &c.parsed[code]
		if x.is == unread {
			x.read(c.texts.Properties[slot].Text(code))
		}
		switch {
		case x.is == noNumber:
			if c.skipped == nil {
				c.skipped = make([]int32, len(c.n))
			}
			c.skipped[p]++
			continue
		case x.is == large || len(c.wide) > 0:
			n, _ := value.ParseNumber(c.texts.Properties[slot].Text(code))
			c.addWide(p, n)
		default:
			c.addSmall(p, x.billionths)
		}
		c.n[p]++
	}
}

func (x *parsed) read(text string) {
	x.is = noNumber
	if n, ok := value.ParseNumber(text); ok {
		x.is = large
		if b, fits := n.Billionths(); fits {
			x.is, x.billionths = small, b
		}
	}
}

func (c *Column) addSmall(p int32, n int64) {
	held := c.numbers[p]
	switch c.t.how {
	case "min":
		if c.n[p] == 0 || n < held {
			c.numbers[p] = n
		}
	case "max":
		if c.n[p] == 0 || n > held {
			c.numbers[p] = n
		}
	default:
		if s := held + n; (s > held) == (n > 0) && s != -1<<63 {
			c.numbers[p] = s
			return
		}
		c.addWide(p, value.Billionths(n))
	}
}

// number is what is held of a profile.
func (c *Column) number(p int32) value.Number {
	if n, is := c.wide[p]; is {
		return n
	}
	return value.Billionths(c.numbers[p])
}

func (c *Column) addWide(p int32, n value.Number) {
	held := c.number(p)
	switch c.t.how {
	case "min":
		if c.n[p] > 0 && n.Compare(held) >= 0 {
			n = held
		}
	case "max":
		if c.n[p] > 0 && n.Compare(held) <= 0 {
			n = held
		}
	default:
		n = n.Add(held)
	}
	delete(c.wide, p)
	if b, fits := n.Billionths(); fits {
		c.numbers[p] = b
		return
	}
	c.wide[p] = n
}

// Give sets the value of a trait that is given.
func (c *Column) Give(p int, v value.Value) { c.states[p].Give(v) }

// Skipped is how many values of a profile were no numbers.
func (c *Column) Skipped(p int) int64 {
	if c.states != nil {
		return c.states[p].Skipped()
	}
	if c.skipped == nil {
		return 0
	}
	return int64(c.skipped[p])
}

// Mixed says whether a profile's amounts can't be added.
func (c *Column) Mixed(p int) bool { return c.states != nil && c.states[p].Mixed() }

// Values returns all profiles' values. The column is not used after.
func (c *Column) Values() *Values {
	switch {
	case c.states != nil:
		out := &Values{Any: make([]value.Value, len(c.states))}
		for p := range out.Any {
			out.Any[p] = c.t.Value(&c.states[p], c.now)
		}
		return out
	case c.codes != nil:
		texts := &c.texts.Names
		if slot, property := c.t.field.Slot(); property {
			texts = &c.texts.Properties[slot]
		}
		return &Values{Codes: c.codes, Texts: texts}
	}
	out := &Values{Known: make([]bool, len(c.n))}
	for p, n := range c.n {
		out.Known[p] = n > 0
	}
	switch {
	case c.at != nil && c.t.since:
		out.Numbers = c.at
		for p, at := range c.at {
			out.Numbers[p] = int64(value.Days(time.UnixMicro(at), c.now, c.t.loc)) * 1_000_000_000
		}
	case c.at != nil:
		out.Times = c.at
	case c.numbers == nil || c.t.how == "sum" || c.t.how == "avg":
		c.counted(out)
	default:
		out.Numbers = c.numbers
	}
	if len(c.wide) > 0 {
		return c.exact(out)
	}
	return out
}

// counted are values that are known of no event, and averages.
func (c *Column) counted(out *Values) {
	out.Numbers = c.numbers
	if c.numbers == nil {
		out.Numbers = c.n
	}
	for p, n := range c.n {
		switch c.t.how {
		case "sum":
			out.Known[p] = true
		case "avg":
			if _, is := c.wide[int32(p)]; n > 0 && !is {
				out.Numbers[p] = average(c.numbers[p], n)
			}
		default:
			out.Known[p] = true
			out.Numbers[p], _ = value.Whole(n).Billionths()
		}
	}
}

// average is sum / n in billionths, halves away from zero.
func average(sum, n int64) int64 {
	q, r := sum/n, sum%n
	if r < 0 {
		r = -r
	}
	if r >= n-r {
		if sum < 0 {
			return q - 1
		}
		return q + 1
	}
	return q
}

// exact replaces the column where some numbers are larger than it can hold.
func (c *Column) exact(v *Values) *Values {
	out := &Values{Any: make([]value.Value, len(c.n))}
	for p := range out.Any {
		out.Any[p] = v.At(p)
	}
	for p, n := range c.wide {
		if c.t.how == "avg" {
			n = n.Over(c.n[p])
		}
		out.Any[p] = stored(n)
	}
	return out
}
