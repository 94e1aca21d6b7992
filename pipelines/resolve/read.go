package resolve

import (
	"context"
	"encoding/binary"
	"strconv"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
	"github.com/weir-cdp/weir/pipelines/resolve/stableid"
)

// read takes apart one source file.
func read(ctx context.Context, t *pipelines.Task) error {
	r, err := rules(t)
	if err != nil {
		return err
	}
	table, _, _ := t.Source()
	switch table {
	case records:
		return readRecords(ctx, t, r)
	case events:
		s := sighting{task: t, rules: r}
		return each(pipelines.Rows[weir.Event](ctx, t), func(e weir.Event) error { return s.add(e.Identifiers) })
	case consents:
		s := sighting{task: t, rules: r}
		return each(pipelines.Rows[weir.Consent](ctx, t), func(c weir.Consent) error {
			return s.add(weir.Identifiers{c.Kind: {c.Value}})
		})
	case links:
		return each(pipelines.Rows[weir.Link](ctx, t), func(l weir.Link) error {
			return pipelines.Emit(t, "partition:prior", 0, priorRow{Record: l.RecordID, Profile: l.ProfileID})
		})
	case identifiers:
		return each(pipelines.Rows[weir.IdentifierOwner](ctx, t), func(o weir.IdentifierOwner) error {
			if !stableid.IsAnonymous(o.ProfileID) {
				return nil
			}
			return pipelines.Emit(t, "attribute:before", byValue(t, o.Kind, o.Value), beforeRow{Kind: o.Kind, Value: o.Value, Profile: o.ProfileID})
		})
	case merges:
		return each(pipelines.Rows[weir.Merge](ctx, t), func(m weir.Merge) error { return readMerge(t, m) })
	}
	return weir.Errorf(weir.Internal, "resolve does not read this table").At(table)
}

func readRecords(ctx context.Context, t *pipelines.Task, r *evidence.Rules) error {
	c, err := newComparing(ctx, t)
	if err != nil {
		return err
	}
	p, err := pipelines.Params[Params](t)
	if err != nil {
		return err
	}
	k := newKeeper(t, p.Keep)
	// What nothing here reads of a record is not taken from the files.
	var d rowContents
	all := func(v *pipelines.View, chosen []bool) error {
		for i := range chosen {
			chosen[i] = true
		}
		if k == nil {
			return nil
		}
		return d.look(v)
	}
	rows := pipelines.Chosen[weir.Record](ctx, t, isRead, all)
	n := 0
	if err := each(rows, func(rec weir.Record) error {
		n++
		return readRecord(t, r, c, k, &d, rec, placeOfRow(t, n-1))
	}); err != nil {
		return err
	}
	if err := k.flush(); err != nil || c == nil {
		return err
	}
	return c.flush(t)
}

func readRecord(t *pipelines.Task, r *evidence.Rules, c *comparing, k *keeper, d *rowContents, rec weir.Record, place int64) error {
	t.Count("records", 1)
	e := r.Of(&rec)
	t.Count("keys_cut", int64(e.Cut))
	comparable, digest := false, evidence.Hash{}
	if c != nil {
		var err error
		digest = recordDigest(rec.ID)
		if comparable, err = c.add(e.Usable(&rec), digest); err != nil {
			return err
		}
	}
	bare := len(e.Keys) == 0 && !comparable
	if bare {
		t.Count("unlinkable", 1)
	}
	for _, k := range e.Keys {
		err := pipelines.Emit(t, "key", byHash(t, k.Anchor), keyRow{
			Of: string(rec.Kind), Rule: k.Rule, Hi: k.Hash.Hi, Lo: k.Hash.Lo, AnchorHi: k.Anchor.Hi, AnchorLo: k.Anchor.Lo,
			Record: rec.ID, Tells: evidence.Pack(k.Tells)})
		if err != nil {
			return err
		}
	}
	for _, h := range e.Held {
		if h.Blocked != "" {
			t.Count("blocked_"+string(h.Blocked), 1)
		}
		row := heldRow{Place: place, Kind: h.Kind, Value: h.Value, Blocked: h.Blocked != "", Account: rec.Kind == weir.Account, Mailbox: h.Blocked == evidence.SharedMailbox}
		if err := pipelines.Emit(t, "attribute:held", byValue(t, h.Kind, h.Value), row); err != nil {
			return err
		}
	}
	for _, kind := range e.Contradicted {
		// Under no stream: one scope of ops.quarantine that each run replaces.
		if err := pipelines.Quarantine(t, contradiction(weir.Quarantined{}, rec.ID, kind)); err != nil {
			return err
		}
	}
	content := evidence.Hash{}
	if k != nil {
		content = d.of(&rec)
	}
	if err := k.add(&rec, content, &e, bare, c.featuresOf(comparable), c.keysOf(comparable)); err != nil {
		return err
	}
	return pipelines.Emit(t, "partition:record", 0, recordRow{Record: rec.ID, Kind: string(rec.Kind), Limits: packLimited(e.Limited),
		Hi: digest.Hi, Lo: digest.Lo, Bare: bare, Place: place})
}

// placeOfRow numbers the rows that read takes: its task, and in the lower half how many
// rows come before. It is also the place of a record in the index's log.
func placeOfRow(t *pipelines.Task, before int) int64 { return int64(t.Partition())<<32 | int64(before) }

func contradiction(q weir.Quarantined, record, identifier string) weir.Quarantined {
	q.Origin, q.Field, q.Reason = record, identifier, "one record holds more values than the hard limit: none of them is used"
	return q
}

func readMerge(t *pipelines.Task, m weir.Merge) error {
	for _, id := range []string{m.From, m.To} {
		to := "partition:used"
		if stableid.IsAnonymous(id) {
			to = "place:used"
		}
		if id == "" {
			continue
		}
		if err := pipelines.Emit(t, to, 0, usedRow{ID: id}); err != nil {
			return err
		}
	}
	return nil
}

const limitedSize = 10

func packLimited(ls []evidence.Limited) []byte {
	b := make([]byte, 0, len(ls)*limitedSize)
	for _, l := range ls {
		b = binary.LittleEndian.AppendUint16(b, l.Index)
		b = binary.LittleEndian.AppendUint64(b, l.Hash)
	}
	return b
}

func unpackLimited(b []byte) []evidence.Limited {
	var ls []evidence.Limited
	for ; len(b) >= limitedSize; b = b[limitedSize:] {
		ls = append(ls, evidence.Limited{Index: binary.LittleEndian.Uint16(b), Hash: binary.LittleEndian.Uint64(b[2:])})
	}
	return ls
}

// plural writes a count for a reason.
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + one + "s"
}
