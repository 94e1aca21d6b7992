package stages

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/policies"
)

// many makes a world of four: allowed, without a word, without a key, no member.
func many(t *testing.T) *world {
	w := newWorld(t)
	for _, e := range []string{"a@x.org", "d@x.org"} {
		w.say(e, weir.Granted)
	}
	w.people = map[string]citizen{"p1": {"a@x.org", "Ann", true}, "p2": {"b@x.org", "Bob", true}, "p3": {"", "Cat", true}, "p4": {"d@x.org", "Dan", false}}
	w.settle()
	return w
}

func TestAudienceIsWhatMayBeSent(t *testing.T) {
	w := many(t)
	w.project.Activations[0].Fields["id"] = "crm_id" // an identifier that is no attribute
	put(w.village, schema.Profiles(citizenTypes), weir.Unify, "", weir.Profile{ID: "p1", Kind: weir.Person,
		Attributes: map[string]string{"email": "a@x.org", "given_name": "Ann", "country": "FR"}, Identifiers: weir.Identifiers{"email": {"a@x.org"}, "crm_id": {"C1"}}})
	row := w.must(weir.Decide, "")
	rows := ledger[weir.AudienceRow](w, "activation.audience", "")
	if len(rows) != 1 || rows[0].ProfileID != "p1" || rows[0].Key != "a@x.org" {
		t.Fatalf("audience %+v, %v", rows, row.Counts)
	}
	var fields map[string]string
	if err := json.Unmarshal([]byte(rows[0].Fields), &fields); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]string{"email": "=a@x.org", "first_name": "=Ann", "id": "=C1"}, fields); d != "" {
		t.Error(d)
	}
}

func TestDecisionsAreCountedAndNotRepeated(t *testing.T) {
	w := many(t)
	row := w.must(weir.Decide, "")
	if c := row.Counts; c["news.allow"] != 1 || c["news.deny"] != 1 || c["news.no_key"] != 1 || row.RowsIn != 2 || c["decisions"] != 2 || c["news.D20"] != 1 {
		t.Errorf("counts %v", c)
	}
	again := w.must(weir.Decide, "")
	if again.Counts["decisions"] != 0 || cmp.Diff(row.Snapshots, again.Snapshots) != "" {
		t.Errorf("decided anew: %v, %v after %v", again.Counts, again.Snapshots, row.Snapshots)
	}
	w.say("b@x.org", weir.Granted)
	w.tell()
	if row = w.must(weir.Decide, ""); row.Counts["decisions"] != 1 || row.Counts["news.allow"] != 2 {
		t.Errorf("after a grant: %v", row.Counts)
	}
}

// Of two runs with one now, or a later one with an earlier now, the later run's
// decisions are in force.
func TestLaterRunsDecisionIsInForce(t *testing.T) {
	for what, back := range map[string]time.Duration{"the same now": 0, "an earlier now": time.Hour} {
		w := newWorld(t)
		w.people = map[string]citizen{}
		for i := range 8 { // the ids of decisions say nothing of their order
			email := fmt.Sprintf("p%d@x.org", i)
			w.people[fmt.Sprintf("p%d", i)] = citizen{email, "Ann", true}
		}
		w.settle()
		run := w.next()
		if _, err := w.pass(weir.Decide, "", run); err != nil {
			t.Fatal(err)
		}
		for i := range 8 {
			w.say(fmt.Sprintf("p%d@x.org", i), weir.Granted)
		}
		w.tell()
		later := w.next()
		later.Now = run.Now.Add(-back)
		row, err := w.pass(weir.Decide, "", later)
		if err != nil || row.Counts["news.allow"] != 8 || row.Counts["decisions"] != 8 {
			t.Fatalf("%s: %v, %v", what, row.Counts, err)
		}
		q, err := w.ask(t.Context(), "consent.decisions", "consent.classes")
		if err != nil {
			t.Fatal(err)
		}
		for id := range w.people {
			rulings, err := q.rulings(t.Context(), id)
			if err != nil || len(rulings) != 1 || !rulings[0].Allow || rulings[0].RunID != later.ID {
				t.Errorf("%s: in force about %s is %+v (%v)", what, id, rulings, err)
			}
		}
		q.close()
		again := w.next()
		again.Now = later.Now
		if row, err = w.pass(weir.Decide, "", again); err != nil || row.Counts["decisions"] != 0 {
			t.Errorf("%s: the same is decided anew: %v, %v", what, row.Counts, err)
		}
	}
}

func TestWhoWasDeliveredIsDecidedOnToo(t *testing.T) {
	w := many(t)
	w.deliver()
	w.people["p1"] = citizen{"a@x.org", "Ann", false}
	w.settle()
	if row := w.must(weir.Decide, ""); row.RowsIn != 2 {
		t.Errorf("%d rows decided, want 2: %v", row.RowsIn, row.Counts)
	}
	delete(w.people, "p1") // merged away: nothing to decide, only to remove
	w.settle()
	row, _ := w.deliver()
	if row.Counts["news.no_key"] != 1 {
		t.Errorf("who is gone counts as without a key: %v", row.Counts)
	}
	w.holds(map[string]string{})
}

func TestCategoryWithoutConsentIsDenied(t *testing.T) {
	w := many(t)
	w.project.Activations[0].Categories = []string{"health"}
	w.settle()
	row := w.must(weir.Decide, "")
	for _, c := range ledger[weir.DecisionClass](w, "consent.classes", "") {
		if !strings.Contains(c.Inputs, "health") {
			t.Errorf("the gate was not told: %s", c.Inputs)
		}
	}
	if row.RowsIn == 0 {
		t.Error("nobody was decided on")
	}
}

// brokenPolicy loads the built-in policy with one file changed.
func brokenPolicy(t *testing.T, change func(rel, text string) string) func() (*policies.Gate, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, policies.Builtin()); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		if next := change(rel, string(b)); next != string(b) {
			return os.WriteFile(path, []byte(next), 0o644)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return func() (*policies.Gate, error) { return policies.Load(context.Background(), policies.Options{Dir: dir}) }
}

func TestPolicyThatCannotBeReadStillLetsRemovalsGo(t *testing.T) { // invariant 7
	w := newWorld(t)
	for id, e := range map[string]string{"p1": "a@x.org", "p2": "b@x.org", "p3": "c@x.org", "p4": "d@x.org"} {
		w.say(e, weir.Granted)
		w.people[id] = citizen{e, "Ann", true}
	}
	w.say("e@x.org", weir.Granted)
	w.settle()
	w.deliver()
	w.gate = brokenPolicy(t, func(rel, text string) string {
		if strings.HasSuffix(rel, "decision.rego") {
			return text + "\nnot rego at all"
		}
		return text
	})
	w.people["p1"] = citizen{"a@x.org", "Ann", false} // left
	w.say("b@x.org", weir.Withdrawn)                  // withdrew
	w.people["p3"] = citizen{"c@x.org", "Cleo", true} // changed: its update waits
	w.people["p5"] = citizen{"e@x.org", "Eve", true}  // new: waits
	w.settle()
	decided, sent := w.deliver()
	if decided.Status != Partial || !strings.Contains(decided.Error, "policy") {
		t.Errorf("decide is %s: %s", decided.Status, decided.Error)
	}
	w.holds(map[string]string{"c@x.org": "p3 c@x.org Ann", "d@x.org": "p4 d@x.org Ann"})
	if sent.Status != Partial || sent.Counts["news.update.stopped"] != 1 || sent.Counts["news.remove.delivered"] != 2 {
		t.Errorf("%s %v%s", sent.Status, sent.Counts, w.story())
	}
	w.gate = builtin
	w.deliver()
	w.holds(map[string]string{"c@x.org": "p3 c@x.org Cleo", "d@x.org": "p4 d@x.org Ann", "e@x.org": "p5 e@x.org Eve"})
}

func TestPolicyThatFailsDenies(t *testing.T) { // invariant 6
	w := many(t)
	broken := brokenPolicy(t, func(rel, text string) string {
		if strings.HasSuffix(rel, "decision.rego") { // a second, different answer: evaluation is a conflict
			return text + "\n# METADATA\n# title: conflicting\nallow := \"perhaps\" if input.consent.status == \"granted\"\n"
		}
		return text
	})
	g, err := broken()
	if err != nil {
		t.Fatalf("the policy does not load, so it can't be broken at run time: %v", err)
	}
	w.gate = func() (*policies.Gate, error) { return g, nil }
	row, _ := w.deliver()
	if row.Counts["news.allow"] != 0 || row.Counts["news."+policies.EvaluationError] == 0 {
		t.Errorf("counts %v", row.Counts)
	}
	w.holds(map[string]string{})
}

func TestKeepTwiceIsOneRow(t *testing.T) { // invariant 2
	w := many(t)
	w.deliver()
	run := w.next()
	for range 2 {
		row, err := w.All()[weir.Activate].Keep(t.Context(), run, "esp")
		if err != nil || row.Status != Unchanged || row.RunID != run.ID || row.Snapshots["activation.state"] == 0 {
			t.Fatalf("%+v, %v", row, err)
		}
	}
	runs, err := w.Lake.Runs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, r := range runs {
		if r.RunID == run.ID {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

func TestStatusTellsOfEachPart(t *testing.T) {
	w := many(t)
	w.deliver()
	if err := w.All()[weir.Activate].Fail(t.Context(), w.next(), "esp", "no answer"); err != nil {
		t.Fatal(err)
	}
	status, err := w.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(status, func(s PartStatus) bool { return s.Stage == weir.Activate })
	if i < 0 || status[i].Part != "esp" || status[i].Last.Status != Failed || status[i].Last.Error != "no answer" || status[i].SucceededAt.IsZero() || status[i].Lag <= 0 || status[i].LagSeconds != status[i].Lag.Seconds() {
		t.Fatalf("%+v", status)
	}
	if !slices.IsSortedFunc(status, func(a, b PartStatus) int {
		return slices.Index(weir.Stages(), a.Stage) - slices.Index(weir.Stages(), b.Stage)
	}) {
		t.Errorf("not in the order of the stages: %+v", status)
	}
}
