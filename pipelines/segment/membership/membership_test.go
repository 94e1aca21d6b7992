package membership_test

import (
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/membership"
)

var (
	now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	run = weir.Run{ID: "r2", Now: now}
)

func ago(days int) time.Time { return now.AddDate(0, 0, -days) }

func member(segment, profile string, days int) weir.Membership {
	return weir.Membership{Segment: segment, ProfileID: profile, EnteredAt: ago(days)}
}

func TestDiff(t *testing.T) {
	in := membership.Input{
		Run: run,
		Segments: map[string]membership.Status{
			"kept": {}, "edited": {Changed: true}, "broken": {Broken: true},
		},
		Alive: func(id string) bool { return id != "gone" },
		Matches: []membership.Match{
			{Segment: "kept", Profile: "a"}, {Segment: "kept", Profile: "new"}, {Segment: "kept", Profile: "heir"}, {Segment: "kept", Profile: "survivor"},
			{Segment: "edited", Profile: "new"}, {Segment: "edited", Profile: "gone"},
		},
		Prior: []weir.Membership{
			member("kept", "a", 5), member("kept", "left", 6), member("kept", "gone", 7), member("kept", "survivor", 3),
			member("edited", "left", 8), member("broken", "a", 9), member("broken", "gone", 9), member("deleted", "a", 4),
		},
		Handed: []weir.Membership{
			member("kept", "heir", 7), member("kept", "heir", 2), member("kept", "survivor", 7), member("broken", "heir", 9), member("edited", "heir", 1),
		},
	}
	want := membership.Output{
		Members: []weir.Membership{
			member("broken", "a", 9), member("broken", "heir", 9), member("edited", "new", 0),
			member("kept", "a", 5), member("kept", "heir", 7), member("kept", "new", 0), member("kept", "survivor", 7),
		},
		Changes: []weir.MembershipChange{
			change("broken", "gone", "exit", "profile"), change("broken", "heir", "enter", "profile"), change("deleted", "a", "exit", "definition"),
			change("edited", "left", "exit", "definition"), change("edited", "new", "enter", "definition"),
			change("kept", "gone", "exit", "profile"), change("kept", "heir", "enter", "profile"),
			change("kept", "left", "exit", "data"), change("kept", "new", "enter", "data"),
		},
	}
	if got := membership.Diff(in); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func change(segment, profile, what, cause string) weir.MembershipChange {
	return weir.MembershipChange{Segment: segment, ProfileID: profile, Change: what, At: now, RunID: "r2", Cause: cause}
}

// TestReconciles: members after = members before + entries - exits, whatever
// the order of the input.
func TestReconciles(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	names := []string{"s0", "s1", "s2", "s3"}
	for range 2000 {
		in := membership.Input{Run: run, Segments: map[string]membership.Status{"s0": {}, "s1": {Changed: true}, "s2": {Broken: true}}}
		in.Alive = func(id string) bool { return id < "p6" }
		for range r.IntN(20) {
			in.Matches = append(in.Matches, membership.Match{Segment: names[r.IntN(3)], Profile: "p" + strconv.Itoa(r.IntN(8))})
			in.Prior = append(in.Prior, member(names[r.IntN(4)], "p"+strconv.Itoa(r.IntN(8)), r.IntN(9)))
			in.Handed = append(in.Handed, member(names[r.IntN(4)], "p"+strconv.Itoa(r.IntN(6)), r.IntN(9)))
		}
		out := membership.Diff(in)
		held := map[[2]string]bool{}
		for _, m := range in.Prior {
			held[[2]string{m.Segment, m.ProfileID}] = true
		}
		for _, c := range out.Changes {
			k := [2]string{c.Segment, c.ProfileID}
			if held[k] == (c.Change == "enter") {
				t.Fatalf("%+v of %+v", c, in)
			}
			held[k] = c.Change == "enter"
		}
		n := 0
		for _, m := range out.Members {
			if !held[[2]string{m.Segment, m.ProfileID}] || m.EnteredAt.After(now) {
				t.Fatalf("%+v of %+v", m, in)
			}
			n++
		}
		for _, is := range held {
			if is {
				n--
			}
		}
		if n != 0 {
			t.Fatalf("members and changes differ by %d of %+v", n, in)
		}
		r.Shuffle(len(in.Prior), func(i, j int) { in.Prior[i], in.Prior[j] = in.Prior[j], in.Prior[i] })
		r.Shuffle(len(in.Handed), func(i, j int) { in.Handed[i], in.Handed[j] = in.Handed[j], in.Handed[i] })
		if !reflect.DeepEqual(membership.Diff(in), out) {
			t.Fatalf("the order of rows matters: %+v", in)
		}
	}
}

func TestSuccessors(t *testing.T) {
	at := func(days int, change, from, to string) weir.Merge {
		return weir.Merge{At: ago(days), Change: change, From: from, To: to}
	}
	s := membership.NewSuccessors([]weir.Merge{
		at(1, "merge", "b", "c"), at(2, "merge", "a", "b"), at(1, "redirect", "x", "c"), // in any order
		at(3, "merge", "d", "e"), at(2, "split", "e", "d"), // d lives again
		at(9, "merge", "old", "c"), // settled before
		at(3, "merge", "f", "g"), at(1, "retire", "f", ""),
		at(3, "merge", "h", "i"), at(2, "merge", "i", "h"), // a circle
	}, ago(5))
	for from, want := range map[string]string{"a": "c", "b": "c", "x": "c", "c": "", "d": "", "old": "", "f": "", "h": "", "none": ""} {
		if got := s.Of(from); got != want {
			t.Errorf("%s leads to %q, want %q", from, got, want)
		}
	}
}
