package stages

import (
	"context"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
)

// dropExcerpts empties the excerpts of bad values older than keep (0: never), and
// says of how many rows. The rows stay. It pins what it wrote, so that readers see
// it at once; older snapshots, which have them still, expire soon after
// (quarantineHistory).
func (h *House) dropExcerpts(ctx context.Context, keep time.Duration, now time.Time, dry bool) (int, error) {
	if keep <= 0 {
		return 0, nil
	}
	snap, err := h.Lake.Current(ctx, quarantineTable)
	if weir.CodeOf(err) == weir.NotFound {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	files, err := h.Lake.Files(ctx, quarantineTable, snap.ID)
	if err != nil {
		return 0, err
	}
	dropped := 0
	var swaps []lakehouse.Swap
	for _, f := range files {
		to, n, err := h.withoutExcerpts(ctx, f, now.Add(-keep), dry)
		if err != nil {
			return 0, err
		}
		if n > 0 {
			dropped += n
			swaps = append(swaps, lakehouse.Swap{From: []string{f.Path}, To: to})
		}
	}
	if dropped == 0 || dry {
		return dropped, nil
	}
	if snap, err = h.Lake.Swap(ctx, quarantineTable, swaps); err != nil {
		return 0, err
	}
	at := h.Clock()
	return dropped, h.Lake.RecordRun(ctx, weir.StageRun{RunID: weir.NewRunID(now, "upkeep"), Stage: upkeepStage, StartedAt: at, EndedAt: at, Now: now,
		Status: Done, Counts: map[string]int64{"values_dropped": int64(dropped)}, Snapshots: map[string]int64{quarantineTable: snap.ID}})
}

// upkeepStage stands in ops.runs where maintenance pinned what it wrote.
const upkeepStage weir.Stage = "maintain"

// withoutExcerpts writes a file's rows again, without the excerpts of those that
// are older than cutoff; n is how many had one.
func (h *House) withoutExcerpts(ctx context.Context, f weir.DataFile, cutoff time.Time, dry bool) (to []weir.DataFile, n int, err error) {
	t, err := h.Lake.Describe(ctx, quarantineTable)
	if err != nil {
		return nil, 0, err
	}
	rows := func(each func(weir.Quarantined) error) error {
		n = 0
		for q, err := range rowfile.Scan[weir.Quarantined](ctx, h.store(), t, []weir.DataFile{f}) {
			if err != nil {
				return err
			}
			if q.Excerpt != "" && q.At.Before(cutoff) {
				q.Excerpt = ""
				n++
			}
			if err := each(q); err != nil {
				return err
			}
		}
		return nil
	}
	if err := rows(func(weir.Quarantined) error { return nil }); err != nil || n == 0 || dry {
		return nil, n, err
	}
	scope, ok := rowfile.ScopeOf(f.Path)
	if !ok {
		return nil, 0, weir.Errorf(weir.Internal, "a file lies in no scope").At(f.Path)
	}
	w, err := rowfile.NewTableWriter[weir.Quarantined](ctx, h.store(), t, scope)
	if err != nil {
		return nil, 0, err
	}
	defer w.Abort()
	if err := rows(w.Write); err != nil {
		return nil, 0, err
	}
	to, err = w.Close()
	return to, n, err
}
