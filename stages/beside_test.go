package stages

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
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
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/plan.parquet") {
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
