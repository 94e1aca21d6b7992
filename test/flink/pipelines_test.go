package flink

import (
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/test/clustertest"
	"github.com/weir-cdp/weir/test/e2e/weirtest"
)

// TestEveryPipeline: what a child process made of each spec of two runs, increments
// among them, the cluster makes too: the same files, of the same bytes.
func TestEveryPipeline(t *testing.T) {
	pl := newPlace(t)
	f := clustertest.StartFlink(t, clustertest.FlinkOptions{Store: pl.config})
	p := pl.shop(t, "crm", "300")
	p.Receive(t)
	p.Run(t, weirtest.Partial, "--now", now)
	p.Run(t, weirtest.Done, "--now", "2026-07-02T00:00:00Z")
	config := pl.of("crm")
	s, err := object.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[weir.Stage]bool{}
	for _, key := range specs(t, s) {
		name := strings.NewReplacer("runs/", "", "/spec.json", "").Replace(key)
		fresh, was, spec := again(t, s, key, name)
		want, err := pipelines.ReadManifest(t.Context(), s, was)
		if weir.CodeOf(err) == weir.NotFound {
			continue // an increment that was refused
		}
		if err != nil {
			t.Fatal(err)
		}
		seen[was.Stage] = true
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
	for _, stage := range []weir.Stage{weir.Conform, weir.Resolve, weir.Unify, weir.Segment} {
		if !seen[stage] {
			t.Errorf("no spec of %s was tried: %v", stage, seen)
		}
	}
	noTrace(t, f)
}
