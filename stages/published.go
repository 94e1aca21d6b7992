package stages

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/policies/revisions"
	"github.com/weir-cdp/weir/project"
)

// This file is which policy rules (invariant 6): with signers, only what two of them
// signed.

// Where published policies are in the store. Nothing there is ever written twice: what
// is named by its digest is what it was, and the log is only added to.
const (
	policyLogPrefix    = "policy/log/"
	policyBundlePrefix = "policy/bundles/"
	policyReportPrefix = "policy/reports/"
	policyDraftPrefix  = "policy/drafts/"
)

func policyLogKey(sequence int64) string {
	return fmt.Sprintf("%s%08d.json", policyLogPrefix, sequence)
}
func policyBundleKey(digest string) string { return policyBundlePrefix + digest + ".zip" }
func policyReportKey(digest string) string { return policyReportPrefix + digest + ".json" }

// errNotWhole is of a log or a bundle that was read and is not what was signed: only then
// is everything denied. A store that gives no access says nothing about what it holds.
var errNotWhole = errors.New("what was published is not whole")

// unusable tells whether no policy can be loaded, for a reason that stays: then nobody is
// added, and who may stay stays (invariant 7).
func unusable(err error) bool {
	return weir.CodeOf(err) == weir.Invalid || weir.CodeOf(err) == weir.Denied
}

// policyLog reads the log, the first entry first.
func (h *House) policyLog(ctx context.Context) ([][]byte, error) {
	var out [][]byte
	for info, err := range h.store().List(ctx, policyLogPrefix) {
		if err != nil {
			return nil, err
		}
		if info.Key != policyLogKey(int64(len(out))+1) {
			return nil, weir.Errorf(weir.Denied, "%w: the log of policies lacks entry %d", errNotWhole, len(out)+1).Then("restore the store from a backup")
		}
		b, err := h.store().ReadFile(ctx, info.Key)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// PolicyStanding is what the log of published policies says.
func (h *House) PolicyStanding(ctx context.Context, workspace string) (revisions.Standing, error) {
	log, err := h.policyLog(ctx)
	if err != nil {
		return revisions.Standing{}, err
	}
	return revisions.Fold(workspace, log)
}

// Enforced is Ruling for what a run does: by the clock, or by the run's now where that is
// later. A run that was left behind, or whose now somebody chose in the past, brings no
// older revision back and does not get round policy_max_age; one ahead looks ahead.
func (h *House) Enforced(ctx context.Context, p *project.Project, now time.Time) (*policies.Gate, error) {
	return h.Ruling(ctx, p, h.enforcedAt(now))
}

func (h *House) enforcedAt(now time.Time) time.Time {
	if clock := h.Clock(); clock.After(now) {
		return clock
	}
	return now
}

// Ruling is the gate that rules at a moment, which may be past: runs ask Enforced. Without signers it is the built-in policy,
// or that of the project's folder. With them it is the last revision that two of them
// signed and that is effective by then; where there is none, where it is too old, or
// where the log is not what it was, everything is denied (D32).
//
// Invalid: weir.yaml names other signers than the log. Denied: the store gives no access.
// Then nobody is added and nobody who may stay is removed, as with rules that do not
// compile.
func (h *House) Ruling(ctx context.Context, p *project.Project, now time.Time) (*policies.Gate, error) {
	log, err := h.policyLog(ctx)
	if errors.Is(err, errNotWhole) {
		return h.distrust(ctx, err.Error())
	}
	if err != nil {
		return nil, err
	}
	seen, err := h.remembered()
	switch {
	case err != nil:
		return nil, err
	case !seen.Continues(log):
		return h.distrust(ctx, "the log of policies is not the one that was followed here before: entries are gone, or are others. If the store was restored from an older backup, see docs/consent.md")
	case len(log) == 0 && len(p.Signers) == 0:
		return h.unsigned(ctx, p)
	case len(log) == 0:
		return h.distrust(ctx, "weir.yaml names signers, and nothing is published yet: weir policy publish, then weir policy approve by another of them")
	}
	s, err := revisions.Fold(p.Name, log)
	if err != nil {
		return h.distrust(ctx, err.Error())
	}
	if err := sameSigners(p, s); err != nil {
		return nil, err
	}
	for _, why := range s.Ignored {
		h.Log.Warn("an entry in the log of policies counts for nothing", "why", why)
	}
	ruling, ok := s.Ruling(now)
	if !ok {
		return h.distrust(ctx, "no revision is approved and effective by "+now.UTC().Format(time.RFC3339))
	}
	if until := ruling.EffectiveAt.Add(p.PolicyMaxAge); p.PolicyMaxAge > 0 && !now.Before(until) {
		return h.distrust(ctx, fmt.Sprintf("revision %d is effective since %s, which is longer than policy_max_age of weir.yaml: "+PolicyEndNext, ruling.Number, ruling.EffectiveAt.Format(time.DateOnly)))
	}
	gate, err := h.published(ctx, ruling.Revision)
	if errors.Is(err, errNotWhole) {
		return h.distrust(ctx, err.Error())
	}
	if err != nil {
		return nil, err
	}
	return gate, h.remember(s.Remember())
}

// sameSigners holds weir.yaml against the log.
func sameSigners(p *project.Project, s revisions.Standing) error {
	if revisions.SignersDigest(p.Signers) == revisions.SignersDigest(s.Signers) {
		return nil
	}
	return weir.Errorf(weir.Invalid, "the signers are not those of the published policies").At("weir.yaml").
		Then("let two of those who sign now agree to the change: weir policy signers propose, then approve; or put them back")
}

// distrust is a gate that denies everybody.
func (h *House) distrust(ctx context.Context, why string) (*policies.Gate, error) {
	h.Log.Error("no policy may rule: everything is denied (D32)", "why", why)
	g, err := policies.Load(ctx, policies.Options{})
	if err != nil {
		return nil, err
	}
	return g.Distrust(why), nil
}

// published loads a revision's rules. errNotWhole: they are not what was signed, and no
// copy of what was is left on this machine; or they do not compile, or are others than
// those that were tested and rehearsed.
func (h *House) published(ctx context.Context, r revisions.Revision) (*policies.Gate, error) {
	b, err := h.bundle(ctx, r.Bundle)
	if err != nil {
		return nil, err
	}
	gate, err := policies.LoadPacked(ctx, b, fmt.Sprintf("revision %d", r.Number), policies.Options{})
	if weir.CodeOf(err) == weir.Invalid {
		return nil, weir.Errorf(weir.Invalid, "%w: %s", errNotWhole, err.Error())
	}
	if err == nil && gate.Revision() != r.Policy {
		return nil, weir.Errorf(weir.Denied, "%w: the bundle's rules are not those that revision %d names", errNotWhole, r.Number).Then("publish the rules anew")
	}
	return gate, err
}

// bundle reads what was signed, from the store or else from this machine's own copy.
func (h *House) bundle(ctx context.Context, digest string) ([]byte, error) {
	own := ""
	if h.Memory != "" {
		own = filepath.Join(h.Memory, digest+".zip")
	}
	b, err := h.store().ReadFile(ctx, policyBundleKey(digest))
	if err == nil && revisions.Digest(b) == digest {
		if _, missing := os.Stat(own); own != "" && missing != nil {
			err = h.memorise(own, b)
		}
		return b, err
	}
	if err != nil && weir.CodeOf(err) != weir.NotFound {
		return nil, err
	}
	if own != "" {
		if kept, kerr := os.ReadFile(own); kerr == nil && revisions.Digest(kept) == digest { //nolint:gosec // named by a digest
			h.Log.Warn("the store's copy of the policy is damaged; this machine's own is used", "bundle", digest)
			return kept, nil
		}
	}
	return nil, weir.Errorf(weir.Denied, "%w: the bundle %.12s is not what was signed", errNotWhole, digest).At(policyBundleKey(digest)).Then("restore the store from a backup, or publish the rules anew")
}

// remembered is the end of the log that was followed here last: the memory that a
// replayed older log can't change.
func (h *House) remembered() (revisions.Remembered, error) {
	var seen revisions.Remembered
	if h.Memory == "" {
		return seen, nil
	}
	b, err := os.ReadFile(h.memoryFile()) //nolint:gosec // below the project's own .weir
	if os.IsNotExist(err) {
		return seen, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &seen)
	}
	if err != nil {
		return seen, weir.Errorf(weir.Denied, "what is remembered of the log of policies can't be read: %w", err).At(h.memoryFile()).Then("see docs/consent.md, \"Restored from a backup\"")
	}
	return seen, nil
}

func (h *House) memoryFile() string { return filepath.Join(h.Memory, "log.json") }

func (h *House) remember(seen revisions.Remembered) error {
	if was, err := h.remembered(); h.Memory == "" || err != nil || was == seen || was.Sequence > seen.Sequence {
		return err
	}
	b, err := json.Marshal(seen)
	if err != nil {
		return weir.Errorf(weir.Internal, "%w", err)
	}
	return h.memorise(h.memoryFile(), b)
}

// memorise writes a file whole or not at all.
func (h *House) memorise(path string, b []byte) error {
	err := os.MkdirAll(h.Memory, 0o700)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(h.Memory, ".new-*"); err == nil {
			_, err = f.Write(b)
			if cerr := f.Close(); err == nil {
				err = cerr
			}
			if err == nil {
				err = os.Rename(f.Name(), path)
			}
			if err != nil {
				_ = os.Remove(f.Name())
			}
		}
	}
	if err != nil {
		return weir.Errorf(weir.Unavailable, "remember the policy: %w", err).Then("check that the project's directory is writable and its disk has space")
	}
	return nil
}
