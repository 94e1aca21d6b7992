package embedded

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"go.temporal.io/sdk/client"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/workflows"
)

func TestDataIsKeptFromStartToStart(t *testing.T) {
	dir := weirDir(t)
	o := options(dir)
	o.UI = true
	p, err := Start(t.Context(), o)
	must(t, err)
	first := p.Endpoints()
	eventually(t, "the web interface answers", func() bool {
		r, err := http.Get(first.UI)
		return err == nil && r.Body.Close() == nil && r.StatusCode == http.StatusUnauthorized
	})
	c, err := p.Dial(t.Context())
	must(t, err)
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "asleep", TaskQueue: "none"}, sleeper)
	must(t, err)
	c.Close()
	s, err := object.Open(t.Context(), p.Lake())
	must(t, err)
	must(t, s.Put(t.Context(), "a/b", strings.NewReader("kept"), 4))
	must(t, os.WriteFile(filepath.Join(p.Scratch(), "left"), nil, 0o600))
	must(t, p.Stop())
	must(t, p.Stop())

	p, err = Start(t.Context(), o)
	must(t, err)
	defer func() { must(t, p.Stop()) }()
	if got := p.Endpoints(); got.Temporal != first.Temporal || got.S3 != first.S3 || got.UI != first.UI || got.UI == "" {
		t.Errorf("addresses changed from %+v to %+v", first, got)
	}
	d, err := dial(t, p).DescribeWorkflowExecution(t.Context(), "asleep", run.GetRunID())
	must(t, err)
	if d.GetWorkflowExecutionInfo().GetStatus().String() != "Running" {
		t.Errorf("the workflow is %s", d.GetWorkflowExecutionInfo().GetStatus())
	}
	s, err = object.Open(t.Context(), p.Lake())
	must(t, err)
	b, err := s.ReadFile(t.Context(), "a/b")
	must(t, err)
	plain, err := os.ReadFile(filepath.Join(p.Lake().LocalDir, bucket, "a", "b"))
	must(t, err)
	if string(b) != "kept" || !bytes.Equal(b, plain) {
		t.Errorf("read %q, and %q as a file", b, plain)
	}
	if left, err := os.ReadDir(p.Scratch()); err != nil || len(left) > 0 {
		t.Errorf("scratch holds %v, %v", left, err)
	}
	info, err := os.Stat(filepath.Join(dir, credentialsFile))
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the credentials have mode %v", info.Mode())
	}
}

func TestSecondPlatformIsRefused(t *testing.T) {
	dir := weirDir(t)
	p := spawn(t, dir)
	_, err := Start(t.Context(), options(dir))
	want := "weir dev is already running on this folder (pid " + strconv.Itoa(p.PID) + ")"
	if weir.CodeOf(err) != weir.Conflict || !strings.Contains(err.Error(), want) {
		t.Fatalf("got %v", err)
	}
	e, ok := Running(t.Context(), dir)
	if !ok || e.Temporal != p.Temporal || e.Lake.SecretKey == "" {
		t.Fatalf("found %+v, %v", e, ok)
	}
	c, err := e.Dial(t.Context(), testLog())
	must(t, err)
	defer c.Close()
	_, err = workflows.StartRefresh(t.Context(), c, request("x"))
	must(t, err)

	p.kill()
	if e, ok := Running(t.Context(), dir); ok {
		t.Fatalf("found %+v after its process was killed", e)
	}
}

func TestKilledPlatformGoesOn(t *testing.T) {
	dir := weirDir(t)
	must(t, os.MkdirAll(filepath.Dir(dir), 0o700))
	fakes := &fakeStages{dir: filepath.Dir(dir)}
	must(t, fakes.set("hang", weir.Resolve, ""))
	p := spawn(t, dir)
	gatewayPID := childOf(t, p.PID)
	e, ok := Running(t.Context(), dir)
	if !ok {
		t.Fatal("not found")
	}
	c, err := e.Dial(t.Context(), testLog())
	must(t, err)
	_, err = workflows.StartRefresh(t.Context(), c, request("x"))
	must(t, err)
	eventually(t, "resolve runs", func() bool {
		s, err := workflows.Status(t.Context(), c, "shop")
		for _, r := range s.Parts {
			if r.Stage == weir.Resolve && r.Progress != nil && r.Progress.Unit == "rows" {
				return err == nil
			}
		}
		return false
	})
	c.Close()
	p.kill()
	eventually(t, "the S3 child dies with its parent", func() bool {
		return syscall.Kill(gatewayPID, 0) == syscall.ESRCH
	})
	must(t, fakes.clear("hang", weir.Resolve, ""))

	again := start(t, dir)
	c = dial(t, again)
	if n, err := workflows.Release(t.Context(), c, Namespace, "shop", func(string) bool { return false }); n != 0 || err != nil {
		t.Errorf("of a living worker %d steps were given back, %v", n, err)
	}
	released, err := workflows.Release(t.Context(), c, Namespace, "shop", func(identity string) bool {
		return strings.HasPrefix(identity, strconv.Itoa(p.PID)+"@")
	})
	if released != 1 || err != nil {
		t.Errorf("%d steps were given back, %v", released, err)
	}
	d, err := c.DescribeWorkflowExecution(t.Context(), workflows.StageID("shop", weir.Resolve), "")
	must(t, err)
	for _, a := range d.GetPendingActivities() {
		if a.GetState().String() != "Scheduled" || a.GetAttempt() != 2 || !strings.Contains(a.GetLastFailure().GetMessage(), "killed") {
			t.Errorf("the step is %s at attempt %d after %q", a.GetState(), a.GetAttempt(), a.GetLastFailure().GetMessage())
		}
	}
	workers := workflows.NewWorkers(c, fakes.work())
	must(t, workers.Start())
	defer workers.Stop()
	var out workflows.Snapshot
	must(t, c.GetWorkflow(t.Context(), workflows.RefreshID("shop"), "").Get(t.Context(), &out))
	if out.Outcome != workflows.Done || len(out.Parts) != 10 {
		t.Errorf("ended as %+v", out)
	}
	if fakes.count("plan resolve") != 0 || fakes.count("run resolve") != 1 || fakes.count("run conform") != 0 {
		t.Errorf("after the kill: %v", fakes.calls)
	}
}

func TestGatewayIsStartedAgain(t *testing.T) {
	p := start(t, weirDir(t))
	s, err := object.Open(t.Context(), p.Lake())
	must(t, err)
	must(t, s.Put(t.Context(), "k", strings.NewReader("v"), 1))
	pid := childOf(t, os.Getpid())
	must(t, syscall.Kill(pid, syscall.SIGKILL))
	eventually(t, "another child serves", func() bool {
		return syscall.Kill(pid, 0) == syscall.ESRCH && gatewayAnswers(t.Context(), p.Endpoints().S3, p.Lake().AccessKey)
	})
	b, err := s.ReadFile(t.Context(), "k")
	if err != nil || string(b) != "v" {
		t.Errorf("read %q, %v", b, err)
	}
}

// TestCopiedStateIsWhole is what backup and restore rely on: a plain copy of the
// folder, without the extended attributes of the objects, in another place.
func TestCopiedStateIsWhole(t *testing.T) {
	from, to := weirDir(t), weirDir(t)
	p, err := Start(t.Context(), options(from))
	must(t, err)
	storeAndRead(t, p, "a/old")
	must(t, p.Stop())
	must(t, os.CopyFS(to, os.DirFS(from)))
	again := start(t, to)
	s, err := object.Open(t.Context(), again.Lake())
	must(t, err)
	b, err := s.ReadFile(t.Context(), "a/old")
	if err != nil || string(b) != "v" {
		t.Errorf("read %q, %v", b, err)
	}
	storeAndRead(t, again, "a/new")
}

// TestMetadataBesideTheObjects is for file systems without extended attributes.
func TestMetadataBesideTheObjects(t *testing.T) {
	dir := weirDir(t)
	must(t, os.MkdirAll(filepath.Join(dir, "metadata"), 0o700))
	p, err := Start(t.Context(), options(dir))
	must(t, err)
	storeAndRead(t, p, "a/b")
	must(t, p.Stop())
	kept, err := os.ReadDir(filepath.Join(dir, "metadata", bucket))
	if err != nil || len(kept) == 0 {
		t.Errorf("beside is %v, %v", kept, err)
	}
	storeAndRead(t, start(t, dir), "a/c")
}

// storeAndRead writes an object and reads it through S3, not as a file.
func storeAndRead(t *testing.T, p *Platform, key string) {
	t.Helper()
	through := p.Lake()
	through.LocalDir = ""
	s, err := object.Open(t.Context(), through)
	must(t, err)
	created, err := s.PutIfAbsent(t.Context(), key, []byte("v"))
	must(t, err)
	again, err := s.PutIfAbsent(t.Context(), key, []byte("w"))
	must(t, err)
	b, err := s.ReadFile(t.Context(), key)
	if err != nil || !created || again || string(b) != "v" {
		t.Errorf("%s: %q, %v, created %v, again %v", key, b, err, created, again)
	}
}

// childOf finds the one child process, the gateway.
func childOf(t *testing.T, pid int) int {
	t.Helper()
	var found []int
	dirs, err := filepath.Glob("/proc/[0-9]*/stat")
	must(t, err)
	if len(dirs) == 0 {
		t.Skip("this system has no /proc: the test needs Linux")
	}
	for _, d := range dirs {
		b, err := os.ReadFile(d)
		if err != nil {
			continue // ended meanwhile
		}
		fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		if fields[1] == strconv.Itoa(pid) && fields[0] != "Z" {
			n, err := strconv.Atoi(filepath.Base(filepath.Dir(d)))
			must(t, err)
			found = append(found, n)
		}
	}
	if len(found) != 1 {
		t.Fatalf("process %d has children %v", pid, found)
	}
	return found[0]
}
