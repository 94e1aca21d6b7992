package lakehouse

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

const runsTable = "ops.runs"

// Each recorded run appends a small file and a snapshot to ops.runs. RecordRun
// merges the files when there are more than maxRunFiles, since readers open them
// all, and drops the oldest snapshots beyond maxRunSnapshots down to half as many,
// since each commit rewrites their list; nobody pins ops.runs itself.
const (
	maxRunFiles     = 50
	maxRunSnapshots = 200
)

// runCache keeps the rows of ops.runs by file (files never change) and sequence
// numbers by snapshot (they never change either).
type runCache struct {
	mu        sync.Mutex
	table     *schema.Table // as ensured
	rows      map[string][]weir.StageRun
	sequences map[int64]int64
}

// RecordRun appends a row to ops.runs: with status done, unchanged or partial it
// makes the snapshots it names current for readers. The same row twice is one.
func (l *Lake) RecordRun(ctx context.Context, run weir.StageRun) error {
	t, err := l.runsTable(ctx)
	if err != nil {
		return err
	}
	w, err := rowfile.NewTableWriter[weir.StageRun](ctx, l.store, t, "")
	if err != nil {
		return err
	}
	if err := w.Write(run); err != nil {
		w.Abort()
		return err
	}
	files, err := w.Close()
	if err != nil {
		return err
	}
	text, err := json.Marshal(run)
	if err != nil {
		return weir.Errorf(weir.Internal, "run %s can't be recorded: %w", run.RunID, err)
	}
	sum := sha256.Sum256(text)
	_, err = l.Commit(ctx, Commit{
		ID:     string(run.RunID) + "/" + string(run.Stage) + "/" + run.Part + "/run/" + hex.EncodeToString(sum[:8]),
		Table:  runsTable,
		Scopes: []weir.TableFiles{{Table: runsTable, Files: files}},
	})
	if err != nil {
		return err
	}
	return l.tidyRuns(ctx)
}

func (l *Lake) tidyRuns(ctx context.Context) error {
	t, err := l.load(ctx, runsTable)
	if err != nil {
		return err
	}
	if s := t.CurrentSnapshot(); s != nil && s.Summary != nil {
		files, err := strconv.Atoi(s.Summary.Properties["total-data-files"])
		if err != nil || files > maxRunFiles { // not said: look
			if _, err := l.Compact(ctx, runsTable, false); err != nil {
				return err
			}
		}
	}
	if len(t.Metadata().Snapshots()) <= maxRunSnapshots {
		return nil
	}
	newest := time.UnixMilli(t.Metadata().LastUpdatedMillis())
	_, err = l.expire(ctx, runsTable, ExpirePolicy{Now: newest.Add(time.Hour), KeepLast: maxRunSnapshots / 2})
	return err
}

func (l *Lake) runsTable(ctx context.Context) (schema.Table, error) {
	l.runs.mu.Lock()
	t := l.runs.table
	l.runs.mu.Unlock()
	if t != nil {
		return *t, nil
	}
	got, err := l.Ensure(ctx, schema.Named(runsTable))
	if err != nil {
		return got, err
	}
	l.runs.mu.Lock()
	l.runs.table = &got
	l.runs.mu.Unlock()
	return got, nil
}

// Runs lists all rows of ops.runs in the order in which the runs ended. A lake
// without runs has none.
func (l *Lake) Runs(ctx context.Context) ([]weir.StageRun, error) {
	t, err := l.load(ctx, runsTable)
	if weir.CodeOf(err) == weir.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	files, err := l.filesOf(ctx, runsTable, t, t.CurrentSnapshot())
	if err != nil {
		return nil, err
	}
	byFile, err := l.runRows(ctx, files)
	if err != nil {
		return nil, err
	}
	var out []weir.StageRun
	for _, rows := range byFile {
		out = append(out, rows...)
	}
	slices.SortStableFunc(out, func(a, b weir.StageRun) int {
		return cmp.Or(a.EndedAt.Compare(b.EndedAt), cmp.Compare(a.RunID, b.RunID),
			cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.Part, b.Part), cmp.Compare(a.Status, b.Status))
	})
	return out, nil
}

// runRows reads files that the cache lacks, several at a time, and forgets those
// that are no longer asked for.
func (l *Lake) runRows(ctx context.Context, files []weir.DataFile) ([][]weir.StageRun, error) {
	l.runs.mu.Lock()
	old := l.runs.rows
	l.runs.mu.Unlock()
	out := make([][]weir.StageRun, len(files))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for i, f := range files {
		if rows, ok := old[f.Path]; ok {
			out[i] = rows
			continue
		}
		g.Go(func() error {
			rows := make([]weir.StageRun, 0, f.Rows)
			for run, err := range rowfile.Scan[weir.StageRun](ctx, l.store, schema.Named(runsTable), []weir.DataFile{f}) {
				if err != nil {
					return err
				}
				rows = append(rows, run)
			}
			out[i] = rows
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	now := make(map[string][]weir.StageRun, len(files))
	for i, f := range files {
		now[f.Path] = out[i]
	}
	l.runs.mu.Lock()
	l.runs.rows = now
	l.runs.mu.Unlock()
	return out, nil
}

// Pins returns the snapshot of each table that readers use now: of those that
// ops.runs names in rows with status done, unchanged or partial, the latest by
// the table's own order of commits. Tables that no run has finished are absent.
// A table that people write is as it was committed last.
func (l *Lake) Pins(ctx context.Context) (map[string]int64, error) {
	out, err := l.pins(ctx, func(weir.StageRun) bool { return true })
	if err != nil {
		return nil, err
	}
	return out, l.written(ctx, out, func(Snapshot) bool { return true })
}

// PinsAsOf returns the pins as they were at t, by the time when runs ended. A
// snapshot that has expired since is in it too; Files then says so.
func (l *Lake) PinsAsOf(ctx context.Context, t time.Time) (map[string]int64, error) {
	out, err := l.pins(ctx, func(r weir.StageRun) bool { return !r.EndedAt.After(t) })
	if err != nil {
		return nil, err
	}
	return out, l.written(ctx, out, func(s Snapshot) bool { return !s.At.After(t) })
}

// byPeople are the tables that commands write, one commit a command: no run has to
// make them current.
var byPeople = []string{"identity.decisions", "consent.policies"}

// written adds the last snapshots of the tables that people write, of those that
// count.
func (l *Lake) written(ctx context.Context, pins map[string]int64, counts func(Snapshot) bool) error {
	for _, table := range byPeople {
		all, err := l.Snapshots(ctx, table)
		if weir.CodeOf(err) == weir.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		for _, s := range all {
			if counts(s) {
				pins[table] = s.ID
			}
		}
	}
	return nil
}

func (l *Lake) pins(ctx context.Context, counts func(weir.StageRun) bool) (map[string]int64, error) {
	runs, err := l.Runs(ctx)
	if err != nil {
		return nil, err
	}
	named := map[string][]int64{} // each table's snapshots, in the order in which runs ended
	for _, r := range runs {
		switch r.Status {
		case "done", "unchanged", "partial":
			if counts(r) {
				for table, id := range r.Snapshots {
					if id != 0 {
						named[table] = append(named[table], id)
					}
				}
			}
		}
	}
	out := map[string]int64{}
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for table, ids := range named {
		g.Go(func() error {
			id, err := l.latest(ctx, table, ids)
			if err != nil {
				return err
			}
			mu.Lock()
			out[table] = id
			mu.Unlock()
			return nil
		})
	}
	return out, g.Wait()
}

// latest returns the snapshot that the table committed last. Expired ones have no
// known place: they are older than all that are kept, except that nothing newer
// than the last one named may be passed over for an older one.
func (l *Lake) latest(ctx context.Context, table string, ids []int64) (int64, error) {
	if !slices.ContainsFunc(ids, func(id int64) bool { return id != ids[0] }) {
		return ids[0], nil
	}
	sequences, err := l.sequences(ctx, table, ids)
	if err != nil {
		return 0, err
	}
	best, at := int64(-1), -1
	for i, id := range ids {
		if s, ok := sequences[id]; ok && s >= best {
			best, at = s, i
		}
	}
	for i := len(ids) - 1; i > at; i-- {
		if _, ok := sequences[ids[i]]; !ok {
			return ids[i], nil
		}
	}
	return ids[at], nil
}

// expired marks, among sequence numbers, a snapshot that its table no longer has.
const expired = -1

// sequences looks up where snapshots stand in their table's order; expired ones,
// which this process never saw, are absent.
func (l *Lake) sequences(ctx context.Context, table string, ids []int64) (map[int64]int64, error) {
	if out, all := l.knownSequences(ids); all {
		return out, nil
	}
	found := map[int64]int64{}
	t, err := l.load(ctx, table)
	switch {
	case weir.CodeOf(err) == weir.NotFound:
	case err != nil:
		return nil, err
	default:
		for _, s := range t.Metadata().Snapshots() {
			found[s.SnapshotID] = s.SequenceNumber
		}
	}
	l.runs.mu.Lock()
	if l.runs.sequences == nil {
		l.runs.sequences = map[int64]int64{}
	}
	for _, id := range ids {
		if s, ok := found[id]; ok {
			l.runs.sequences[id] = s
		} else if _, ok := l.runs.sequences[id]; !ok {
			l.runs.sequences[id] = expired
		}
	}
	l.runs.mu.Unlock()
	out, _ := l.knownSequences(ids)
	return out, nil
}

func (l *Lake) knownSequences(ids []int64) (out map[int64]int64, all bool) {
	l.runs.mu.Lock()
	defer l.runs.mu.Unlock()
	out, all = map[int64]int64{}, true
	for _, id := range ids {
		s, ok := l.runs.sequences[id]
		all = all && ok
		if ok && s != expired {
			out[id] = s
		}
	}
	return out, all
}
