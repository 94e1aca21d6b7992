package activities

import (
	"context"
	"time"

	"github.com/weir-cdp/weir"
)

// Stage is one of the seven stages as its activities see it. Its contract, with
// what may be repeated, is that of stages.Stage.
type Stage interface {
	Plan(ctx context.Context, run weir.Run, part string) (weir.StagePlan, error)
	Run(ctx context.Context, spec string, progress func(weir.Progress)) (manifest string, err error)
	Commit(ctx context.Context, manifest string) (weir.StageRun, error)
	Keep(ctx context.Context, run weir.Run, part string) (weir.StageRun, error)
	Fail(ctx context.Context, run weir.Run, part string, cause string) error
}

// StreamRewinder makes a stream forget how far it has read.
type StreamRewinder interface {
	// Rewind makes the next Plan of part ("source/stream") read everything
	// again. With drop the rows collected before are replaced by what is read;
	// without, they stay and rows are matched by key. Calling it twice for one
	// run changes nothing.
	Rewind(ctx context.Context, run weir.Run, part string, drop bool) error
}

// Notice says that a schedule did not do its work. It names things, never people.
type Notice struct {
	Workspace string     `json:"workspace"`
	Schedule  string     `json:"schedule"` // the source
	Run       weir.RunID `json:"run"`
	Now       time.Time  `json:"now"` // when it was due
	Status    string     `json:"status"`
	Problems  []string   `json:"problems"` // "collect crm/contacts: connection refused"
}

// Notifier sends a notice to where weir.yaml says (webhook, e-mail).
type Notifier interface {
	Notify(ctx context.Context, n Notice) error
}

// Maintainer keeps the lake in shape: compaction, expiry of snapshots, orphans.
type Maintainer interface {
	Upkeep(ctx context.Context, project string, now time.Time) error
}

// PolicyRecorder keeps the log of published policies. Denied: an entry that does not
// count, and why.
type PolicyRecorder interface {
	RecordPolicy(ctx context.Context, draft string) error
}

// Final is found in an error's chain when the step itself has tried long enough:
// another attempt is for the next run.
type Final interface {
	Final() bool
}

// RetryAfter is found in an error's chain when the other side said when to try
// again (HTTP 429 and 503).
type RetryAfter interface {
	RetryAfter() time.Duration
}
