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
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/policies/permit"
)

// four is a world of four members, sent two by two.
func four(t *testing.T) *world {
	w := one(t)
	for i, name := range []string{"Bob", "Cyd", "Dan"} {
		email := fmt.Sprintf("%c@x.org", 'b'+i)
		w.say(email, weir.Granted)
		w.people[fmt.Sprint("p", i+2)] = citizen{email: email, name: name, member: true}
	}
	w.settle()
	return w
}

// said are the last statuses and replies by key.
func (w *world) said() map[string]string {
	w.t.Helper()
	out := map[string]string{}
	for _, d := range ledger[weir.Delivery](w, "activation.deliveries", `order by sequence, "at"`) {
		out[d.DeliveredKey] = strings.TrimSpace(d.Status + " " + d.Reply)
	}
	return out
}

func holdsKey(b permit.Batch, key string) bool {
	return slices.ContainsFunc(b.Rows(), func(r permit.Row) bool { return r.Key == key })
}

// TestRowThatIsNeverAnsweredHoldsNobodyUp: at the last try rows go one by one, and
// the run goes on without the one that the destination chokes on (invariant 8).
func TestRowThatIsNeverAnsweredHoldsNobodyUp(t *testing.T) {
	w := four(t)
	choked := 0
	w.tool.before = func(_ int, b permit.Batch) error {
		if holdsKey(b, "b@x.org") {
			choked++
			return errors.New("connection reset")
		}
		return nil
	}
	_, row := w.deliver()
	want := map[string]string{"a@x.org": "delivered ok", "b@x.org": "unknown no answer: connection reset", "c@x.org": "delivered ok", "d@x.org": "delivered ok"}
	if d := cmp.Diff(want, w.said()); d != "" || row.Status != Partial || row.Counts["news.add.unknown"] != 1 || choked != tries {
		t.Fatalf("%s %v after %d tries (-want +got):\n%s%s", row.Status, row.Counts, choked, d, w.story())
	}
	w.tool.before = nil
	if _, row = w.deliver(); row.Status != Done || row.RowsOut != 1 {
		t.Errorf("the next run: %s, %d rows%s", row.Status, row.RowsOut, w.story())
	}
	w.holds(w.audience())
}

// TestRowThatIsAlwaysWantedLater: what the destination said of it stays, though it
// was away before.
func TestRowThatIsAlwaysWantedLater(t *testing.T) {
	w := four(t)
	w.tool.before = func(call int, _ permit.Batch) error {
		if call == 1 {
			return errors.New("connection reset")
		}
		return nil
	}
	asked := 0
	w.tool.answer = func(r permit.Row) *connectors.Outcome {
		if r.Key != "b@x.org" {
			return nil
		}
		asked++
		return &connectors.Outcome{Status: connectors.Retry, Reply: "busy"}
	}
	_, row := w.deliver()
	if got := w.said()["b@x.org"]; got != "unknown busy" || row.Status != Partial || row.RowsOut != 3 || asked != tries-1 {
		t.Fatalf("%q, %s, %d rows, asked %d times%s", got, row.Status, row.RowsOut, asked, w.story())
	}
	w.tool.answer = nil
	w.deliver()
	w.holds(w.audience())
}

// TestRefusedAfterAnUnsureTry: it may be refused because it arrived; so it counts as
// held, and is sent again or taken back (invariant 7).
func TestRefusedAfterAnUnsureTry(t *testing.T) {
	refuse := func(permit.Row) *connectors.Outcome {
		return &connectors.Outcome{Status: connectors.Rejected, Reply: "exists already"}
	}
	for name, c := range map[string]struct {
		unsure func(w *world) // makes the first try so
		want   string
	}{
		"at once": {func(w *world) { w.tool.answer = refuse }, "rejected exists already"},
		"no answer": {func(w *world) {
			w.tool.after = func(int, permit.Batch) error { w.tool.answer = refuse; return errors.New("connection reset") }
		}, "unknown exists already"},
		"a gateway's answer": {func(w *world) {
			w.tool.answer = func(r permit.Row) *connectors.Outcome {
				w.tool.apply(r)
				w.tool.answer = refuse
				return &connectors.Outcome{Status: connectors.Retry, Reply: "502"}
			}
		}, "unknown exists already"},
		"the worker died": {func(w *world) {
			w.tool.after = func(int, permit.Batch) error {
				w.tool.answer = refuse
				w.tool.cancel()
				return errors.New("killed")
			}
		}, "unknown exists already"},
	} {
		t.Run(name, func(t *testing.T) {
			w := one(t)
			w.must(weir.Decide, "")
			c.unsure(w)
			after := w.tool.after
			w.tool.after = func(call int, b permit.Batch) error {
				if call == 1 && after != nil {
					return after(call, b)
				}
				return nil
			}
			run, s := w.next(), w.All()[weir.Activate]
			plan, err := s.Plan(t.Context(), run, "esp")
			if err != nil {
				t.Fatal(err)
			}
			var manifest string
			for range 2 { // the activity is tried again where its worker dies
				err = w.crashing(0, func(ctx context.Context) error {
					manifest, err = s.Run(ctx, plan.Spec, func(weir.Progress) {})
					return err
				})
				if err == nil {
					break
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Commit(t.Context(), manifest); err != nil {
				t.Fatal(err)
			}
			if got := w.said()["a@x.org"]; got != c.want {
				t.Errorf("it is %q, want %q%s", got, c.want, w.story())
			}
			w.tool.answer, w.tool.after = nil, nil
			w.people["p1"] = citizen{email: "a@x.org", name: "Ann"}
			w.settle()
			w.deliver()
			w.holds(map[string]string{})
		})
	}
}

// TestSendingClock: a permit is measured against the time of the sending: the clock's,
// or what has gone by since planning where a person chose the run's now.
func TestSendingClock(t *testing.T) { // invariant 6
	const years = 3 * 365 * 24 * time.Hour // a consent of the built-in policy lasts two
	for name, c := range map[string]struct {
		logical        bool
		before, during time.Duration // by which the clock is ahead of the run, and moves before it sends
		sent           bool
	}{
		"on time":                        {false, 0, 0, true},
		"a schedule that waited":         {false, years, 0, false},
		"planned, and then kept waiting": {false, 0, years, false},
		"a clock that is behind":         {false, -years, 0, true},
		"a now in the past":              {true, years, 0, true},
		"a now in the future":            {true, -years, 0, true},
		"a now, and then kept waiting":   {true, years, years, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := one(t)
			w.must(weir.Decide, "")
			w.clock = w.clock.Add(c.before)
			run, s := w.next(), w.All()[weir.Activate]
			run.Logical = c.logical
			plan, err := s.Plan(t.Context(), run, "esp")
			if err != nil {
				t.Fatal(err)
			}
			w.clock = w.clock.Add(c.during)
			manifest, err := s.Run(t.Context(), plan.Spec, func(weir.Progress) {})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Commit(t.Context(), manifest); err != nil {
				t.Fatal(err)
			}
			if got := len(w.tool.log) == 1; got != c.sent {
				t.Errorf("sent %v%s", got, w.story())
			}
			at := ledger[weir.Delivery](w, "activation.deliveries", "")[0].At
			want := run.Now.Add(c.during)
			if !c.logical {
				want = noon.Add(max(0, c.before) + c.during)
			}
			if off := at.Sub(want); off < -time.Minute || off > 5*time.Minute {
				t.Errorf("it is dated %v, want about %v", at, want)
			}
		})
	}
}
