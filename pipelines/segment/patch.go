package segment

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
)

// This file writes the tables of an increment: rows of profiles that are not computed
// are copied by columns, in the runs in which they lie.

// patchTables writes the partition's traits and memberships; its files stay where
// nobody is computed or gone.
func (y *increasing) patchTables(ctx context.Context) error {
	refs, err := pipelines.Read[partRef](ctx, y.t, "files")
	if err != nil {
		return err
	}
	slices.SortFunc(refs, func(a, b partRef) int { return strings.Compare(a.First, b.First) })
	files := map[string][]weir.DataFile{}
	for _, r := range refs {
		var f weir.DataFile
		if err := json.Unmarshal([]byte(r.File), &f); err != nil {
			return weir.Errorf(weir.Internal, "decode a file: %w", err)
		}
		files[r.Table] = append(files[r.Table], f)
	}
	affected := y.affected()
	if len(affected) == 0 {
		for table, old := range files {
			pipelines.Reuse(y.t, table, "", old...)
		}
		return nil
	}
	out := y.partition.cohort.Outcome()
	for name, n := range map[string]int64{"values_not_numbers": out.Skipped, "currencies_mixed": out.Mixed,
		"expressions_failed": out.Failed, "sequences_cut": out.Forgot} {
		if n > 0 {
			y.t.Count(name, n)
		}
	}
	if err := y.patchTraits(ctx, files["core.traits"], affected, out.Traits); err != nil {
		return err
	}
	return y.patchMemberships(ctx, files["segment.memberships"], affected, out.Segments)
}

// eachRows reads files in their order. The batch is released after do.
func (y *increasing) eachRows(ctx context.Context, t *table, files []weir.DataFile, do func(rec arrow.RecordBatch) error) error {
	for _, f := range files {
		for b, err := range pipelines.FileBatches(ctx, y.t, f, nil) {
			if err != nil {
				return err
			}
			rec, err := shaped(b.Rows, t.w.Schema())
			if err != nil {
				return err
			}
			err = do(rec)
			rec.Release()
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// shaped gives a batch of a file the columns of the table as it is now.
func shaped(rec arrow.RecordBatch, s *arrow.Schema) (arrow.RecordBatch, error) {
	cols := make([]arrow.Array, s.NumFields())
	for i, f := range s.Fields() {
		at := rec.Schema().FieldIndices(f.Name)
		if len(at) == 0 || !arrow.TypeEqual(rec.Column(at[0]).DataType(), f.Type) {
			return nil, weir.Errorf(weir.Internal, "a file of the table has no column %s like it", f.Name)
		}
		cols[i] = rec.Column(at[0])
	}
	return array.NewRecordBatch(s, cols, rec.NumRows()), nil
}

// fewRows is up to how many rows that are copied join those that are made: to cut a
// batch for them would take longer. Tests lower it.
var fewRows = 400

// copy writes rows of a batch as they are; what was built before comes first.
func (t *table) copy(rec arrow.RecordBatch, from, to int) error {
	if t.mixed = true; to-from <= fewRows && t.append(rec, from, to) {
		if t.rows += to - from; t.rows < writtenRows {
			return nil
		}
		return t.flush()
	}
	if err := t.flush(); err != nil {
		return err
	}
	part := rec.NewSlice(int64(from), int64(to))
	defer part.Release()
	return t.w.Write(part)
}

// append adds rows to those that are being built; false, and nothing is added, where
// a column is of a type that the tables of this stage do not have.
func (t *table) append(rec arrow.RecordBatch, from, to int) bool {
	if slices.Contains(t.cells, nil) {
		return false
	}
	for i, c := range t.cells {
		c.copied(rec.Column(i), from, to)
	}
	return true
}

// patchTraits writes the traits by profile.
func (y *increasing) patchTraits(ctx context.Context, files []weir.DataFile, affected []string, traits []tally.TraitColumn) error {
	w, err := y.partition.traitTable()
	if err != nil {
		return err
	}
	ids, next := y.partition.profiles.IDs, 0
	below := func(id string) error { // the fresh ones up to an id
		for ; next < len(ids) && ids[next] <= id; next++ {
			if err := w.profileRows(traits, next, ids[next]); err != nil {
				return err
			}
		}
		return nil
	}
	at := 0 // in affected
	if err := y.eachRows(ctx, w.table, files, func(rec arrow.RecordBatch) error {
		profile, err := textColumn(rec, "profile_id")
		if err != nil {
			return err
		}
		start := 0
		for i, n := 0, int(rec.NumRows()); i < n; i++ {
			id := profile.Value(i)
			for at < len(affected) && affected[at] < id {
				if err := w.copy(rec, start, i); err != nil {
					return err
				}
				if err := below(affected[at]); err != nil {
					return err
				}
				start = i
				at++
			}
			if at < len(affected) && affected[at] == id {
				if err := w.copy(rec, start, i); err != nil {
					return err
				}
				start = i + 1
			}
		}
		return w.copy(rec, start, int(rec.NumRows()))
	}); err != nil {
		return err
	}
	if len(ids) > 0 {
		if err := below(ids[len(ids)-1]); err != nil {
			return err
		}
	}
	return w.flush()
}
