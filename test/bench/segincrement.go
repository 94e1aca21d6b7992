package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/stages"
)

// segmentIncrement: the kit's hundred segments computed in full, as a first run does it;
// then again from prior memberships after 0.1, 1 and 10 % more events with the same
// now, and after a day without any, in increments; and in full for comparison. New
// events are the kit's last ones again, of the same people, some minutes earlier.
func (b *bench) segmentIncrement(ctx context.Context) error {
	if b.kit == nil {
		return fmt.Errorf("events and segments are those of the bench kit")
	}
	rows := b.rows(20_000_000)
	data, filled, err := b.filled(ctx, rows)
	if err != nil {
		return err
	}
	for round := 1; round <= b.rounds; round++ {
		if err := b.segmentLater(ctx, data, filled, rows, round); err != nil {
			return err
		}
	}
	return nil
}

// later is a lake in which segment has run once.
type later struct {
	*bench
	h      *stages.House
	run    weir.Run
	runs   int
	rows   int
	round  int
	table  schema.Table
	first  segmented
	recent []weir.Event
}

func (b *bench) segmentLater(ctx context.Context, data, filled string, rows, round int) (err error) {
	dir, err := os.MkdirTemp(b.work, "project")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	h, err := b.kitLake(ctx, filled, dir, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	l := &later{bench: b, h: h.House, rows: rows, round: round, run: weir.Run{Workspace: "bench", Now: benchNow, Project: h.key}}
	if l.table, err = h.Lake.Ensure(ctx, schema.Named("core.events")); err != nil {
		return err
	}
	names, err := filepath.Glob(filepath.Join(data, "events", "*.parquet"))
	if err != nil || len(names) < 8 {
		return fmt.Errorf("no events in %s: %w", data, err)
	}
	for _, name := range names[len(names)-6:] { // of sixty days
		events, err := readKit(ctx, name, kitEvent)
		if err != nil {
			return err
		}
		l.recent = append(l.recent, events...)
	}
	if l.first, _, err = l.measured(ctx, "full, the first run", "no_index"); err != nil {
		return err
	}
	var full segmented
	for _, arm := range []struct {
		share float64
		tick  time.Duration
	}{{0.001, 0}, {0.01, 0}, {0.1, 0}, {0, 24 * time.Hour}} {
		name := fmt.Sprintf("%.1f %% new", 100*arm.share)
		if arm.share > 0 {
			if err := l.more(ctx, arm.share); err != nil {
				return err
			}
		} else {
			name = "a day later"
		}
		l.run.Now = l.run.Now.Add(arm.tick)
		m, row, err := l.measured(ctx, name, "")
		if err != nil {
			return err
		}
		b.report.notef("segment increment, round %d: %s: %d profiles computed, %d kept; %.0f %% of the first run's time, %.0f %% of its processor time", round, name,
			row.Counts["computed"], row.Counts["kept"], 100*m.WallS/l.first.WallS, 100*m.CPUS/l.first.CPUS)
	}
	// All again over the same tables, with the memberships of before to compare with.
	if err := l.forget(ctx); err != nil {
		return err
	}
	if err := l.more(ctx, 0.01); err != nil {
		return err
	}
	if full, _, err = l.measured(ctx, "full, from prior memberships", "no_index"); err != nil {
		return err
	}
	b.report.notef("segment increment, round %d: a full run from prior memberships takes %.1f s, %.1f s of processor time", round, full.WallS, full.CPUS)
	return nil
}

// more appends events.
func (l *later) more(ctx context.Context, share float64) error {
	l.runs++
	r, n := rand.New(rand.NewPCG(uint64(l.runs), 3)), int(share*float64(l.rows))
	w, err := rowfile.NewTableWriter[weir.Event](ctx, l.h.Lake.Store(), l.table, "")
	if err != nil {
		return err
	}
	for i := range n {
		e := l.recent[r.IntN(len(l.recent))]
		e.ID, e.OccurredAt = fmt.Sprintf("kit/more/%03d%010d", l.runs, i), e.OccurredAt.Add(-time.Duration(1+r.IntN(600))*time.Second)
		if err := w.Write(e); err != nil {
			return err
		}
	}
	files, err := w.Close()
	if err != nil {
		return err
	}
	id := fmt.Sprintf("more/%d", l.runs)
	s, err := l.h.Lake.Commit(ctx, lakehouse.Commit{ID: id, Table: l.table.Name, Scopes: []weir.TableFiles{{Table: l.table.Name, Scope: "", Files: files}}})
	if err != nil {
		return err
	}
	at := l.h.Clock()
	return l.h.Lake.RecordRun(ctx, weir.StageRun{RunID: weir.RunID(id), Stage: weir.Conform, Status: "done", StartedAt: at, EndedAt: at, Now: l.run.Now, Snapshots: map[string]int64{l.table.Name: s.ID}})
}

// forget deletes the indexes, so that the next run computes all.
func (l *later) forget(ctx context.Context) error {
	var keys []string
	for o, err := range l.h.Lake.Store().List(ctx, "index/segment/") {
		if err != nil {
			return err
		}
		keys = append(keys, o.Key)
	}
	return l.h.Lake.Store().Delete(ctx, keys...)
}

// measured runs the stage; why is the reason to compute all, "" where it has to be an
// increment.
func (l *later) measured(ctx context.Context, name, why string) (out segmented, row weir.StageRun, err error) {
	l.runs++
	l.run.ID = weir.NewRunID(l.run.Now, fmt.Sprintf("s%02d", l.runs))
	var before, after sample
	watch, done := make(chan sample, 1), make(chan struct{})
	go func() { watch <- watchSelf(done) }()
	before.add(os.Getpid())
	started := time.Now()
	row, err = refreshStage(ctx, l.h.All()[weir.Segment], l.run)
	took := time.Since(started)
	after.add(os.Getpid())
	close(done)
	most := <-watch
	if err != nil {
		return out, row, err
	}
	if why == "" && row.Counts["increment"] != 1 || why != "" && row.Counts["full_because_"+why] != 1 {
		return out, row, fmt.Errorf("%s: the run went another way: %v", name, row.Counts)
	}
	out.measure = measure{Name: "segment_increment", Peer: name, WallS: took.Seconds(), CPUS: float64(after.cpu-before.cpu) / 100, Rows: int64(l.rows), Round: l.round,
		StageS: row.EndedAt.Sub(row.StartedAt).Seconds(), RSSMB: most.largest >> 10, OwnMB: most.own >> 10, TreeMB: most.tree >> 10}
	return out, row, l.report.add(out.measure)
}
