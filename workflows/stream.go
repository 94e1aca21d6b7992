package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/activities"
)

// Mode is how a stream is collected.
type Mode string

// The modes. The normal one, "", goes on from the cursor.
const (
	Backfill Mode = "backfill" // read everything again, keep what is there
	Reset    Mode = "reset"    // read everything again, replace what is there
)

// StreamInput is what CollectStream is told.
type StreamInput struct {
	Run    weir.Run `json:"run"`
	Source string   `json:"source"`
	Stream string   `json:"stream"`
	Mode   Mode     `json:"mode,omitempty"`
	Held   bool     `json:"held,omitempty"` // starts paused
}

// StreamSignal is the signal that pauses and resumes a CollectStream.
const StreamSignal = "stream"

// StreamCommand is the payload of StreamSignal.
type StreamCommand struct {
	Pause bool `json:"pause,omitempty"` // else resume
	// With a resume: the run to follow. A stream that was paused while it read
	// goes on with what it had planned, unless the project has changed since: then
	// it plans anew. A stream that had not begun always follows it.
	Run  *weir.Run `json:"run,omitempty"`
	Mode Mode      `json:"mode,omitempty"` // with a resume: from the beginning
}

// heldSignal tells a Collect which of its streams (the payload) was paused, so
// that it doesn't wait for it.
const heldSignal = "held"

// CollectStream collects one stream: plan, run, commit. A pause interrupts the
// run step, whose work is kept by its spec; a commit is never interrupted. A
// pause before the plan makes it wait for the resume: that is how a stream
// stays paused from one refresh to the next.
func CollectStream(ctx workflow.Context, in StreamInput) (Report, error) {
	s := stream{in: in, held: in.Held, report: Report{
		Stage: weir.Collect, Part: in.Source + "/" + in.Stream, Outcome: Running, StartedAt: workflow.Now(ctx)}}
	if err := workflow.SetQueryHandler(ctx, StatusQuery, func() (Report, error) { return s.report, nil }); err != nil {
		return s.report, err
	}
	s.listen(ctx)
	err := s.work(ctx)
	s.report.EndedAt = workflow.Now(ctx)
	if s.held && err == nil { // paused while it committed: wait in a fresh history
		return s.report, workflow.NewContinueAsNewError(ctx, CollectStreamName,
			StreamInput{Run: s.in.Run, Source: in.Source, Stream: in.Stream, Held: true})
	}
	switch {
	case err == nil:
		return s.report, nil
	case !s.begun: // cancelled while it waited: nothing to record
		return s.report, err
	}
	return s.report, settle(ctx, &s.report, s.in.Run, err)
}

type stream struct {
	in        StreamInput
	report    Report
	held      bool
	begun     bool
	rewound   bool
	spec      string
	interrupt workflow.CancelFunc // of the run step while it runs
}

// listen applies signals: those that came with the start at once, later ones
// whenever they come.
func (s *stream) listen(ctx workflow.Context) {
	signals := workflow.GetSignalChannel(ctx, StreamSignal)
	var c StreamCommand
	for signals.ReceiveAsync(&c) {
		s.apply(c)
		c = StreamCommand{}
	}
	workflow.Go(ctx, func(ctx workflow.Context) {
		for {
			var c StreamCommand
			signals.Receive(ctx, &c)
			s.apply(c)
		}
	})
}

// apply is idempotent: a second pause or resume changes nothing.
func (s *stream) apply(c StreamCommand) {
	if c.Pause {
		s.held = true
		if s.interrupt != nil {
			s.interrupt()
		}
		return
	}
	if !s.held {
		return
	}
	s.held = false
	if c.Mode != "" {
		s.in.Mode, s.rewound, s.spec = c.Mode, false, ""
	}
	if c.Run != nil && (s.spec == "" || c.Run.Project != s.in.Run.Project) {
		s.in.Run, s.spec = *c.Run, ""
	}
}

// work returns when the stream is committed or kept; a pause sends it back to
// the top.
func (s *stream) work(ctx workflow.Context) error {
	for {
		if err := s.wait(ctx); err != nil {
			return err
		}
		s.begun = true
		if err := s.rewind(ctx); err != nil {
			return err
		}
		if s.spec == "" {
			s.report.Step = "plan"
			p, err := plan(ctx, activities.PlanInput{Stage: weir.Collect, Run: s.in.Run, Part: s.report.Part})
			if err != nil {
				return err
			}
			if p.Unchanged {
				return s.conclude(keep(ctx, activities.KeepInput{Stage: weir.Collect, Run: s.in.Run, Part: s.report.Part}))
			}
			s.spec = p.Spec
		}
		if s.held {
			continue
		}
		manifest, err := s.read(ctx)
		if s.held && temporal.IsCanceledError(err) && ctx.Err() == nil {
			continue
		}
		if err != nil {
			return err
		}
		s.report.Step = "commit"
		return s.conclude(commit(ctx, s.in.Run.Workspace, activities.CommitInput{Stage: weir.Collect, Manifest: manifest, Attended: s.in.Run.Attended}))
	}
}

// wait returns at once, or when a held stream is resumed.
func (s *stream) wait(ctx workflow.Context) error {
	if !s.held {
		return nil
	}
	s.report.Outcome, s.report.Step = Paused, ""
	if parent := workflow.GetInfo(ctx).ParentWorkflowExecution; parent != nil {
		// A parent that has ended needs no answer.
		_ = workflow.SignalExternalWorkflow(ctx, parent.ID, parent.RunID, heldSignal, s.in.Stream).Get(ctx, nil)
	}
	err := workflow.Await(ctx, func() bool { return !s.held })
	if err == nil {
		s.report.Outcome = Running
	}
	return err
}

func (s *stream) rewind(ctx workflow.Context) error {
	if s.in.Mode == "" || s.rewound {
		return nil
	}
	s.report.Step = string(s.in.Mode)
	c := withControl(ctx, s.in.Run.Workspace)
	in := activities.RewindInput{Run: s.in.Run, Part: s.report.Part, Drop: s.in.Mode == Reset}
	err := workflow.ExecuteActivity(c, activities.RewindName, in).Get(c, nil)
	s.rewound = err == nil
	return err
}

func (s *stream) read(ctx workflow.Context) (string, error) {
	s.report.Step = "run"
	c, cancel := workflow.WithCancel(withCollectRun(ctx, s.in.Run.Workspace))
	s.interrupt = cancel
	defer func() { s.interrupt = nil; cancel() }()
	return run(c, activities.RunInput{Stage: weir.Collect, Spec: s.spec, Attended: s.in.Run.Attended})
}

func (s *stream) conclude(out weir.StageRun, err error) error {
	if err == nil {
		s.report.finish(out)
	}
	return err
}
