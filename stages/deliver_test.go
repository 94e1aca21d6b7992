package stages

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/activities"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/policies/permit"
)

func TestThereAndBackIsThreeDeliveries(t *testing.T) {
	w := one(t)
	for _, name := range []string{"Ann", "Bea", "Ann"} {
		w.rename("p1", name)
		w.deliver()
	}
	if len(w.tool.log) != 3 || len(w.tool.seen) != 3 {
		t.Errorf("%d deliveries under %d keys%s", len(w.tool.log), len(w.tool.seen), w.story())
	}
	w.holds(map[string]string{"a@x.org": "p1 a@x.org Ann"})
}

func TestUpsertKeepsWhoLeftAndRemovesWhoWithdrew(t *testing.T) {
	w := one(t)
	w.project.Activations[0].Mode = weir.Upsert
	w.say("b@x.org", weir.Granted)
	w.people["p2"] = citizen{email: "b@x.org", name: "Bob", member: true}
	w.settle()
	w.deliver()
	w.people["p1"] = citizen{email: "a@x.org", name: "Ann"}
	w.people["p2"] = citizen{email: "b@x.org", name: "Bob"}
	w.say("b@x.org", weir.Withdrawn)
	w.settle()
	w.deliver()
	w.holds(map[string]string{"a@x.org": "p1 a@x.org Ann"})
}

func TestAppendSendsOnceAndAgainOnlyWhatMayBeLost(t *testing.T) {
	w := one(t)
	w.project.Activations[0].Mode = weir.AppendOnly
	w.tool.after = func(int, permit.Batch) error { w.tool.cancel(); return errors.New("killed") }
	w.must(weir.Decide, "")
	if _, err := w.pass(weir.Activate, "esp", w.next()); err == nil {
		t.Fatal("a killed run succeeded")
	}
	w.tool.after = nil
	w.deliver()
	w.rename("p1", "Bea")
	w.people["p1"] = citizen{email: "a@x.org", name: "Bea"}
	w.settle()
	w.deliver()
	if len(w.tool.log) != 1 {
		t.Errorf("%d rows appended, want 1%s", len(w.tool.log), w.story())
	}
}

func TestRejectedIsADeadLetterUntilChangedOrRedriven(t *testing.T) {
	w := one(t)
	w.say("b@x.org", weir.Granted)
	w.people["p2"] = citizen{email: "b@x.org", name: "Bob", member: true}
	w.settle()
	refuse := func(r permit.Row) *connectors.Outcome {
		if r.Key == "a@x.org" && r.Op != weir.Remove {
			return &connectors.Outcome{Status: connectors.Rejected, Reply: "bad address"}
		}
		return nil
	}
	w.tool.answer = refuse
	_, row := w.deliver()
	if row.Status != Partial || row.Counts["news.add.rejected"] != 1 || row.Counts["news.add.delivered"] != 1 {
		t.Fatalf("%s %v", row.Status, row.Counts)
	}
	calls := w.tool.calls
	if _, row = w.deliver(); row.Status != Unchanged || w.tool.calls != calls {
		t.Fatalf("sent again by itself: %s %v", row.Status, row.Counts)
	}
	if _, err := w.Redrive(t.Context(), w.next(), "news", ""); err != nil {
		t.Fatal(err)
	}
	if _, row = w.deliver(); row.Counts["news.add.rejected"] != 1 { // refused anew: a dead letter again
		t.Fatalf("redriven: %s %v%s", row.Status, row.Counts, w.story())
	}
	if _, row = w.deliver(); row.Status != Unchanged {
		t.Fatalf("refused after a redrive: %s %v%s", row.Status, row.Counts, w.story())
	}
	w.tool.answer = nil
	w.rename("p1", "Bea")
	w.deliver()
	w.tool.answer = refuse // the update to Ann is refused, then Bea is wanted again, then Cleo
	w.rename("p1", "Ann")
	w.deliver()
	w.tool.answer = nil
	w.rename("p1", "Cleo")
	w.deliver()
	w.rename("p1", "Ann") // refused once, but other content was delivered since
	w.deliver()
	w.holds(map[string]string{"a@x.org": "p1 a@x.org Ann", "b@x.org": "p2 b@x.org Bob"})
}

func TestRetryWaitsAsLongAsAskedAndSendsTheRest(t *testing.T) {
	w := one(t)
	w.say("b@x.org", weir.Granted)
	w.people["p2"] = citizen{email: "b@x.org", name: "Bob", member: true}
	w.settle()
	asked := 0
	w.tool.answer = func(r permit.Row) *connectors.Outcome {
		if r.Key == "a@x.org" && asked < 2 {
			asked++
			return &connectors.Outcome{Status: connectors.Retry, Reply: "429", RetryAfter: 90 * time.Second}
		}
		return nil
	}
	_, row := w.deliver()
	if row.Status != Done || len(w.tool.log) != 2 || !slices.Equal(w.tool.paused, []time.Duration{90 * time.Second, 90 * time.Second}) {
		t.Errorf("%s, %d rows, paused %v%s", row.Status, len(w.tool.log), w.tool.paused, w.story())
	}
	for _, d := range ledger[weir.Delivery](w, "activation.deliveries", "") {
		if want := map[string]int32{"a@x.org": 3, "b@x.org": 1}[d.DeliveredKey]; d.Attempts != want {
			t.Errorf("%s took %d attempts, want %d", d.DeliveredKey, d.Attempts, want)
		}
	}
}

func TestDestinationThatNeverAnswers(t *testing.T) {
	w := one(t)
	w.tool.before = func(int, permit.Batch) error { return errors.New("connection refused") }
	w.must(weir.Decide, "")
	run := w.next()
	if _, err := w.pass(weir.Activate, "esp", run); weir.CodeOf(err) != weir.Unavailable {
		t.Fatalf("error is %v", err)
	}
	for range 2 { // told twice, recorded once
		if err := w.All()[weir.Activate].Fail(t.Context(), run, "esp", "no answer"); err != nil {
			t.Fatal(err)
		}
	}
	w.tool.before = nil
	_, row := w.deliver()
	if row.Status != Done {
		t.Errorf("%s %v", row.Status, row.Counts)
	}
	var statuses []string
	for _, d := range ledger[weir.Delivery](w, "activation.deliveries", "order by sequence, \"at\"") {
		statuses = append(statuses, d.Status)
	}
	if !slices.Equal(statuses, []string{Unknown, "delivered"}) {
		t.Errorf("the ledger says %v", statuses)
	}
	failed := 0
	runs, _ := w.Lake.Runs(t.Context())
	for _, r := range runs {
		if r.Status == Failed {
			failed++
		}
	}
	if failed != 1 {
		t.Errorf("%d failed rows, want 1", failed)
	}
	w.holds(map[string]string{"a@x.org": "p1 a@x.org Ann"})
}

// TestAttendedRunTellsSoon: a person who waits is told of a destination that is away
// once it was tried for a while, and the next run sends what is missing.
func TestAttendedRunTellsSoon(t *testing.T) {
	w := one(t)
	asked := 0
	w.tool.before = func(int, permit.Batch) error {
		asked++
		return weir.Errorf(weir.Unavailable, "refused").At("esp").Then("start it")
	}
	w.must(weir.Decide, "")
	run := w.next()
	run.Attended = true
	_, err := w.pass(weir.Activate, "esp", run)
	var final activities.Final
	if weir.CodeOf(err) != weir.Unavailable || !errors.As(err, &final) || !final.Final() {
		t.Fatalf("error is %v", err)
	}
	if said := err.Error(); !strings.Contains(said, "start it") || !strings.Contains(said, "next run") {
		t.Errorf("it says %s", said)
	}
	var waited time.Duration
	for _, d := range w.tool.paused {
		waited += d
	}
	if waited > time.Minute || asked <= tries {
		t.Errorf("it was asked %d times within %v", asked, waited)
	}
	w.tool.before = nil
	if _, row := w.deliver(); row.Status != Done {
		t.Errorf("%s %v", row.Status, row.Counts)
	}
	w.holds(map[string]string{"a@x.org": "p1 a@x.org Ann"})
}

// TestAttendedRunWaitsWhenAsked: a destination that answers, if only to wait, is not
// away, however long it asks for.
func TestAttendedRunWaitsWhenAsked(t *testing.T) {
	w := one(t)
	asked := 0
	w.tool.answer = func(permit.Row) *connectors.Outcome {
		if asked++; asked < tries {
			return &connectors.Outcome{Status: connectors.Retry, Reply: "429", RetryAfter: time.Minute}
		}
		return nil
	}
	w.must(weir.Decide, "")
	run := w.next()
	run.Attended = true
	if row, err := w.pass(weir.Activate, "esp", run); err != nil || row.Status != Done || asked != tries {
		t.Errorf("%s, %v after %d tries", row.Status, err, asked)
	}
}

func TestAbandonedActivationIsEmptied(t *testing.T) { // invariant 7
	w := one(t)
	w.deliver()
	w.project.Activations = nil
	w.deliver()
	w.holds(map[string]string{})
	if row := w.must(weir.Activate, "esp"); row.Status != Unchanged {
		t.Errorf("again: %s %v", row.Status, row.Counts)
	}
}

func TestActivationThatMovesLeavesNothingBehind(t *testing.T) {
	w := one(t)
	second := &tool{holds: map[string]string{}, seen: map[string]bool{}, sequence: map[string]int64{}}
	w.Connectors["second"] = connectors.Connector{Name: "second", OpenDestination: func(context.Context, connectors.Env, connectors.Settings) (connectors.Destination, error) {
		return second, nil
	}}
	w.deliver()
	other := w.project.Destinations[0]
	other.Name, other.Connector = "other", "second"
	w.project.Destinations = append(w.project.Destinations, other)
	w.project.Activations[0].Destination = "other"
	w.must(weir.Decide, "")
	if row := w.must(weir.Activate, "other"); row.Status != Unchanged {
		t.Fatalf("it did not wait for its old destination: %v", row.Counts)
	}
	w.must(weir.Activate, "esp")
	w.must(weir.Activate, "other")
	w.holds(map[string]string{})
	if len(second.holds) != 1 {
		t.Errorf("the new destination holds %v%s", second.holds, w.story())
	}
}

// A withdrawal that arrives while a batch is in flight stops every later try; what
// may have arrived is taken back by the next run.
func TestWithdrawalWhileDelivering(t *testing.T) { // invariant 6
	for _, arrived := range []bool{false, true} {
		t.Run(fmt.Sprint("arrived ", arrived), func(t *testing.T) {
			w := one(t)
			w.must(weir.Decide, "")
			withdraw := func(call int, _ permit.Batch) error {
				if call > 1 {
					return nil
				}
				w.say("a@x.org", weir.Withdrawn)
				w.tell()
				return errors.New("connection reset")
			}
			if arrived {
				w.tool.after = withdraw
			} else {
				w.tool.before = withdraw
			}
			row := w.must(weir.Activate, "esp")
			if w.tool.calls != 1 || row.Status != Partial || row.Counts["news.add.unknown"] != 1 {
				t.Fatalf("%d calls, %s %v%s", w.tool.calls, row.Status, row.Counts, w.story())
			}
			w.deliver()
			w.holds(map[string]string{})
		})
	}
}

func TestWithdrawalBetweenDecisionAndPlan(t *testing.T) { // invariant 6
	w := one(t)
	w.must(weir.Decide, "")
	w.say("a@x.org", weir.Withdrawn)
	w.tell()
	if row := w.must(weir.Activate, "esp"); w.tool.calls != 0 || row.Counts["news.add.stopped"] != 1 {
		t.Fatalf("%d calls, %s %v%s", w.tool.calls, row.Status, row.Counts, w.story())
	}
}

func TestNothingCountsAsDeliveredBeforeItIsPublished(t *testing.T) {
	w := one(t)
	published := 0
	w.tool.finish = func(string, weir.Run) error { return errors.New("disk full") }
	w.must(weir.Decide, "")
	if _, err := w.pass(weir.Activate, "esp", w.next()); err == nil {
		t.Fatal("nothing was published, and nobody says so")
	}
	w.tool.finish = func(string, weir.Run) error { published++; return nil }
	if _, row := w.deliver(); row.Counts["news.add.delivered"] != 1 || published != 1 {
		t.Errorf("%s %v, published %d times%s", row.Status, row.Counts, published, w.story())
	}
}

func TestOldKeyThatStaysKeepsTheNewOneBack(t *testing.T) {
	w := one(t)
	w.deliver()
	w.say("b@x.org", weir.Granted)
	w.people["p1"] = citizen{email: "b@x.org", name: "Ann", member: true}
	w.settle()
	w.tool.answer = func(r permit.Row) *connectors.Outcome {
		if r.Op == weir.Remove {
			return &connectors.Outcome{Status: connectors.Rejected, Reply: "locked"}
		}
		return nil
	}
	w.deliver()
	w.holds(map[string]string{"a@x.org": "p1 a@x.org Ann"})
	w.tool.answer = nil
	w.deliver() // a removal is tried until it is done
	w.holds(map[string]string{"b@x.org": "p1 b@x.org Ann"})
}

func TestCommitTwiceIsOneCommit(t *testing.T) { // invariant 2
	w := one(t)
	w.must(weir.Decide, "")
	run := w.next()
	s := w.All()[weir.Activate]
	plan, err := s.Plan(t.Context(), run, "esp")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.Plan(t.Context(), run, "esp"); err != nil || again != plan {
		t.Fatalf("planned %+v, then %+v, %v", plan, again, err)
	}
	manifest, err := s.Run(t.Context(), plan.Spec, func(weir.Progress) {})
	if err != nil {
		t.Fatal(err)
	}
	one, err := s.Commit(t.Context(), manifest)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := w.Lake.Runs(t.Context())
	two, err := s.Commit(t.Context(), manifest)
	after, _ := w.Lake.Runs(t.Context())
	if err != nil || len(before) != len(after) || cmp.Diff(one.Snapshots, two.Snapshots) != "" || two.RunID != run.ID {
		t.Errorf("%v; %d rows, then %d; %+v", err, len(before), len(after), two)
	}
}

func TestWhatAKilledRunSentIsTakenBack(t *testing.T) { // invariant 7
	w := one(t)
	w.must(weir.Decide, "")
	w.tool.after = func(int, permit.Batch) error { w.tool.cancel(); return errors.New("killed") }
	if _, err := w.pass(weir.Activate, "esp", w.next()); err == nil {
		t.Fatal("a killed run succeeded")
	}
	w.tool.after = nil
	w.people["p1"] = citizen{email: "a@x.org", name: "Ann"} // left meanwhile
	w.settle()
	w.must(weir.Decide, "")
	w.must(weir.Activate, "esp") // settles the killed run, and finds its row held
	w.holds(map[string]string{})
}

// TestWentAwayInTheMiddle: what a destination took counts, and what is told names it.
func TestWentAwayInTheMiddle(t *testing.T) {
	w := one(t)
	w.say("b@x.org", weir.Granted)
	w.people["p2"] = citizen{email: "b@x.org", name: "Bob", member: true}
	w.settle()
	took := 0
	w.tool.caps.BatchRows = 1
	w.tool.before = func(int, permit.Batch) error {
		if took++; took > 1 {
			return weir.Errorf(weir.Unavailable, "refused").At("db.example:5432")
		}
		return nil
	}
	_, row := w.deliver()
	if row.Status != Partial || row.RowsOut != 1 || !strings.Contains(row.Error, "1 have no answer: db.example:5432: refused; the next run") {
		t.Errorf("%s, %d rows, %q", row.Status, row.RowsOut, row.Error)
	}
	w.tool.before = nil
	if _, row = w.deliver(); row.Status != Done || row.RowsOut != 1 || row.Error != "" {
		t.Errorf("%s, %d rows, %q", row.Status, row.RowsOut, row.Error)
	}
}
