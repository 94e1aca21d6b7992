package stages

import (
	"context"
	"encoding/json"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/policies/consents"
)

// This file is what decide does with a policy that can't be used: nobody is
// added, and who has to go is still removed (invariant 7).

// standing keeps a person in an activation's audience under the decision in
// force: who was delivered, still belongs there, and of whom no restriction has
// become known since. All others are removed.
func (x *deciding) standing(a *decidingFor, p *person, row weir.AudienceRow, addresses []consents.Address, belongs bool) error {
	d, ok := p.decided[a.def.Name]
	_, held := p.state[a.def.Name]
	if !ok || !held || !belongs || !d.Allow || (!d.ValidUntil.IsZero() && !x.sp.Run.Now.Before(d.ValidUntil)) {
		return nil
	}
	then, known := x.decidedOn[d.ClassID]
	now := consents.Fold(policies.Expanded(consents.Profile{Entries: p.consents, Held: p.held}),
		consents.Query{Purpose: a.def.Purpose, Channel: a.def.Channel, Addresses: addresses, Now: x.sp.Run.Now})
	if !known || narrower(then.Input, now) {
		return nil
	}
	row, err := underClass(a.def, row, weir.DecisionClass{Activation: a.def.Name, Inputs: then.inputs, Basis: then.basis, Obligations: then.obligations})
	if err != nil {
		return err
	}
	row.ClassID, row.DecisionID, row.ValidUntil = d.ClassID, d.ID, d.ValidUntil
	a.standing++
	return a.out.Write(row)
}

// narrower tells whether what the entries say now permits less than what a
// decision rested on.
func narrower(then policies.Input, now consents.State) bool {
	s := then.Subject
	for _, r := range []struct {
		was policies.Fact
		is  bool
	}{{s.GPC, now.Signal}, {s.Objected, now.Objected}, {s.OptedOut, now.OptedOut}, {s.Restricted, now.Restricted},
		{s.OptedOutAds, now.OptedOutAds}, {s.OptedOutProfiling, now.OptedOutProfiling}, {s.LimitSensitive, now.LimitSensitive},
		{policies.FactOf(s.Suppressed == policies.Suppressed), now.Suppressed}, {s.SuppressedElsewhere, now.SuppressedElsewhere}} {
		if r.is && r.was != policies.Yes {
			return true
		}
	}
	return (now.Erasure && s.Erasure != policies.ErasureRequested) || withdrew(then.Consent.Status, now.Status)
}

// withdrew tells whether a consent's status got worse. What was recorded is the first
// of those that the policy took for the same: "none" may stand for a grant. So a no
// counts whatever the decision rested on, and an end too where there may have been a
// grant.
func withdrew(then policies.Status, now consents.Status) bool {
	switch now {
	case consents.Given:
		return false
	case consents.Refused, consents.Withdrawn:
		return then != policies.StatusDenied && then != policies.StatusWithdrawn
	case consents.Expired:
		return then == policies.StatusGranted || then == policies.StatusNone
	}
	return then == policies.StatusGranted
}

// rested is what a decision rested on, and the obligations that it was given.
type rested struct {
	policies.Input
	inputs, basis, obligations string
}

// inputs reads what each class of decisions rested on.
func (a *audience) inputs(ctx context.Context) (map[string]rested, error) {
	found, err := column[string](ctx, a.sess, "select to_json({id: class_id, inputs: inputs, basis: basis, obligations: obligations})::varchar from consent.classes")
	if err != nil {
		return nil, err
	}
	out := map[string]rested{}
	for _, text := range found {
		var row struct{ ID, Inputs, Basis, Obligations string }
		if json.Unmarshal([]byte(text), &row) != nil {
			continue // rests on nothing that can be read: not kept
		}
		if in, err := policies.InputsOf(row.Inputs); err == nil {
			out[row.ID] = rested{in, row.Inputs, row.Basis, row.Obligations}
		}
	}
	return out, nil
}
