package stages

import (
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/revisions"
)

// A delivery that was left behind does not go on by the revision of its day.
func TestALeftDeliveryFollowsWhatRulesNow(t *testing.T) { // invariant 6
	for name, logical := range map[string]bool{"due": false, "a chosen now": true} {
		t.Run(name, func(t *testing.T) {
			s := signing(t)
			s.publish("", nil)
			s.must(weir.Decide, "")
			run, a := s.next(), s.All()[weir.Activate]
			run.Logical = logical
			plan, err := a.Plan(t.Context(), run, "esp")
			if err != nil {
				t.Fatal(err)
			}
			tuesday := noon.AddDate(0, 0, 1)
			s.publish(stricter(t, 7), func(r *revisions.Revision) { r.EffectiveAt = tuesday })
			s.clock = tuesday
			manifest, err := a.Run(t.Context(), plan.Spec, func(weir.Progress) {})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := a.Commit(t.Context(), manifest); err != nil {
				t.Fatal(err)
			}
			s.holds(map[string]string{})
		})
	}
}

// A now that somebody chose brings back no revision, and does not get round its age; one
// ahead looks ahead.
func TestAChosenNowBringsNoRevisionBack(t *testing.T) { // invariant 6
	s := signing(t)
	s.publish("", nil)
	second := s.publish(stricter(t, 7), func(r *revisions.Revision) { r.EffectiveAt = noon.AddDate(0, 1, 0) })
	follows := func(clock, now time.Time) string {
		t.Helper()
		s.clock, s.at = clock, now
		row := s.must(weir.Decide, "")
		if row.Counts["news.D32"] > 0 {
			return "D32"
		}
		return row.Follows[followsPolicy]
	}
	if got := follows(noon.AddDate(0, 2, 0), noon); got != second.Policy {
		t.Errorf("with a now in the past it follows %s, want %s", got, second.Policy)
	}
	if got := follows(noon, noon.AddDate(0, 2, 0)); got != second.Policy {
		t.Errorf("with a now ahead it follows %s, want %s", got, second.Policy)
	}
	if got := follows(noon.AddDate(3, 0, 0), noon); got != "D32" {
		t.Errorf("a revision that is too old rules in a run of the past: %s", got)
	}
}
