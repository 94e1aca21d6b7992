package stages

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/project"
)

// followsPolicy tells, in ops.runs, which policy revision the decisions follow.
const followsPolicy = "policy"

// PolicyDiff is what a policy would decide otherwise than was decided last.
type PolicyDiff struct {
	Revision string    `json:"policy_revision"`
	Before   []string  `json:"revisions_before"` // what the decisions in force follow
	AsOf     time.Time `json:"as_of"`            // the last decisions' moment, so that time alone changes nothing
	// Pending says that the people or their consents changed since the last
	// decisions: what is shown is the effect of that too.
	Pending     bool              `json:"pending"`
	Activations []ActivationShift `json:"activations"`
}

// ActivationShift is what becomes of one activation.
type ActivationShift struct {
	Activation string   `json:"activation"`
	Considered int64    `json:"considered"`
	Allowed    [2]int64 `json:"allowed"` // before and after
	Gain       int64    `json:"gain"`    // denied before, allowed after
	Lose       int64    `json:"lose"`    // allowed before, denied after
	Held       int64    `json:"held"`    // of those who lose, at the destination now: removals
	Undecided  int64    `json:"undecided"`
	// Reasons are all codes of either side; a denied person counts for each.
	Reasons []ReasonShift `json:"reasons"`
	// Jurisdictions cut the same people by the law that they live under now; somebody
	// under several is a line of their own, "BE,FR".
	Jurisdictions []PlaceShift `json:"jurisdictions"`
	Examples      []PolicyMove `json:"examples"` // the first of each direction, by profile id
}

// PlaceShift is what becomes of the people of one place.
type PlaceShift struct {
	Jurisdictions string   `json:"jurisdictions"`
	Considered    int64    `json:"considered"`
	Allowed       [2]int64 `json:"allowed"` // before and after
	Gain          int64    `json:"gain"`
	Lose          int64    `json:"lose"`
}

// ReasonShift counts people by a reason. Gain of them it held back before and are
// allowed after; Lose were allowed and it would hold them back.
type ReasonShift struct {
	Code   string `json:"code"`
	Before int64  `json:"before"`
	After  int64  `json:"after"`
	Gain   int64  `json:"gain"`
	Lose   int64  `json:"lose"`
}

// PolicyMove is one person who would gain or lose, and the codes against them:
// those of before for a gain, those of after for a loss.
type PolicyMove struct {
	Change    string   `json:"change"` // gain, lose
	ProfileID string   `json:"profile_id"`
	Key       string   `json:"key,omitempty"` // by which the destination knows them, masked if not asked otherwise
	Reasons   []string `json:"reasons"`
}

// PolicyDiffOptions say what is told of people, and to whom progress.
type PolicyDiffOptions struct {
	Progress func(weir.Progress) // nil: nobody
	// Keys adds the examples' keys, masked; Unmasked adds them whole. What is stored
	// has neither.
	Keys, Unmasked bool
}

// DiffPolicy rehearses the decide stage with a policy on the tables that are
// current and compares it with the decisions in force. It commits nothing, and
// takes as long as the stage does.
func (h *House) DiffPolicy(ctx context.Context, p *project.Project, gate *policies.Gate, o PolicyDiffOptions) (PolicyDiff, error) {
	v := PolicyDiff{Revision: gate.Revision(), Before: []string{}, Activations: []ActivationShift{}}
	last, ran, err := h.last(ctx, weir.Decide, "")
	if err != nil {
		return v, err
	}
	pins, err := h.Lake.Pins(ctx)
	if err != nil {
		return v, err
	}
	if !ran || pins["consent.decisions"] == 0 {
		return v, weir.Errorf(weir.NotFound, "nothing is decided yet").Then("weir run")
	}
	v.AsOf = last.Now
	if v.Pending, err = h.changedSince(ctx, last); err != nil {
		return v, err
	}
	people, err := h.openAudience(ctx, p, p.Activations, pins, last.Now)
	if err != nil {
		return v, err
	}
	defer people.Close()
	c := &comparing{before: map[string]weir.DecisionClass{}, shifts: map[string]*shift{}, shows: o}
	if err := c.read(ctx, people); err != nil {
		return v, err
	}
	run := weir.Run{Workspace: p.Name, ID: weir.NewRunID(last.Now, "diff"), Now: last.Now}
	d := &decide{h}
	dec, err := d.deciding(ctx, decideSpec{Run: run, Pins: pins, Policy: gate.Revision()}, p, gate, people)
	if err != nil {
		return v, err
	}
	defer dec.abort()
	dec.compare = c.compare
	for _, a := range dec.activations {
		c.shifts[a.def.Name] = &shift{ActivationShift: ActivationShift{Activation: a.def.Name, Examples: []PolicyMove{}}, reasons: map[string]*ReasonShift{}, places: map[string]*PlaceShift{}, revisions: map[string]bool{}}
	}
	if o.Progress == nil {
		o.Progress = func(weir.Progress) {}
	}
	if err := dec.all(ctx, people, o.Progress); err != nil {
		return v, err
	}
	revisions := map[string]bool{}
	for _, a := range dec.activations {
		maps.Copy(revisions, c.shifts[a.def.Name].revisions)
		v.Activations = append(v.Activations, c.shifts[a.def.Name].done())
	}
	v.Before = slices.Sorted(maps.Keys(revisions))
	return v, nil
}

// changedSince tells whether what decide reads was written after it ran.
func (h *House) changedSince(ctx context.Context, decided weir.StageRun) (bool, error) {
	runs, err := h.Lake.Runs(ctx)
	if err != nil {
		return false, err
	}
	for _, r := range runs {
		reads := slices.Contains([]weir.Stage{weir.Conform, weir.Resolve, weir.Unify, weir.Segment}, r.Stage)
		if reads && (r.Status == Done || r.Status == Partial) && r.EndedAt.After(decided.StartedAt) {
			return true, nil
		}
	}
	return false, nil
}

// comparing holds the decisions in force against those of a rehearsal. Activations are
// compared side by side: what is written is each one's own.
type comparing struct {
	before map[string]weir.DecisionClass // by id
	shifts map[string]*shift             // by activation
	shows  PolicyDiffOptions
}

type shift struct {
	ActivationShift
	reasons   map[string]*ReasonShift
	places    map[string]*PlaceShift
	revisions map[string]bool // that the decisions in force follow
}

// read takes the classes of the decisions in force.
func (c *comparing) read(ctx context.Context, people *audience) error {
	if !people.have("consent.classes") {
		return nil
	}
	rows, err := column[string](ctx, people.sess, "select "+rowJSON("consent.classes", "class_id", "policy_revision", "allow", "reasons")+" from consent.classes")
	if err != nil {
		return err
	}
	m := &merge{}
	for _, text := range rows {
		var k weir.DecisionClass
		m.decode(text, &k)
		c.before[k.ID] = k
	}
	return m.err
}

// compare takes one decided row.
func (c *comparing) compare(a *deciding1, b pending, now weir.Decision, reasons []string) {
	s := c.shifts[a.def.Name]
	at := s.place(string(b.candidate.Subject.Jurisdictions))
	s.Considered++
	at.Considered++
	if now.Allow {
		s.Allowed[1]++
		at.Allowed[1]++
	}
	for _, code := range reasons {
		s.reason(code).After++
	}
	if b.prior.ID == "" {
		s.Undecided++
		return
	}
	was := c.before[b.prior.ClassID]
	s.revisions[was.PolicyRevision] = true
	if b.prior.Allow {
		s.Allowed[0]++
		at.Allowed[0]++
	}
	for _, code := range was.Reasons {
		s.reason(code).Before++
	}
	switch {
	case now.Allow && !b.prior.Allow:
		s.Gain++
		at.Gain++
		for _, code := range was.Reasons {
			s.reason(code).Gain++
		}
		s.example(PolicyMove{"gain", now.ProfileID, c.key(b), was.Reasons}, s.Gain)
	case b.prior.Allow && !now.Allow:
		s.Lose++
		at.Lose++
		if b.held.ProfileID != "" {
			s.Held++
		}
		for _, code := range reasons {
			s.reason(code).Lose++
		}
		s.example(PolicyMove{"lose", now.ProfileID, c.key(b), reasons}, s.Lose)
	}
}

// key is what is told of a row's key.
func (c *comparing) key(b pending) string {
	switch {
	case c.shows.Unmasked:
		return b.row.Key
	case c.shows.Keys:
		return Masked(b.row.Key)
	}
	return ""
}

func (s *shift) place(list string) *PlaceShift {
	if s.places[list] == nil {
		s.places[list] = &PlaceShift{Jurisdictions: list}
	}
	return s.places[list]
}

func (s *shift) reason(code string) *ReasonShift {
	if s.reasons[code] == nil {
		s.reasons[code] = &ReasonShift{Code: code}
	}
	return s.reasons[code]
}

// example keeps the first of each direction.
func (s *shift) example(m PolicyMove, nth int64) {
	if nth <= examplesShown {
		s.Examples = append(s.Examples, m)
	}
}

func (s *shift) done() ActivationShift {
	s.Reasons = []ReasonShift{}
	for _, code := range slices.Sorted(maps.Keys(s.reasons)) {
		s.Reasons = append(s.Reasons, *s.reasons[code])
	}
	s.Jurisdictions = []PlaceShift{}
	for _, list := range slices.Sorted(maps.Keys(s.places)) {
		s.Jurisdictions = append(s.Jurisdictions, *s.places[list])
	}
	slices.SortStableFunc(s.Examples, func(a, b PolicyMove) int {
		return cmp.Or(strings.Compare(b.Change, a.Change), strings.Compare(a.ProfileID, b.ProfileID)) // losses first
	})
	return s.ActivationShift
}

// PolicyChanged tells whether the project's policy is another than the one that the
// last decisions follow; one that can't be used is. False before there are any.
func (h *House) PolicyChanged(ctx context.Context, p *project.Project) (bool, error) {
	last, ran, err := h.last(ctx, weir.Decide, "")
	followed, known := last.Follows[followsPolicy] // "": of one that could not be used
	if err != nil || !ran || !known {
		return false, err
	}
	gate, err := h.Ruling(ctx, p, h.Clock())
	if unusable(err) {
		return followed != "", nil
	}
	if err != nil {
		return false, err
	}
	return gate.Revision() != followed, nil
}
