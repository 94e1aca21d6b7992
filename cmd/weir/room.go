package main

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/activities"
	"github.com/weir-cdp/weir/deploy/embedded"
)

// refreshWithRoom is refresh while the disk has room. When it gets full the
// command ends and says so; what was under way goes on with the next run.
func (a *app) refreshWithRoom(ctx context.Context, r refreshing) error {
	dir := filepath.Join(a.dir, ".weir")
	if err := embedded.Room(dir); err != nil {
		return err
	}
	watched, stop := embedded.WithRoom(ctx, dir)
	defer stop()
	err := a.refresh(watched, r)
	if full := fullDisk(watched); err != nil && full != nil {
		return full // the rest of what went wrong follows from it
	}
	return err
}

// fullDisk is why a context of refreshWithRoom was cancelled, if the disk is.
func fullDisk(ctx context.Context) error {
	var full *weir.Error
	if errors.As(context.Cause(ctx), &full) {
		return full
	}
	return nil
}

// roomy is a stage on a disk that may get full. A step does not begin, and commits
// nothing, before there is room; one under way is stopped while it still can be
// told, and begins again when there is.
type roomy struct {
	activities.Stage
	dir string
}

// Plan implements activities.Stage.
func (s roomy) Plan(ctx context.Context, run weir.Run, part string) (out weir.StagePlan, err error) {
	err = s.within(ctx, nil, func(ctx context.Context) error {
		out, err = s.Stage.Plan(ctx, run, part)
		return err
	})
	return out, err
}

// Run implements activities.Stage.
func (s roomy) Run(ctx context.Context, spec string, progress func(weir.Progress)) (manifest string, err error) {
	err = s.within(ctx, progress, func(ctx context.Context) error {
		manifest, err = s.Stage.Run(ctx, spec, progress)
		return err
	})
	return manifest, err
}

// Commit implements activities.Stage. A commit under way is not stopped: it is
// short, and whole or not at all.
func (s roomy) Commit(ctx context.Context, manifest string) (weir.StageRun, error) {
	if err := embedded.AwaitRoom(ctx, s.dir); err != nil {
		return weir.StageRun{}, err
	}
	return s.Stage.Commit(ctx, manifest)
}

// Keep implements activities.Stage.
func (s roomy) Keep(ctx context.Context, run weir.Run, part string) (weir.StageRun, error) {
	if err := embedded.AwaitRoom(ctx, s.dir); err != nil {
		return weir.StageRun{}, err
	}
	return s.Stage.Keep(ctx, run, part)
}

func (s roomy) within(ctx context.Context, progress func(weir.Progress), f func(context.Context) error) error {
	if progress != nil && embedded.Room(s.dir) != nil {
		progress(weir.Progress{Note: waitsForRoom})
	}
	if err := embedded.AwaitRoom(ctx, s.dir); err != nil {
		return err
	}
	watched, stop := embedded.WithRoom(ctx, s.dir)
	defer stop()
	err := f(watched)
	if full := fullDisk(watched); err != nil && full != nil {
		return full
	}
	return err
}

// waitsForRoom is the note of a step's progress.
const waitsForRoom = "waits for room on the disk"

// watchRoom logs when the disk gets full and when it has room again, until ctx ends.
func (a *app) watchRoom(ctx context.Context, dir string) {
	for {
		watched, stop := embedded.WithRoom(ctx, dir)
		<-watched.Done()
		full := fullDisk(watched)
		stop()
		if full == nil {
			return
		}
		a.log.Warn("work waits", "error", full)
		if embedded.AwaitRoom(ctx, dir) != nil {
			return
		}
		a.log.Warn("the disk has room again: work goes on")
	}
}
