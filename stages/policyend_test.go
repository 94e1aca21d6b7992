package stages

import (
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/policies/revisions"
)

// It is told two weeks before a signed policy becomes too old, unless what takes over is
// approved already; the last moment that is told is the first at which the gate denies.
func TestAPolicyThatEndsSoonIsTold(t *testing.T) {
	const day = 24 * time.Hour
	s := signing(t)
	told := func(now time.Time) (PolicyEnd, bool) {
		t.Helper()
		e, soon, err := s.PolicyEnds(t.Context(), s.project, now)
		if err != nil {
			t.Fatal(err)
		}
		return e, soon
	}
	if _, soon := told(noon); soon {
		t.Error("told where nothing is published")
	}
	s.publish("", nil)
	end := noon.Add(400 * day)
	for at, want := range map[time.Duration]bool{0: false, 385 * day: false, 386*day - 1: false, 386 * day: true, 400*day - 1: true, 400 * day: true, 500 * day: true} {
		e, soon := told(noon.Add(at))
		if soon != want || soon && (e.Revision != 1 || !e.At.Equal(end) || e.Over != (at >= 400*day)) {
			t.Errorf("after %s: %v %+v", at, soon, e)
		}
		gate, err := s.Ruling(t.Context(), s.project, noon.Add(at))
		if err != nil {
			t.Fatal(err)
		}
		v, err := gate.Evaluate(t.Context(), policies.Input{})
		if err != nil || (len(v.Reasons) == 1 && v.Reasons[0] == policies.Untrusted) != (soon && e.Over) {
			t.Errorf("after %s: told %+v, and the gate says %v", at, e, v.Reasons)
		}
	}
	s.publish("", func(r *revisions.Revision) { r.EffectiveAt = noon.Add(390 * day) })
	if e, soon := told(noon.Add(389 * day)); soon {
		t.Errorf("told though the next one is approved: %+v", e)
	}
	if e, soon := told(noon.Add(780 * day)); !soon || e.Revision != 2 || !strings.Contains(e.String(), "rules until") {
		t.Errorf("%v %+v", soon, e)
	}
	s.project.PolicyMaxAge = 0
	if _, soon := told(noon.Add(900 * day)); soon {
		t.Error("told where no age is set")
	}
}
