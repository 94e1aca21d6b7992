package stages

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/policies/revisions"
)

// PolicyReview is what an officer looks at before signing, or after. All of it was read
// from the store and is what the digests name.
type PolicyReview struct {
	Revision  revisions.Revision   `json:"revision"`
	Digest    string               `json:"digest"`
	Overtaken bool                 `json:"overtaken"` // it waits, and can't be approved any more
	Approver  string               `json:"approver,omitempty"`
	Tests     *policies.TestReport `json:"tests,omitempty"`
	WhatIf    *PolicyDiff          `json:"whatif,omitempty"`
	// Changed are the files that are not as in the revision approved before it.
	Changed []string `json:"changed"`
	// Files are the rules, data, cases and tests, by path.
	Files map[string]string `json:"-"`
}

// ReviewPolicy gathers a revision, waiting or approved. Denied: the store holds something
// else than was signed.
func (h *House) ReviewPolicy(ctx context.Context, workspace string, number int64) (PolicyReview, error) {
	out := PolicyReview{Changed: []string{}}
	s, err := h.PolicyStanding(ctx, workspace)
	if err != nil {
		return out, err
	}
	if w, ok := s.Waiting(number); ok {
		out.Revision, out.Overtaken = w.Revision, w.Overtaken
	} else if a, ok := s.Find(number); ok {
		out.Revision, out.Approver = a.Revision, a.Approver
	} else {
		return out, weir.Errorf(weir.NotFound, "there is no revision %d, or it was rejected", number).Then("weir policy revisions")
	}
	r := out.Revision
	out.Digest = r.Digest()
	if r.Kind == revisions.Signers {
		return out, nil
	}
	if out.Files, err = h.policyFiles(ctx, r.Bundle); err != nil {
		return out, err
	}
	before := map[string]string{}
	for _, a := range slices.Backward(s.Approved) {
		if a.Kind != revisions.Signers && a.State == revisions.Enforce && a.Number < number {
			if before, err = h.policyFiles(ctx, a.Bundle); err != nil {
				return out, err
			}
			break
		}
	}
	for _, p := range slices.Sorted(maps.Keys(union(before, out.Files))) {
		if before[p] != out.Files[p] {
			out.Changed = append(out.Changed, p)
		}
	}
	return out, h.reviewReports(ctx, &out)
}

func union(a, b map[string]string) map[string]string {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

// reviewReports reads both reports, as they were signed.
func (h *House) reviewReports(ctx context.Context, out *PolicyReview) error {
	for digest, into := range map[string]any{out.Revision.Tests: &out.Tests, out.Revision.WhatIf: &out.WhatIf} {
		b, err := h.store().ReadFile(ctx, policyReportKey(digest))
		if err != nil && weir.CodeOf(err) != weir.NotFound {
			return err
		}
		if err != nil || revisions.Digest(b) != digest || json.Unmarshal(b, into) != nil {
			return weir.Errorf(weir.Denied, "a report is not what was signed").At(policyReportKey(digest)).Then("propose the revision anew")
		}
	}
	return nil
}

// ConfirmPolicy is what is done before somebody signs what another proposed: both reports
// have to be about the bundle's own rules, and its tests and cases are run anew here, since
// whoever proposes could have written the reports. Denied: it is not what it says.
func (h *House) ConfirmPolicy(ctx context.Context, v PolicyReview) error {
	r := v.Revision
	if r.Kind == revisions.Signers {
		return nil
	}
	refused := func(why string) error {
		return weir.Errorf(weir.Denied, "%s", why).Then(fmt.Sprintf("weir policy reject %d", r.Number))
	}
	b, err := h.bundle(ctx, r.Bundle)
	if err != nil {
		return err
	}
	report, err := policies.TestPacked(ctx, b, fmt.Sprintf("revision %d", r.Number))
	switch {
	case weir.CodeOf(err) == weir.Invalid:
		return refused("the rules can't be used: " + err.Error())
	case err != nil:
		return err
	case report.Revision != r.Policy:
		return refused("the bundle's rules are not those that the revision names")
	case v.Tests == nil || !v.Tests.Passed() || v.Tests.Revision != r.Policy:
		return refused("the report of its tests is not that of tests which passed on these rules")
	case v.WhatIf == nil || v.WhatIf.Revision != r.Policy:
		return refused("the report of who would gain or lose is not about these rules")
	case !report.Passed():
		return refused("its tests do not pass on this machine, whatever their report says")
	}
	return nil
}

// policyFiles unpacks a bundle.
func (h *House) policyFiles(ctx context.Context, digest string) (map[string]string, error) {
	b, err := h.bundle(ctx, digest)
	if err != nil {
		return nil, err
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, weir.Errorf(weir.Invalid, "the bundle %.12s is damaged: %w", digest, err)
	}
	out := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			return nil, weir.Errorf(weir.Invalid, "the bundle %.12s is damaged: %w", digest, err)
		}
		text, err := io.ReadAll(io.LimitReader(r, 4<<20))
		_ = r.Close() // only read
		if err != nil {
			return nil, weir.Errorf(weir.Invalid, "the bundle %.12s is damaged: %w", digest, err)
		}
		out[f.Name] = string(text)
	}
	return out, nil
}
