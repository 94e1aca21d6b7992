package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime/harness"
	fnpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/fnexecution_v1"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/util/grpcx"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/jobservice"
	"github.com/weir-cdp/weir/pipelines/roster"
)

// provisionTime bounds the wait for the process that started us.
const provisionTime = 30 * time.Second

// work serves one job until the task manager closes the connection.
func work(ctx context.Context, id, provision string) error {
	ctx = grpcx.WriteWorkerID(ctx, id)
	info, err := provisioned(ctx, provision)
	if err != nil {
		return refused{jobservice.ExitService, err}
	}
	c, err := readConfig()
	if err != nil {
		return refused{jobservice.ExitConfig, err}
	}
	job := jobOf(info)
	c.store.Prefix = job[jobservice.OptionPrefix]
	store, err := object.Open(ctx, c.store)
	if err != nil {
		return refused{jobservice.ExitStore, err}
	}
	spec, err := pipelines.ReadSpec(ctx, store, job[jobservice.OptionSpec])
	if err != nil {
		return refused{exitOfSpec(err), err}
	}
	// From here on the submitter can be told in words.
	if err := sameBuild(job[jobservice.OptionBuild]); err != nil {
		return refused{jobservice.ExitBuild, told(ctx, store, spec, err)}
	}
	secrets, err := pipelines.Secrets(ctx, store, roster.Secrets())
	if err != nil {
		return refused{jobservice.ExitStore, told(ctx, store, spec, weir.Errorf(weir.CodeOf(err), "the worker can't read the workspace's secret: %w", err))}
	}
	if rest := job[jobservice.OptionREST]; rest != "" {
		go endsWithJob(ctx, jobservice.NewFlink(rest), job[jobservice.OptionJob])
	}
	c.apply()
	pipelines.Serve(roster.Pipelines(), store, secrets)
	err = harness.MainWithOptions(ctx, info.GetLoggingEndpoint().GetUrl(), info.GetControlEndpoint().GetUrl(),
		harness.Options{RunnerCapabilities: info.GetRunnerCapabilities(), StatusEndpoint: info.GetStatusEndpoint().GetUrl()})
	if err != nil {
		return fmt.Errorf("the task manager went away: %w", err)
	}
	return nil
}

// exitOfSpec tells a bucket that does not hold the spec, which repeating can't help, from
// one that can't be read now.
func exitOfSpec(err error) int {
	if weir.CodeOf(err) == weir.NotFound {
		return jobservice.ExitNoSpec
	}
	return jobservice.ExitStore
}

// told leaves the error for the submitter and returns it.
func told(ctx context.Context, store *object.Store, spec *pipelines.Spec, err error) error {
	_ = pipelines.LeaveFailure(ctx, store, spec, err) // the exit code tells as well
	return err
}

// sameBuild refuses a submitter of another build.
func sameBuild(submitter string) error {
	if mine := pipelines.Build(); mine != submitter {
		host, _ := os.Hostname()
		return weir.Errorf(weir.Invalid, "the worker on %s is of build %s, the weir that submits of build %s", host, mine, submitter).
			Then("install on the task managers the weir-pipeline that was built with this weir")
	}
	return nil
}

// provisioned asks the process that started us for the job and for its endpoints.
func provisioned(ctx context.Context, endpoint string) (*fnpb.ProvisionInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, provisionTime)
	defer cancel()
	conn, err := grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, weir.Errorf(weir.Invalid, "the provision endpoint: %w", err)
	}
	defer conn.Close()
	r, err := fnpb.NewProvisionServiceClient(conn).GetProvisionInfo(ctx, &fnpb.GetProvisionInfoRequest{}, grpc.WaitForReady(true))
	if err != nil {
		return nil, weir.Errorf(weir.Unavailable, "ask %s for the job: %w", endpoint, err)
	}
	return r.GetInfo(), nil
}

// jobOf are the job's options that Weir set.
func jobOf(info *fnpb.ProvisionInfo) map[string]string {
	out := map[string]string{}
	options := info.GetPipelineOptions().GetFields()[jobservice.GoOptions].GetStructValue().GetFields()["options"]
	for k, v := range options.GetStructValue().GetFields() {
		out[k] = v.GetStringValue()
	}
	return out
}

// diesWithParent ends this process when the one that started it is gone: a task may be
// in the middle of work and see nothing of it. The kernel's own signal for that
// (PR_SET_PDEATHSIG) would come when the thread ends that started us, and Java's do.
func diesWithParent(parent int) {
	for range time.Tick(time.Second) {
		if os.Getppid() != parent {
			os.Exit(1)
		}
	}
}

// How a worker notices that its job is over: Beam forgets one that it was just starting
// when the job was restarted.
const (
	lookEvery = 5 * time.Second
	overAfter = 3 // looks in a row that do not find the job
)

// endsWithJob ends this process when Flink says that no such job runs. Where Flink's REST
// can't be reached from here, it says nothing.
func endsWithJob(ctx context.Context, flink *jobservice.Flink, name string) {
	missed := 0
	for range time.Tick(lookEvery) {
		running, err := flink.Running(ctx, name)
		if err != nil || len(running) > 0 {
			missed = 0
			continue
		}
		if missed++; missed == overAfter {
			os.Exit(0)
		}
	}
}
