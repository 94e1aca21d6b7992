package workflows

import (
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/weir-cdp/weir"
)

// RefreshInput is what Refresh is told.
type RefreshInput struct {
	Run    weir.Run     `json:"run"`
	Parts  RefreshPlan  `json:"parts"`
	Stages []weir.Stage `json:"stages,omitempty"` // none: all; the order is always that of the design
	// DeliveryWait is how long the refresh waits for its destinations; 0: 15
	// minutes. What takes longer goes on by itself and is reported as delivering.
	DeliveryWait time.Duration `json:"delivery_wait,omitempty"`
}

// RefreshPlan names what a refresh is made of, each list sorted by name.
type RefreshPlan struct {
	Sources      []SourcePlan      `json:"sources,omitempty"`
	Destinations []DestinationPlan `json:"destinations,omitempty"`
}

// SourcePlan is a source with the streams to collect.
type SourcePlan struct {
	Name    string          `json:"name"`
	Streams []StreamRequest `json:"streams"`
}

// DestinationPlan is a destination with the activations that go there.
type DestinationPlan struct {
	Name        string   `json:"name"`
	Activations []string `json:"activations"`
}

// Snapshot is how a refresh stands, and its result: every part, in the order of
// the stages and of the plan.
type Snapshot struct {
	Run       weir.Run  `json:"run"`
	Outcome   Outcome   `json:"outcome"`
	StartedAt time.Time `json:"started_at"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	Parts     []Report  `json:"parts"`
}

const defaultDeliveryWait = 15 * time.Minute

// Refresh walks a workspace through its stages. A failing stream or destination
// makes the result partial; a failing stage in between ends it, since what
// follows would work on what is old. The error then carries the snapshot
// (client.go takes it out).
func Refresh(ctx workflow.Context, in RefreshInput) (Snapshot, error) {
	r := newRefresh(ctx, in)
	err := workflow.SetQueryHandler(ctx, StatusQuery, func() (Snapshot, error) { return r.snapshot(), nil })
	if err != nil {
		return Snapshot{}, err
	}
	err = r.walk(ctx)
	r.EndedAt = workflow.Now(ctx)
	switch {
	case err == nil:
		r.Outcome = summary(r.Parts)
		return r.snapshot(), nil
	case temporal.IsCanceledError(err):
		r.Outcome = Cancelled
		return r.snapshot(), err
	}
	r.Outcome = Failed
	return r.snapshot(), failure(err, r.snapshot())
}

type refresh struct {
	Snapshot
	in      RefreshInput
	wants   map[weir.Stage]bool
	streams []int // index in Parts of each source's first stream
}

func newRefresh(ctx workflow.Context, in RefreshInput) *refresh {
	r := &refresh{in: in, wants: map[weir.Stage]bool{}}
	r.Run, r.Outcome, r.StartedAt = in.Run, Running, workflow.Now(ctx)
	stages := in.Stages
	if len(stages) == 0 {
		stages = weir.Stages()
	}
	for _, s := range stages {
		r.wants[s] = true
	}
	for _, stage := range weir.Stages() {
		if !r.wants[stage] {
			continue
		}
		switch stage {
		case weir.Collect:
			for _, s := range in.Parts.Sources {
				r.streams = append(r.streams, len(r.Parts))
				for _, t := range s.Streams {
					r.Parts = append(r.Parts, Report{Stage: stage, Part: s.Name + "/" + t.Name, Outcome: Waiting})
				}
			}
		case weir.Activate:
			for _, d := range in.Parts.Destinations {
				r.Parts = append(r.Parts, Report{Stage: stage, Part: d.Name, Outcome: Waiting})
			}
		default:
			r.Parts = append(r.Parts, Report{Stage: stage, Outcome: Waiting})
		}
	}
	return r
}

func (r *refresh) snapshot() Snapshot {
	s := r.Snapshot
	s.Parts = append([]Report(nil), s.Parts...)
	return s
}

func (r *refresh) walk(ctx workflow.Context) error {
	if r.wants[weir.Collect] {
		if err := r.collect(ctx); err != nil {
			return err
		}
	}
	for i := range r.Parts {
		if s := r.Parts[i].Stage; s != weir.Collect && s != weir.Activate {
			if err := r.stage(ctx, i); err != nil {
				return err
			}
		}
	}
	if r.wants[weir.Activate] {
		return r.activate(ctx)
	}
	return nil
}

// collect runs all sources at once and fails only if not one stream could be
// collected.
func (r *refresh) collect(ctx workflow.Context) error {
	waiting := workflow.NewWaitGroup(ctx)
	for i, s := range r.in.Parts.Sources {
		waiting.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer waiting.Done()
			r.source(ctx, s, r.Parts[r.streams[i]:r.streams[i]+len(s.Streams)])
		})
	}
	waiting.Wait(ctx)
	if err := ctx.Err(); err != nil {
		return err
	}
	var first *Report
	for i := range r.Parts {
		p := &r.Parts[i]
		if p.Stage != weir.Collect {
			break
		}
		if p.Outcome != Failed {
			return nil
		}
		if first == nil {
			first = p
		}
	}
	if first == nil {
		return nil
	}
	return weir.Errorf(first.Code, "no stream could be collected: %s", first.Problem()).At(first.Where).Then(first.Next)
}

// source runs one Collect and takes over its reports.
func (r *refresh) source(ctx workflow.Context, s SourcePlan, parts []Report) {
	in := CollectInput{Run: r.in.Run, Source: s.Name, Streams: s.Streams}
	copy(parts, pending(in))
	for i := range parts {
		parts[i].StartedAt = workflow.Now(ctx)
	}
	ctx = withChild(ctx, CollectID(r.in.Run.Workspace, s.Name), r.in.Run, weir.Collect, enumspb.PARENT_CLOSE_POLICY_REQUEST_CANCEL)
	var out CollectResult
	err := workflow.ExecuteChildWorkflow(ctx, CollectName, in).Get(ctx, &out)
	if err == nil {
		copy(parts, out.Streams)
		return
	}
	for i := range parts {
		parts[i].EndedAt = workflow.Now(ctx)
		miss(&parts[i], err)
	}
}

// names of the stages that are one child each.
var stageNames = map[weir.Stage]string{
	weir.Conform: ConformName, weir.Resolve: ResolveName, weir.Unify: UnifyName,
	weir.Segment: SegmentName, weir.Decide: DecideName,
}

func (r *refresh) stage(ctx workflow.Context, i int) error {
	p := &r.Parts[i]
	stage := p.Stage
	p.Outcome, p.StartedAt = Running, workflow.Now(ctx)
	ctx = withChild(ctx, StageID(r.in.Run.Workspace, stage), r.in.Run, stage, enumspb.PARENT_CLOSE_POLICY_REQUEST_CANCEL)
	var out Report
	err := workflow.ExecuteChildWorkflow(ctx, stageNames[stage], StageInput{Run: r.in.Run}).Get(ctx, &out)
	if err == nil {
		*p = out
		return nil
	}
	p.EndedAt = workflow.Now(ctx)
	miss(p, err)
	if temporal.IsCanceledError(err) {
		return err
	}
	e := *Cause(err)
	e.Message = string(stage) + ": " + e.Message
	return &e
}
