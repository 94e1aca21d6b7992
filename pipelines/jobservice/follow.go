package jobservice

import (
	"context"
	"errors"
	"strings"
	"time"

	jobpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/jobmanagement_v1"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
)

// How long a part may stay away while a job is followed. The job may go on: the next
// attempt finds it.
const (
	awayTime    = 90 * time.Second
	appearTime  = 2 * time.Minute  // from the service's acceptance to the job at Flink
	onItsWay    = 30 * time.Second // the same, for what an earlier attempt submitted
	cancelTime  = time.Minute
	passTime    = 5 * time.Second // to ask the job service what it still takes for running
	cancelledBy = "somebody cancelled the job"
)

// errAbsent is the cause where Flink does not have what the job service took.
var errAbsent = errors.New("the job is not at Flink")

// appears waits until Flink knows the job, and returns Flink's id for it; "" if it has
// ended already. Of several of the name the first stays, the others are cancelled.
func (j *run) appears(ctx context.Context, heard <-chan news, limit time.Duration) (string, error) {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(min(j.c.Poll, 500*time.Millisecond))
	defer tick.Stop()
	var ending error
	over := false
	for {
		found, err := j.flink.Running(ctx, j.name)
		if err != nil {
			return "", err
		}
		if len(found) > 0 {
			for _, other := range found[1:] {
				if err := j.flink.Cancel(ctx, other.ID); err != nil {
					return "", err
				}
			}
			return found[0].ID, nil
		}
		if over { // it has ended since, or never came so far
			return "", ending
		}
		select {
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case <-deadline.C:
			return "", weir.Errorf(weir.Unavailable, "the job service took the job: %w", errAbsent).At(j.flink.base).
				Then("check that runner.rest in weir.yaml is of the cluster that the job server was started for (--flink-master)")
		case n, open := <-heard:
			if !open {
				heard = nil
				continue
			}
			if n.lost != nil || ended(n.state) {
				over, ending = true, j.why(ctx, n.lost, n.text, n.state != jobpb.JobState_DONE)
			}
		case <-tick.C:
		}
	}
}

// why makes the error of a job that ended: a task's own, else the cluster's. Bad says
// that it ended badly.
func (j *run) why(ctx context.Context, lost error, text string, bad bool) error {
	if err := pipelines.ReadFailure(ctx, j.store, j.spec); err != nil {
		return err
	}
	if lost != nil {
		return lost
	}
	if bad {
		return reason(text)
	}
	return nil
}

// followService follows a job by the job service alone.
func (j *run) followService(ctx context.Context, s *service, id string, heard <-chan news) error {
	for {
		select {
		case <-ctx.Done():
			if leaves(context.Cause(ctx)) {
				return context.Cause(ctx)
			}
			if err := s.cancel(context.WithoutCancel(ctx), id); err != nil {
				j.c.Log.WarnContext(ctx, "a job was not cancelled", "job", j.name, "error", err)
			}
			return context.Cause(ctx)
		case n, open := <-heard:
			if !open {
				return nil
			}
			if n.failed() && n.text == "" {
				continue // the message comes after the state
			}
			if n.lost != nil || ended(n.state) {
				return j.why(ctx, n.lost, n.text, n.state != jobpb.JobState_DONE)
			}
		}
	}
}

// followFlink follows a job by Flink's REST, whoever submitted it.
func (j *run) followFlink(ctx context.Context, id string) error {
	tick := time.NewTicker(j.c.Poll)
	defer tick.Stop()
	away := newPatience(awayTime)
	j.atFlink = true
	for {
		d, err := j.flink.Details(ctx, id)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case weir.CodeOf(err) == weir.NotFound:
			j.pass(ctx)
			return weir.Errorf(weir.Unavailable, "Flink has forgotten the job %s: its job manager was restarted", j.name).At(j.flink.base).
				Then("nothing, it is submitted again; with Flink's high availability a job outlives its job manager")
		case err != nil && away.over():
			return err
		case err == nil:
			away.reset()
			if d.Ended() {
				return j.end(ctx, d)
			}
			if err := j.hopeless(ctx, d); err != nil {
				j.cancel(ctx)
				return err
			}
			j.progress(j.done(d))
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// hopeless returns the error of a job that still runs when Flink's own repetition can't
// help: what its task says, or that there is no worker.
func (j *run) hopeless(ctx context.Context, d Details) error {
	if err := pipelines.ReadFailure(ctx, j.store, j.spec); err != nil && weir.CodeOf(err) != weir.Unavailable {
		return err
	}
	if d.State != "RESTARTING" && d.State != "FAILING" {
		return nil
	}
	text, err := j.flink.Why(ctx, d.ID)
	if err != nil || text == "" {
		return nil //nolint:nilerr // the next look tells
	}
	if err := reason(text); weir.CodeOf(err) == weir.Invalid || weir.CodeOf(err) == weir.Denied {
		return err
	}
	return nil
}

// end makes the error of a job that ended, nil if it ended well.
func (j *run) end(ctx context.Context, d Details) error {
	switch d.State {
	case "FINISHED":
		return nil
	case "CANCELED":
		return weir.Errorf(weir.Conflict, cancelledBy+" %s", j.name).At(j.flink.base)
	}
	if err := pipelines.ReadFailure(ctx, j.store, j.spec); err != nil {
		return err
	}
	text, err := j.flink.Why(ctx, d.ID)
	if err != nil {
		return err
	}
	return reason(text)
}

// done tells how far a job is: of its tasks on the cluster, how many have ended.
func (j *run) done(d Details) weir.Progress {
	p := weir.Progress{Unit: "tasks"}
	at := -1
	for _, v := range d.Vertices {
		p.Total += int64(v.Parallelism)
		p.Done += int64(v.Tasks["FINISHED"])
		if v.Tasks["RUNNING"] == 0 && v.Status != "RUNNING" {
			continue
		}
		for i, step := range j.pipeline.Steps {
			if i > at && strings.Contains(v.Name, "/"+step.Name+"/") {
				at, p.Note = i, step.Name
			}
		}
	}
	return p
}

// cancel cancels all jobs of the name and waits until Flink says so. Without REST
// followService has cancelled.
func (j *run) cancel(ctx context.Context) {
	if j.flink == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, cancelTime)
	defer cancel()
	err := j.cancelAll(ctx)
	if err != nil {
		j.c.Log.WarnContext(ctx, "a job may go on that should be cancelled: cancel it in Flink", "job", j.name, "error", err)
	}
}

// cancelAll returns when neither Flink nor the job service has a job of the name that
// runs. A part that does not answer once is asked again.
func (j *run) cancelAll(ctx context.Context) error {
	s, err := dial(ctx, j.c.JobService)
	if err == nil { // a job that is not at Flink yet
		defer s.close()
	}
	tick := time.NewTicker(min(j.c.Poll, 500*time.Millisecond))
	defer tick.Stop()
	for {
		left, err := j.cancelOnce(ctx, s)
		if err == nil && !left {
			return nil
		}
		select {
		case <-ctx.Done():
			if err == nil {
				err = weir.Errorf(weir.Unavailable, "Flink did not cancel the job in time")
			}
			return err
		case <-tick.C:
		}
	}
}

// cancelOnce asks for the end of what runs; left says whether something did. S may be nil.
func (j *run) cancelOnce(ctx context.Context, s *service) (left bool, err error) {
	found, err := j.flink.Running(ctx, j.name)
	if err != nil {
		return true, err
	}
	for _, f := range found {
		if f.State != "CANCELLING" {
			if err := j.flink.Cancel(ctx, f.ID); err != nil {
				return true, err
			}
		}
	}
	switch {
	case len(found) > 0 || s == nil:
		return len(found) > 0, nil
	case j.atFlink:
		j.pass(ctx)
		return false, nil
	}
	id, err := j.waiting(ctx, s)
	if err != nil || id == "" {
		return false, nil //nolint:nilerr // Flink has none, and it counts
	}
	return true, s.cancel(ctx, id) // it may be on its way still
}

// patience is how long somebody may stay away.
type patience struct {
	timer *time.Timer
	limit time.Duration
	out   bool
}

func newPatience(limit time.Duration) *patience { return &patience{limit: limit} }

// over reports whether the limit has passed since the first call after reset.
func (p *patience) over() bool {
	if p.timer == nil {
		p.timer = time.NewTimer(p.limit)
	}
	select {
	case <-p.timer.C:
		p.out = true
	default:
	}
	return p.out
}

func (p *patience) reset() {
	if p.timer != nil {
		p.timer.Stop()
	}
	p.timer, p.out = nil, false
}
