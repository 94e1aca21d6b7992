package stages

import (
	"context"
	"fmt"
	"time"

	"github.com/weir-cdp/weir/policies/revisions"
	"github.com/weir-cdp/weir/project"
)

// policyNotice is how long before a published revision becomes too old it is told: time
// for two people to read the rules again and sign them.
const policyNotice = 14 * 24 * time.Hour

// PolicyEnd tells of a signed policy whose last revision is too old, or will be within
// two weeks: from then on everything is denied (D32).
type PolicyEnd struct {
	Revision int64     `json:"revision"`
	At       time.Time `json:"at"`
	Over     bool      `json:"over"` // it is too old now
}

func (e PolicyEnd) String() string {
	if e.Over {
		return fmt.Sprintf("revision %d of the policy is too old since %s: everybody is denied (D32)", e.Revision, e.At.UTC().Format(time.DateOnly))
	}
	return fmt.Sprintf("revision %d of the policy rules until %s, then everybody is denied (D32)", e.Revision, e.At.UTC().Format(time.DateOnly))
}

// PolicyEndNext is what to do about it.
const PolicyEndNext = "read the rules again and publish them: weir policy publish"

// PolicyEnds looks whether the policy that rules ends soon; false: it doesn't, or has no
// signers, or is in no state that an end could be told of, of which runs tell.
func (h *House) PolicyEnds(ctx context.Context, p *project.Project, now time.Time) (PolicyEnd, bool, error) {
	if len(p.Signers) == 0 || p.PolicyMaxAge <= 0 {
		return PolicyEnd{}, false, nil
	}
	s, err := h.PolicyStanding(ctx, p.Name)
	if err != nil {
		return PolicyEnd{}, false, err
	}
	e, ok := policyEnd(s, p.PolicyMaxAge, now)
	return e, ok && (e.Over || e.At.Sub(now) <= policyNotice), nil
}

// policyEnd is when the rules end, if those that are approved already take over in turn.
func policyEnd(s revisions.Standing, age time.Duration, now time.Time) (PolicyEnd, bool) {
	r, ok := s.Ruling(now)
	for ok {
		e := PolicyEnd{Revision: r.Number, At: r.EffectiveAt.Add(age)}
		if e.Over = !now.Before(e.At); e.Over {
			return e, true
		}
		next, _ := s.Ruling(e.At)
		if next.Number == r.Number {
			return e, true
		}
		r, now = next, e.At
	}
	return PolicyEnd{}, false
}
