package policies

import (
	"context"
	"slices"
	"time"

	"github.com/weir-cdp/weir"
)

// Decided is a recorded decision in force, with its class.
type Decided struct {
	Decision weir.Decision
	Class    weir.DecisionClass
}

// Refused is a row that does not go, and why. It names no address.
type Refused struct {
	ProfileID  string
	DecisionID string
	Row        int      // index in the rows handed to Admit or Removals; -1 of Recheck
	Reasons    []string // the policy's codes, or one of the gate's own below
}

// The gate's own reasons, beside the policy's codes.
const (
	NotDecided       = "not_decided"            // there is no decision in force for this row
	Mismatched       = "decision_mismatch"      // decision and class do not belong together, or were altered
	PolicyChanged    = "policy_changed"         // another revision decided
	QuestionChanged  = "activation_changed"     // purpose, channel, categories or the destination's privacy changed since
	Ended            = "decision_ended"         // valid_until has passed
	UnmetObligation  = "obligation_unsupported" // allowed only with an obligation that is not carried out
	UndeclaredField  = "field_not_declared"
	UseRemovals      = "removal" // a removal among admitted rows, or an add among removals
	WithoutKey       = "no_key"
	PolicyDisagrees  = "decision_not_confirmed" // the policy denies what was recorded as allowed
	TermsHaveChanged = "terms_changed"          // still allowed, on another basis or with other obligations
)

// Checked is decisions that may be admitted. Only Recheck makes one that holds
// any.
type Checked struct {
	q      Question
	passed map[string]pass // by profile
}

type pass struct {
	decision   weir.Decision
	class      string
	revision   string
	verdict    Verdict
	validUntil time.Time
}

// Recheck is the last look before a delivery. It confirms each recorded decision
// with the policy itself (once a class), and decides again every profile in
// fresh: those with consent entries that arrived after the decision, described
// from what is known now. A row whose new answer is a denial, or has other terms,
// is stopped; what stopped it is in the second result.
//
// decided may hold denials: they are among the refused.
func (d *Decider) Recheck(ctx context.Context, decided []Decided, fresh []Candidate) (Checked, []Refused, error) {
	c := Checked{q: d.q, passed: make(map[string]pass, len(decided))}
	var refused []Refused
	for i := range decided {
		p, reasons, err := d.confirm(ctx, &decided[i])
		if err != nil {
			return Checked{}, nil, err
		}
		profile := decided[i].Decision.ProfileID
		if _, double := c.passed[profile]; double && len(reasons) == 0 {
			return Checked{}, nil, weir.Errorf(weir.Internal, "a profile has two decisions in force for %s", d.q.Activation.Name)
		}
		if len(reasons) > 0 {
			refused = append(refused, Refused{ProfileID: profile, DecisionID: decided[i].Decision.ID, Row: -1, Reasons: reasons})
			continue
		}
		c.passed[profile] = p
	}
	of, err := d.again(ctx, fresh)
	if err != nil {
		return Checked{}, nil, err
	}
	for i := range fresh {
		profile := fresh[i].ProfileID
		p, ok := c.passed[profile]
		if !ok {
			continue
		}
		v := of[i].verdict
		switch {
		case !v.Allow:
			refused = append(refused, Refused{ProfileID: profile, DecisionID: p.decision.ID, Row: -1, Reasons: v.Reasons})
		case v.Basis != p.verdict.Basis || obligationsText(v.Obligations) != obligationsText(p.verdict.Obligations),
			v.Obligations[PartitionByClass] != "" && of[i].id != p.class:
			refused = append(refused, Refused{ProfileID: profile, DecisionID: p.decision.ID, Row: -1, Reasons: []string{TermsHaveChanged}})
		default:
			p.validUntil = soonest(p.validUntil, d.validUntil(&fresh[i], of[i]))
			c.passed[profile] = p
			continue
		}
		delete(c.passed, profile)
	}
	return c, refused, nil
}

// again decides rows whose facts changed.
func (d *Decider) again(ctx context.Context, fresh []Candidate) ([]*class, error) {
	of, err := d.classify(ctx, fresh)
	if err != nil {
		return nil, err
	}
	for i := range fresh {
		d.sample.see(uint64(i), &fresh[i], of[i]) // there are few: all are asked in full, up to the sample's size
	}
	return of, d.audit(ctx)
}

// confirm gives the pass of one recorded decision, or why there is none.
func (d *Decider) confirm(ctx context.Context, r *Decided) (pass, []string, error) {
	dec, class := &r.Decision, &r.Class
	switch {
	case dec.ClassID != class.ID || dec.Activation != d.q.Activation.Name || class.Activation != dec.Activation || dec.Allow != class.Allow || dec.ID == "":
		return pass{}, []string{Mismatched}, nil
	case class.PolicyRevision != d.gate.revision:
		return pass{}, []string{PolicyChanged}, nil
	case !dec.Allow && len(class.Reasons) > 0:
		return pass{}, slices.Clone(class.Reasons), nil
	case !dec.Allow || class.ID != classID(d.q.Run.Workspace, class.Activation, class.PolicyRevision, class.Inputs, Verdict{}):
		return pass{}, []string{Mismatched}, nil
	}
	v, in, err := d.confirmInputs(ctx, class.Inputs)
	if err != nil {
		return pass{}, nil, err
	}
	v, fixed := d.q.carried(v), d.input
	switch {
	case in.Activation != fixed.Activation || in.Controller != fixed.Controller || in.Destination != fixed.Destination:
		return pass{}, []string{QuestionChanged}, nil
	case slices.Equal(v.Reasons, []string{UnmetObligation}):
		return pass{}, v.Reasons, nil
	case !v.Allow || v.Basis != class.Basis || obligationsText(v.Obligations) != class.Obligations:
		return pass{}, []string{PolicyDisagrees}, nil
	}
	return pass{decision: *dec, class: class.ID, revision: class.PolicyRevision, verdict: v, validUntil: dec.ValidUntil}, nil, nil
}

// confirmInputs asks the policy about a class's recorded inputs, once a gate. Inputs
// that are no class of this question give a denial and an empty input.
func (d *Decider) confirmInputs(ctx context.Context, inputs string) (Verdict, Input, error) {
	in, err := InputsOf(inputs)
	if err != nil {
		return failed(err.Error()), Input{}, nil
	}
	k := key{subject: in.Subject, consent: in.Consent}
	if d.gate.lens(ctx, d.asked, k.subject.Jurisdictions).inputs(&d.asked.texts, &k) != inputs {
		return failed("the recorded inputs are no class of this question"), Input{}, ctx.Err()
	}
	g := d.gate
	g.mu.Lock()
	v, ok := g.checked[inputs]
	g.mu.Unlock()
	if ok {
		return v, in, nil
	}
	if v, err = g.row(ctx, d.q.Run.ID, d.asked, &k); err != nil {
		return v, in, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.checked) < maxChecked && v.Fault == "" {
		g.checked[inputs] = v
	}
	return v, in, nil
}

// maxChecked bounds what a gate remembers of rechecks.
const maxChecked = 1 << 16

// soonest is the sooner end; zero is no end.
func soonest(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
