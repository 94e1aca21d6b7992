package journey

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
)

var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func compiled(t *testing.T, d weir.Sequence, session string) (*Sequence, *timeline.Layout) {
	t.Helper()
	var l timeline.Layout
	s, err := Compile(&d, timeline.Window{}, session, &l, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return &s, &l
}

func steps(names ...string) (out []weir.Step) {
	for _, n := range names {
		out = append(out, weir.Step{Event: n})
	}
	return out
}

// TestForgets: of many events the latest Most moments count, in any order and cut
// into any states.
func TestForgets(t *testing.T) {
	s, _ := compiled(t, weir.Sequence{Steps: steps("A", "B")}, "")
	var events []timeline.Event
	for i := range 3 * Most { // one A, then B only: the A is among what is forgotten
		e := timeline.Event{Name: "B", At: now.Add(time.Duration(i-3*Most) * time.Second)}
		if i == 0 {
			e.Name = "A"
		}
		events = append(events, e)
	}
	for seed := range uint64(3) {
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		var parts [3]State
		for i := range events {
			s.Add(&parts[i%3], &events[i], now)
		}
		s.Merge(&parts[0], &parts[1])
		s.Merge(&parts[0], &parts[2])
		if o := s.Done(&parts[0]); o.Holds || !parts[0].Forgot() || len(parts[0].moments.list) != Most {
			t.Fatalf("seed %d: holds %v, forgot %v, keeps %d", seed, o.Holds, parts[0].Forgot(), len(parts[0].moments.list))
		}
		late := timeline.Event{Name: "A", At: now.Add(-5 * time.Second / 2)}
		s.Add(&parts[0], &late, now)
		if !s.Done(&parts[0]).Holds {
			t.Fatal("an A among the latest, and no A then B")
		}
	}
}

// TestBounded: five million events of one profile, in a state that does not grow
// with them, and a session for each quarter of an hour that holds one.
func TestBounded(t *testing.T) {
	s, _ := compiled(t, weir.Sequence{Steps: steps("A", "B", "A")}, "15m")
	var state State
	r := rand.New(rand.NewPCG(5, 5))
	most := 0
	for i := range 5_000_000 {
		e := timeline.Event{Name: []string{"A", "B", "C"}[i%3], At: now.Add(-time.Duration(r.Int64N(int64(365 * 24 * time.Hour))))}
		s.Add(&state, &e, now)
		most = max(most, cap(state.moments.list)+cap(state.visits.list))
	}
	if !s.Done(&state).Holds || !state.Forgot() {
		t.Error("the sequence of the latest events is not found")
	}
	if most > 300_000 {
		t.Errorf("the state held %d moments and visits", most)
	}
}

// TestMergeAndOrder: random histories, whole and in parts, give one outcome.
func TestMergeAndOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	for range 3000 {
		d := weir.Sequence{Strict: r.IntN(2) == 0, Steps: steps("A", "B", "A")[:2+r.IntN(2)], Span: []string{"", "40m", "2h"}[r.IntN(3)]}
		session := []string{"", "20m", "properties.s"}[r.IntN(3)]
		s, l := compiled(t, d, session)
		busy := Busiest{Session: s.Session}
		var whole State
		var parts [2]State
		var busyWhole BusiestState
		var busyParts [2]BusiestState
		for i := range r.IntN(30) {
			e := l.Event(&weir.Event{ID: fmt.Sprint(i), Name: []string{"A", "B", "C"}[r.IntN(3)], OccurredAt: now.Add(-time.Duration(r.IntN(40)) * 10 * time.Minute),
				Properties: map[string]string{"s": []string{"", "x", "y"}[r.IntN(3)]}})
			part := r.IntN(2)
			s.Add(&whole, &e, now)
			s.Add(&parts[part], &e, now)
			if session != "" {
				busy.Add(&busyWhole, &e, now)
				busy.Add(&busyParts[part], &e, now)
			}
		}
		s.Merge(&parts[0], &parts[1])
		busy.Merge(&busyParts[0], &busyParts[1])
		if a, b := s.Done(&whole), s.Done(&parts[0]); !reflect.DeepEqual(a, b) {
			t.Fatalf("%+v, in parts %+v", a, b)
		}
		if a, b := busy.Value(&busyWhole), busy.Value(&busyParts[0]); a != b {
			t.Fatalf("%d in one session, in parts %d", a, b)
		}
	}
}

func TestRefused(t *testing.T) {
	for part, c := range map[string]struct {
		d       weir.Sequence
		session string
	}{
		"from 2 to 16 steps":      {weir.Sequence{Steps: steps("A")}, ""},
		"from 2 to 16 steps, not": {weir.Sequence{Steps: make([]weir.Step, 17)}, ""},
		"no length of time":       {weir.Sequence{Steps: steps("A", "B"), Span: "soon"}, ""},
		"longer than 100 years":   {weir.Sequence{Steps: steps("A", "B"), Span: "10000y"}, ""},
		"from 1m to 30d":          {weir.Sequence{Steps: steps("A", "B")}, "1s"},
		"session: \"visit\"":      {weir.Sequence{Steps: steps("A", "B")}, "visit"},
	} {
		var l timeline.Layout
		if _, err := Compile(&c.d, timeline.Window{}, c.session, &l, time.UTC); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v, want %q", err, part)
		}
	}
}
