package stages

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/policies/permit"
)

// The oracle: whatever happened on the way, a settled mirror holds the audience,
// a receiver that honours idempotency keys saw nothing twice, and every row that
// it took was allowed by a decision recorded before.
func TestMirrorEqualsAudienceAfterCrashes(t *testing.T) { // invariants 2, 6, 7
	histories := 5
	if testing.Short() {
		histories = 2
	}
	for seed := range histories {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			mirrorHistory(t, rand.New(rand.NewPCG(uint64(seed), 7)))
		})
	}
}

func mirrorHistory(t *testing.T, r *rand.Rand) {
	w := newWorld(t)
	emails := []string{"a@x.org", "b@x.org", "c@x.org", "d@x.org", "e@x.org"}
	for _, e := range emails {
		w.say(e, weir.Granted)
	}
	for i := range 6 {
		w.people[fmt.Sprint("p", i)] = citizen{email: emails[r.IntN(len(emails))], name: "n0", member: r.IntN(4) > 0}
	}
	for round := range 4 {
		if round > 0 {
			w.shuffle(r, emails, round)
		}
		w.settle()
		w.stumble(r, emails, round)
		w.must(weir.Decide, "")
		allowed := map[string]bool{}
		for _, d := range ledger[weir.Decision](w, "consent.decisions", "where allow") {
			allowed[d.ID] = true
		}
		from := len(w.tool.log)
		w.must(weir.Activate, "esp")
		if d := cmp.Diff(w.audience(), w.tool.holds); d != "" {
			t.Fatalf("round %d (-audience +tool):\n%s%s", round, d, w.story())
		}
		for _, row := range w.tool.log[from:] {
			if row.Op != weir.Remove && !allowed[row.DecisionID] {
				t.Fatalf("round %d: %s of %s without a decision before it", round, row.Op, row.Key)
			}
		}
		if len(w.tool.wrong) > 0 {
			t.Fatalf("round %d: %v%s", round, w.tool.wrong, w.story())
		}
		if row := w.must(weir.Activate, "esp"); row.Status != Unchanged {
			t.Fatalf("round %d: again is %s, %v%s", round, row.Status, row.Counts, w.story())
		}
	}
}

// shuffle changes the people: a name, a key, membership, consent, a merge, a swap.
func (w *world) shuffle(r *rand.Rand, emails []string, round int) {
	ids := slices.Sorted(maps.Keys(w.people))
	for range 4 {
		id, email := ids[r.IntN(len(ids))], emails[r.IntN(len(emails))]
		c, ok := w.people[id]
		switch r.IntN(7) {
		case 0:
			c.name = fmt.Sprint("n", r.IntN(2)) // A, B, A
		case 1:
			c.email = email
		case 2:
			c.member = !c.member
		case 3:
			w.say(email, weir.Withdrawn)
			continue
		case 4:
			w.say(email, weir.Granted)
			continue
		case 5: // id is merged into another, which takes its key
			if other := ids[r.IntN(len(ids))]; ok && other != id && len(w.people) > 2 {
				into, there := w.people[other]
				if there {
					into.email = c.email
					w.people[other] = into
					delete(w.people, id)
				}
			}
			continue
		case 6: // two swap their keys
			if other, there := w.people[ids[r.IntN(len(ids))]]; there && ok {
				for k, v := range w.people {
					if v == other && k != id {
						other.email, c.email = c.email, other.email
						w.people[k] = other
						break
					}
				}
			}
		}
		if !ok {
			c = citizen{email: email, name: fmt.Sprint("n", round), member: true}
		}
		w.people[id] = c
	}
}

// stumble tries to decide and deliver, dying at random points: at any request to
// the store, before and after a batch was taken, by error or panic.
func (w *world) stumble(r *rand.Rand, emails []string, round int) {
	for range 1 + r.IntN(2) {
		if r.IntN(3) > 0 {
			w.must(weir.Decide, "")
		}
		run := w.next()
		w.tool.before, w.tool.after = w.trouble(r), w.trouble(r)
		var spec, manifest string
		steps := []func(context.Context) error{
			func(ctx context.Context) error {
				plan, err := w.All()[weir.Activate].Plan(ctx, run, "esp")
				if err == nil && plan.Unchanged {
					err = errUnchanged
				}
				spec = plan.Spec
				return err
			},
			func(ctx context.Context) (err error) {
				manifest, err = w.All()[weir.Activate].Run(ctx, spec, func(weir.Progress) {})
				return err
			},
			func(ctx context.Context) error { _, err := w.All()[weir.Activate].Commit(ctx, manifest); return err },
		}
		for _, step := range steps {
			if !w.tries(r, step) {
				break // the run fails for good
			}
		}
		w.tool.before, w.tool.after = nil, nil
		if r.IntN(2) == 0 { // what was being sent is wanted no more
			w.shuffle(r, emails, round)
			w.settle()
		}
	}
}

var errUnchanged = errors.New("unchanged")

// tries repeats a step as its activity would.
func (w *world) tries(r *rand.Rand, step func(context.Context) error) bool {
	for range 1 + r.IntN(3) {
		var k int64
		if r.IntN(2) == 0 {
			k = 1 + r.Int64N(40)
		}
		err := w.crashing(k, step)
		if err == nil {
			if r.IntN(4) > 0 {
				return true
			}
			continue // the answer was lost
		}
		if errors.Is(err, errUnchanged) {
			return false
		}
	}
	return false
}

func (w *world) trouble(r *rand.Rand) func(int, permit.Batch) error {
	return func(int, permit.Batch) error {
		switch r.IntN(12) {
		case 0:
			return errors.New("connection reset")
		case 1:
			panic("a defect")
		case 2:
			w.tool.cancel()
			return errors.New("killed")
		}
		return nil
	}
}

// story tells what the ledger says, for a failure's message.
func (w *world) story() string {
	s := "\n"
	for _, d := range ledger[weir.Delivery](w, "activation.deliveries", "order by profile_id, sequence") {
		s += fmt.Sprintln(d.RunID[16:], d.ProfileID, d.Op, d.DeliveredKey, d.Checksum[:min(4, len(d.Checksum))], d.Sequence, d.Status, d.Reply)
	}
	for _, d := range ledger[weir.DeliveryState](w, "activation.state", "order by profile_id") {
		s += fmt.Sprintln("holds", d.ProfileID, d.DeliveredKey, d.Checksum[:min(4, len(d.Checksum))], d.Sequence)
	}
	return s
}

// one makes a world with a single allowed member.
func one(t *testing.T) *world {
	w := newWorld(t)
	w.say("a@x.org", weir.Granted)
	w.people["p1"] = citizen{email: "a@x.org", name: "Ann", member: true}
	w.settle()
	return w
}

func (w *world) holds(want map[string]string) {
	w.t.Helper()
	if d := cmp.Diff(want, w.tool.holds); d != "" {
		w.t.Fatalf("tool (-want +got):\n%s%s", d, w.story())
	}
	if len(w.tool.wrong) > 0 {
		w.t.Fatalf("%v%s", w.tool.wrong, w.story())
	}
}

func (w *world) rename(id, name string) {
	c := w.people[id]
	c.name = name
	w.people[id] = c
	w.settle()
}

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
