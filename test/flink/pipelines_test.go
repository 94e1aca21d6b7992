package flink

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/roster"
	"github.com/weir-cdp/weir/test/clustertest"
	"github.com/weir-cdp/weir/test/e2e/weirtest"
)

// TestEveryPipeline: what a child process made of each spec of three runs, the training of
// the model and increments among them, Flink makes too: the same files, of the same
// bytes. Each on a Flink inside the job server, where the job service alone is asked for
// a job; and one of each stage on a cluster, found and followed by Flink's REST.
func TestEveryPipeline(t *testing.T) {
	clustertest.NeedFlink(t)
	pl := newPlace(t)
	p := pl.shop(t, "crm", "300")
	p.Replace(t, "identity.yaml", "person:\n", "person:\n  model: auto\n")
	p.Receive(t)
	p.Run(t, weirtest.Partial, "--now", now)
	changed(t, p)
	p.Run(t, weirtest.Done, "--now", later)
	p.Run(t, weirtest.Done, "--now", afterwards)
	config := pl.of("crm")
	s, err := object.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	var keys, one []string // all specs, and the last one of each stage
	last := map[weir.Stage]string{}
	for _, key := range specs(t, s) {
		spec, err := pipelines.ReadSpec(t.Context(), s, key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pipelines.ReadManifest(t.Context(), s, spec); weir.CodeOf(err) == weir.NotFound {
			continue // an increment that was refused
		} else if err != nil {
			t.Fatal(err)
		}
		keys, last[spec.Stage] = append(keys, key), key
	}
	for stage := range roster.Pipelines() {
		if last[stage] == "" {
			t.Errorf("the runs had no spec of %s", stage)
		}
	}
	for _, key := range keys {
		if spec, err := pipelines.ReadSpec(t.Context(), s, key); err == nil && last[spec.Stage] == key {
			one = append(one, key)
		}
	}
	t.Run("in the job server", func(t *testing.T) {
		f := clustertest.StartMiniFlink(t, clustertest.FlinkOptions{Store: pl.config})
		sameAsInChildren(t, f, config, s, "mini", keys)
	})
	t.Run("cluster", func(t *testing.T) {
		f := clustertest.StartFlink(t, clustertest.FlinkOptions{Store: pl.config})
		sameAsInChildren(t, f, config, s, "cluster", one)
	})
}

// sameAsInChildren runs the specs of keys once more on a Flink and compares manifests,
// which name files by their content.
func sameAsInChildren(t *testing.T, f *clustertest.Flink, config object.Config, s *object.Store, where string, keys []string) {
	t.Helper()
	for _, key := range keys {
		name := strings.NewReplacer("runs/", "", "/spec.json", "").Replace(key)
		fresh, was, spec := again(t, s, key, where+"/"+name)
		want, err := pipelines.ReadManifest(t.Context(), s, was)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(string(was.Stage)+"-"+name, func(t *testing.T) {
			began := time.Now()
			var last weir.Progress
			got, err := on(t, f, config).Run(t.Context(), fresh, func(p weir.Progress) { last = p })
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s took %s; last progress %+v", was.Stage, time.Since(began), last)
			if text(t, got) != text(t, want) {
				t.Errorf("on Flink\n%s\nin a child\n%s", text(t, got), text(t, want))
			}
			if err := pipelines.Sweep(t.Context(), s, spec); err != nil {
				t.Fatal(err)
			}
		})
	}
	noTrace(t, f)
}

// changed gives one person of the CRM another name and one another address, in a file of
// a later time.
func changed(t *testing.T, p *weirtest.Project) {
	t.Helper()
	lines := strings.SplitAfter(p.Read(t, "data/crm.csv"), "\r\n")
	first, second := strings.Split(lines[1], ";"), strings.Split(lines[2], ";")
	first[1], second[4] = "Changed", "moved@mail.example"
	first[10], second[10] = "2026-07-01 00:30:00\r\n", "2026-07-01 00:30:00\r\n"
	lines[1], lines[2] = strings.Join(first, ";"), strings.Join(second, ";")
	p.Write(t, "data/crm.csv", strings.Join(lines, ""))
	at := time.Date(2026, 7, 1, 1, 0, 0, 0, time.UTC)
	if err := os.Chtimes(p.Path("data/crm.csv"), at, at); err != nil {
		t.Fatal(err)
	}
}
