package stages

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies"
)

// shorter is the built-in policy with consent to the newsletter held 90 days.
func shorter(t *testing.T) func() (*policies.Gate, error) {
	return brokenPolicy(t, func(rel, text string) string {
		if rel == "data/retention.yaml" {
			return strings.Replace(text, "marketing.newsletter: {consent_max_age_days: 730,", "marketing.newsletter: {consent_max_age_days: 90,", 1)
		}
		return text
	})
}

// The oracle of a rehearsal is the run itself.
func TestAPolicyRehearsedSaysWhatTheRunDoes(t *testing.T) {
	w := newWorld(t)
	for i, days := range []int{10, 89, 90, 91, 400, 0} {
		email := fmt.Sprintf("n%d@x.org", i)
		if days > 0 {
			w.say(email, weir.Granted)
			e := &w.entries[len(w.entries)-1]
			e.OccurredAt = noon.AddDate(0, 0, -days)
			e.RecordedAt = e.OccurredAt
		}
		w.people[fmt.Sprintf("p%d", i)] = citizen{email, "Ann", true}
	}
	w.settle()
	diff := func(gate func() (*policies.Gate, error)) PolicyDiff {
		t.Helper()
		g, err := gate()
		if err != nil {
			t.Fatal(err)
		}
		v, err := w.DiffPolicy(t.Context(), w.project, g, PolicyDiffOptions{Keys: true})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	g, _ := builtin()
	if _, err := w.DiffPolicy(t.Context(), w.project, g, PolicyDiffOptions{}); weir.CodeOf(err) != weir.NotFound {
		t.Errorf("before any decision: %v", err)
	}
	w.deliver()
	if v := diff(builtin); v.Pending || v.Activations[0].Gain+v.Activations[0].Lose != 0 || v.Activations[0].Allowed != [2]int64{5, 5} {
		t.Errorf("the same policy: %+v", v)
	}
	short := shorter(t)
	pins, err := w.Lake.Pins(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v := diff(short)
	after, err := w.Lake.Pins(t.Context())
	if err != nil || cmp.Diff(pins, after) != "" {
		t.Errorf("the rehearsal committed something: %v %v", cmp.Diff(pins, after), err)
	}
	s := v.Activations[0]
	if s.Considered != 6 || s.Allowed != [2]int64{5, 3} || s.Lose != 2 || s.Held != 2 || s.Gain != 0 || s.Undecided != 0 || v.AsOf.IsZero() {
		t.Errorf("90 days: %+v", v)
	}
	if d := cmp.Diff([]ReasonShift{{Code: "D07", After: 2, Lose: 2}, {Code: "D20", Before: 1, After: 3, Lose: 2}}, s.Reasons); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]PolicyMove{{"lose", "p3", "n***@x.org", []string{"D07", "D20"}}, {"lose", "p4", "n***@x.org", []string{"D07", "D20"}}}, s.Examples); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]PlaceShift{{Jurisdictions: "FR", Considered: 6, Allowed: [2]int64{5, 3}, Lose: 2}}, s.Jurisdictions); d != "" {
		t.Error(d)
	}
	g, err = short()
	if err != nil {
		t.Fatal(err)
	}
	for key, o := range map[string]PolicyDiffOptions{"": {}, "n3@x.org": {Unmasked: true}} { // what is stored has no keys at all
		v, err := w.DiffPolicy(t.Context(), w.project, g, o)
		if err != nil || v.Activations[0].Examples[0].Key != key {
			t.Errorf("%+v: %+v %v", o, v.Activations[0].Examples, err)
		}
	}

	w.gate = short
	changed := func(want bool) {
		t.Helper()
		defs, err := w.Difference(t.Context(), w.project)
		if got := slices.Contains(defs, Definition{"change", "policy", true, false}); err != nil || got != want {
			t.Errorf("plan tells of the policy: %v, want %v: %v", got, want, err)
		}
		p, err := w.PreviewActivation(t.Context(), w.project, "news", 1)
		if err != nil || p.PolicyChanged != want {
			t.Errorf("preview tells of the policy: %v, want %v: %v", p.PolicyChanged, want, err)
		}
	}
	changed(true)
	row := w.must(weir.Decide, "")
	if row.Counts["news.allow"] != s.Allowed[1] || row.Counts["news.D07"] != 2 || row.Counts["news.D20"] != 3 {
		t.Errorf("the run: %v, the rehearsal %+v", row.Counts, s)
	}
	changed(false)
	if v := diff(builtin).Activations[0]; v.Gain != 2 || v.Lose != 0 || len(v.Examples) != 2 || v.Reasons[0] != (ReasonShift{Code: "D07", Before: 2, Gain: 2}) {
		t.Errorf("back again: %+v", v)
	}
	w.say("n5@x.org", weir.Granted)
	w.tell()
	if v := diff(short); !v.Pending || v.Activations[0].Gain != 1 {
		t.Errorf("with a consent that came since: %+v", v)
	}
}
