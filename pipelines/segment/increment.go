package segment

import (
	"context"
	"encoding/json"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/segment/index"
)

// Increment is the stage where the last run left an index that still holds: it reads
// the events that are new, and computes the profiles that something happened to, or
// that may come to something else by now. Of all others it copies the rows. Its
// tables are those that Pipeline would give (invariant 11); see
// docs/adr/20261123-incremental-segments.md.
//
//	scatter  new events to their profiles; where profiles have changed, all profiles;
//	         the tables' files to the partitions whose rows they hold
//	compute  a partition: who is touched, what they come to, and the tables with it
//	keep     the manifest of the index
var Increment = pipelines.Pipeline{
	Stage:   weir.SegmentIncrement,
	Sources: []string{"core.profiles", "core.events", "core.traits", "segment.memberships"},
	Steps: []pipelines.Step{
		{Name: "scatter", Run: scatterChanges},
		{Name: "compute", Run: increase},
		{Name: "keep", Run: keepOn},
	},
	Outputs: outputs,
}

// IncrementParams is what an increment depends on. Of core.events its spec lists only
// the files that the index does not know; core.profiles only where a file of it
// changed, and then all.
type IncrementParams struct {
	Params
	// Files are all files of the tables that the index will tell of.
	Files map[string][]weir.DataFile `json:"files"`
	// Profiles says that core.profiles is read.
	Profiles bool `json:"profiles,omitempty"`
	// Owners are the files of identity.identifiers that are new, and those that are
	// gone.
	OwnersAdded []weir.DataFile `json:"owners_added,omitempty"`
	OwnersGone  []weir.DataFile `json:"owners_gone,omitempty"`
}

// Why an increment that has begun can't be done; each names a count.
const (
	refusedIndex       = "index_unusable"
	refusedIdentifiers = "identifiers_moved"
	refusedProfile     = "profile_appeared"
)

// refuse ends an increment that the index does not allow.
func (x *increment) refuse(why string, cause error) error {
	return x.params.Keep.Refuse(x.t, why, cause)
}

// increment is what a task of one has.
type increment struct {
	*setup
	t    *pipelines.Task
	p    *IncrementParams
	from *index.Manifest
}

func newIncrement(ctx context.Context, t *pipelines.Task) (*increment, error) {
	p, err := pipelines.Params[IncrementParams](t)
	if err != nil {
		return nil, err
	}
	x := &increment{t: t, p: &p}
	if x.setup, err = pipelines.Shared(t, "setup", func() (*setup, error) { return newSetup(p.Params, t.Spec().Run.Now) }); err != nil {
		return nil, err
	}
	x.from, err = pipelines.Shared(t, "index", func() (*index.Manifest, error) {
		data, err := t.Store().ReadFile(ctx, p.Keep.From)
		if weir.CodeOf(err) == weir.NotFound { // swept since: other runs were faster
			return nil, x.refuse(refusedIndex, err)
		}
		if err != nil {
			return nil, err
		}
		return index.Parse(data)
	})
	return x, err
}

// left reads an object of the index.
func (x *increment) left(ctx context.Context, key string) (string, error) {
	data, err := pipelines.Left(ctx, x.t.Store().ReadFile, key)
	if code := weir.CodeOf(err); code == weir.NotFound || code == weir.Internal {
		return "", x.refuse(refusedIndex, err)
	}
	return data, err
}

// partRef is a file of a table whose rows are of one partition. To compute.
type partRef struct {
	Table string
	File  string // a weir.DataFile as JSON
	First string // the first row, in the order of the table
}

// askedRow has a partition computed, whatever else is sent to it. To compute.
type askedRow struct{ Partition int32 }

// scatterChanges reads a source file, or says where it belongs.
func scatterChanges(ctx context.Context, t *pipelines.Task) error {
	x, err := newIncrement(ctx, t)
	if err != nil {
		return err
	}
	if t.Partition() == 0 {
		if err := x.begin(ctx); err != nil {
			return err
		}
	}
	switch table, _, group := t.Source(); table {
	case "core.profiles":
		return x.scatterProfiles(ctx, t)
	case "core.events":
		return x.scatterNew(ctx)
	case "segment.memberships":
		if err := x.scatterHanded(ctx); err != nil {
			return err
		}
		return x.refer(ctx, table, group, "segment")
	default:
		return x.refer(ctx, table, group, "trait")
	}
}

// begin is done by one task of the run.
func (x *increment) begin(ctx context.Context) error {
	if err := x.report(x.t); err != nil {
		return err
	}
	for i := range max(1, x.t.Spec().Partitions) {
		if err := pipelines.Emit(x.t, "compute:asked", i, askedRow{int32(i)}); err != nil {
			return err
		}
	}
	return x.checkOwners(ctx)
}

// refer tells the partition of the task's files which they are. A file holds rows of
// one partition, since its task wrote it. Of a file that several tasks have parts of,
// the first tells.
func (x *increment) refer(ctx context.Context, table string, group int, second string) error {
	if group > 0 {
		return nil
	}
	for _, f := range x.t.Files() {
		text, err := json.Marshal(f)
		if err != nil {
			return weir.Errorf(weir.Internal, "encode a file: %w", err)
		}
		for b, err := range pipelines.FileBatches(ctx, x.t, f, []string{"profile_id", second}) {
			if err != nil {
				return err
			}
			if b.Rows.NumRows() == 0 {
				continue
			}
			profile, err := textColumn(b.Rows, "profile_id")
			if err != nil {
				return err
			}
			other, err := textColumn(b.Rows, second)
			if err != nil {
				return err
			}
			row := partRef{Table: table, File: string(text), First: profile.Value(0) + "\x00" + other.Value(0)}
			if second == "segment" {
				row.First = other.Value(0) + "\x00" + profile.Value(0)
			}
			if err := emit(x.t, "compute:files", profile.Value(0), row); err != nil {
				return err
			}
			break
		}
	}
	return nil
}

// scatterHanded sends memberships of profiles that handed over to their successors.
func (x *increment) scatterHanded(ctx context.Context) error {
	successors, err := x.successors(ctx, x.t)
	if err != nil || successors.None() {
		return err
	}
	for m, err := range pipelines.Rows[weir.Membership](ctx, x.t) {
		if err != nil {
			return err
		}
		if to := successors.Of(m.ProfileID); to != "" {
			if err := handOver(x.t, m.Segment, to, m.EnteredAt.UnixMicro()); err != nil {
				return err
			}
		}
	}
	return nil
}

// keepOn writes the manifest of an increment's index.
func keepOn(ctx context.Context, t *pipelines.Task) error {
	x, err := newIncrement(ctx, t)
	if err != nil {
		return err
	}
	m := &index.Manifest{Version: index.Version, Run: t.Spec().Run.ID, Parent: x.from.Run, Basis: x.from.Basis, Now: t.Spec().Run.Now,
		Began: x.from.Began, Partitions: x.from.Partitions, Files: x.p.Files, Base: x.from.Base, Increments: x.from.Increments + 1}
	if m.Parts, err = readParts(ctx, t); err != nil {
		return err
	}
	return writeManifest(t, x.params.Keep, m)
}
