package resolve

import (
	"context"
	"hash/maphash"
	"maps"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/index"
)

// This file finds the owners of identifiers' values in an increment. Where there are
// events, all values go the way of a full run. Else only those are looked at that a
// changed record holds or held, or a record that changed profiles.

// identifiers sends on what is needed for identity.identifiers and
// identity.accounts.
func (x *increment) identifiers(ctx context.Context) error {
	patched, err := x.patches(ctx)
	if err != nil || patched && x.rules.People() == nil {
		return err
	}
	for part := range x.shelf.parts {
		held, err := x.held(ctx, func(p int) bool { return p == part }, func(v uint32, _ index.Held) bool { return x.is[v] })
		if err != nil {
			return err
		}
		for _, h := range held {
			if err := x.own(h, !patched); err != nil {
				return err
			}
		}
	}
	return nil
}

// own sends one value on, as the step own of a full run does.
func (x *increment) own(h heldBy, attribute bool) error {
	profile, row := x.profile(h.version), x.heldRow(h)
	if err := claim(x.task, x.rules, row, profile); err != nil || !attribute {
		return err
	}
	return pipelines.Emit(x.task, "attribute:owned", byValue(x.task, row.Kind, row.Value), owned(x.rules, row, profile))
}

func (x *increment) heldRow(h heldBy) heldRow {
	return heldRow{Kind: h.Kind, Value: h.Value, Blocked: h.Blocked, Account: x.shelf.kinds[h.version] == account, Mailbox: h.Mailbox}
}

// heldBy is a value with the version that holds it.
type heldBy struct {
	index.Held
	version uint32
}

// held lists values in the order of the log.
func (x *increment) held(ctx context.Context, parts func(int) bool, wanted func(v uint32, h index.Held) bool) ([]heldBy, error) {
	found, err := scanLog(ctx, x.shelf, index.Helds, parts, func(first uint32, n int, text string) (out []heldBy, _ error) {
		err := index.EachHeld(text, n, func(i int, h index.Held) {
			if v := first + uint32(i); wanted(v, h) {
				out = append(out, heldBy{h, v})
			}
		})
		return out, err
	})
	return slices.Concat(found...), err
}

// patchRow is a row of identity.identifiers as it has to be. To patch.
type patchRow struct {
	Kind      string
	Value     string
	Profile   string
	Ambiguous bool
	Gone      bool // nobody holds the value any more
}

// oldRow names the file of before. To patch.
type oldRow struct {
	Path  string
	Rows  int64
	Bytes int64
}

// patches sends the rows that change to patch, by the files that they are in. It
// returns false where that can't be done: there are events, or the files are not one
// a partition.
func (x *increment) patches(ctx context.Context) (bool, error) {
	files, ok, err := x.ownerFiles(ctx)
	if err != nil || !ok {
		return false, err
	}
	values, err := x.touchedValues(ctx)
	if err != nil {
		return false, err
	}
	for p, f := range files {
		if err := pipelines.Emit(x.task, "patch:old", p, oldRow{Path: f.Path, Rows: f.Rows, Bytes: f.Bytes}); err != nil {
			return false, err
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(values), compareIdentifiers) {
		v := values[id]
		v.settle()
		row := patchRow{Kind: id.kind, Value: id.value, Profile: v.owner, Ambiguous: v.ambiguous, Gone: !v.held}
		if err := pipelines.Emit(x.task, "patch:row", byValue(x.task, id.kind, id.value), row); err != nil {
			return false, err
		}
	}
	return true, nil
}

// ownerFiles finds the partition of each file of before.
func (x *increment) ownerFiles(ctx context.Context) (map[int]weir.DataFile, bool, error) {
	if seen(x.task) || x.shelf.manifest.Seen {
		return nil, false, nil
	}
	out := map[int]weir.DataFile{}
	for _, f := range x.params.Owners {
		for row, err := range pipelines.ScanFiles[weir.IdentifierOwner](ctx, x.task, identifiers, f) {
			if err != nil {
				return nil, false, err
			}
			p := byValue(x.task, row.Kind, row.Value)
			if contains(out, p) { // written by runs of other sizes, or compacted
				return nil, false, nil
			}
			out[p] = f
			break
		}
	}
	return out, true, nil
}

// touchedValues says of each value that may have another owner now what holds it.
func (x *increment) touchedValues(ctx context.Context) (map[identifier]*value, error) {
	moved, err := x.held(ctx, nil, func(v uint32, _ index.Held) bool {
		switch {
		case int(v) >= x.known:
			return true
		case !x.is[v]:
			return x.was[v]
		}
		return x.old.Profile[v] != x.next.Profile[v]
	})
	if err != nil {
		return nil, err
	}
	values := make(map[identifier]*value, len(moved))
	seed := maphash.MakeSeed() // of a filter: what it lets through does not show
	probe := make([]uint64, 1<<probeBits/64)
	slot := func(text string) uint64 { return maphash.String(seed, text) >> (64 - probeBits) }
	for _, h := range moved {
		values[identifier{h.Kind, h.Value}] = &value{}
		at := slot(h.Value)
		probe[at/64] |= 1 << (at % 64)
	}
	holders, err := x.held(ctx, nil, func(v uint32, h index.Held) bool {
		at := slot(h.Value)
		return probe[at/64]&(1<<(at%64)) != 0 && x.is[v]
	})
	if err != nil {
		return nil, err
	}
	for _, h := range holders {
		if v := values[identifier{h.Kind, h.Value}]; v != nil {
			v.hold(owned(x.rules, x.heldRow(h), x.profile(h.version)))
		}
	}
	x.task.Count("values_touched", int64(len(values)))
	return values, nil
}

// patch writes one partition of identity.identifiers: the rows of before, but for
// those that changed.
func patch(ctx context.Context, t *pipelines.Task) error {
	rows, err := pipelines.Read[patchRow](ctx, t, "row")
	if err != nil {
		return err
	}
	old, err := pipelines.Read[oldRow](ctx, t, "old")
	if err != nil {
		return err
	}
	w, err := pipelines.Output[weir.IdentifierOwner](t, identifiers, "")
	if err != nil {
		return err
	}
	put := func(row weir.IdentifierOwner) error {
		if row.Ambiguous {
			t.Count("identifiers_ambiguous", 1)
		}
		return w.Write(row)
	}
	next := func() error {
		row := rows[0]
		if rows = rows[1:]; row.Gone {
			return nil
		}
		return put(weir.IdentifierOwner{Kind: row.Kind, Value: row.Value, ProfileID: row.Profile, Ambiguous: row.Ambiguous})
	}
	for _, f := range old {
		for row, err := range pipelines.ScanFiles[weir.IdentifierOwner](ctx, t, identifiers, weir.DataFile{Path: f.Path, Rows: f.Rows, Bytes: f.Bytes}) {
			if err != nil {
				return err
			}
			if byValue(t, row.Kind, row.Value) != t.Partition() {
				return refuse(t, "identifiers_cut")
			}
			changed := false
			for len(rows) > 0 && !changed {
				c := compareIdentifiers(identifier{rows[0].Kind, rows[0].Value}, identifier{row.Kind, row.Value})
				if c > 0 {
					break
				}
				changed = c == 0
				if err := next(); err != nil {
					return err
				}
			}
			if changed {
				continue
			}
			if err := put(row); err != nil {
				return err
			}
		}
	}
	for len(rows) > 0 {
		if err := next(); err != nil {
			return err
		}
	}
	return nil
}
