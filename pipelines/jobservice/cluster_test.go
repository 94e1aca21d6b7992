package jobservice

import (
	"context"
	"encoding/json"
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
	t        *testing.T
	service  string
	rest     string
	store    *object.Store
	config   object.Config
	spec     pipelines.Spec
	onRun    func(c *cluster, id string)        // what a submitted job does
	onLook   func(c *cluster, id string, n int) // at the nth look at a job
	onListen func()                             // when somebody follows a job by the service
	refuses  bool                               // does not cancel
	stale    bool                               // says for ever that its jobs run
	hiccups  int                                // requests for Flink's jobs that fail
	wants    string                             // a file of the submitter's that it asks for

	mu        sync.Mutex
	jobs      []Job
	looks     map[string]int
	names     []string
	why       string
	cancelled []string
	ended     []string // by the job service
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
	case r.URL.Path == "/jobs/overview" && c.hiccups > 0:
		c.hiccups--
		http.Error(w, "busy", http.StatusServiceUnavailable)
		return
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
	c.mu.Lock()
	defer c.mu.Unlock()
	r := &jobpb.GetJobsResponse{}
	for i, name := range c.names {
		if c.stale {
			r.JobInfo = append(r.JobInfo, &jobpb.JobInfo{JobId: fmt.Sprint("beam", i+1), JobName: name, State: jobpb.JobState_RUNNING})
		}
	}
	return r, nil
}

func (c *cluster) Prepare(_ context.Context, r *jobpb.PrepareJobRequest) (*jobpb.PrepareJobResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.names = append(c.names, r.GetJobName())
	return &jobpb.PrepareJobResponse{PreparationId: "p", StagingSessionToken: "s", ArtifactStagingEndpoint: &pipepb.ApiServiceDescriptor{Url: c.service}}, nil
}

func (c *cluster) Run(context.Context, *jobpb.RunJobRequest) (*jobpb.RunJobResponse, error) {
	c.mu.Lock()
	name, id := c.names[len(c.names)-1], fmt.Sprint("beam", len(c.names))
	c.mu.Unlock()
	c.onRun(c, c.add(name, "RUNNING"))
	return &jobpb.RunJobResponse{JobId: id}, nil
}

func (c *cluster) GetMessageStream(_ *jobpb.JobMessagesRequest, s jobpb.JobService_GetMessageStreamServer) error {
	if c.onListen != nil {
		c.onListen()
	}
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

// Cancel keeps what it is asked for.
func (c *cluster) Cancel(_ context.Context, r *jobpb.CancelJobRequest) (*jobpb.CancelJobResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = append(c.ended, r.GetJobId())
	return &jobpb.CancelJobResponse{}, nil
}
