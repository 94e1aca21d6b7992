package lakehouse

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// TrimRuns drops the rows of ops.runs that ended before cutoff and that nobody
// needs any more, and says how many. These stay, however old:
//
//   - of each table the row that pins it as of cutoff, and what pins it now: time
//     travel to any later moment finds what it found before;
//   - of each stage and part the last row, the last that did not fail, and the last
//     that changed something: what status, plans and the next run look at.
func (l *Lake) TrimRuns(ctx context.Context, cutoff time.Time, dryRun bool) (dropped int, err error) {
	t, err := l.load(ctx, runsTable)
	if weir.CodeOf(err) == weir.NotFound {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	files, err := l.filesOf(ctx, runsTable, t, t.CurrentSnapshot())
	if err != nil {
		return 0, err
	}
	byFile, err := l.runRows(ctx, files)
	if err != nil {
		return 0, err
	}
	needed, err := l.neededRuns(ctx, cutoff)
	if err != nil {
		return 0, err
	}
	var swap Swap
	var kept []weir.StageRun
	for i, rows := range byFile {
		before := len(kept)
		for _, r := range rows {
			if !r.EndedAt.Before(cutoff) || needed[runKey(r)] {
				kept = append(kept, r)
			}
		}
		if gone := len(rows) - (len(kept) - before); gone > 0 {
			dropped += gone
			swap.From = append(swap.From, files[i].Path)
		} else {
			kept = kept[:before] // the file stays as it is
		}
	}
	if dropped == 0 || dryRun {
		return dropped, nil
	}
	if swap.To, err = l.writeRuns(ctx, kept); err != nil {
		return 0, err
	}
	_, err = l.Swap(ctx, runsTable, []Swap{swap})
	return dropped, err
}

// runID tells apart the rows of ops.runs: a run may fail, and be repeated.
type runID struct {
	run           weir.RunID
	stage         weir.Stage
	part, status  string
	started, last int64
}

func runKey(r weir.StageRun) runID {
	return runID{r.RunID, r.Stage, r.Part, r.Status, r.StartedAt.UnixMicro(), r.EndedAt.UnixMicro()}
}

// neededRuns are the rows that stay whatever their age: see TrimRuns.
func (l *Lake) neededRuns(ctx context.Context, cutoff time.Time) (map[runID]bool, error) {
	runs, err := l.Runs(ctx)
	if err != nil {
		return nil, err
	}
	now, err := l.Pins(ctx)
	if err != nil {
		return nil, err
	}
	then, err := l.PinsAsOf(ctx, cutoff)
	if err != nil {
		return nil, err
	}
	needed := map[runID]bool{}
	type place struct {
		stage weir.Stage
		part  string
		what  string
	}
	seen := map[place]bool{}
	first := func(r weir.StageRun, what string) {
		if p := (place{r.Stage, r.Part, what}); !seen[p] {
			seen[p], needed[runKey(r)] = true, true
		}
	}
	pinned := map[string]bool{} // tables whose pinning row is found, now or then
	for _, r := range slices.Backward(runs) {
		first(r, "last")
		if r.Status == "failed" {
			continue
		}
		first(r, "succeeded")
		if r.Status != "unchanged" {
			first(r, "changed")
		}
		for table, id := range r.Snapshots {
			if id == now[table] && !pinned["now "+table] {
				pinned["now "+table], needed[runKey(r)] = true, true
			}
			if id == then[table] && !r.EndedAt.After(cutoff) && !pinned["then "+table] {
				pinned["then "+table], needed[runKey(r)] = true, true
			}
		}
	}
	return needed, nil
}

func (l *Lake) writeRuns(ctx context.Context, rows []weir.StageRun) ([]weir.DataFile, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	slices.SortFunc(rows, func(a, b weir.StageRun) int {
		return cmp.Or(cmp.Compare(a.RunID, b.RunID), cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.Part, b.Part), a.EndedAt.Compare(b.EndedAt), cmp.Compare(a.Status, b.Status))
	})
	t, err := l.Ensure(ctx, schema.Named(runsTable))
	if err != nil {
		return nil, err
	}
	w, err := rowfile.NewTableWriter[weir.StageRun](ctx, l.store, t, "")
	if err != nil {
		return nil, err
	}
	defer w.Abort()
	for _, r := range rows {
		if err := w.Write(r); err != nil {
			return nil, err
		}
	}
	return w.Close()
}
