package jobservice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	jobpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/jobmanagement_v1"
	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"google.golang.org/grpc"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/lakehouse/object/objecttest"
	"github.com/weir-cdp/weir/pipelines"
)

// cluster is a job service and a Flink's REST that do what a test says.
type cluster struct {
	jobpb.UnimplementedJobServiceServer
	jobpb.UnimplementedArtifactStagingServiceServer
	t       *testing.T
	service string
	rest    string
	store   *object.Store
	config  object.Config
	spec    pipelines.Spec
	onRun   func(c *cluster, id string)        // what a submitted job does
	onLook  func(c *cluster, id string, n int) // at the nth look at a job
	refuses bool                               // does not cancel
	wants   string                             // a file of the submitter's that it asks for

	mu        sync.Mutex
	jobs      []Job
	looks     map[string]int
	names     []string
	why       string
	cancelled []string
}

const specKey = "runs/r/segment/spec.json"

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t, looks: map[string]int{}}
	c.store, c.config = newStore(t)
	c.spec = pipelines.Spec{Run: weir.Run{Workspace: "shop", ID: "20260101T000000Z-a"}, Stage: weir.Segment, Params: json.RawMessage(`{}`),
		Partitions: 1, Scratch: "runs/r/segment/scratch/", Manifest: "runs/r/segment/manifest.json"}
	if err := pipelines.WriteSpec(t.Context(), c.store, specKey, &c.spec); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.service = l.Addr().String()
	g := grpc.NewServer()
	jobpb.RegisterJobServiceServer(g, c)
	jobpb.RegisterArtifactStagingServiceServer(g, c)
	go func() { _ = g.Serve(l) }()
	t.Cleanup(g.Stop)
	web := httptest.NewServer(http.HandlerFunc(c.serve))
	t.Cleanup(web.Close)
	c.rest = web.URL
	return c
}

func newStore(t *testing.T) (*object.Store, object.Config) {
	t.Helper()
	config := objecttest.Config(t, nil)
	s, err := object.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	return s, config
}

func (c *cluster) runner() *Runner {
	return New(Config{JobService: c.service, REST: c.rest, Store: c.config, Poll: time.Millisecond, Build: "b",
		Pipelines: map[weir.Stage]pipelines.Pipeline{weir.Segment: {Stage: weir.Segment, Steps: []pipelines.Step{{Name: "only", Run: func(context.Context, *pipelines.Task) error { return nil }}}}}})
}

func (c *cluster) complete() {
	c.t.Helper()
	data, err := json.Marshal(weir.Manifest{Run: c.spec.Run, Stage: c.spec.Stage, Counts: map[string]int64{"n": 7}})
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.store.PutIfAbsent(context.Background(), c.spec.Manifest, data); err != nil {
		c.t.Error(err)
	}
}

func (c *cluster) add(name, state string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := fmt.Sprintf("%032d", len(c.jobs)+1)
	c.jobs = append(c.jobs, Job{ID: id, Name: name, State: state, Start: int64(len(c.jobs))})
	return id
}

func (c *cluster) set(id, state string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.jobs {
		if c.jobs[i].ID == id {
			c.jobs[i].State = state
		}
	}
}

func (c *cluster) serve(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	id := ""
	if len(parts) > 1 {
		id = parts[1]
	}
	if r.Method == http.MethodGet && len(parts) == 2 && id != "overview" && c.onLook != nil {
		c.mu.Lock()
		c.looks[id]++
		n := c.looks[id]
		c.mu.Unlock()
		c.onLook(c, id, n)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var job *Job
	for i := range c.jobs {
		if c.jobs[i].ID == id {
			job = &c.jobs[i]
		}
	}
	var answer any
	switch {
	case r.URL.Path == "/overview":
		answer = Overview{Version: "1.19.3", TaskManagers: 1}
	case r.URL.Path == "/jobs/overview":
		answer = map[string]any{"jobs": c.jobs}
	case job == nil:
		http.NotFound(w, r)
		return
	case r.Method == http.MethodPatch:
		c.cancelled = append(c.cancelled, id)
		if !c.refuses {
			job.State = "CANCELED"
		}
		w.WriteHeader(http.StatusAccepted)
		return
	case len(parts) == 3:
		answer = map[string]any{"root-exception": c.why}
	default:
		answer = Details{Job: *job}
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func (c *cluster) GetJobs(context.Context, *jobpb.GetJobsRequest) (*jobpb.GetJobsResponse, error) {
	return &jobpb.GetJobsResponse{}, nil
}

func (c *cluster) Prepare(_ context.Context, r *jobpb.PrepareJobRequest) (*jobpb.PrepareJobResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.names = append(c.names, r.GetJobName())
	return &jobpb.PrepareJobResponse{PreparationId: "p", StagingSessionToken: "s", ArtifactStagingEndpoint: &pipepb.ApiServiceDescriptor{Url: c.service}}, nil
}

func (c *cluster) Run(context.Context, *jobpb.RunJobRequest) (*jobpb.RunJobResponse, error) {
	c.mu.Lock()
	name := c.names[len(c.names)-1]
	c.mu.Unlock()
	c.onRun(c, c.add(name, "RUNNING"))
	return &jobpb.RunJobResponse{JobId: "beam"}, nil
}

func (c *cluster) GetMessageStream(_ *jobpb.JobMessagesRequest, s jobpb.JobService_GetMessageStreamServer) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		c.mu.Lock()
		over := len(c.jobs) > 0 && c.jobs[len(c.jobs)-1].State == "FINISHED"
		c.mu.Unlock()
		if over {
			return s.Send(&jobpb.JobMessagesResponse{Response: &jobpb.JobMessagesResponse_StateResponse{
				StateResponse: &jobpb.JobStateEvent{State: jobpb.JobState_DONE}}})
		}
		select {
		case <-s.Context().Done():
			return nil
		case <-tick.C:
		}
	}
}

func (c *cluster) submitted() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.names)
}

func TestRunsToItsManifest(t *testing.T) {
	c := newCluster(t)
	c.onRun = func(c *cluster, id string) { c.complete(); c.set(id, "FINISHED") }
	for range 2 { // the second finds the manifest
		m, err := c.runner().Run(t.Context(), specKey, nil)
		if err != nil || m.Counts["n"] != 7 {
			t.Fatalf("%+v, %v", m, err)
		}
	}
	if c.submitted() != 1 {
		t.Errorf("%d jobs were submitted", c.submitted())
	}
}

func TestAdoptsWhatRuns(t *testing.T) {
	c := newCluster(t)
	c.add(JobName(c.config, &c.spec, specKey), "RUNNING")
	c.add("weir-another", "RUNNING")
	c.onLook = func(c *cluster, id string, n int) {
		if n == 3 {
			c.complete()
			c.set(id, "FINISHED")
		}
	}
	r := c.runner()
	r.c.JobService = "127.0.0.1:1" // it may be gone
	if m, err := r.Run(t.Context(), specKey, nil); err != nil || m.Counts["n"] != 7 {
		t.Fatalf("%+v, %v", m, err)
	}
	if c.submitted() != 0 || len(c.cancelled) != 0 {
		t.Errorf("submitted %d, cancelled %v", c.submitted(), c.cancelled)
	}
}

func TestOfTwoAtOnceOneStays(t *testing.T) {
	c := newCluster(t)
	name := JobName(c.config, &c.spec, specKey)
	first := ""
	c.onRun = func(c *cluster, id string) {
		first = id // and somebody else's came at the same time
		c.add(name, "RUNNING")
	}
	c.onLook = func(c *cluster, id string, _ int) {
		if id != first {
			t.Errorf("follows %s", id)
		}
		c.complete()
		c.set(id, "FINISHED")
	}
	if _, err := c.runner().Run(t.Context(), specKey, nil); err != nil {
		t.Fatal(err)
	}
	if len(c.cancelled) != 1 || c.cancelled[0] == first {
		t.Errorf("cancelled %v, the first is %s", c.cancelled, first)
	}
}

func TestCancelIsConfirmed(t *testing.T) {
	c := newCluster(t)
	ctx, cancel := context.WithCancel(t.Context())
	c.onRun = func(*cluster, string) {}
	c.refuses = true
	c.onLook = func(*cluster, string, int) { cancel() }
	go func() {
		for {
			c.mu.Lock()
			asked := len(c.cancelled)
			c.mu.Unlock()
			if asked > 2 {
				c.set(c.jobs[0].ID, "CANCELED")
				return
			}
		}
	}()
	_, err := c.runner().Run(ctx, specKey, nil)
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if c.jobs[0].State != "CANCELED" {
		t.Errorf("the job is %s", c.jobs[0].State)
	}
}

func TestATasksOwnMessage(t *testing.T) {
	c := newCluster(t)
	refusal := weir.Errorf(weir.Invalid, "the rule does not compile").At("identity.yaml:3").Then("correct it")
	c.onRun = func(*cluster, string) {}
	c.onLook = func(c *cluster, _ string, n int) {
		if n == 1 {
			if err := pipelines.LeaveFailure(context.Background(), c.store, &c.spec, refusal); err != nil {
				t.Error(err)
			}
		}
	}
	_, err := c.runner().Run(t.Context(), specKey, nil)
	if err == nil || err.Error() != refusal.Error() || weir.CodeOf(err) != weir.Invalid {
		t.Fatalf("got %v", err)
	}
	if len(c.cancelled) == 0 {
		t.Error("Flink repeats what can't pass")
	}
	// The next attempt is not told of it.
	c.onLook = nil
	c.onRun = func(c *cluster, id string) { c.complete(); c.set(id, "FINISHED") }
	if _, err := c.runner().Run(t.Context(), specKey, nil); err != nil {
		t.Errorf("the next attempt: %v", err)
	}
}

func TestEndsOfJobs(t *testing.T) {
	for name, x := range map[string]struct {
		state, why string
		code       weir.Code
	}{
		"failed":    {"FAILED", "Caused by: java.io.IOException: Cannot run program \"x\"", weir.Invalid},
		"cancelled": {"CANCELED", "", weir.Conflict},
		"nothing":   {"FINISHED", "", weir.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			c.why = x.why
			c.onRun = func(*cluster, string) {}
			c.onLook = func(c *cluster, id string, _ int) { c.set(id, x.state) }
			if _, err := c.runner().Run(t.Context(), specKey, nil); weir.CodeOf(err) != x.code {
				t.Errorf("got %s: %v", weir.CodeOf(err), err)
			}
		})
	}
}

func TestForgottenJobIsTriedAgain(t *testing.T) {
	c := newCluster(t)
	c.onRun = func(*cluster, string) {}
	c.onLook = func(c *cluster, _ string, _ int) {
		c.mu.Lock()
		c.jobs = nil // the job manager was restarted
		c.mu.Unlock()
	}
	if _, err := c.runner().Run(t.Context(), specKey, nil); weir.CodeOf(err) != weir.Unavailable {
		t.Errorf("got %v", err)
	}
}

func TestWrongAddresses(t *testing.T) {
	c := newCluster(t)
	html := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }))
	t.Cleanup(html.Close)
	other := grpc.NewServer() // answers, and is no job service
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = other.Serve(l) }()
	t.Cleanup(other.Stop)
	for name, x := range map[string]struct {
		rest, service string
		code          weir.Code
		says          string
	}{
		"no rest":             {"http://127.0.0.1:1", c.service, weir.Unavailable, "runner.rest"},
		"not Flink":           {html.URL, c.service, weir.Invalid, "runner.rest"},
		"another job service": {c.rest, l.Addr().String(), weir.Invalid, "runner.job_service"},
	} {
		t.Run(name, func(t *testing.T) {
			r := New(Config{JobService: x.service, REST: x.rest, Store: c.config, Pipelines: c.runner().c.Pipelines})
			if _, err := r.Run(t.Context(), specKey, nil); weir.CodeOf(err) != x.code || !strings.Contains(fmt.Sprint(err), x.says) {
				t.Errorf("got %s: %v", weir.CodeOf(err), err)
			}
		})
	}
}

func TestJobNames(t *testing.T) {
	c := newCluster(t)
	name := JobName(c.config, &c.spec, specKey)
	if !strings.HasPrefix(name, "weir-shop-segment-20260101t000000z-a-") {
		t.Error(name)
	}
	other := c.config
	other.Prefix = "another"
	if name == JobName(other, &c.spec, specKey) || name == JobName(c.config, &c.spec, specKey+"2") {
		t.Error("another workspace's or spec's job has the same name")
	}
}
