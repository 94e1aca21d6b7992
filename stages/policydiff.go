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
// current and compares it with the decisions in force. It commits nothing. Activations
// that are one question to the policy are asked as one, and composed is nothing, so that
// it takes a fraction of the stage.
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
	people.limits = 0 // a rehearsal takes nobody's room
	before, err := people.numberDecisions(ctx, p.Activations)
	if err != nil {
		return v, err
	}
	run := weir.Run{Workspace: p.Name, ID: weir.NewRunID(last.Now, "diff"), Now: last.Now}
	d := &decide{h}
	dec, err := d.deciding(ctx, decideSpec{Run: run, Pins: pins, Policy: gate.Revision()}, p, gate, people)
	if err != nil {
		return v, err
	}
	defer dec.abort()
	dec.rehearses = true
	r, err := dec.rehearsal()
	if err != nil {
		return v, err
	}
	if o.Progress == nil {
		o.Progress = func(weir.Progress) {}
	}
	if err := r.all(ctx, people, o.Progress); err != nil {
		return v, err
	}
	revisions := map[string]bool{}
	for _, a := range r.acts {
		s := newShift(a.def.Name)
		for f, n := range a.found {
			s.count(f, n, before)
		}
		s.show(a, before, o)
		maps.Copy(revisions, s.revisions)
		v.Activations = append(v.Activations, s.done())
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

// shift gathers what becomes of one activation.
type shift struct {
	ActivationShift
	reasons   map[string]*ReasonShift
	places    map[string]*PlaceShift
	revisions map[string]bool // that the decisions in force follow
}

func newShift(activation string) *shift {
	return &shift{ActivationShift: ActivationShift{Activation: activation, Examples: []PolicyMove{}}, reasons: map[string]*ReasonShift{},
		places: map[string]*PlaceShift{}, revisions: map[string]bool{}}
}

// classed is the class of a decision in force.
func classed(before []weir.DecisionClass, prior int32) weir.DecisionClass {
	if i := classBefore(prior); i >= 0 && i < len(before) {
		return before[i]
	}
	return weir.DecisionClass{}
}

// count takes n rows of which the same was found.
func (s *shift) count(f finding, n int64, before []weir.DecisionClass) {
	at := s.place(string(f.places))
	s.Considered += n
	at.Considered += n
	if f.now.Allow {
		s.Allowed[1] += n
		at.Allowed[1] += n
	}
	for _, code := range f.now.Reasons {
		s.reason(code).After += n
	}
	if f.prior == unruled {
		s.Undecided += n
		return
	}
	was, allowed := classed(before, f.prior), allowedBefore(f.prior)
	s.revisions[was.PolicyRevision] = true
	if allowed {
		s.Allowed[0] += n
		at.Allowed[0] += n
	}
	for _, code := range was.Reasons {
		s.reason(code).Before += n
	}
	switch {
	case f.now.Allow && !allowed:
		s.Gain += n
		at.Gain += n
		for _, code := range was.Reasons {
			s.reason(code).Gain += n
		}
	case allowed && !f.now.Allow:
		s.Lose += n
		at.Lose += n
		if f.held {
			s.Held += n
		}
		for _, code := range f.now.Reasons {
			s.reason(code).Lose += n
		}
	}
}

// show takes the examples, with as much of their keys as is told.
func (s *shift) show(a *rehearsed, before []weir.DecisionClass, o PolicyDiffOptions) {
	for _, m := range slices.Concat(a.gain, a.lose) {
		if m.Change == "gain" {
			m.Reasons = classed(before, m.prior).Reasons
		}
		switch {
		case o.Unmasked:
		case o.Keys:
			m.Key = Masked(m.Key)
		default:
			m.Key = ""
		}
		s.Examples = append(s.Examples, m.PolicyMove)
	}
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
