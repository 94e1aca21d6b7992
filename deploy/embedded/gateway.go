package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os/exec"
	"runtime"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/weir-cdp/weir"
)

// Subcommand is the hidden subcommand with which the S3 child is started.
const Subcommand = "embedded-s3"

// gateway supervises the S3 child: it is started again when it dies.
type gateway struct {
	address string
	argv    []string
	config  []byte
	log     *slog.Logger
	report  func(error)

	mu      sync.Mutex
	leash   io.Closer // the child's standard input
	child   *exec.Cmd
	closing bool
	ended   chan struct{} // the supervisor has ended
	exits   chan error    // of the child, for whoever waits for the first start
}

// How often the child may die before the platform gives up: more than
// maxRestarts times, each within restartWindow of its start.
const (
	maxRestarts   = 5
	restartWindow = time.Minute
	stopGrace     = 5 * time.Second
)

func startGateway(ctx context.Context, self []string, f folder, port int, k keys, log *slog.Logger, report func(error)) (*gateway, error) {
	config, err := json.Marshal(serveConfig{
		Address: address(port), Root: f.path("s3"), Metadata: f.path("metadata"), Keys: k})
	if err != nil {
		return nil, weir.Errorf(weir.Internal, "s3: %w", err)
	}
	g := &gateway{
		address: address(port), argv: append(append([]string(nil), self...), Subcommand), config: append(config, '\n'),
		log: log, report: report, ended: make(chan struct{}), exits: make(chan error, 1),
	}
	go g.supervise()
	if err := g.ready(ctx, k); err != nil {
		return nil, errors.Join(err, g.stop())
	}
	return g, nil
}

// ready waits until the child serves, and makes the bucket.
func (g *gateway) ready(ctx context.Context, k keys) error {
	var died error
	ok := poll(ctx, 10*time.Millisecond, func() bool {
		select {
		case died = <-g.exits:
			return true
		default:
			return gatewayAnswers(ctx, g.address, k.Access)
		}
	})
	if died != nil {
		return died
	}
	if !ok {
		return weir.Errorf(weir.Unavailable, "the S3 gateway at %s does not answer: %w", g.address, ctx.Err())
	}
	c, err := minio.New(g.address, &minio.Options{
		Creds: credentials.NewStaticV4(k.Access, k.Secret, ""), Region: region, BucketLookup: minio.BucketLookupPath})
	if err != nil {
		return weir.Errorf(weir.Internal, "s3: %w", err)
	}
	there, err := c.BucketExists(ctx, bucket)
	if err == nil && !there {
		err = c.MakeBucket(ctx, bucket, minio.MakeBucketOptions{Region: region})
	}
	if err != nil {
		return weir.Errorf(weir.Unavailable, "the bucket of the S3 gateway: %w", err)
	}
	return nil
}

// supervise keeps the child alive. It stays on one thread, because the kernel
// kills the child when the thread that forked it ends.
func (g *gateway) supervise() {
	runtime.LockOSThread() // never unlocked: the thread ends with the supervisor
	defer close(g.ended)
	pause := 50 * time.Millisecond
	for deaths := 0; ; {
		started := time.Now()
		err := g.runChild()
		g.mu.Lock()
		closing := g.closing
		g.mu.Unlock()
		if closing {
			return
		}
		if time.Since(started) > restartWindow {
			deaths, pause = 0, 50*time.Millisecond
		}
		deaths++
		select {
		case g.exits <- err:
		default:
		}
		if deaths > maxRestarts {
			g.report(err)
			return
		}
		g.log.Warn("the S3 gateway died and is started again", "error", err)
		time.Sleep(pause)
		pause *= 2
	}
}

// runChild starts the child and returns when it has ended.
func (g *gateway) runChild() error {
	cmd := exec.Command(g.argv[0], g.argv[1:]...)
	tied(cmd)
	tail := &tail{log: g.log}
	cmd.Stdout, cmd.Stderr = tail, tail
	leash, err := cmd.StdinPipe()
	if err != nil {
		return weir.Errorf(weir.Internal, "s3: %w", err)
	}
	g.mu.Lock()
	if g.closing {
		g.mu.Unlock()
		return errors.Join(leash.Close())
	}
	if err := cmd.Start(); err != nil {
		g.mu.Unlock()
		return weir.Errorf(weir.Internal, "the S3 gateway does not start: %w", err)
	}
	g.child, g.leash = cmd, leash
	g.mu.Unlock()
	_, sent := leash.Write(g.config)
	err = cmd.Wait()
	if err == nil {
		err = sent
	}
	return weir.Errorf(weir.Unavailable, "the S3 gateway ended: %v %s", err, tail.last())
}

// stop ends the child: its leash first, then by force.
func (g *gateway) stop() error {
	g.mu.Lock()
	g.closing = true
	child, leash := g.child, g.leash
	g.mu.Unlock()
	if leash != nil {
		_ = leash.Close() // closed already if the child ended by itself
	}
	select {
	case <-g.ended:
		return nil
	case <-time.After(stopGrace):
	}
	if child != nil {
		_ = child.Process.Kill() // an error says that it has ended
	}
	<-g.ended
	return nil
}
