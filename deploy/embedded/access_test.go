package embedded

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/weir-cdp/weir/workflows"
)

// stranger is a program of another user: it can connect, and knows no token.
func stranger(t *testing.T, address string) *grpc.ClientConn {
	t.Helper()
	c, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(t, err)
	t.Cleanup(func() { must(t, c.Close()) })
	return c
}

// TestStrangersAreRefused asks every port of a running platform.
func TestStrangersAreRefused(t *testing.T) {
	dir := weirDir(t)
	o := options(dir)
	o.UI = true
	p, err := Start(t.Context(), o)
	must(t, err)
	t.Cleanup(func() { must(t, p.Stop()) })
	c := dial(t, p)
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "secret", TaskQueue: "none"}, sleeper)
	must(t, err)

	for name, header := range map[string]string{"no token": "", "another token": "Bearer " + strings.Repeat("00", tokenBytes), "the token without its scheme": string(p.endpoints.token)} {
		ctx := t.Context()
		if header != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", header)
		}
		s := workflowservice.NewWorkflowServiceClient(stranger(t, p.Endpoints().Temporal))
		calls := map[string]func() error{
			"list": func() error {
				_, err := s.ListWorkflowExecutions(ctx, &workflowservice.ListWorkflowExecutionsRequest{Namespace: Namespace})
				return err
			},
			"namespaces": func() error {
				_, err := s.ListNamespaces(ctx, &workflowservice.ListNamespacesRequest{})
				return err
			},
			"start": func() error {
				_, err := s.StartWorkflowExecution(ctx, &workflowservice.StartWorkflowExecutionRequest{Namespace: Namespace, WorkflowId: "theirs"})
				return err
			},
			"poll": func() error {
				_, err := s.PollWorkflowTaskQueue(ctx, &workflowservice.PollWorkflowTaskQueueRequest{Namespace: Namespace})
				return err
			},
		}
		for call, f := range calls {
			if err := f(); status.Code(err) != codes.PermissionDenied {
				t.Errorf("%s with %s: %v", call, name, err)
			}
		}
	}
	// The server's other services listen too: they speak with their own only.
	inner := listening(t, os.Getpid())
	if len(inner) < 4 {
		t.Fatalf("only %v listen: what is tested here is not there", inner)
	}
	for _, port := range inner {
		a := address(port)
		if a == p.Endpoints().Temporal || a == strings.TrimPrefix(p.Endpoints().UI, "http://") {
			continue
		}
		_, err := workflowservice.NewWorkflowServiceClient(stranger(t, a)).ListNamespaces(t.Context(), &workflowservice.ListNamespacesRequest{})
		if status.Code(err) != codes.Unavailable {
			t.Errorf("port %d says %v", port, err)
		}
	}
	if code, text := read(t, surf(t), p.Endpoints().UI+"/api/v1/namespaces/"+Namespace+"/workflows"); code != http.StatusUnauthorized || strings.Contains(text, "secret") {
		t.Errorf("the web interface says %d %s", code, text)
	}

	entered := surf(t)
	link, err := p.Endpoints().Link(time.Now())
	must(t, err)
	if code, _ := read(t, entered, link); code != http.StatusOK {
		t.Fatalf("the link gives %d", code)
	}
	if code, text := read(t, entered, p.Endpoints().UI+"/"); code != http.StatusOK || !strings.Contains(text, "<html") {
		t.Errorf("the page is %d %.100s", code, text)
	}
	if code, text := read(t, entered, p.Endpoints().UI+"/api/v1/namespaces/"+Namespace+"/workflows"); code != http.StatusOK || !strings.Contains(text, "sleeper") {
		t.Errorf("the API says %d %.300s", code, text)
	}
	history := fmt.Sprintf("%s/api/v1/namespaces/%s/workflows/secret/run/%s/history.json", p.Endpoints().UI, Namespace, run.GetRunID())
	if code, text := read(t, entered, history); code != http.StatusOK || !strings.Contains(text, "sleeper") {
		t.Errorf("the download of a history says %d %.300s", code, text)
	}
}

// listening lists the TCP ports of the loopback interface on which a process
// listens.
func listening(t *testing.T, pid int) []int {
	t.Helper()
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Skip("this system has no /proc: the test needs Linux")
	}
	own := map[string]bool{}
	for _, fd := range fds {
		if to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, fd.Name())); err == nil {
			own[strings.TrimSuffix(strings.TrimPrefix(to, "socket:["), "]")] = true
		}
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/tcp", pid))
	must(t, err)
	var out []int
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 10 || f[3] != "0A" || !own[f[9]] {
			continue
		}
		var port int
		_, err := fmt.Sscanf(f[1][strings.IndexByte(f[1], ':'):], ":%x", &port)
		must(t, err)
		out = append(out, port)
	}
	return out
}

// TestSystemWorkersWork: the server's own workers go through a frontend of their
// own; schedules are run by them.
func TestSystemWorkersWork(t *testing.T) {
	p := start(t, weirDir(t))
	c := dial(t, p)
	_, err := c.ScheduleClient().Create(t.Context(), client.ScheduleOptions{ID: "often",
		Spec:   client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: time.Second}}},
		Action: &client.ScheduleWorkflowAction{ID: "often", Workflow: sleeper, TaskQueue: workflows.ControlQueue("shop")}})
	must(t, err)
	eventually(t, "the schedule starts a workflow", func() bool {
		n, err := c.CountWorkflow(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{Namespace: Namespace, Query: "WorkflowType = 'sleeper'"})
		return err == nil && n.GetCount() > 0
	})
}

func TestTokensAreTheOwners(t *testing.T) {
	dir := weirDir(t)
	must(t, os.MkdirAll(dir, 0o755))
	must(t, os.Chmod(dir, 0o755))
	p, err := Start(t.Context(), options(dir))
	must(t, err)
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, temporalToken): 0o600, filepath.Join(dir, endpointsFile): 0o600} {
		info, err := os.Stat(path)
		must(t, err)
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
	}
	first := p.endpoints.token
	must(t, p.Stop())
	again := start(t, dir)
	if again.endpoints.token != first || len(first) != 2*tokenBytes {
		t.Errorf("the token changed from %d to %d bytes or is another one", len(first), len(again.endpoints.token))
	}
	other, err := Token(weirDirMade(t), temporalToken)
	must(t, err)
	if SameToken(other, string(first)) {
		t.Error("two projects have one token")
	}
	must(t, os.WriteFile(filepath.Join(dir, MetricsToken), []byte("short\n"), 0o600))
	if _, err := Token(dir, MetricsToken); err == nil {
		t.Error("a broken token is taken")
	}
}

func weirDirMade(t *testing.T) string {
	t.Helper()
	dir := weirDir(t)
	must(t, os.MkdirAll(dir, 0o700))
	return dir
}
