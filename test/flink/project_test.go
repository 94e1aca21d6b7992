package flink

import (
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/pipelines/jobservice"
	"github.com/weir-cdp/weir/test/clustertest"
	"github.com/weir-cdp/weir/test/e2e/weirtest"
)

// TestShop: a project on the cluster has the tables of one in child processes, when Weir
// is killed in the middle and a task manager with its worker. TestWholeCluster has one
// that nothing disturbs.
func TestShop(t *testing.T) {
	pl := newPlace(t)
	f := clustertest.StartFlink(t, clustertest.FlinkOptions{Store: pl.config})
	want := pl.shop(t, "alone", "300")
	want.Receive(t)
	want.Run(t, weirtest.Partial, "--now", now)
	want.Dev(t)

	t.Run("weir and a task manager are killed", func(t *testing.T) {
		p := pl.shop(t, "rough", "300")
		d := p.Receive(t)
		f.Use(t, p)
		x := p.Start(t, "run", "--now", now)
		one := running(t, f)
		x.Kill()
		f.TaskManagers[1].Kill()
		f.TaskManagers[1].Restart(t)
		x = p.Start(t, "run", "--now", now)
		if r := x.Wait(t, 5*time.Minute); r.Code != weirtest.Partial && r.Code != weirtest.Done {
			t.Fatalf("weir run ended with %d\n%s\n%s", r.Code, r.Stdout, r.Stderr)
		}
		if n := jobsOf(t, f, one.Name); n != 1 {
			t.Errorf("%d jobs of %s: the second run did not adopt the first one's", n, one.Name)
		}
		p.Run(t, weirtest.Done, "--now", now)
		weirtest.Delivered(t, p, d)
		p.Dev(t)
		weirtest.SameTables(t, want, p)
		noTrace(t, f)
		noScratch(t, pl.of("rough"))
	})
}

// running waits for a job that runs.
func running(t *testing.T, f *clustertest.Flink) jobservice.Job {
	t.Helper()
	var found jobservice.Job
	weirtest.Eventually(t, "a job runs", func() bool {
		all, err := jobservice.NewFlink(f.REST).Jobs(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range all {
			if !j.Ended() {
				found = j
			}
		}
		return found.ID != ""
	})
	return found
}

func jobsOf(t *testing.T, f *clustertest.Flink, name string) int {
	t.Helper()
	all, err := jobservice.NewFlink(f.REST).Jobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, j := range all {
		if j.Name == name {
			n++
		}
	}
	return n
}

// noScratch looks for what steps sent each other.
func noScratch(t *testing.T, c object.Config) {
	t.Helper()
	s, err := object.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for info, err := range s.List(t.Context(), "runs/") {
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(info.Key, "/scratch/") {
			t.Errorf("left in the store: %s", info.Key)
		}
	}
}
