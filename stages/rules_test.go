package stages

import (
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/project"
)

// TestWorkersFollowTheRulesThatWereApplied: a worker whose own folder says otherwise
// decides by those that were applied, and by none in their place.
func TestWorkersFollowTheRulesThatWereApplied(t *testing.T) { // invariant 6
	s := signing(t)
	s.project.Signers, s.project.Policies = nil, true
	dir := stricter(t, 7)
	s.Rules = func(*project.Project) ([]byte, error) { return policies.Pack(dir) }
	applied, err := policies.Load(t.Context(), policies.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	key, err := s.Apply(t.Context(), s.project)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.House.project(t.Context(), key)
	if err != nil || p.PolicyRules == "" || s.project.PolicyRules != "" {
		t.Fatalf("applied as %q, %v", p.PolicyRules, err)
	}
	gate, err := s.Enforced(t.Context(), p, noon)
	if err != nil || gate.Revision() != applied.Revision() {
		t.Fatalf("the rules are not those applied: %v", err)
	}
	if own, err := s.Enforced(t.Context(), s.project, noon); err != nil || own.Revision() == applied.Revision() {
		t.Errorf("the folder of this machine has the applied rules: the test shows nothing (%v)", err)
	}
	again, err := s.Apply(t.Context(), s.project)
	if err != nil || again != key {
		t.Errorf("applied again under %s, not %s: %v", again, key, err)
	}
	other, err := policies.Pack(stricter(t, 9))
	if err != nil {
		t.Fatal(err)
	}
	s.overwrite(policyRulesPrefix+p.PolicyRules+".zip", other)
	if _, err := s.Enforced(t.Context(), p, noon); weir.CodeOf(err) != weir.Denied {
		t.Errorf("rules in the place of those applied rule: %v", err)
	}
}
