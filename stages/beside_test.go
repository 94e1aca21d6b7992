package stages

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
)

// Another run decides on a withdrawal while this one plans with the audience from
// before: what it sends is checked against the consents that its own audience knew.
func TestWithdrawalDecidedWhilePlanning(t *testing.T) { // invariant 6
	w := one(t)
	w.must(weir.Decide, "")
	beside, mine := w.next(), w.next()
	w.say("a@x.org", weir.Withdrawn)
	var once sync.Once
	var failed error
	planning := func(r *http.Request) bool { // called within the store's answer to a request of the plan
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/plan-") {
			once.Do(func() {
				w.tell()
				_, failed = w.pass(weir.Decide, "", beside)
			})
		}
		return false
	}
	w.counts.Store(&planning)
	row, err := w.pass(weir.Activate, "esp", mine)
	if failed != nil || err != nil {
		t.Fatal(failed, err)
	}
	if w.tool.calls != 0 || row.Counts["news.add.stopped"] != 1 {
		t.Fatalf("%d calls, %s %v%s", w.tool.calls, row.Status, row.Counts, w.story())
	}
}

// A plan step of a worker that was held up goes on after another worker has planned the
// same run on newer tables: the other's plan stands, with the rows that it names.
func TestPlanThatGoesOnLateChangesNothing(t *testing.T) {
	w := one(t)
	w.must(weir.Decide, "")
	beside, mine := w.next(), w.next()
	w.say("b@x.org", weir.Granted)
	w.people["p2"] = citizen{email: "b@x.org", name: "Bob", member: true}
	a := &activate{w.House}
	var begun atomic.Bool
	var failed error
	var other []byte
	planning := func(r *http.Request) bool {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/plan-") && begun.CompareAndSwap(false, true) {
			w.settle()
			var plan weir.StagePlan
			if _, failed = w.pass(weir.Decide, "", beside); failed == nil {
				plan, failed = a.Plan(t.Context(), mine, "esp")
			}
			if failed == nil {
				other, failed = w.store().ReadFile(t.Context(), plan.Spec)
			}
		}
		return false
	}
	w.counts.Store(&planning)
	plan, err := a.Plan(t.Context(), mine, "esp")
	if failed != nil || err != nil {
		t.Fatal(failed, err)
	}
	stands, err := w.store().ReadFile(t.Context(), plan.Spec)
	if err != nil || string(stands) != string(other) {
		t.Fatalf("the plan is\n%s\nit was\n%s\n%v", stands, other, err)
	}
	var sp activateSpec
	if err := json.Unmarshal(stands, &sp); err != nil {
		t.Fatal(err)
	}
	rows := 0
	for n, c := range sp.Chunks {
		changes, err := rowfile.ReadGroup[change](t.Context(), w.store(), sp.planKey(journal{House: w.House, destination: "esp", run: mine.ID}), n)
		if err != nil || len(changes) != c.Rows {
			t.Errorf("chunk %d has %d rows, not %d: %v", n, len(changes), c.Rows, err)
		}
		rows += len(changes)
	}
	if rows != 2 {
		t.Errorf("%d rows, not those of both people", rows)
	}
}

// A run with a now that lies ahead sends to one destination; then the activation moves.
// What it holds is looked for where it was sent last, not where its times are latest.
func TestActivationThatMovesAfterANowAhead(t *testing.T) { // invariant 7
	for _, reachable := range []bool{true, false} {
		w := one(t)
		second := &tool{holds: map[string]string{}, seen: map[string]bool{}, sequence: map[string]int64{}}
		w.Connectors["second"] = connectors.Connector{Name: "second", OpenDestination: func(context.Context, connectors.Env, connectors.Settings) (connectors.Destination, error) {
			return second, nil
		}}
		w.say("b@x.org", weir.Granted)
		w.people["p2"] = citizen{email: "b@x.org", name: "Bob", member: true}
		w.settle()
		w.must(weir.Decide, "")
		ahead := w.next()
		ahead.Now, ahead.Logical = ahead.Now.Add(2*time.Hour), true
		if row, err := w.pass(weir.Activate, "esp", ahead); err != nil || row.Counts["news.add.delivered"] != 2 {
			t.Fatal(row.Counts, err)
		}
		other := w.project.Destinations[0]
		other.Name, other.Connector = "other", "second"
		w.project.Destinations = append(w.project.Destinations, other)
		w.project.Activations[0].Destination = "other"
		parts := []string{"esp", "other"}
		if !reachable {
			w.project.Destinations, parts = w.project.Destinations[1:], parts[1:]
		}
		round := func() {
			w.must(weir.Decide, "")
			for _, part := range parts {
				w.must(weir.Activate, part)
			}
		}
		round()
		w.say("a@x.org", weir.Withdrawn)
		w.tell()
		round()
		if _, still := second.holds["a@x.org"]; still || len(second.holds) != 1 || len(second.log) != 3 {
			t.Errorf("reachable %v: the new destination holds %v after %v%s", reachable, second.holds, second.log, w.story())
		}
		if reachable {
			w.holds(map[string]string{})
		}
	}
}
