package weir

// This file holds the parts of a rule that a Condition or TraitDef points to.
// docs/segments.md gives their meaning.

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
