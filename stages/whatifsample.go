package stages

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	resolver "github.com/weir-cdp/weir/pipelines/resolve"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// This file takes a sample of whole profiles, with all records that could be
// compared with one of theirs.

// below is the digest below which a share of all digests is.
func below(share float64) string { return fmt.Sprintf("%08x", uint64(share*math.MaxUint32)) }

// sampledProfile is the SQL for whether a profile is in the sample, inSample the same in Go.
func sampledProfile(column string, share float64) string {
	if share >= 1 {
		return "true"
	}
	return "substr(sha256(" + column + "), 1, 8) < '" + below(share) + "'"
}

func inSample(profile string, share float64) bool {
	sum := sha256.Sum256([]byte(profile))
	return hex.EncodeToString(sum[:4]) < below(share)
}

// sample makes the rehearsal see a share of the profiles only: their records, and
// those that share a key with one of them under the rehearsed identity.yaml, of a
// rule or of the model's blocks. The model is trained on all records before. The
// function that it returns removes what was written for it.
func (r *rehearsal) sample(ctx context.Context, share float64, progress func(weir.Stage, weir.Progress)) (sweep func() error, err error) {
	const records = "core.records"
	sweep = func() error { return nil }
	if share >= 1 || r.pins[records] == 0 {
		return sweep, nil
	}
	if _, _, err := r.begin(ctx, weir.Resolve, told(weir.Resolve, progress)); err != nil {
		return sweep, err
	}
	h := r.house
	t, files, err := h.pinned(ctx, records, r.pins[records])
	if err != nil {
		return sweep, err
	}
	k, err := r.keys(ctx)
	if err != nil {
		return sweep, err
	}
	looked, err := r.lookedAt(ctx, share)
	if err != nil {
		return sweep, err
	}
	for rec, err := range rowfile.Scan[weir.Record](ctx, h.store(), t, files) {
		if err != nil {
			return sweep, err
		}
		if looked[rec.ID] {
			k.of(&rec, func(key sharedKey) bool { k.wanted[key] = struct{}{}; return true })
		}
	}
	w, err := rowfile.NewTableWriter[weir.Record](ctx, h.store(), t, "rehearsal-"+string(r.run.ID))
	if err != nil {
		return sweep, err
	}
	for rec, err := range rowfile.Scan[weir.Record](ctx, h.store(), t, files) {
		if err != nil {
			return sweep, err
		}
		take := looked[rec.ID]
		if !take {
			k.of(&rec, func(key sharedKey) bool { _, take = k.wanted[key]; return !take })
		}
		if !take {
			continue
		}
		if err := w.Write(rec); err != nil {
			return sweep, err
		}
	}
	written, err := w.Close()
	if err != nil {
		return sweep, err
	}
	r.files[records] = written
	return func() error {
		var keys []string
		for _, f := range written {
			keys = append(keys, f.Path)
		}
		return h.store().Delete(context.WithoutCancel(ctx), keys...)
	}, nil
}

// lookedAt reads the records of the sampled profiles.
func (r *rehearsal) lookedAt(ctx context.Context, share float64) (map[string]bool, error) {
	out := map[string]bool{}
	t, files, err := r.house.pinned(ctx, "identity.links", r.pins["identity.links"])
	if err != nil {
		return nil, err
	}
	for l, err := range rowfile.Scan[weir.Link](ctx, r.house.store(), t, files) {
		if err != nil {
			return nil, err
		}
		if inSample(l.ProfileID, share) {
			out[l.RecordID] = true
		}
	}
	return out, nil
}

// sharedKey is what two records may have in common: a rule's key, or a block.
type sharedKey struct {
	kind   weir.Kind
	hi, lo uint64
}

// keying finds the keys of records.
type keying struct {
	rules   *evidence.Rules
	models  map[weir.Kind]*model.Model
	wanted  map[sharedKey]struct{}
	scratch []model.Key
}

func (r *rehearsal) keys(ctx context.Context) (*keying, error) {
	k := &keying{models: map[weir.Kind]*model.Model{}, wanted: map[sharedKey]struct{}{}}
	var err error
	if k.rules, err = evidence.Compile(r.project.Identity); err != nil {
		return nil, err
	}
	refs, err := r.house.models(ctx, r.project)
	if err != nil {
		return nil, err
	}
	for _, ref := range refs {
		m, err := resolver.ReadModel(ctx, r.house.store().ReadFile, ref.Key)
		if weir.CodeOf(err) == weir.NotFound {
			continue // of a kind without records
		}
		if err != nil {
			return nil, err
		}
		k.models[ref.Kind] = m
	}
	return k, nil
}

// of calls yield for each key of a record, until it says no.
func (k *keying) of(rec *weir.Record, yield func(sharedKey) bool) {
	e := k.rules.Of(rec)
	for _, x := range e.Keys {
		if !yield(sharedKey{rec.Kind, x.Hash.Hi, x.Hash.Lo}) {
			return
		}
	}
	m := k.models[rec.Kind]
	if m == nil {
		return
	}
	f := m.Prepare(e.Usable(rec))
	k.scratch = m.AppendKeys(k.scratch[:0], &f)
	for _, x := range k.scratch {
		if !yield(sharedKey{rec.Kind, uint64(x.Rule), x.Hash}) {
			return
		}
	}
}
