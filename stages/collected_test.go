package stages

import (
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// TestWhatIsReadLaterIsDatedLater: of two versions of a record, that with the later
// collected-at wins, so a run whose now is not later than the last sync's goes on
// just after it (a schedule that waited, a --now in the past).
func TestWhatIsReadLaterIsDatedLater(t *testing.T) {
	w, s := newShelf(t)
	first := w.next().Now
	later := first.Add(time.Hour)
	for i, c := range []struct{ now, want time.Time }{
		{first, first},
		{first.Add(-48 * time.Hour), first.Add(time.Microsecond)},
		{first, first.Add(2 * time.Microsecond)},
		{first.Add(2 * time.Microsecond), first.Add(3 * time.Microsecond)},
		{later, later},
	} {
		value := string(rune('a' + i))
		s.log = append(s.log, []string{value})
		run := w.next()
		run.Now = c.now
		if _, err := w.pass(weir.Collect, "shelf/things", run); err != nil {
			t.Fatal(err)
		}
		if got := w.collectedAt(value); !got.Equal(c.want) {
			t.Errorf("row %s of a run at %v is dated %v, want %v", value, c.now, got, c.want)
		}
	}
}

// collectedAt is when the one raw row with a value was collected.
func (w *world) collectedAt(value string) time.Time {
	w.t.Helper()
	pins, err := w.Lake.Pins(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	sess, _, err := w.attached(w.t.Context(), []string{things}, pins)
	if err != nil {
		w.t.Fatal(err)
	}
	defer sess.Close()
	at, err := column[time.Time](w.t.Context(), sess, "select "+schema.CollectedAt+" from "+things+" where v = '"+value+"'")
	if err != nil || len(at) != 1 {
		w.t.Fatal(at, err)
	}
	return at[0]
}
