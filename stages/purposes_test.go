package stages

import (
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies"
)

// People withdraw whether or not a policy can be used; what widens waits for one.
func TestWithdrawalsNeedNoPolicy(t *testing.T) { // invariant 7
	w := newWorld(t)
	old := statement("crm/o/1", "a@x.org", weir.Granted, noon)
	old.Purpose = "marketing.fairs" // no policy knows it any more
	w.tellStream("crm/o", old)
	w.prove()
	broken := func() (*policies.Gate, error) {
		return nil, weir.Errorf(weir.Invalid, "rego_parse_error").At("policies/x.rego:3")
	}
	order := func(purpose, action string) ConsentOrder {
		return ConsentOrder{About: "a@x.org", Purpose: purpose, Channel: "email", Action: action, Author: "jane", Proof: "call 17"}
	}
	for name, gate := range map[string]func() (*policies.Gate, error){"rules that do not compile": broken, "rules": builtin} {
		w.gate = gate
		for _, o := range []ConsentOrder{order("marketing.newsletter", "withdrawn"), order("marketing", "objected"), order("marketing.fairs", "withdrawn"), order("", "restricted"), order("sale", "optout")} {
			if _, err := w.ordered(t.Context(), w.project, o); err != nil {
				t.Errorf("%s: %s %s: %v", name, o.Action, o.Purpose, err)
			}
		}
		if _, err := w.ordered(t.Context(), w.project, order("marketing.newsleter", "withdrawn")); weir.CodeOf(err) != weir.Invalid || !strings.Contains(err.Error(), "did you mean marketing.newsletter") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := w.ordered(t.Context(), w.project, order("marketing.fairs", "granted")); weir.CodeOf(err) != weir.Invalid {
			t.Errorf("%s: a grant for what no policy knows: %v", name, err)
		}
	}
	w.gate = broken
	if _, err := w.ordered(t.Context(), w.project, order("marketing.newsletter", "granted")); err == nil || !strings.Contains(err.Error(), "rego_parse_error") {
		t.Errorf("a grant without a policy: %v", err)
	}
	w.record(order("marketing.fairs", "withdrawn"))
}

// With signers the folder is a draft: what it says does not matter.
func TestStatementsFollowWhatRules(t *testing.T) {
	s := signing(t)
	s.publish("", nil)
	s.gate = func() (*policies.Gate, error) { return nil, weir.Errorf(weir.Invalid, "rego_parse_error") }
	for _, action := range []string{"granted", "withdrawn"} {
		o := withdrawal("a@x.org")
		o.Action = action
		if _, err := s.ordered(t.Context(), s.project, o); err != nil {
			t.Errorf("%s: %v", action, err)
		}
	}
}
