package workflows

import (
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/weir-cdp/weir"
)

// CollectInput is what Collect is told.
type CollectInput struct {
	Run     weir.Run        `json:"run"`
	Source  string          `json:"source"`
	Streams []StreamRequest `json:"streams"`
}

// StreamRequest names a stream and how to collect it.
type StreamRequest struct {
	Name string `json:"name"`
	Mode Mode   `json:"mode,omitempty"`
}

// CollectResult tells of each stream, in the order of the input.
type CollectResult struct {
	Outcome Outcome  `json:"outcome"` // failed: no stream could be collected
	Streams []Report `json:"streams"`
}

// Collect collects the streams of one source, each in a child. A stream that
// fails stops no other (invariant 8), so the workflow itself fails only when it
// is cancelled; a paused stream is left behind.
func Collect(ctx workflow.Context, in CollectInput) (CollectResult, error) {
	c := collect{in: in, ended: make([]bool, len(in.Streams)), reports: pending(in)}
	if err := workflow.SetQueryHandler(ctx, StatusQuery, func() (CollectResult, error) { return c.result(), nil }); err != nil {
		return CollectResult{}, err
	}
	c.listen(ctx)
	cancels := make([]workflow.CancelFunc, len(in.Streams))
	for i := range in.Streams {
		// A child has a context of its own: cancelling the refresh must not
		// end a pause.
		free, cancel := workflow.NewDisconnectedContext(ctx)
		cancels[i] = cancel
		workflow.Go(free, func(ctx workflow.Context) { c.stream(ctx, i) })
	}
	err := workflow.Await(ctx, c.settled)
	if err != nil {
		for i, cancel := range cancels {
			if c.reports[i].Outcome != Paused {
				cancel()
			}
		}
		free, cancel := workflow.NewDisconnectedContext(ctx)
		defer cancel()
		if waited := workflow.Await(free, c.settled); waited != nil {
			return c.result(), waited
		}
	}
	return c.result(), err
}

type collect struct {
	in      CollectInput
	reports []Report
	ended   []bool
}

// pending is what is known of the streams before they have begun.
func pending(in CollectInput) []Report {
	out := make([]Report, len(in.Streams))
	for i, s := range in.Streams {
		out[i] = Report{Stage: weir.Collect, Part: in.Source + "/" + s.Name, Outcome: Running}
	}
	return out
}

func (c *collect) listen(ctx workflow.Context) {
	held := workflow.GetSignalChannel(ctx, heldSignal)
	workflow.Go(ctx, func(ctx workflow.Context) {
		for {
			var name string
			held.Receive(ctx, &name)
			for i, s := range c.in.Streams {
				if s.Name == name && !c.ended[i] {
					c.reports[i].Outcome = Paused
				}
			}
		}
	})
}

func (c *collect) stream(ctx workflow.Context, i int) {
	s := c.in.Streams[i]
	id := StreamID(c.in.Run.Workspace, c.in.Source, s.Name)
	ctx = withChild(ctx, id, c.in.Run, weir.Collect, enumspb.PARENT_CLOSE_POLICY_ABANDON)
	report := c.reports[i]
	report.StartedAt = workflow.Now(ctx)
	c.reports[i] = report
	err := workflow.ExecuteChildWorkflow(ctx, CollectStreamName,
		StreamInput{Run: c.in.Run, Source: c.in.Source, Stream: s.Name, Mode: s.Mode}).Get(ctx, &report)
	if err != nil {
		report.EndedAt = workflow.Now(ctx)
		miss(&report, err)
	}
	c.reports[i], c.ended[i] = report, true
}

func (c *collect) settled() bool {
	for i, ended := range c.ended {
		if !ended && c.reports[i].Outcome != Paused {
			return false
		}
	}
	return true
}

// result is a copy: a query must not hand out live state.
func (c *collect) result() CollectResult {
	out := CollectResult{Streams: append([]Report(nil), c.reports...), Outcome: summary(c.reports)}
	failed := 0
	for _, r := range c.reports {
		if r.Outcome == Failed {
			failed++
		}
	}
	if failed > 0 && failed == len(c.reports) {
		out.Outcome = Failed
	}
	return out
}

// miss puts into a report why a child gave none.
func miss(r *Report, err error) {
	r.fail(Cause(err))
	if taken(err) {
		r.Outcome = Busy
	} else if temporal.IsCanceledError(err) {
		r.Outcome = Cancelled
	}
}
