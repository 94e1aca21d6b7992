package weir

import (
	"iter"
	"slices"
	"time"
)

// This file holds a rule's tree and its parts. docs/segments.md gives their meaning.

// Comparison is one operator with its operands as canonical texts:
// is, is_not, in, at_least, at_most, more_than, less_than, between, exists,
// older_than, newer_than (bench/segments_def.py gives their meaning), contains,
// starts_with, ends_with, anniversary (docs/segments.md).
type Comparison struct {
	Op     string   `json:"op"`
	Values []string `json:"values"`
}

// Condition is a node of a segment's rule tree. Exactly one of All, Any, None,
// Attribute, Trait, Event (with IsEvent), Segment, Random, Sequence, Related
// is in use.
type Condition struct {
	All       []Condition             `json:"all,omitempty"`
	Any       []Condition             `json:"any,omitempty"`
	None      []Condition             `json:"none,omitempty"` // true when no child is true
	Attribute string                  `json:"attribute,omitempty"`
	Trait     string                  `json:"trait,omitempty"`
	IsEvent   bool                    `json:"is_event,omitempty"`
	Event     string                  `json:"event,omitempty"`   // "" with IsEvent: any event
	Compare   []Comparison            `json:"compare,omitempty"` // of the attribute or trait; all must hold
	Where     map[string][]Comparison `json:"where,omitempty"`   // of the event's properties
	Count     []Comparison            `json:"count,omitempty"`   // none given: at_least 1
	Within    time.Duration           `json:"within,omitempty"`  // (now - within, now]; 0: ever up to now
	At        string                  `json:"at,omitempty"`      // file:line

	Window   *Window   `json:"window,omitempty"`   // of the event, beside or instead of Within
	Which    string    `json:"which,omitempty"`    // first, last: that one of all such events must fit where and window
	Measures []Measure `json:"measures,omitempty"` // of the event: what aggregates must pass
	Segment  string    `json:"segment,omitempty"`  // membership of another segment
	Random   *Random   `json:"random,omitempty"`
	Sequence *Sequence `json:"sequence,omitempty"` // in the window, if there is one
	// Session makes steps those of one session, and a count that of the session
	// with the most: true, a gap such as 45m, or properties.<name>.
	Session string   `json:"session,omitempty"`
	Related *Related `json:"related,omitempty"` // the account's people, or the person's accounts
}

// Tree goes over a condition and all below it, each before what is below it. What a
// condition asks about other profiles (Related) is below it: Own leaves that out.
func (c *Condition) Tree() iter.Seq[*Condition] {
	return func(yield func(*Condition) bool) { c.visit(yield, true) }
}

func (c *Condition) visit(yield func(*Condition) bool, related bool) bool {
	if !yield(c) {
		return false
	}
	for _, below := range [][]Condition{c.All, c.Any, c.None} {
		for i := range below {
			if !below[i].visit(yield, related) {
				return false
			}
		}
	}
	return !related || c.Related == nil || c.Related.Where == nil || c.Related.Where.visit(yield, true)
}

// Own is Tree without what is asked about other profiles: what a profile's own values
// and events decide.
func (c *Condition) Own() iter.Seq[*Condition] {
	return func(yield func(*Condition) bool) { c.visit(yield, false) }
}

// Each returns a copy of the condition in which change has been at it and at all below
// it, what is asked about other profiles too. The original stays as it is, as far as
// change leaves alone what a condition's other pointers and maps lead to.
func (c Condition) Each(change func(*Condition)) Condition {
	change(&c)
	for _, below := range []*[]Condition{&c.All, &c.Any, &c.None} {
		*below = slices.Clone(*below)
		for i := range *below {
			(*below)[i] = (*below)[i].Each(change)
		}
	}
	if c.Related != nil && c.Related.Where != nil {
		related := *c.Related
		where := related.Where.Each(change)
		related.Where, c.Related = &where, &related
	}
	return c
}

// Unplaced returns the condition without the lines that it stands on.
func (c Condition) Unplaced() Condition { return c.Each(func(one *Condition) { one.At = "" }) }

// AsksRelated says whether a condition asks about people of accounts or accounts of
// people; the segments that it names may.
func (c *Condition) AsksRelated() bool {
	for own := range c.Own() {
		if own.Related != nil {
			return true
		}
	}
	return false
}

// Segments returns the segments that a condition names, in order.
func (c *Condition) Segments() []string {
	var out []string
	for below := range c.Tree() {
		if below.Segment != "" {
			out = append(out, below.Segment)
		}
	}
	return out
}

// Window bounds events by time beside Condition.Within; one of the fields is set.
type Window struct {
	// Within is a span with calendar months or years: "6mo", (now - 6 months, now].
	Within string `json:"within,omitempty"`
	// Between holds two spans, the longer first, or two dates or times.
	Between []string `json:"between,omitempty"`
	// During names calendar days, weeks, months, quarters or years of the time
	// zone: "today", "this_month", "last 4 weeks".
	During string `json:"during,omitempty"`
}

// Measure is an aggregate of an event condition's events, and what it must pass.
type Measure struct {
	How     string       `json:"how"` // sum, avg, min, max, distinct, first, last
	Of      string       `json:"of"`  // properties.<name>, occurred_at, name
	Compare []Comparison `json:"compare"`
	// Currency is properties.<name>: what the amounts are in; none, "": not asked.
	Currency string `json:"currency,omitempty"`
}

// Rate is what one unit of a currency is worth in the workspace's, from a day on.
type Rate struct {
	Currency string `json:"currency"` // ISO 4217
	From     string `json:"from"`     // 2006-01-02; "": ever
	Rate     string `json:"rate"`     // decimal
}

// Random is a share of all profiles, chosen by a hash of seed and profile id.
type Random struct {
	From    string `json:"from,omitempty"`    // percent, decimal; "" is 0
	To      string `json:"to"`                // percent; the share is from From to before To
	Seed    string `json:"seed,omitempty"`    // "": the segment's name
	Holdout bool   `json:"holdout,omitempty"` // everybody but this share
}

// Sequence is events one after the other.
type Sequence struct {
	Steps  []Step `json:"steps"`
	Span   string `json:"span,omitempty"`   // from the first to the last at most; "": any
	Strict bool   `json:"strict,omitempty"` // no other event of the steps' names between
}

// Step is one event of a sequence.
type Step struct {
	Event string                  `json:"event,omitempty"` // "": any
	Where map[string][]Comparison `json:"where,omitempty"`
}

// Related asks about the profiles of the other kind that identity.accounts links to
// a profile: an account's people, or the accounts of a person.
type Related struct {
	Kind  Kind         `json:"kind"`            // of those that are asked about: person, account
	How   string       `json:"how,omitempty"`   // any, all, none: of them fit; "" with Count
	Count []Comparison `json:"count,omitempty"` // of how many fit
	Where *Condition   `json:"where,omitempty"` // what fits; nil: each of them
}
