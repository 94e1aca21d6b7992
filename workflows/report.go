package workflows

import (
	"time"

	"github.com/weir-cdp/weir"
)

// StatusQuery is the query that Refresh, Collect, CollectStream and the stages
// answer with their Status snapshot.
const StatusQuery = "status"

// Outcome is how a part stands or ended.
type Outcome string

// The outcomes. The first two are of the moment, the others final for the run.
const (
	Waiting    Outcome = "waiting"
	Running    Outcome = "running"
	Done       Outcome = "done"
	Unchanged  Outcome = "unchanged"
	Partial    Outcome = "partial"    // done, with something quarantined or rejected
	Failed     Outcome = "failed"     // Code, Error, Next say why
	Cancelled  Outcome = "cancelled"  // by a person
	Paused     Outcome = "paused"     // the stream is paused
	Busy       Outcome = "busy"       // an earlier run still works on it (or, of a stream, it is paused)
	Delivering Outcome = "delivering" // the refresh stopped waiting; the delivery goes on
)

// Report tells how one part of a run stands: a stage, a stream of collect, a
// destination of activate.
type Report struct {
	Stage     weir.Stage       `json:"stage"`
	Part      string           `json:"part,omitempty"`
	Outcome   Outcome          `json:"outcome"`
	Step      string           `json:"step,omitempty"` // plan, run, commit: where it is, or failed
	StartedAt time.Time        `json:"started_at,omitzero"`
	EndedAt   time.Time        `json:"ended_at,omitzero"`
	RowsIn    int64            `json:"rows_in"`
	RowsOut   int64            `json:"rows_out"`
	Counts    map[string]int64 `json:"counts,omitempty"`
	Code      weir.Code        `json:"code,omitempty"`
	Error     string           `json:"error,omitempty"`
	Where     string           `json:"where,omitempty"`
	Next      string           `json:"next,omitempty"`
	Progress  *weir.Progress   `json:"progress,omitempty"` // of a running step; filled in by Watch
	Trouble   string           `json:"trouble,omitempty"`  // why a running step is tried again; filled in by Watch
}

// finish takes over what a stage recorded.
func (r *Report) finish(s weir.StageRun) {
	r.Outcome, r.Step = Outcome(s.Status), ""
	r.RowsIn, r.RowsOut, r.Counts = s.RowsIn, s.RowsOut, s.Counts
	r.Error = s.Error // of a part that could not be used, where the others could
}

// fail takes over what went wrong.
func (r *Report) fail(e *weir.Error) {
	r.Outcome = Failed
	r.Code, r.Error, r.Where, r.Next = e.Code, e.Message, e.Where, e.Next
}

// Problem is the report's error in one line, "" if it is none.
func (r *Report) Problem() string {
	if r.Error == "" {
		return ""
	}
	name := string(r.Stage)
	if r.Part != "" {
		name += " " + r.Part
	}
	if r.Where != "" {
		name += " (" + r.Where + ")"
	}
	return (&weir.Error{Where: name, Message: r.Error, Next: r.Next}).Error()
}

// summary is the outcome of all parts together. A pause is wanted, so it is no
// lack; what is busy or still delivering is.
func summary(parts []Report) Outcome {
	out := Unchanged
	for _, p := range parts {
		switch p.Outcome {
		case Partial, Failed, Busy, Delivering, Cancelled:
			return Partial
		case Done:
			out = Done
		}
	}
	return out
}
