package stages

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/revisions"
)

// Two who publish at once, and one who repeats a step, leave one whole log.
func TestRecordingIsDoneOnce(t *testing.T) {
	s := signing(t)
	a := s.publish("", nil)
	_, ada := officer("Ada")
	_, ben := officer("Ben")
	r := s.propose("", nil)
	key, err := s.DraftPolicy(t.Context(), "shop", nil, revisions.Approve(r, "Ben", ben, noon))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() { errs[i] = s.RecordPolicy(context.WithoutCancel(t.Context()), key) })
	}
	wg.Wait()
	if st := s.standing(); len(st.Approved) != 2 || len(st.Ignored) != 0 || slices.ContainsFunc(errs, func(e error) bool { return e != nil }) {
		t.Errorf("%v %+v", errs, st)
	}
	if rows := ledger[weir.PolicyRecord](s.world, policiesTable, ""); len(rows) != 4 {
		t.Errorf("%d rows", len(rows))
	}
	if err := s.tryRecord(nil, revisions.Propose(a, ada, noon)); err != nil { // the very same word as before
		t.Error(err)
	}
	if st := s.standing(); st.Sequence != 5 {
		t.Errorf("%d entries", st.Sequence)
	}
}

// What is signed is what was tested and rehearsed, and the reports can be read back.
func TestPreparedIsCheckedTestedAndRehearsed(t *testing.T) {
	s := signing(t)
	broken := stricter(t, 7)
	if err := os.WriteFile(filepath.Join(broken, "consent", "deny", "x.rego"), []byte("package consent.deny\n\nreasons contains if {\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	draft := PolicyDraft{Kind: revisions.Policy, State: revisions.Enforce, Dir: broken, EffectiveAt: noon, Author: "Ada"}
	if _, err := s.PreparePolicy(t.Context(), s.project, draft, noon, nil); weir.CodeOf(err) != weir.Invalid || !strings.Contains(err.Error(), "consent/deny/x.rego:3") {
		t.Errorf("%v", err)
	}
	if testing.Short() {
		t.Skip("proving takes seconds; run without -short")
	}
	draft.Dir = ""
	p, err := s.PreparePolicy(t.Context(), s.project, draft, noon, nil)
	if err != nil {
		t.Fatal(err)
	}
	if p.Tests == nil || !p.Tests.Passed() || p.WhatIf != nil || len(p.Pin) != 2 || p.Revision.Number != 1 {
		t.Errorf("%+v", p.Revision)
	}
	for _, digest := range []string{p.Revision.Tests, p.Revision.WhatIf} {
		b, err := s.store().ReadFile(t.Context(), policyReportKey(digest))
		if err != nil || revisions.Digest(b) != digest {
			t.Errorf("%v", err)
		}
	}
	_, ada := officer("Ada")
	s.record(p.Pin, revisions.Propose(p.Revision, ada, noon))
	if err := s.approve(p.Revision, "Ben"); err != nil {
		t.Fatal(err)
	}
	s.deliver()
	back, err := s.PreparePolicy(t.Context(), s.project, PolicyDraft{Kind: revisions.Rollback, State: revisions.Enforce, From: 1, EffectiveAt: noon, Author: "Ada"}, noon, nil)
	if err != nil || back.Revision.Restores != 1 || back.WhatIf == nil || back.WhatIf.Activations[0].Considered != 2 {
		t.Errorf("%+v %v", back.Revision, err)
	}
}
