package stages

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/revisions"
)

// What is in shadow is counted, and changes nothing of what is decided and delivered.
func TestShadowIsCountedAndFollowedByNothing(t *testing.T) {
	s := signing(t)
	for i := range s.entries {
		s.entries[i].OccurredAt = noon.AddDate(0, 0, -30)
		s.entries[i].RecordedAt = s.entries[i].OccurredAt
	}
	s.tell()
	s.publish(stricter(t, 7), nil)
	s.deliver()
	s.holds(map[string]string{})
	before := ledger[weir.Decision](s.world, "consent.decisions", "order by decision_id")
	looser := s.publish("", func(r *revisions.Revision) { r.State = revisions.Shadow })
	row, _ := s.deliver()
	if c := row.Counts; c["news.allow"] != 0 || c["news.shadow.allow"] != 1 || c["news.shadow.gain"] != 1 || c["news.shadow.lose"] != 0 || c["news.shadow.gain.D07"] != 1 || row.Follows[followsShadow] != looser.Policy {
		t.Errorf("%v %v", c, row.Follows)
	}
	s.holds(map[string]string{})
	if d := cmp.Diff(before, ledger[weir.Decision](s.world, "consent.decisions", "order by decision_id")); d != "" {
		t.Errorf("decisions changed: %s", d)
	}
	s.publish("", nil)
	s.deliver()
	s.holds(map[string]string{"a@x.org": "p1 a@x.org Ann"})
	s.publish(stricter(t, 7), func(r *revisions.Revision) { r.State = revisions.Shadow })
	row, _ = s.deliver()
	if c := row.Counts; c["news.allow"] != 1 || c["news.shadow.lose"] != 1 || c["news.shadow.lose.D07"] != 1 {
		t.Errorf("%v", c)
	}
	s.holds(map[string]string{"a@x.org": "p1 a@x.org Ann"})
	st := s.standing()
	b, _ := st.Shadowing(noon)
	s.overwrite(policyBundleKey(b.Bundle), []byte("x"))
	s.Memory = t.TempDir()
	if row, _ = s.deliver(); row.Counts["news.allow"] != 1 || row.Follows[followsShadow] != "" { // a damaged shadow stops nothing
		t.Errorf("%v", row.Counts)
	}
	s.holds(map[string]string{"a@x.org": "p1 a@x.org Ann"})
}
