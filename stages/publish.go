package stages

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/policies/revisions"
	"github.com/weir-cdp/weir/project"
)

// PolicyDraft is what somebody wants to publish.
type PolicyDraft struct {
	Kind string // revisions.Policy, Rollback or Signers
	// Dir is the folder of rules, "" the built-in policy; or From, an approved revision
	// whose rules are taken: what was in shadow, or what a roll-back brings back.
	Dir         string
	From        int64
	State       string
	EffectiveAt time.Time
	Author      string
	Reason      string
}

// PreparedPolicy is a draft with its reports, ready to be signed.
type PreparedPolicy struct {
	Revision revisions.Revision
	Tests    *policies.TestReport // nil where those of From count
	WhatIf   *PolicyDiff          // nil where nothing is decided yet
	Pin      []weir.Signer        // with which the log begins; nil if it has
}

// PreparePolicy checks, tests and rehearses rules, and stores them with the reports:
// what two people then sign. Invalid: the rules are not fit to be published; the first
// of what is wrong is told.
func (h *House) PreparePolicy(ctx context.Context, p *project.Project, d PolicyDraft, now time.Time, progress func(weir.Progress)) (PreparedPolicy, error) {
	s, err := h.PolicyStanding(ctx, p.Name)
	if err != nil {
		return PreparedPolicy{}, err
	}
	if len(p.Signers) == 0 {
		return PreparedPolicy{}, weir.Errorf(weir.Invalid, "weir.yaml names no signers").Then("make keys with weir policy key new, and name two people or more under signers")
	}
	out := PreparedPolicy{}
	if s.Sequence == 0 { // the log begins with weir.yaml's list
		if s, err = s.With(p.Name, revisions.Pin(p.Signers)); err != nil {
			return out, err
		}
		out.Pin = p.Signers
	}
	if d.Kind != revisions.Signers {
		if err := sameSigners(p, s); err != nil {
			return out, err
		}
	}
	follows, next := s.Head()
	out.Revision = revisions.Revision{Workspace: p.Name, Number: next, Kind: d.Kind, State: d.State, EffectiveAt: d.EffectiveAt, ProposedAt: now, Author: d.Author, Reason: d.Reason,
		Follows: follows, SignedBy: revisions.SignersDigest(s.Signers)}
	switch {
	case d.Kind == revisions.Signers:
		out.Revision.Signers = p.Signers
		if revisions.SignersDigest(p.Signers) == revisions.SignersDigest(s.Signers) {
			return out, weir.Errorf(weir.Invalid, "weir.yaml names those who sign already").Then("change signers in weir.yaml first")
		}
		return out, nil
	case d.From != 0:
		err = h.prepareFrom(ctx, s, d, &out)
	default:
		err = h.prepareRules(ctx, d.Dir, &out, progress)
	}
	if err != nil {
		return out, err
	}
	return out, h.prepareWhatIf(ctx, p, &out)
}

// prepareFrom takes the rules of an approved revision.
func (h *House) prepareFrom(ctx context.Context, s revisions.Standing, d PolicyDraft, out *PreparedPolicy) error {
	was, ok := s.Find(d.From)
	if !ok || was.Kind == revisions.Signers {
		return weir.Errorf(weir.NotFound, "there is no approved revision %d with rules", d.From).Then("weir policy revisions")
	}
	if _, err := h.bundle(ctx, was.Bundle); err != nil {
		return err
	}
	r := &out.Revision
	r.Bundle, r.Policy, r.Tests = was.Bundle, was.Policy, was.Tests
	if d.Kind == revisions.Rollback {
		r.Restores = d.From
	}
	return nil
}

// prepareRules packs and proves a folder.
func (h *House) prepareRules(ctx context.Context, dir string, out *PreparedPolicy, progress func(weir.Progress)) error {
	b, err := policies.Pack(dir)
	if err != nil {
		return err
	}
	name := dir
	if name == "" {
		name = "built-in policy"
	}
	problems, err := policies.CheckPacked(b)
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		first := problems[0]
		return weir.Errorf(weir.Invalid, "%s (%d problems)", first.Message, len(problems)).At(strings.TrimPrefix(name+"/"+first.Where, "/")).Then("weir policy check")
	}
	report, err := policies.ProvePacked(ctx, b, name, progress)
	if err != nil {
		return err
	}
	if !report.Passed() {
		return weir.Errorf(weir.Invalid, "the policy's tests do not pass").At(name).Then("weir policy test")
	}
	out.Tests = &report
	r := &out.Revision
	r.Policy, r.Bundle = report.Revision, revisions.Digest(b)
	if _, err := h.store().PutIfAbsent(ctx, policyBundleKey(r.Bundle), b); err != nil {
		return err
	}
	r.Tests, err = h.report(ctx, report)
	return err
}

// prepareWhatIf rehearses the rules.
func (h *House) prepareWhatIf(ctx context.Context, p *project.Project, out *PreparedPolicy) error {
	gate, err := h.published(ctx, out.Revision)
	if err != nil {
		return err
	}
	diff, err := h.DiffPolicy(ctx, p, gate, PolicyDiffOptions{})
	switch {
	case weir.CodeOf(err) == weir.NotFound:
		diff = PolicyDiff{Revision: gate.Revision()} // nobody was decided on: nobody gains or loses
	case err != nil:
		return err
	default:
		out.WhatIf = &diff
	}
	out.Revision.WhatIf, err = h.report(ctx, diff)
	return err
}

// report stores what is signed by its digest.
func (h *House) report(ctx context.Context, v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", weir.Errorf(weir.Internal, "encode a report: %w", err)
	}
	digest := revisions.Digest(b)
	_, err = h.store().PutIfAbsent(ctx, policyReportKey(digest), b)
	return digest, err
}

// policyWord is an entry on its way into the log, with the list that the log begins with.
type policyWord struct {
	Workspace string           `json:"workspace"`
	Pin       []weir.Signer    `json:"pin,omitempty"`
	Entry     *revisions.Entry `json:"entry"`
}

// DraftPolicy stores a signed entry for RecordPolicy and returns its key. The log does
// not know it yet.
func (h *House) DraftPolicy(ctx context.Context, workspace string, pin []weir.Signer, e revisions.Entry) (string, error) {
	b, err := json.Marshal(policyWord{Workspace: workspace, Pin: pin, Entry: &e})
	if err != nil {
		return "", weir.Errorf(weir.Internal, "encode an entry: %w", err)
	}
	key := policyDraftPrefix + revisions.Digest(b) + ".json"
	_, err = h.store().PutIfAbsent(ctx, key, b)
	return key, err
}

// RecordPolicy adds a drafted entry to the log, if it counts, and to consent.policies.
// The same draft twice is one entry. Denied: it does not count, and why. Conflict: others
// wrote at the same time, again and again.
func (h *House) RecordPolicy(ctx context.Context, draft string) error {
	var w policyWord
	if err := h.readJSON(ctx, draft, &w); err != nil {
		return err
	}
	if w.Entry == nil {
		return weir.Errorf(weir.Invalid, "%s holds no entry", draft)
	}
	for range 20 {
		log, err := h.policyLog(ctx)
		if err != nil {
			return err
		}
		s, err := revisions.Fold(w.Workspace, log)
		if err != nil {
			return err
		}
		if recorded(log, *w.Entry) {
			return h.tabulate(ctx, s) // before a crash that hid the answer
		}
		next := *w.Entry
		if len(log) == 0 && len(w.Pin) > 0 {
			next = revisions.Pin(w.Pin)
		}
		after, err := s.With(w.Workspace, next)
		if err != nil {
			return err
		}
		created, err := h.store().PutIfAbsent(ctx, policyLogKey(after.Sequence), next.Encode(s))
		if err != nil {
			return err
		}
		if created && next.Kind == w.Entry.Kind {
			return h.tabulate(ctx, after)
		}
	}
	return weir.Errorf(weir.Conflict, "others write to the log of policies").Then("try again")
}

// recorded tells whether the log holds this very word.
func recorded(log [][]byte, e revisions.Entry) bool {
	return slices.ContainsFunc(log, func(b []byte) bool {
		was, err := revisions.ParseEntry(b)
		return err == nil && was.Kind == e.Kind && was.Signature != nil && e.Signature != nil && string(was.Signature.Bytes) == string(e.Signature.Bytes)
	})
}

const policiesTable = "consent.policies"

// tabulate brings consent.policies up to the log, one commit an entry.
func (h *House) tabulate(ctx context.Context, s revisions.Standing) error {
	t, err := h.Lake.Ensure(ctx, schema.Named(policiesTable))
	if err != nil {
		return err
	}
	for _, row := range s.Records() {
		w, err := rowfile.NewTableWriter[weir.PolicyRecord](ctx, h.store(), t, "")
		if err != nil {
			return err
		}
		if err := w.Write(row); err != nil {
			w.Abort()
			return err
		}
		files, err := w.Close()
		if err != nil {
			return err
		}
		if _, err := h.Lake.Commit(ctx, lakehouse.Commit{ID: fmt.Sprintf("policy/%08d", row.Sequence), Table: policiesTable,
			Scopes: []weir.TableFiles{{Table: policiesTable, Files: files}}}); err != nil {
			return err
		}
	}
	return nil
}
