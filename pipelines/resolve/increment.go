package resolve

import (
	"context"
	"encoding/binary"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
	"github.com/weir-cdp/weir/pipelines/resolve/index"
)

// Increment is the stage where the last run left an index that still holds: it reads
// the files of core.records that are new, compares what changed, and solves the
// components that are touched. Its tables are those that Pipeline would give from
// the same links (invariant 11); see docs/adr/20261123-incremental-resolve.md.
//
//	read         changed records: to the log of the index
//	partition    one task: all else about records; writes their tables and the state
//	patch        by partition of identity.identifiers: changes of its rows
//	attribute …  as in Pipeline, where there are events
var Increment = pipelines.Pipeline{
	Stage:   weir.Increment,
	Sources: []string{records, events, consents, identifiers, merges},
	Steps: []pipelines.Step{
		{Name: "read", Run: readChanges},
		{Name: "partition", Run: increase},
		{Name: "patch", Run: patch},
		{Name: "attribute", Run: attribute},
		{Name: "place", Run: place},
		{Name: "identifiers", Run: write},
		{Name: "belong", Run: belong},
		{Name: "accounts", Run: accounts},
	},
	Outputs: outputs,
}

// IncrementParams is what an increment depends on. Of core.records its spec lists
// only the files that the index does not know.
type IncrementParams struct {
	Params
	Lost []uint32 `json:"lost,omitempty"` // origins of the index (Keep.From) of which a file is gone
	// Owners are the files of identity.identifiers, where nobody is anonymous and
	// nothing was seen in events: then they need not be a source.
	Owners []weir.DataFile `json:"owners,omitempty"`
}

// Most is the greatest part of an index's living versions that may be dead, or not
// of the full run that began it, in per cent. Beyond it a full run is due, which
// costs little more and leaves a compact index.
const Most = 50

// refuse ends an increment that the index does not allow. Why names a count.
func refuse(t *pipelines.Task, why string) error {
	p, err := pipelines.Params[IncrementParams](t)
	if err != nil {
		return err
	}
	return p.Keep.Refuse(t, why, nil)
}

// sameRow lists versions that a task read again and found unchanged. To partition.
type sameRow struct {
	Task     int64
	Versions []byte // of 4 bytes each
}

// readChanges takes one source file apart: of core.records, what the index does not
// know.
func readChanges(ctx context.Context, t *pipelines.Task) error {
	p, err := pipelines.Params[IncrementParams](t)
	if err != nil {
		return err
	}
	k := newKeeper(t, p.Keep)
	if table, _, _ := t.Source(); table != records {
		if err := read(ctx, t); err != nil {
			return err
		}
		return k.flush()
	}
	c := changed{task: t, keeper: k}
	if c.rules, err = rules(t); err != nil {
		return err
	}
	if c.models, err = models(ctx, t); err != nil {
		return err
	}
	if c.shelf, err = shelved(ctx, t, p.Keep.From); err != nil {
		return spared(t, err)
	}
	if err := each(pipelines.Chosen[weir.Record](ctx, t, isRead, c.choose), func(rec weir.Record) error { return c.add(&rec) }); err != nil {
		return err
	}
	if err := c.flush(); err != nil {
		return err
	}
	return k.flush()
}

// changed sorts the records of one task.
type changed struct {
	task     *pipelines.Task
	keeper   *keeper
	rules    *evidence.Rules
	models   modelsByKind
	shelf    *shelf
	contents contents
	next     uint32 // the version after the last that was found
	same     []byte
}

// version is the one that lives of a record. Files are read in the order in which they
// were, so most come after the one before.
func (c *changed) version(id string) (uint32, bool) {
	v := c.next
	if int(v) >= len(c.shelf.ids) || c.shelf.ids[v] != id || c.shelf.state.Origin[v] == index.Dead {
		var known bool
		if v, known = c.shelf.find(recordDigest(id)); !known {
			return 0, false
		}
	}
	c.next = v + 1
	return v, true
}

// unchanged notes a version that was read again.
func (c *changed) unchanged(v uint32) error {
	if c.same = binary.LittleEndian.AppendUint32(c.same, v); len(c.same) < packedBytes {
		return nil
	}
	return c.flush()
}

func (c *changed) add(rec *weir.Record) error {
	content := index.Content(rec)
	if v, known := c.shelf.find(recordDigest(rec.ID)); known && c.shelf.content[v] == content {
		return c.unchanged(v)
	}
	e := c.rules.Of(rec)
	c.task.Count("keys_cut", int64(e.Cut))
	m := c.models[rec.Kind]
	if m == nil {
		return c.keeper.add(rec, content, &e, len(e.Keys) == 0, nil, nil)
	}
	f := m.Prepare(e.Usable(rec))
	keys := m.AppendKeys(nil, &f)
	if len(keys) == 0 {
		return c.keeper.add(rec, content, &e, len(e.Keys) == 0, nil, nil)
	}
	return c.keeper.add(rec, content, &e, false, f.Append(nil), keys)
}

func (c *changed) flush() error {
	if len(c.same) == 0 {
		return nil
	}
	row := sameRow{Task: int64(c.task.Partition()), Versions: c.same}
	c.same = nil
	return pipelines.Emit(c.task, "partition:same", 0, row)
}
