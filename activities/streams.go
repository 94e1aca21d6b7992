package activities

import (
	"context"
	"log/slog"

	"github.com/weir-cdp/weir"
)

// Streams changes what a stream remembers.
type Streams struct {
	Rewinder StreamRewinder
	Log      *slog.Logger
}

// Rewind makes the stream read everything again.
func (s *Streams) Rewind(ctx context.Context, in RewindInput) error {
	_, err := beating(ctx, s.Log, func(ctx context.Context, _ func(weir.Progress)) (struct{}, error) {
		return struct{}{}, s.Rewinder.Rewind(ctx, in.Run, in.Part, in.Drop)
	})
	return err
}

// Notices tells the people in charge.
type Notices struct {
	Notifier Notifier
	Log      *slog.Logger
}

// Notify sends a notice.
func (n *Notices) Notify(ctx context.Context, in Notice) error {
	_, err := beating(ctx, n.Log, func(ctx context.Context, _ func(weir.Progress)) (struct{}, error) {
		return struct{}{}, n.Notifier.Notify(ctx, in)
	})
	return err
}

// Upkeep keeps the lake in shape.
type Upkeep struct {
	Maintainer Maintainer
	Log        *slog.Logger
}

// Maintain merges small files, lets old snapshots expire, deletes orphans.
// Repeating it does what is left.
func (u *Upkeep) Maintain(ctx context.Context, in MaintainInput) error {
	_, err := beating(ctx, u.Log, func(ctx context.Context, _ func(weir.Progress)) (struct{}, error) {
		return struct{}{}, u.Maintainer.Upkeep(ctx, in.Project, in.Now)
	})
	return err
}
