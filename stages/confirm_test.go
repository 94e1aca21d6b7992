package stages

import (
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/policies/revisions"
)

// written stores reports that say that all is well with a policy, as anybody could.
func (s signed) written(about, whatIf string) func(*revisions.Revision) {
	s.t.Helper()
	tests, err := s.report(s.t.Context(), policies.TestReport{Revision: about, Tests: []policies.RegoTest{{Name: "x", Passed: true}}, Proved: true, Mutation: &policies.MutationReport{}})
	if err != nil {
		s.t.Fatal(err)
	}
	diff, err := s.report(s.t.Context(), PolicyDiff{Revision: whatIf})
	if err != nil {
		s.t.Fatal(err)
	}
	return func(r *revisions.Revision) { r.Policy, r.Tests, r.WhatIf = about, tests, diff }
}

// What is signed are rules, reports and what they are about, and the reports are not
// believed.
func TestWhoeverProposesCanTellNoTales(t *testing.T) {
	s := signing(t)
	revision := func(dir string) string {
		g, err := policies.Load(t.Context(), policies.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		return g.Revision()
	}
	looser := stricter(t, 3000)
	untested := stricter(t, 7) // a case has a consent of 30 days
	mine, own := revision(""), revision(looser)
	for name, c := range map[string]struct {
		dir, about, whatIf, want string
	}{
		"another's reports and name": {looser, mine, mine, "not those that the revision names"},
		"another's what-if":          {looser, own, mine, "who would gain or lose"},
		"tests that do not pass":     {untested, revision(untested), revision(untested), "do not pass"},
		"as it says":                 {"", mine, mine, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s.t = t
			r := s.propose(c.dir, s.written(c.about, c.whatIf))
			v, err := s.ReviewPolicy(t.Context(), "shop", r.Number)
			if err != nil {
				t.Fatal(err)
			}
			err = s.ConfirmPolicy(t.Context(), v)
			if c.want == "" && err != nil || c.want != "" && (weir.CodeOf(err) != weir.Denied || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// Two signatures under one policy's name make no other one rule.
func TestRulesAreThoseThatTheRevisionNames(t *testing.T) { // invariant 6
	s := signing(t)
	s.publish("", func(r *revisions.Revision) { r.Policy = "another" })
	s.expect(noon, "D32")
	s.publish("", nil)
	s.expect(noon, "allow")
}
