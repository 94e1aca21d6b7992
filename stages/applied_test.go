package stages

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/project"
)

// ran records that these stages followed the project as it is.
func (w *world) ran(parts ...[2]string) {
	w.t.Helper()
	run := w.next()
	for _, p := range parts {
		w.clock = w.clock.Add(time.Second)
		row := weir.StageRun{RunID: run.ID, Stage: weir.Stage(p[0]), Part: p[1], StartedAt: w.clock, EndedAt: w.clock, Now: run.Now, Status: Done, Project: run.Project}
		if err := w.Lake.RecordRun(w.t.Context(), row); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestDifferenceSaysWhatFollowsWhat(t *testing.T) {
	w := newWorld(t)
	p := w.project
	p.Traits = []weir.TraitDef{{Name: "x", At: "traits/x.yaml:2", Score: &weir.ScoreDef{Kind: "rfm", At: "traits/x.yaml:2"}}, {Name: "y", Query: &weir.QueryDef{SQL: "select", At: "traits/y.yaml:2"}}}
	p.Sources = []project.Source{{Name: "crm", At: "sources/crm.yaml:1", Streams: []project.Stream{{Name: "people", At: "x:1"}, {Name: "orders"}}}}
	stages := [][2]string{{"conform", ""}, {"resolve", ""}, {"unify", ""}, {"segment", ""}, {"decide", ""}}
	everything := append([][2]string{{"collect", "crm/people"}, {"collect", "crm/orders"}, {"activate", "esp"}}, stages...)
	want := func(when string, want ...Definition) {
		t.Helper()
		got, err := w.Difference(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", when, d)
		}
	}
	apply := func() {
		t.Helper()
		if err := w.MarkApplied(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	fresh, err := w.Difference(t.Context(), p)
	if err != nil || !slices.Contains(fresh, Definition{"add", "stream crm/people", true, false}) ||
		slices.ContainsFunc(fresh, func(d Definition) bool { return d.Action != "add" || !d.NotRun || d.NotApplied }) {
		t.Errorf("of nothing run: %v, %v", fresh, err)
	}
	w.ran(everything...)
	want("run, never applied")
	apply()
	want("run and applied")

	p.Sources[0].At, p.Sources[0].Streams[0].At = "sources/crm.yaml:9", "x:9" // a comment moved it
	p.Segments[0].Where = weir.Condition{Attribute: "country", At: "segments/all.yaml:2"}
	want("changed", Definition{"change", "segment all", true, true})
	w.ran([2]string{"conform", ""}, [2]string{"decide", ""})
	want("other stages ran", Definition{"change", "segment all", true, true})
	w.ran([2]string{"segment", ""})
	want("run", Definition{"change", "segment all", false, true})
	apply()
	p.Segments[0].Where.At = "segments/all.yaml:7"
	p.Traits[0].At, p.Traits[0].Score, p.Traits[1].Query = "traits/x.yaml:7", &weir.ScoreDef{Kind: "rfm", At: "traits/x.yaml:7"}, &weir.QueryDef{SQL: "select", At: "traits/y.yaml:7"}
	want("a line moved")

	p.Sources[0].Streams = p.Sources[0].Streams[:1]
	p.Activations[0].Channel = "sms"
	p.Traits = append(p.Traits, weir.TraitDef{Name: "ltv"})
	want("more", Definition{"change", "activation news", true, true}, Definition{"add", "trait ltv", true, true}, Definition{"remove", "stream crm/orders", true, true})
	apply()
	want("applied first", Definition{"change", "activation news", true, false}, Definition{"add", "trait ltv", true, false}, Definition{"remove", "stream crm/orders", true, false})
	w.ran(everything[:1]...)
	w.ran(stages...)
	want("and then run")

	p.Sources[0].Streams[0].Types = map[string]string{"n": "int"}
	w.ran(stages...) // while the stream is paused
	want("a paused stream", Definition{"change", "stream crm/people", true, true})
}
