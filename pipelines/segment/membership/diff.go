package membership

import (
	"cmp"
	"slices"
	"time"

	"github.com/weir-cdp/weir"
)

// Status says how a segment's definition stands against the last run.
type Status struct {
	Changed bool // new, or its digest differs
	Broken  bool // cannot be evaluated
}

// Input is one partition of profiles: all that concerns them is in it.
type Input struct {
	Run      weir.Run
	Segments map[string]Status         // every segment that is defined, broken ones too
	Alive    func(profile string) bool // whether the profile exists now
	Matches  []Match                   // of the segments that can be evaluated
	Prior    []weir.Membership         // of the profiles of this partition, living or gone
	Handed   []weir.Membership         // prior memberships of predecessors, under the successor's id
}

// Match is one profile that a segment's rule holds for.
type Match struct{ Segment, Profile string }

// Output is sorted by segment, then profile.
type Output struct {
	Members []weir.Membership
	Changes []weir.MembershipChange
}

type key struct{ segment, profile string }

// Diff computes memberships and changes.
func Diff(in Input) Output {
	prior, handed := earliest(in.Prior), earliest(in.Handed)
	current := make(map[key]bool, len(in.Matches))
	for _, m := range in.Matches {
		if s, ok := in.Segments[m.Segment]; ok && !s.Broken && in.Alive(m.Profile) {
			current[key{m.Segment, m.Profile}] = true
		}
	}
	for _, before := range []map[key]time.Time{prior, handed} {
		for k := range before {
			if in.Segments[k.segment].Broken && in.Alive(k.profile) {
				current[k] = true
			}
		}
	}
	var out Output
	for k := range current {
		at, stayed := prior[k]
		since, inherited := handed[k]
		if !stayed {
			at = in.Run.Now
			out.change(in, k, "enter", enterCause(in.Segments[k.segment], inherited))
		}
		if inherited && since.Before(at) {
			at = since
		}
		out.Members = append(out.Members, weir.Membership{Segment: k.segment, ProfileID: k.profile, EnteredAt: at})
	}
	for k := range prior {
		if !current[k] {
			out.change(in, k, "exit", exitCause(in, k))
		}
	}
	slices.SortFunc(out.Members, func(a, b weir.Membership) int {
		return cmp.Or(cmp.Compare(a.Segment, b.Segment), cmp.Compare(a.ProfileID, b.ProfileID))
	})
	slices.SortFunc(out.Changes, func(a, b weir.MembershipChange) int {
		return cmp.Or(cmp.Compare(a.Segment, b.Segment), cmp.Compare(a.ProfileID, b.ProfileID))
	})
	return out
}

func earliest(rows []weir.Membership) map[key]time.Time {
	out := make(map[key]time.Time, len(rows))
	for _, m := range rows {
		k := key{m.Segment, m.ProfileID}
		if at, ok := out[k]; !ok || m.EnteredAt.Before(at) {
			out[k] = m.EnteredAt
		}
	}
	return out
}

func (o *Output) change(in Input, k key, what, cause string) {
	o.Changes = append(o.Changes, weir.MembershipChange{
		Segment: k.segment, ProfileID: k.profile, Change: what, At: in.Run.Now, RunID: in.Run.ID, Cause: cause,
	})
}

func enterCause(s Status, inherited bool) string {
	switch {
	case inherited:
		return "profile"
	case s.Changed:
		return "definition"
	}
	return "data"
}

func exitCause(in Input, k key) string {
	s, defined := in.Segments[k.segment]
	switch {
	case !in.Alive(k.profile):
		return "profile"
	case !defined || s.Changed:
		return "definition"
	}
	return "data"
}
