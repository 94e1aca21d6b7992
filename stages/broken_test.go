package stages

import (
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
)

// A definition that cannot be computed is told until it is mended, not only by the
// run that met it first; a segment that reads a broken trait says so, and where.
func TestBrokenDefinitionsAreToldUntilMended(t *testing.T) {
	w := newTown(t)
	rich := weir.SegmentDef{Name: "rich", Of: weir.Person, Where: weir.Condition{Trait: "spent", Compare: []weir.Comparison{{Op: "at_least", Values: []string{"2"}}}, At: "segments/rich.yaml:2:8"}}
	spent := weir.TraitDef{Name: "spent", Of: weir.Person, Aggregate: "expression", Expression: "trait.visits +", At: "traits/spent.yaml:2:22"}
	sound := w.project.Traits
	// An attribute of a type that no run has found out yet is not called wrong.
	young := weir.TraitDef{Name: "half_age", Of: weir.Person, Aggregate: "expression", Expression: "attribute.birth_date > attribute.birth_date", At: "traits/half_age.yaml:2:22"}
	w.project.Segments = append(w.project.Segments[:1:1], rich) // nothing that depends on time alone
	w.project.Traits = append(sound[:len(sound):len(sound)], spent, young)
	told := func(when string, want ...string) {
		t.Helper()
		got, err := w.Broken(t.Context(), w.project)
		var texts []string
		for _, b := range got {
			texts = append(texts, b.What+" "+b.Name+" "+b.Where+" "+b.Reason)
		}
		if err != nil || len(got) != len(want) {
			t.Fatalf("%s: %q, %v; want %q", when, texts, err, want)
		}
		for i, text := range texts {
			if !strings.HasPrefix(text, want[i]) {
				t.Errorf("%s: %q; want %q", when, text, want[i])
			}
		}
	}
	reads := "segment rich segments/rich.yaml:2:8 trait spent, which this one reads, is broken itself (traits/spent.yaml:2:22)"
	parses := "trait spent traits/spent.yaml:2:22 expression: "
	told("before the first run", reads, parses)
	w.year(0)
	if row := w.refreshed(); row.Status != Partial {
		t.Fatalf("%+v", row)
	}
	told("after the run that met it", reads, parses)
	if row := w.must(weir.Segment, ""); row.Status != Unchanged {
		t.Fatalf("%+v", row)
	}
	told("after a run that had nothing to do", reads, parses)
	status, err := w.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range status {
		if s.Stage == weir.Segment && s.Look != BrokenQuery {
			t.Errorf("segment: look with %q", s.Look)
		}
		if said := ledger[weir.Quarantined](w.world, quarantineTable, whereOf(s.Look)); (s.Look != "") != (s.Last.Counts[newRows]+s.Last.Counts[oldRows] > 0) || s.Look != "" && len(said) == 0 {
			t.Errorf("%s %s: %v, and %q shows %d rows", s.Stage, s.Part, s.Last.Counts, s.Look, len(said))
		}
	}
	spent.Expression = "trait.visits + 1.0"
	w.project.Traits = append(sound[:len(sound):len(sound)], spent, young)
	told("mended, not run yet", "segment rich segments/rich.yaml:2:8 trait spent", "trait spent traits/spent.yaml:2:22")
	if got, err := w.Broken(t.Context(), w.project); err != nil || !got[0].Told || !got[1].Told {
		t.Errorf("who tells it: %+v, %v", got, err)
	}
	w.must(weir.Segment, "")
	told("mended")
}

// whereOf is the condition of a command that shows what is quarantined.
func whereOf(command string) string {
	_, where, found := strings.Cut(command, " from ops.quarantine ")
	if !found {
		return "where false"
	}
	return strings.TrimSuffix(where, `"`)
}
