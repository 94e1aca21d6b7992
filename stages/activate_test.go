package stages

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
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
		w.reconciles()
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
