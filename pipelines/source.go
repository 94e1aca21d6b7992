package pipelines

import (
	"context"
	"iter"
	"sort"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// How much of a table one first step's task reads, about: whichever is reached
// first. Tests lower them.
var (
	sourceBytes int64 = 32 << 20
	sourceRows  int64 = 128 << 10
)

// share is how many tasks' worth of reading some rows are.
func share(rows, bytes int64) float64 {
	return max(float64(rows)/float64(sourceRows), float64(bytes)/float64(sourceBytes))
}

// sourceTask is what one task of the first step reads: parts of one table.
type sourceTask struct {
	Table string       `json:"table"`
	Parts []sourcePart `json:"parts"`
}

// sourcePart is a file, or a range of its row groups.
type sourcePart struct {
	File   weir.DataFile `json:"file"`
	First  int           `json:"first,omitempty"`
	Groups int           `json:"groups,omitempty"` // 0: the whole file
	Rows   int64         `json:"rows"`
}

// rows is how many rows the task reads.
func (s *sourceTask) rows() (n int64) {
	for _, p := range s.Parts {
		n += p.Rows
	}
	return n
}

// sources cuts the inputs of p's first step into tasks. The cut depends on the
// spec alone.
func sources(ctx context.Context, s *object.Store, p Pipeline, spec *Spec) ([]sourceTask, error) {
	tables, err := p.sourceTables(spec)
	if err != nil {
		return nil, err
	}
	var tasks []sourceTask
	for _, table := range tables {
		files := append([]weir.DataFile(nil), spec.Inputs[table]...)
		sort.Slice(files, func(i, j int) bool { return files[i].Path < files[j].Path })
		small := sourceTask{Table: table}
		var rows, bytes int64
		for _, f := range files {
			if share(f.Rows, f.Bytes) > 1.5 {
				cut, err := cutFile(ctx, s, table, f)
				if err != nil {
					return nil, err
				}
				tasks = append(tasks, cut...)
				continue
			}
			small.Parts = append(small.Parts, sourcePart{File: f, Rows: f.Rows})
			rows, bytes = rows+f.Rows, bytes+f.Bytes
			if share(rows, bytes) >= 0.5 {
				tasks, small, rows, bytes = append(tasks, small), sourceTask{Table: table}, 0, 0
			}
		}
		if len(small.Parts) > 0 {
			tasks = append(tasks, small)
		}
	}
	return tasks, nil
}

// cutFile makes tasks of about one share out of a big file's row groups.
func cutFile(ctx context.Context, s *object.Store, table string, f weir.DataFile) ([]sourceTask, error) {
	groups, err := rowfile.Groups(ctx, s, f)
	if err != nil {
		return nil, err
	}
	n := len(groups)
	per := max(1, int(float64(n)/share(f.Rows, f.Bytes)))
	var tasks []sourceTask
	for first := 0; first < n; first += per {
		part := sourcePart{File: f, First: first, Groups: min(per, n-first)}
		for _, rows := range groups[first : first+part.Groups] {
			part.Rows += rows
		}
		tasks = append(tasks, sourceTask{Table: table, Parts: []sourcePart{part}})
	}
	return tasks, nil
}

// Files lists the files that a first step's task reads, or reads a part of.
func (t *Task) Files() []weir.DataFile {
	if t.source == nil {
		return nil
	}
	out := make([]weir.DataFile, len(t.source.Parts))
	for i, p := range t.source.Parts {
		out[i] = p.File
	}
	return out
}

// Rows reads the rows of a first step's task, in the order of file and position.
// T is the table's row type.
func Rows[T any](ctx context.Context, t *Task) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for row, err := range rows(t, func(d schema.Table, f weir.DataFile, group int) iter.Seq2[T, error] {
			if group < 0 {
				return rowfile.Scan[T](ctx, t.rt.store, d, []weir.DataFile{f})
			}
			return rowfile.ScanGroup[T](ctx, t.rt.store, d, f, group)
		}) {
			t.result.RowsIn++
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// View is some rows of a first step's task, before they are made.
type View = rowfile.View

// ViewList is an entry of a view's column that maps texts to lists of texts.
type ViewList = rowfile.List

// Chosen is Rows of those rows that choose wants: it looks at a few columns of
// some rows at a time. Only the columns that want names are read; nil: all.
// A row's maps are the caller's until the next row.
func Chosen[T any](ctx context.Context, t *Task, want func(column string) bool, choose func(v *View, chosen []bool) error) iter.Seq2[T, error] {
	look := func(v *View, chosen []bool) error {
		t.result.RowsIn += int64(v.Rows())
		return choose(v, chosen)
	}
	return rows(t, func(d schema.Table, f weir.DataFile, group int) iter.Seq2[T, error] {
		return rowfile.Choose[T](ctx, t.rt.store, d, []weir.DataFile{f}, group, want, look)
	})
}

// rows reads the parts of a first step's task: whole files, of group -1, and row
// groups.
func rows[T any](t *Task, scan func(d schema.Table, f weir.DataFile, group int) iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		if t.source == nil {
			yield(zero, weir.Errorf(weir.Internal, "step %s has no source rows", t.Step()))
			return
		}
		d, err := t.table(t.source.Table)
		if err != nil {
			yield(zero, err)
			return
		}
		for _, p := range t.source.Parts {
			first, end := -1, 0
			if p.Groups > 0 {
				first, end = p.First, p.First+p.Groups
			}
			for g := first; g < end; g++ {
				for row, err := range scan(d, p.File, g) {
					if !yield(row, err) || err != nil {
						return
					}
				}
			}
		}
	}
}

// Batch is some rows of a raw table, as Arrow.
type Batch struct {
	Rows arrow.RecordBatch // valid until the next one is asked for
	File weir.DataFile
	// First grows within a file: with the index of a row in Rows added, it orders
	// the file's rows.
	First int64
}

// Batches reads the raw table of a first step's task as Arrow batches, in the
// order of file and position. Columns nil reads all; columns that a file does
// not have are left out of its batches.
func Batches(ctx context.Context, t *Task, columns []string) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		if t.source == nil {
			yield(Batch{}, weir.Errorf(weir.Internal, "step %s has no source rows", t.Step()))
			return
		}
		each := func(f weir.DataFile, first int64, batches iter.Seq2[arrow.RecordBatch, error]) bool {
			for b, err := range batches {
				if err != nil {
					yield(Batch{}, err)
					return false
				}
				t.result.RowsIn += b.NumRows()
				n := b.NumRows()
				if !yield(Batch{Rows: b, File: f, First: first}, nil) {
					return false
				}
				first += n
			}
			return true
		}
		for _, p := range t.source.Parts {
			if p.Groups == 0 {
				if !each(p.File, 0, rowfile.ScanArrow(ctx, t.rt.store, []weir.DataFile{p.File}, columns)) {
					return
				}
				continue
			}
			for g := p.First; g < p.First+p.Groups; g++ {
				if !each(p.File, int64(g)<<32, rowfile.ScanArrowGroup(ctx, t.rt.store, p.File, columns, g)) {
					return
				}
			}
		}
	}
}

// RowGroup is a row group of a file that a first step's task reads.
type RowGroup struct {
	*rowfile.RowGroup
	t *Task
	f weir.DataFile
}

// Leaf is one leaf column of a row group, entry by entry.
type Leaf = rowfile.Leaf

// Batches reads the row group as Arrow, as the function does.
func (g *RowGroup) Batches(ctx context.Context, columns []string) iter.Seq2[arrow.RecordBatch, error] {
	return rowfile.ScanArrowGroup(ctx, g.t.rt.store, g.f, columns, g.Group)
}

// RowGroups are the row groups that a first step's task reads, in the order of file and
// position: for who reads leaves of them, which is faster than Arrow where a column has
// maps or lists. One is valid until the next is asked for.
func RowGroups(ctx context.Context, t *Task) iter.Seq2[*RowGroup, error] {
	return func(yield func(*RowGroup, error) bool) {
		if t.source == nil {
			yield(nil, weir.Errorf(weir.Internal, "step %s has no source rows", t.Step()))
			return
		}
		for _, p := range t.source.Parts {
			var groups []int
			for g := p.First; g < p.First+p.Groups; g++ {
				groups = append(groups, g)
			}
			for g, err := range rowfile.ScanGroups(ctx, t.rt.store, p.File, groups) {
				if err != nil {
					yield(nil, err)
					return
				}
				t.result.RowsIn += int64(g.Rows)
				if !yield(&RowGroup{g, t, p.File}, nil) {
					return
				}
			}
		}
	}
}

// FileBatches reads some columns of one file as Arrow batches, from any step; nil: all
// columns.
func FileBatches(ctx context.Context, t *Task, f weir.DataFile, columns []string) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		first := int64(0)
		for b, err := range rowfile.ScanArrow(ctx, t.rt.store, []weir.DataFile{f}, columns) {
			if err != nil {
				yield(Batch{}, err)
				return
			}
			n := b.NumRows()
			if !yield(Batch{Rows: b, File: f, First: first}, nil) {
				return
			}
			first += n
		}
	}
}

// InputBatches reads some columns of one of the spec's inputs as Arrow batches, from
// any step: for tables that every process keeps something of.
func InputBatches(ctx context.Context, t *Task, table string, columns []string) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		for _, f := range t.rt.spec.Inputs[table] {
			for b, err := range FileBatches(ctx, t, f, columns) {
				if !yield(b, err) || err != nil {
					return
				}
			}
		}
	}
}
