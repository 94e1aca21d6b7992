package clustertest

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/weir-cdp/weir/test/e2e/weirtest"
)

// cached gives a file or folder that `make cluster-env` fetched; the test is skipped
// without it.
func cached(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("WEIR_CLUSTER_CACHE")
	if dir == "" {
		dir = filepath.Join(weirtest.Root(), ".cache", "cluster")
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		missing(t, name+" is not there: run `make cluster-env`")
	}
	return path
}

// missing skips a test, or fails it where everything has to be there.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("WEIR_REQUIRE_CLUSTER") == "1" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// Part is one program of the cluster.
type Part struct {
	name  string
	make  func() *exec.Cmd
	ready func(context.Context) error

	mu   sync.Mutex
	cmd  *exec.Cmd
	log  *output
	gone chan struct{} // closed when the process has ended
}

// output keeps the end of what a part printed.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.b.Len() > 1<<20 {
		o.b.Reset()
	}
	return o.b.Write(p)
}

func (o *output) clear() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.b.Reset()
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.b.String()
	return s[max(0, len(s)-8<<10):]
}

// readyWithin is how long a part may take until it answers: Java on a loaded machine.
const readyWithin = 2 * time.Minute

// begin starts a part that ends with the test.
func begin(t testing.TB, p *Part) *Part {
	t.Helper()
	p.log = &output{}
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("%s printed at the end:\n%s", p.name, p.log)
		}
	})
	p.Restart(t)
	return p
}

// Kill ends the part as a power cut would. It may have ended.
func (p *Part) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.gone
	p.cmd = nil
}

// Start starts the part, without waiting until it answers.
func (p *Part) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		return fmt.Errorf("%s runs", p.name)
	}
	cmd, gone := p.make(), make(chan struct{})
	p.log.clear() // what it says of being ready counts from here
	cmd.Stdout, cmd.Stderr = p.log, p.log
	// It ends with the tests, however they end. The signal belongs to the thread that
	// starts it, so that thread has to stay.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // it is killed, mostly
		}
		close(gone)
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	p.cmd, p.gone = cmd, gone
	return nil
}

// Restart starts a part that was killed, and waits until it answers.
func (p *Part) Restart(t testing.TB) {
	t.Helper()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := p.ready(ctx)
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-p.gone:
			t.Fatalf("%s ended\n%s", p.name, p.log)
		case <-ctx.Done():
			t.Fatalf("%s is not ready: %v\n%s", p.name, err, p.log)
		}
	}
}

// answers is a part that is ready when a GET of it is answered well.
func answers(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = res.Body.Close() }()
		if res.StatusCode >= 300 {
			return fmt.Errorf("%s answers %s", url, res.Status)
		}
		return nil
	}
}

// freeAddress is a loopback address that nobody listens on, below the ports that the
// kernel gives to outgoing connections: one of theirs could be taken in between.
func freeAddress(t testing.TB) string {
	t.Helper()
	const from, to, draws = 12000, 20000, 100
	for range draws {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(from+rand.IntN(to-from)))
		if l, err := net.Listen("tcp", address); err == nil {
			_ = l.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

// withEnv is the environment without what tells programs of another object store,
// and with these.
func withEnv(more ...string) []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "AWS_") && !strings.HasPrefix(v, "MINIO_") {
			env = append(env, v)
		}
	}
	return append(env, more...)
}
