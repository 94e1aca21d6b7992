package membership_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/membership"
)

// names are ids of several kinds: short; alike for longer than a word; some the beginning
// of others, with bytes of zero; of several beginnings.
var names = []func(int) string{
	func(i int) string { return fmt.Sprint("p", i) },
	func(i int) string { return fmt.Sprintf("profile-%020d", i*i*i) },
	func(i int) string { return "p" + strings.Repeat("\x00", i) },
	func(i int) string { return strings.Repeat("abc", i) + "longer than eight" + strings.Repeat("!", i%3) },
}

// TestSortedIsDiff: by place or by look-up, the memberships and changes are the same.
func TestSortedIsDiff(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 9))
	changed := 0
	for round := range 3000 {
		id := names[round%len(names)]
		in := membership.Input{Run: run, Segments: map[string]membership.Status{}}
		for i := range 4 {
			if r.IntN(5) > 0 {
				in.Segments[fmt.Sprint("s", i)] = membership.Status{Changed: r.IntN(3) == 0, Broken: r.IntN(4) == 0}
			}
		}
		var ids []string
		for i := range 8 {
			if r.IntN(4) > 0 {
				ids = append(ids, id(i))
			}
		}
		slices.Sort(ids)
		in.Alive = func(id string) bool { return slices.Contains(ids, id) }
		matches := map[string][]int{}
		for name, status := range in.Segments {
			for place, id := range ids {
				if r.IntN(2) == 0 && !status.Broken {
					matches[name] = append(matches[name], place)
					in.Matches = append(in.Matches, membership.Match{Segment: name, Profile: id})
				}
			}
		}
		draw := func(n int) (out []weir.Membership) {
			for range r.IntN(n) {
				out = append(out, member(fmt.Sprint("s", r.IntN(5)), id(r.IntN(8)), 1+r.IntN(9)))
			}
			return out
		}
		in.Prior, in.Handed = draw(20), draw(6)
		want := membership.Diff(in)
		var got membership.Output
		sorted := membership.Sorted{Run: in.Run, Segments: in.Segments, IDs: ids, Prior: columns(r, in.Prior), Handed: membership.Columns(in.Handed),
			Matches: func(segment string) func(func(int) bool) { return slices.Values(matches[segment]) }}
		err := sorted.Diff(membership.Writer{
			Member: func(segment string, place int, at time.Time) error {
				got.Members = append(got.Members, weir.Membership{Segment: segment, ProfileID: ids[place], EnteredAt: at})
				return nil
			},
			Change: func(segment, profile, what, cause string) error {
				got.Changes = append(got.Changes, change(segment, profile, what, cause))
				return nil
			},
		})
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v\nwant %+v\nof %+v", got, want, in)
		}
		changed += len(got.Changes)
	}
	if changed < 3000 {
		t.Errorf("only %d changes", changed)
	}
}

// columns cuts rows into columns: each takes a random part of its segment's.
func columns(r *rand.Rand, rows []weir.Membership) (out []membership.Column) {
	for _, c := range membership.Columns(rows) {
		if i := slices.IndexFunc(out, func(o membership.Column) bool { return o.Segment == c.Segment }); i >= 0 && r.IntN(3) > 0 {
			out[i].Profiles, out[i].EnteredAt = append(out[i].Profiles, c.Profiles...), append(out[i].EnteredAt, c.EnteredAt...)
			continue
		}
		out = append(out, c)
	}
	return out
}
