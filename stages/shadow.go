package stages

import (
	"context"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/policies/consents"
	"github.com/weir-cdp/weir/policies/revisions"
	"github.com/weir-cdp/weir/project"
)

// This file asks the revision that is in shadow beside the one that rules. Nothing
// follows its answers: no decision, no audience, no delivery. They are counted in
// ops.runs. Whatever goes wrong with it stops nothing.

// followsShadow tells, in ops.runs, which revision was asked beside.
const followsShadow = "policy_shadow"

// shadow is one activation's part of it.
type shadow struct {
	decider    *policies.Decider
	failed     string
	gain, lose int64
	reasons    map[string]int64 // "gain.D06": held back by it, and would not be; "lose.D06": would be
}

// Shadowing is the gate of the revision in shadow at a moment; nil: there is none.
func (h *House) Shadowing(ctx context.Context, p *project.Project, now time.Time) (*policies.Gate, error) {
	log, err := h.policyLog(ctx)
	if err != nil || len(log) == 0 {
		return nil, err
	}
	s, err := revisions.Fold(p.Name, log)
	if err != nil {
		return nil, err
	}
	if err := sameSigners(p, s); err != nil {
		return nil, err
	}
	r, ok := s.Shadowing(now)
	if !ok {
		return nil, nil //nolint:nilnil // there is none, which is usual
	}
	return h.published(ctx, r.Revision)
}

// shade makes the shadows of a run.
func (x *deciding) shade(ctx context.Context) {
	gate, err := x.Shadowing(ctx, x.p, x.enforcedAt(x.sp.Run.Now))
	if err != nil {
		x.Log.Warn("the revision in shadow is not asked", "why", err)
	}
	if gate == nil || err != nil {
		return
	}
	x.shadowed = gate.Revision()
	questions := x.questions(x.p, x.sp.Run)
	for _, a := range x.activations {
		dec, err := questions.decider(ctx, gate, a.def)
		a.shadow = &shadow{decider: dec, reasons: map[string]int64{}}
		if err != nil {
			a.shadow.failed = err.Error()
		}
	}
}

// describe is what the shadow's policy would be told of a person, of whom it keeps a
// portrait.
func (s *shadow) describe(portrait **policies.Portrait, p *person, addresses []consents.Address) policies.Candidate {
	if s == nil || s.failed != "" {
		return policies.Candidate{}
	}
	if *portrait == nil {
		*portrait = s.decider.Portray(p.asked(nil))
	}
	return s.decider.DescribeAs(*portrait, addresses)
}

// decide asks about the block that was just decided.
func (s *shadow) decide(ctx context.Context, block []pending, ruled []weir.Decision, reasons func(row int) []string) error {
	if s == nil || s.failed != "" {
		return nil
	}
	rows := make([]policies.Candidate, len(block))
	for i := range block {
		rows[i] = block[i].shadow
	}
	would, err := s.decider.Decide(ctx, rows)
	if err != nil {
		s.failed = err.Error()
		return ctx.Err()
	}
	for i := range would {
		switch {
		case would[i].Allow && !ruled[i].Allow:
			s.gain++
			for _, code := range reasons(i) {
				s.reasons["gain."+code]++
			}
		case !would[i].Allow && ruled[i].Allow:
			s.lose++
			for _, code := range s.decider.Reasons(i) {
				s.reasons["lose."+code]++
			}
		}
	}
	if s.decider.Full() {
		s.decider.Drain()
	}
	return nil
}

// count writes what was counted.
func (s *shadow) count(name string, into map[string]int64) (problem string) {
	if s == nil {
		return ""
	}
	if s.failed != "" {
		into[name+".shadow.failed"] = 1
		return s.failed
	}
	stats := s.decider.Stats()
	into[name+".shadow.allow"], into[name+".shadow.gain"], into[name+".shadow.lose"] = stats.Allowed, s.gain, s.lose
	for code, n := range s.reasons {
		into[name+".shadow."+code] = n
	}
	return ""
}
