package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"runtime"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/jobservice"
	"github.com/weir-cdp/weir/pipelines/roster"
)

// runner is what executes pipelines: by weir.yaml a child process on this machine, or a
// cluster.
func (pl *platform) runner(ctx context.Context) (pipelines.Runner, error) {
	store := pl.house.Lake.Store()
	if err := makeSecret(ctx, store); err != nil {
		return nil, err
	}
	if x := pl.project.Runner; x.Type == "flink" {
		return jobservice.New(jobservice.Config{JobService: x.JobService, REST: x.REST, Parallelism: x.Parallelism, Command: x.Worker,
			Store: pl.config.Object, Pipelines: roster.Pipelines(), Log: pl.app.log}), nil
	}
	secrets, err := pipelines.Secrets(ctx, store, roster.Secrets())
	if err != nil {
		return nil, err
	}
	return pipelines.Child{Dir: pl.scratch(), Store: pl.config.Object, Memory: pipelineMemory(runtime.NumCPU()), LocalScratch: pl.embedded, Secrets: secrets}, nil
}

// pipelineMemory is the soft limit of a pipeline process: room for two tasks at
// least, four at most however many processors there are, and for a task that sees
// everything, as resolve's partition: near the limit the collector would take more
// time than the work. No stage may take 2 GiB.
func pipelineMemory(processors int) int64 {
	const whole, most = 512 << 20, 1792 << 20
	return min(pipelines.SlotMemory*int64(min(max(processors, 2), 4))+whole, most)
}

// makeSecret makes the workspace's secret unless it is there.
func makeSecret(ctx context.Context, s *object.Store) error {
	if _, err := s.Stat(ctx, pipelines.SecretKey); err == nil { // a full disk can still be asked
		return nil
	}
	fresh := make([]byte, 32)
	if _, err := rand.Read(fresh); err != nil {
		return weir.Errorf(weir.Internal, "make the workspace's secret: %w", err)
	}
	_, err := s.PutIfAbsent(ctx, pipelines.SecretKey, []byte(hex.EncodeToString(fresh)))
	return err
}
