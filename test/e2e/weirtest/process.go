package weirtest

import (
	"bufio"
	"context"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Process is a command that runs while the test does something else.
type Process struct {
	cmd    *exec.Cmd
	mu     sync.Mutex
	out    strings.Builder
	errs   strings.Builder
	lines  int
	change chan struct{} // closed and replaced at each line
	ended  chan struct{}
}

// Start starts a command on the project. It is killed with the test, and all that
// it started with it.
func (p *Project) Start(t testing.TB, args ...string) *Process {
	t.Helper()
	x := &Process{cmd: p.command(append(args, "--project", p.Dir)...), change: make(chan struct{}), ended: make(chan struct{})}
	x.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := x.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	errs, err := x.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := x.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var read sync.WaitGroup
	read.Go(func() { x.follow(out, &x.out) })
	read.Go(func() { x.follow(errs, &x.errs) })
	go func() {
		read.Wait()
		_ = x.cmd.Wait() // the state tells
		close(x.ended)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-x.cmd.Process.Pid, syscall.SIGKILL) // gone already, mostly
		<-x.ended
	})
	return x
}

func (x *Process) follow(from io.Reader, to *strings.Builder) {
	in := bufio.NewReader(from)
	for {
		line, err := in.ReadString('\n')
		x.mu.Lock()
		to.WriteString(line)
		x.lines++
		close(x.change)
		x.change = make(chan struct{})
		x.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Printed is all that was printed so far.
func (x *Process) Printed() (stdout, stderr string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.out.String(), x.errs.String()
}

// Until waits until what was printed satisfies the condition. It tells false when
// the process ended before.
func (x *Process) Until(t testing.TB, what string, holds func(stdout, stderr string) bool) bool {
	t.Helper()
	deadline, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	for {
		x.mu.Lock()
		ok, change := holds(x.out.String(), x.errs.String()), x.change
		x.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-change:
		case <-x.ended:
			return holds(x.Printed())
		case <-deadline.Done():
			out, errs := x.Printed()
			t.Fatalf("no %s within two minutes\n%s\n%s", what, out, errs)
		}
	}
}

// Kill ends the process as a power cut would: that one alone, at once.
func (x *Process) Kill() {
	_ = x.cmd.Process.Kill() // it may have ended
	<-x.ended
}

// PID is the process's id.
func (x *Process) PID() int { return x.cmd.Process.Pid }

// Ended tells whether the process has ended.
func (x *Process) Ended() bool {
	select {
	case <-x.ended:
		return true
	default:
		return false
	}
}

// Done is closed when the process has ended.
func (x *Process) Done() <-chan struct{} { return x.ended }

// Wait waits for the end, at most this long.
func (x *Process) Wait(t testing.TB, most time.Duration) Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	select {
	case <-x.ended:
	case <-ctx.Done():
		out, errs := x.Printed()
		t.Fatalf("the process did not end within %s\n%s\n%s", most, out, errs)
	}
	out, errs := x.Printed()
	return Result{Code: x.cmd.ProcessState.ExitCode(), Stdout: out, Stderr: errs}
}

// Dev starts `weir dev` and waits until it is ready.
func (p *Project) Dev(t testing.TB) *Process {
	t.Helper()
	x := p.Start(t, "dev")
	if !x.Until(t, "ready platform", func(out, _ string) bool { return strings.Contains(out, "Stop with Ctrl-C") }) {
		out, errs := x.Printed()
		t.Fatalf("weir dev ended\n%s\n%s", out, errs)
	}
	return x
}

// Eventually polls until the condition holds; it fails after two minutes.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.Done():
			t.Fatalf("not within two minutes: %s", what)
		}
	}
}
