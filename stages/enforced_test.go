package stages

import (
	"strings"
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

// A store that gives no access to what was published is not a forged one: nobody is
// removed for it, nobody is added, and who withdrew still has to go.
func TestNoAccessIsNotAForgedLog(t *testing.T) { // invariants 6, 7
	for name, part := range map[string]string{"log": "log%2F", "an entry": "log/00000003.json", "bundle": "policy/bundles/"} {
		t.Run(name, func(t *testing.T) {
			s := signing(t)
			s.publish("", nil)
			s.people["p5"] = citizen{"e@x.org", "Eve", true}
			s.say("e@x.org", weir.Granted)
			s.settle()
			s.deliver()
			s.holds(map[string]string{"a@x.org": "p1 a@x.org Ann", "e@x.org": "p5 e@x.org Eve"})
			s.people["p6"] = citizen{"f@x.org", "Fay", true}
			s.say("f@x.org", weir.Granted)
			s.say("e@x.org", weir.Withdrawn)
			s.settle()
			s.refuse.Store(&part)
			s.expect(noon, string(weir.Denied))
			if row, _ := s.deliver(); row.Status != Partial || row.Counts["news.D32"] != 0 || !strings.Contains(row.Error, "can't be used") {
				t.Errorf("%s %v %s", row.Status, row.Counts, row.Error)
			}
			s.holds(map[string]string{"a@x.org": "p1 a@x.org Ann"})
			s.refuse.Store(nil)
			s.deliver()
			s.holds(map[string]string{"a@x.org": "p1 a@x.org Ann", "f@x.org": "p6 f@x.org Fay"})
		})
	}
}
