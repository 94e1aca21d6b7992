package activities

import (
	"context"
	"log/slog"

	"github.com/weir-cdp/weir"
)

// Policies writes the log of published policies.
type Policies struct {
	Recorder PolicyRecorder
	Log      *slog.Logger
}

// Record adds a signed entry to the log, if it counts. Repeating it changes nothing.
func (p *Policies) Record(ctx context.Context, in RecordPolicyInput) error {
	_, err := beating(ctx, p.Log, func(ctx context.Context, _ func(weir.Progress)) (struct{}, error) {
		return struct{}{}, p.Recorder.RecordPolicy(ctx, in.Draft)
	})
	return err
}
