package tally_test

import (
	"math/big"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
)

// The oracle: the written semantics, once more and as plainly as possible, on
// sorted slices, rationals and recursion, sharing no code with the evaluator.

var numeric = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,28})(\.[0-9]+)?$`)

func rat(s string) *big.Rat {
	if !numeric.MatchString(s) {
		return nil
	}
	r, _ := new(big.Rat).SetString(s)
	return r
}

func when(s string, zone *time.Location) *time.Time {
	if t, err := time.ParseInLocation("2006-01-02", s, zone); err == nil {
		return &t
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return &t
	}
	return nil
}

// thing is a value: a text, or a rational, or a moment; all nil: unknown.
type thing struct {
	text *string
	num  *big.Rat
	at   *time.Time
	list []string
}

func (x thing) known() bool { return x.text != nil || x.num != nil || x.at != nil || len(x.list) > 0 }

func naiveAttribute(s string, typ weir.AttributeType, zone *time.Location) thing {
	switch {
	case s == "":
		return thing{}
	case typ == weir.Number:
		return thing{num: rat(s)}
	case typ == weir.Date && len(s) != 10:
		return thing{}
	case typ == weir.Date || typ == weir.Instant:
		return thing{at: when(s, zone)}
	case typ == weir.Boolean && s != "true" && s != "false":
		return thing{}
	}
	return thing{text: &s}
}

func ago(s string, now time.Time) time.Time {
	n, _ := strconv.Atoi(strings.TrimRight(s, "dyhmo"))
	switch {
	case strings.HasSuffix(s, "d"):
		return now.Add(-time.Duration(n) * 24 * time.Hour)
	case strings.HasSuffix(s, "h"):
		return now.Add(-time.Duration(n) * time.Hour)
	case strings.HasSuffix(s, "mo"):
		return now.In(naiveZone).AddDate(0, -n, 0) // the cases keep to days that every month has
	}
	return now.In(naiveZone).AddDate(-n, 0, 0)
}

// order of x against an operand, in x's own type; nil: cannot be compared.
func order(x thing, operand string, zone *time.Location) *int {
	c := 0
	switch {
	case x.num != nil:
		r := rat(operand)
		if r == nil {
			return nil
		}
		c = x.num.Cmp(r)
	case x.at != nil:
		t := when(operand, zone)
		if t == nil {
			return nil
		}
		c = x.at.Compare(*t)
	default:
		c = strings.Compare(*x.text, operand)
	}
	return &c
}

func naiveCompare(x thing, c weir.Comparison, typed bool, now time.Time, zone *time.Location) bool {
	if c.Op == "exists" {
		return x.known() == (c.Values[0] == "true")
	}
	if !x.known() {
		return false
	}
	if x.list != nil {
		for _, item := range x.list {
			for _, v := range c.Values {
				a, b := rat(item), rat(v)
				if item == v || a != nil && b != nil && a.Cmp(b) == 0 {
					return true
				}
			}
		}
		return false
	}
	if !typed && x.text != nil { // an undeclared text takes the operands' type
		nums, moments := true, true
		for _, v := range c.Values {
			nums = nums && rat(v) != nil
			moments = moments && when(v, zone) != nil
		}
		switch {
		case c.Op == "contains" || c.Op == "starts_with" || c.Op == "ends_with":
		case c.Op == "older_than" || c.Op == "newer_than" || c.Op == "anniversary":
			x = thing{at: when(*x.text, zone)}
		case c.Op == "is" || c.Op == "is_not" || c.Op == "in":
			same := false
			for _, v := range c.Values {
				a, b := rat(*x.text), rat(v)
				same = same || *x.text == v || a != nil && b != nil && a.Cmp(b) == 0
			}
			return same != (c.Op == "is_not")
		case nums:
			x = thing{num: rat(*x.text)}
		case moments:
			x = thing{at: when(*x.text, zone)}
		}
		if !x.known() {
			return false
		}
	}
	switch c.Op {
	case "older_than":
		return x.at != nil && x.at.Before(ago(c.Values[0], now))
	case "newer_than":
		return x.at != nil && !x.at.Before(ago(c.Values[0], now))
	}
	if held, mine := naivePiece(x, c, now, zone); mine {
		return held
	}
	var against []int
	for _, v := range c.Values {
		o := order(x, v, zone)
		if o == nil {
			return false
		}
		against = append(against, *o)
	}
	return map[string]func() bool{
		"is": func() bool { return against[0] == 0 }, "is_not": func() bool { return against[0] != 0 },
		"in": func() bool {
			for _, o := range against {
				if o == 0 {
					return true
				}
			}
			return false
		},
		"at_least": func() bool { return against[0] >= 0 }, "at_most": func() bool { return against[0] <= 0 },
		"more_than": func() bool { return against[0] > 0 }, "less_than": func() bool { return against[0] < 0 },
		"between": func() bool { return against[0] >= 0 && against[1] <= 0 },
	}[c.Op]()
}

type world struct {
	profile weir.Profile
	events  []weir.Event
	traits  map[string]weir.TraitDef
	rules   map[string]weir.SegmentDef
	rates   []weir.Rate
	types   map[string]weir.AttributeType
	now     time.Time
	zone    *time.Location
	linked  []person // who is linked to the profile, each once
}

func (w world) picked(name string, where map[string][]weir.Comparison, within time.Duration, window *weir.Window) []weir.Event {
	var out []weir.Event
	for _, e := range w.events {
		ok := (name == "" || name == e.Name) && !e.OccurredAt.After(w.now)
		ok = ok && (within == 0 || e.OccurredAt.After(w.now.Add(-within)))
		ok = ok && (window == nil || naiveWindow(*window, e.OccurredAt, w.now, w.zone))
		for p, cs := range where {
			x := thing{}
			if s := e.Properties[p]; s != "" {
				x.text = &s
			}
			for _, c := range cs {
				ok = ok && naiveCompare(x, c, false, w.now, w.zone)
			}
		}
		if ok {
			out = append(out, e)
		}
	}
	sort.Slice(out, func(i, j int) bool {
		if !out[i].OccurredAt.Equal(out[j].OccurredAt) {
			return out[i].OccurredAt.Before(out[j].OccurredAt)
		}
		return out[i].ID < out[j].ID
	})
	return out
}

func (w world) trait(d weir.TraitDef) thing {
	if d.Of != "" && d.Of != w.profile.Kind {
		return thing{}
	}
	events := w.picked(d.Event, d.Where, d.Within, d.Window)
	if x, mine := w.derived(d, events); mine {
		return x
	}
	if d.Field == "events" {
		return thing{num: big.NewRat(int64(len(events)), 1)}
	}
	if d.Field == "occurred_at" {
		if len(events) == 0 {
			return thing{}
		}
		if d.Aggregate == "first" || d.Aggregate == "min" {
			return thing{at: &events[0].OccurredAt}
		}
		return thing{at: &events[len(events)-1].OccurredAt}
	}
	var texts []string
	for _, e := range events {
		if s := e.Properties[strings.TrimPrefix(d.Field, "properties.")]; s != "" {
			texts = append(texts, s)
		}
	}
	different := map[string]bool{}
	var nums []*big.Rat
	sum := new(big.Rat)
	if d.Currency != "" {
		var fine bool
		if texts, fine = w.inOneCurrency(d, events); !fine {
			return thing{}
		}
	}
	for _, s := range texts {
		different[s] = true
		if r := rat(s); r != nil {
			nums = append(nums, r)
			sum.Add(sum, r)
		}
	}
	sort.Slice(nums, func(i, j int) bool { return nums[i].Cmp(nums[j]) < 0 })
	switch d.Aggregate {
	case "count":
		return thing{num: big.NewRat(int64(len(texts)), 1)}
	case "distinct":
		return thing{num: big.NewRat(int64(len(different)), 1)}
	case "sum":
		return thing{num: nine(sum)}
	case "first", "last":
		if len(texts) == 0 {
			return thing{}
		}
		if d.Aggregate == "first" {
			return thing{text: &texts[0]}
		}
		return thing{text: &texts[len(texts)-1]}
	}
	if len(nums) == 0 {
		return thing{}
	}
	switch d.Aggregate {
	case "avg":
		return thing{num: nine(sum.Quo(sum, big.NewRat(int64(len(nums)), 1)))}
	case "min":
		return thing{num: nine(nums[0])}
	}
	return thing{num: nine(nums[len(nums)-1])}
}

// nine rounds to nine decimals, halves away from zero.
func nine(r *big.Rat) *big.Rat {
	out, _ := new(big.Rat).SetString(r.FloatString(9))
	return out
}

func (w world) holds(c weir.Condition) bool {
	count := func(cs []weir.Condition) (n int) {
		for _, x := range cs {
			if w.holds(x) {
				n++
			}
		}
		return n
	}
	switch {
	case c.All != nil:
		return count(c.All) == len(c.All)
	case c.Any != nil:
		return count(c.Any) > 0
	case c.None != nil:
		return count(c.None) == 0
	}
	switch {
	case c.Segment != "":
		return w.holds(w.rules[c.Segment].Where)
	case c.Random != nil:
		return naiveRandom(*c.Random, w.profile.ID)
	case c.Sequence != nil:
		return w.sequenceHolds(c)
	case c.Related != nil:
		return w.relatedHolds(*c.Related)
	case c.Attribute != "":
		return w.passes(naiveAttribute(w.profile.Attributes[c.Attribute], w.types[c.Attribute], w.zone), c.Compare, true)
	case c.Trait != "":
		return w.passes(w.trait(w.traits[c.Trait]), c.Compare, false) // a number or moment stays one
	}
	return w.eventsHold(c)
}

func (w world) passes(x thing, tests []weir.Comparison, typed bool) bool {
	for _, t := range tests {
		if !naiveCompare(x, t, typed, w.now, w.zone) {
			return false
		}
	}
	return true
}
