package lakehouse

import (
	"context"
	"maps"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// Files below smallFile bytes are merged, at most mergeBytes of them at once: a
// group is sorted in memory, where it takes several times its size in Parquet.
const (
	smallFile  = 16 << 20
	mergeBytes = 32 << 20
	mergeFiles = 4 // fewer small files of a scope stay as they are
)

// CompactResult says what compaction merged, or would.
type CompactResult struct {
	Table    string
	DryRun   bool
	Before   int // small files merged
	After    int // into so many; 0 in a dry run
	Rows     int64
	Bytes    int64    // of the small files
	Snapshot Snapshot // after it
}

// Compact merges the small files of each scope. Rows are the same, in the order of
// the table's key within each new file. Readers see it once a later run pins a
// snapshot that has it; a scope's rows written anew after it count as changed once.
func (l *Lake) Compact(ctx context.Context, name string, dryRun bool) (CompactResult, error) {
	out := CompactResult{Table: name, DryRun: dryRun}
	unlock, err := l.lock(ctx, name)
	if err != nil {
		return out, err
	}
	defer unlock()
	t, err := l.load(ctx, name)
	if err != nil {
		return out, err
	}
	held, err := l.held(ctx, name, t, t.CurrentSnapshot())
	if err != nil {
		return out, err
	}
	out.Snapshot = snapshotOf(t.CurrentSnapshot(), t.Properties())
	var merges []merge
	for _, g := range mergeGroups(name, held) {
		for _, key := range g.from {
			out.Before++
			out.Rows += held[key].Count()
			out.Bytes += held[key].FileSizeBytes()
		}
		if dryRun {
			continue
		}
		if g.to, err = l.mergeFiles(ctx, name, t, held, g); err != nil {
			return out, err
		}
		out.After += len(g.to)
		merges = append(merges, g)
	}
	if len(merges) == 0 {
		return out, nil
	}
	err = l.retry(ctx, "compact", name, func() (retriable bool, err error) {
		s, retriable, err := l.commitMerges(ctx, name, merges)
		if err == nil {
			out.Snapshot = s
		}
		return retriable, err
	})
	return out, err
}

// merge is files of one scope that become others with the same rows.
type merge struct {
	scope string
	from  []string // object keys, sorted
	to    []weir.DataFile
}

func mergeGroups(name string, held map[string]iceberg.DataFile) []merge {
	small := map[string][]string{}
	for _, key := range slices.Sorted(maps.Keys(held)) {
		scope, ok := scopeOf(name, key)
		if ok && held[key].FileSizeBytes() < smallFile && held[key].Count() > 0 {
			small[scope] = append(small[scope], key)
		}
	}
	var out []merge
	for _, scope := range slices.Sorted(maps.Keys(small)) {
		var bytes int64
		g := merge{scope: scope}
		for _, key := range small[scope] {
			if bytes+held[key].FileSizeBytes() > mergeBytes && len(g.from) > 0 {
				out = append(out, g)
				g, bytes = merge{scope: scope}, 0
			}
			g.from = append(g.from, key)
			bytes += held[key].FileSizeBytes()
		}
		out = append(out, g)
	}
	return slices.DeleteFunc(out, func(g merge) bool { return len(g.from) < mergeFiles })
}

// mergeFiles reads a group by field id in the table's present schema, so that
// files of older schemas fit, and writes it sorted.
func (l *Lake) mergeFiles(ctx context.Context, name string, t *table.Table, held map[string]iceberg.DataFile, g merge) ([]weir.DataFile, error) {
	declared, err := declaration(name, t)
	if err != nil {
		return nil, err
	}
	tasks := make([]table.FileScanTask, len(g.from))
	for i, key := range g.from {
		tasks[i] = table.FileScanTask{File: held[key], Length: held[key].FileSizeBytes()}
	}
	fields, batches, err := t.Scan().ReadTasks(ctx, tasks)
	if err != nil {
		return nil, failed("read files of", name, err)
	}
	var read []arrow.RecordBatch
	defer func() {
		for _, b := range read {
			b.Release()
		}
	}()
	for b, err := range batches {
		if err != nil {
			return nil, failed("read files of", name, err)
		}
		read = append(read, b)
	}
	return l.writeSorted(ctx, declared, fields, g.scope, read)
}

func (l *Lake) writeSorted(ctx context.Context, t schema.Table, fields *arrow.Schema, scope string, read []arrow.RecordBatch) ([]weir.DataFile, error) {
	w, err := rowfile.NewArrowWriter(ctx, l.store, t, fields, scope)
	if err != nil {
		return nil, err
	}
	for b, err := range sortedBatches(ctx, fields, read, t.Key) {
		if err == nil {
			err = w.Write(b)
		}
		if err != nil {
			w.Abort()
			return nil, failed("merge files of", t.Name, err)
		}
	}
	return w.Close()
}

// commitMerges swaps the files of those merges whose sources are all still there:
// a scope replaced meanwhile needs no merging any more.
func (l *Lake) commitMerges(ctx context.Context, name string, merges []merge) (_ Snapshot, retriable bool, err error) {
	t, err := l.load(ctx, name)
	if err != nil {
		return Snapshot{}, false, err
	}
	held, err := l.held(ctx, name, t, t.CurrentSnapshot())
	if err != nil {
		return Snapshot{}, false, err
	}
	c := &commitTry{lake: l, commit: Commit{Table: name}, built: map[string]iceberg.DataFile{}}
	var remove []iceberg.DataFile
	var keys []string
	for _, g := range merges {
		if slices.ContainsFunc(g.from, func(key string) bool { return held[key] == nil }) {
			continue
		}
		for _, key := range g.from {
			remove = append(remove, held[key])
		}
		for _, f := range g.to {
			keys = append(keys, f.Path)
		}
	}
	if len(remove) == 0 {
		return snapshotOf(t.CurrentSnapshot(), t.Properties()), false, nil
	}
	add, err := c.entries(ctx, t, keys)
	if err != nil {
		return Snapshot{}, false, err
	}
	txn, err := t.NewTransactionOnBranchWithError(table.MainBranch)
	if err == nil {
		err = txn.ReplaceDataFilesWithDataFiles(ctx, remove, add,
			iceberg.Properties{"weir.maintenance": "compact"}, table.WithoutAutoNameMapping())
	}
	if err != nil {
		return Snapshot{}, false, failed("compact", name, err)
	}
	if t, err = txn.Commit(ctx); err != nil {
		return Snapshot{}, true, err
	}
	return snapshotOf(t.CurrentSnapshot(), t.Properties()), false, nil
}
