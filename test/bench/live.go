package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/stages"
)

// liveQuestions are segments of the kit that ask about attributes alone, about events of
// a window, about traits over all time, and about events of any name.
var liveQuestions = []string{"gmail_french_speakers", "bought_twice_in_90_days", "lapsed_vip", "no_event_in_90_days"}

// live: the size of one segment without a run, as whoever writes a rule asks for it: the
// first question after new data, which builds the timelines, then others. Sizes have to
// be DuckDB's.
func (b *bench) live(ctx context.Context) (err error) {
	if b.kit == nil {
		return fmt.Errorf("events and segments are those of the bench kit")
	}
	rows := b.rows(20_000_000)
	data, filled, err := b.filled(ctx, rows)
	if err != nil {
		return err
	}
	want, err := b.segmentPeer(ctx, data, "by_event", rows, 1)
	if err != nil {
		return err
	}
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
	ask := func(arm, segment string, round int) error {
		var before, after sample
		before.add(os.Getpid())
		started := time.Now()
		a, err := h.CountLive(ctx, h.project, stages.LiveOrder{Segments: []string{segment}, Now: benchNow}, func(weir.Progress) {})
		took := time.Since(started)
		after.add(os.Getpid())
		if err != nil {
			return err
		}
		if got := a.Segments[0].Members; got != want[segment] {
			return fmt.Errorf("%s has %d members, DuckDB finds %d", segment, got, want[segment])
		}
		return b.report.add(measure{Name: "live count", Peer: arm, WallS: took.Seconds(), CPUS: float64(after.cpu-before.cpu) / 100, Rows: int64(rows), Round: round})
	}
	if err := ask("the first question, which builds timelines", liveQuestions[0], 1); err != nil {
		return err
	}
	for round := range b.rounds {
		for _, segment := range liveQuestions {
			if err := ask(segment, segment, round+1); err != nil {
				return err
			}
		}
	}
	return nil
}
