package jobservice

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/grpc"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
)

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
