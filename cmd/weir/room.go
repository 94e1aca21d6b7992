package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/deploy/embedded"
)

// refreshWithRoom is refresh while the disk has room. When it gets full the
// command ends and says so; what was under way goes on with the next run.
func (a *app) refreshWithRoom(ctx context.Context, now time.Time, logical bool, wanted []weir.Stage, wait time.Duration) error {
	dir := filepath.Join(a.dir, ".weir")
	if err := embedded.Room(dir); err != nil {
		return err
	}
	watched, stop := embedded.WithRoom(ctx, dir)
	defer stop()
	err := a.refresh(watched, now, logical, wanted, wait)
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
