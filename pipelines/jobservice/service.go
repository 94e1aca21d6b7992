package jobservice

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/apache/beam/sdks/v2/go/container/tools"
	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime/graphx"
	jobpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/jobmanagement_v1"
	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"google.golang.org/protobuf/proto"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
)

// How long the job service may take.
const (
	dialTime   = 15 * time.Second
	askTime    = 30 * time.Second
	submitTime = 3 * time.Minute // a loaded cluster's service translates and sends jars
)

// The job's options that the worker reads when it starts.
const (
	OptionSpec   = "weir_spec"   // the spec's key
	OptionPrefix = "weir_prefix" // of the workspace, in the bucket
	OptionBuild  = "weir_build"  // of the submitter
	OptionJob    = "weir_job"    // the job's name
	OptionREST   = "weir_rest"   // Flink's, where the job is known by that name
)

// GoOptions is the name of the job's options that hold those of Go programs.
const GoOptions = "beam:option:go_options:v1"

// service is Beam's job service.
type service struct {
	address string
	conn    *grpc.ClientConn
	jobs    jobpb.JobServiceClient
}

func dial(ctx context.Context, address string) (*service, error) {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
	if err != nil {
		return nil, weir.Errorf(weir.Invalid, "runner.job_service: %w", err).At(address).Then("give host:port of Beam's job service in weir.yaml")
	}
	s := &service{address: address, conn: conn, jobs: jobpb.NewJobServiceClient(conn)}
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	// The first call is the check: it waits for the connection, as far as the time goes.
	if _, err := s.jobs.GetJobs(ctx, &jobpb.GetJobsRequest{}, grpc.WaitForReady(true)); err != nil {
		_ = conn.Close() // the first error tells
		return nil, s.failed("ask for its jobs", err)
	}
	return s, nil
}

func (s *service) close() { _ = s.conn.Close() }

// failed makes an error of an answer of the job service.
func (s *service) failed(what string, err error) error {
	switch status.Code(err) {
	case codes.Unimplemented:
		return weir.Errorf(weir.Invalid, "what answers there is no Beam job service that Weir knows (%s)", cut(err.Error())).At(s.address).
			Then("check runner.job_service in weir.yaml, and that the job server is Beam " + beamVersion)
	case codes.Unavailable, codes.DeadlineExceeded:
		return weir.Errorf(weir.Unavailable, "Beam's job service does not answer: %s: %s", what, cut(err.Error())).At(s.address).
			Then("check runner.job_service in weir.yaml, and that the job server is up")
	}
	return weir.Errorf(weir.Unavailable, "Beam's job service can't %s: %s", what, cut(err.Error())).At(s.address).
		Then("see the job server's log")
}

// beamVersion is of the job server that this is tested with (deploy/flink/pom.xml).
const beamVersion = "2.62.0"

// active returns the ids of the jobs of a name that the service still runs: they may not
// have reached the cluster yet.
func (s *service) active(ctx context.Context, name string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	all, err := s.jobs.GetJobs(ctx, &jobpb.GetJobsRequest{})
	if err != nil {
		return nil, s.failed("list jobs", err)
	}
	var ids []string
	for _, j := range all.GetJobInfo() {
		if j.GetJobName() == name && !ended(j.GetState()) {
			ids = append(ids, j.GetJobId())
		}
	}
	return ids, nil
}

// cancel asks the service to cancel a job.
func (s *service) cancel(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	if _, err := s.jobs.Cancel(ctx, &jobpb.CancelJobRequest{JobId: id}); err != nil {
		return s.failed("cancel a job", err)
	}
	return nil
}

// options are the job's, in the form of Beam's model.
func (j *run) options() map[string]any {
	o := map[string]any{
		"beam:option:app_name:v1":    j.name,
		"beam:option:job_name:v1":    j.name,
		"beam:option:experiments:v1": []string{"beam_fn_api"},
		GoOptions: map[string]any{"options": map[string]string{
			OptionSpec: j.key, OptionPrefix: j.c.Store.Prefix, OptionBuild: j.c.Build, OptionJob: j.name, OptionREST: j.c.REST}},
	}
	if j.c.Parallelism > 0 {
		o["beam:option:parallelism:v1"] = j.c.Parallelism
	}
	return o
}

// translated is the graph in the form of Beam's model. The environment has no files: the
// worker is on the machines already.
func (j *run) translated() (*pipepb.Pipeline, error) {
	graph, err := pipelines.Graph(j.pipeline, j.key)
	if err != nil {
		return nil, err
	}
	return translate(graph, j.c.Command)
}

func translate(graph *beam.Pipeline, command string) (*pipepb.Pipeline, error) {
	edges, _, err := graph.Build()
	if err != nil {
		return nil, weir.Errorf(weir.Internal, "build the graph: %w", err)
	}
	env, err := graphx.CreateEnvironment(context.Background(), graphx.URNEnvProcess, func(context.Context) string { return "{}" })
	if err != nil {
		return nil, weir.Errorf(weir.Internal, "describe the worker: %w", err)
	}
	if env.Payload, err = proto.Marshal(&pipepb.ProcessPayload{Command: command}); err != nil {
		return nil, weir.Errorf(weir.Internal, "describe the worker: %w", err)
	}
	env.Dependencies = nil
	p, err := graphx.Marshal(edges, &graphx.Options{Environment: env})
	if err != nil {
		return nil, weir.Errorf(weir.Internal, "translate the graph: %w", err)
	}
	return p, nil
}

// submit hands the job over and returns the service's id for it.
func (s *service) submit(ctx context.Context, j *run) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, submitTime)
	defer cancel()
	p, err := j.translated()
	if err != nil {
		return "", err
	}
	options, err := tools.OptionsToProto(j.options())
	if err != nil {
		return "", weir.Errorf(weir.Internal, "encode the job's options: %w", err)
	}
	prepared, err := s.jobs.Prepare(ctx, &jobpb.PrepareJobRequest{Pipeline: p, PipelineOptions: options, JobName: j.name})
	if err != nil {
		return "", s.failed("prepare the job", err)
	}
	if err := s.stage(ctx, prepared); err != nil {
		return "", err
	}
	started, err := s.jobs.Run(ctx, &jobpb.RunJobRequest{PreparationId: prepared.GetPreparationId(), RetrievalToken: prepared.GetStagingSessionToken()})
	if err != nil {
		return "", s.failed("run the job", err)
	}
	j.c.Log.InfoContext(ctx, "submitted a job", "job", j.name, "beam_job", started.GetJobId())
	return started.GetJobId(), nil
}

// news is what the service says of a job.
type news struct {
	state jobpb.JobState_Enum
	text  string // the last error message
	lost  error  // the stream ended before the job did
}

func (n news) failed() bool { return n.state == jobpb.JobState_FAILED }

// listen sends what the service says of a job, until the job's end or ctx's. The last
// error message comes with the state that ends it.
func (s *service) listen(ctx context.Context, id string) <-chan news {
	out := make(chan news, 64)
	go func() {
		defer close(out)
		stream, err := s.jobs.GetMessageStream(ctx, &jobpb.JobMessagesRequest{JobId: id})
		last := news{}
		for err == nil {
			var m *jobpb.JobMessagesResponse
			if m, err = stream.Recv(); err != nil {
				break
			}
			if r := m.GetMessageResponse(); r.GetImportance() >= jobpb.JobMessage_JOB_MESSAGE_ERROR {
				last.text = r.GetMessageText()
			}
			if st := m.GetStateResponse(); st != nil {
				last.state = st.GetState()
			}
			select {
			case out <- last:
			case <-ctx.Done():
				return
			}
		}
		if errors.Is(err, io.EOF) && ended(last.state) {
			return
		}
		last.lost = s.failed("tell of the job", err)
		select {
		case out <- last:
		case <-ctx.Done():
		}
	}()
	return out
}

func ended(s jobpb.JobState_Enum) bool {
	switch s {
	case jobpb.JobState_DONE, jobpb.JobState_FAILED, jobpb.JobState_CANCELLED, jobpb.JobState_DRAINED, jobpb.JobState_UPDATED, jobpb.JobState_STOPPED:
		return s != jobpb.JobState_STOPPED // where every job begins
	}
	return false
}
