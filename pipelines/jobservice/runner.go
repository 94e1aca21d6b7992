package jobservice

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/pipelines"
)

// DefaultCommand is where the worker is on the task managers' machines.
const DefaultCommand = "/opt/weir/weir-pipeline"

// Config says where the cluster is.
type Config struct {
	JobService  string // host:port of Beam's job service
	REST        string // URL of the job manager; "": what only the job service knows, for tests
	Parallelism int    // of a job; 0: the cluster's own
	Command     string // path of the worker on the task managers; "": DefaultCommand
	Build       string // which the worker must have; "": this program's
	Store       object.Config
	Pipelines   map[weir.Stage]pipelines.Pipeline
	Log         *slog.Logger
	Poll        time.Duration // between two looks at a job; 0: a second
}

// Runner implements pipelines.Runner on a cluster.
type Runner struct {
	c     Config
	flink *Flink   // nil without REST
	past  sync.Map // ids of the job service's jobs that Flink has no more: it may say for ever that they run
}

// New makes a runner; nothing is reached yet.
func New(c Config) *Runner {
	c.Command, c.Build = cmp.Or(c.Command, DefaultCommand), cmp.Or(c.Build, pipelines.Build())
	c.Poll = cmp.Or(c.Poll, time.Second)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	r := &Runner{c: c}
	if c.REST != "" {
		r.flink = NewFlink(c.REST)
	}
	return r
}

// run is one call of Run.
type run struct {
	*Runner
	store    *object.Store
	spec     *pipelines.Spec
	key      string
	pipeline pipelines.Pipeline
	name     string // of the job
	atFlink  bool   // Flink had the job: what the job service says of it does not count
	progress func(weir.Progress)
}

// Run implements pipelines.Runner.
func (r *Runner) Run(ctx context.Context, specKey string, progress func(weir.Progress)) (weir.Manifest, error) {
	var none weir.Manifest
	store, err := object.Open(ctx, r.c.Store)
	if err != nil {
		return none, err
	}
	spec, err := pipelines.ReadSpec(ctx, store, specKey)
	if err != nil {
		return none, err
	}
	if m, err := pipelines.ReadManifest(ctx, store, spec); err == nil || weir.CodeOf(err) != weir.NotFound {
		return m, err
	}
	p, ok := r.c.Pipelines[spec.Stage]
	if !ok {
		return none, weir.Errorf(weir.Internal, "there is no pipeline for stage %s", spec.Stage)
	}
	if progress == nil {
		progress = func(weir.Progress) {}
	}
	j := &run{Runner: r, store: store, spec: spec, key: specKey, pipeline: p, name: JobName(r.c.Store, spec, specKey), progress: progress}
	err = j.toEnd(ctx)
	if cause := context.Cause(ctx); cause != nil {
		if !leaves(cause) {
			j.cancel(context.WithoutCancel(ctx))
		}
		return none, cause
	}
	// Whatever the cluster says of the job: its manifest is what it was for.
	m, missing := pipelines.ReadManifest(ctx, store, spec)
	switch {
	case missing == nil:
		return m, nil
	case weir.CodeOf(missing) != weir.NotFound:
		return none, missing
	case err != nil:
		return none, err
	}
	return none, weir.Errorf(weir.Internal, "the job %s ended without a manifest", j.name).At(spec.Manifest)
}

// leaves tells whether what ended a context leaves the job to the next attempt: this
// worker ends, the run does not.
func leaves(cause error) bool { return weir.CodeOf(cause) == weir.Unavailable }

// toEnd finds or submits the job and follows it to its end.
func (j *run) toEnd(ctx context.Context) error {
	if j.flink != nil {
		if err := j.flink.Check(ctx); err != nil {
			return err
		}
		found, err := j.flink.Running(ctx, j.name)
		if err != nil {
			return err
		}
		if len(found) > 0 {
			j.c.Log.InfoContext(ctx, "goes on with a job that runs", "job", j.name, "flink_job", found[0].ID)
			return j.followFlink(ctx, found[0].ID)
		}
	}
	s, err := dial(ctx, j.c.JobService)
	if err != nil {
		return err
	}
	defer s.close()
	id, err := j.waiting(ctx, s)
	if err != nil {
		return err
	}
	if id != "" && j.flink != nil {
		// On its way, from an attempt just before; or dead, and another worker knew that.
		flinkID, err := j.appears(ctx, s.listen(ctx, id), onItsWay)
		switch {
		case err == nil && flinkID != "":
			return j.followFlink(ctx, flinkID)
		case !errors.Is(err, errAbsent):
			return err
		}
		id = ""
	}
	if id == "" {
		if err := pipelines.ForgetFailure(ctx, j.store, j.spec); err != nil {
			return err
		}
		if id, err = s.submit(ctx, j); err != nil {
			return err
		}
	}
	heard := s.listen(ctx, id)
	if j.flink == nil {
		return j.followService(ctx, s, id, heard)
	}
	flinkID, err := j.appears(ctx, heard, appearTime)
	if errors.Is(err, errAbsent) {
		_ = s.cancel(ctx, id) // as far as it goes
	}
	if err != nil || flinkID == "" {
		return err
	}
	return j.followFlink(ctx, flinkID)
}

// waiting returns the id of a job of the name that the service still runs, "" if there is
// none but those that are past.
func (j *run) waiting(ctx context.Context, s *service) (string, error) {
	ids, err := s.active(ctx, j.name)
	for _, id := range ids {
		if _, past := j.past.Load(id); !past {
			return id, nil
		}
	}
	return "", err
}

// pass remembers that Flink has no more what the service still runs under the name.
func (j *run) pass(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, passTime)
	defer cancel()
	s, err := dial(ctx, j.c.JobService)
	if err != nil {
		return // the next attempt waits a little
	}
	defer s.close()
	ids, _ := s.active(ctx, j.name)
	for _, id := range ids {
		j.past.Store(id, true)
	}
}

var noNameChar = regexp.MustCompile(`[^a-z0-9]+`)

// JobName names the job of a spec: the same on every machine and at every attempt.
func JobName(store object.Config, spec *pipelines.Spec, specKey string) string {
	sum := sha256.Sum256([]byte(fmt.Sprintf("%s\n%s\n%s\n%s", store.Endpoint, store.Bucket, store.Prefix, specKey)))
	readable := noNameChar.ReplaceAllString(strings.ToLower(fmt.Sprintf("%s-%s-%s", spec.Run.Workspace, spec.Stage, spec.Run.ID)), "-")
	return "weir-" + readable + "-" + hex.EncodeToString(sum[:6])
}
