package consents

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
)

// The generator is narrow on purpose: few addresses, times and purposes, so that
// ties, nested purposes and shared addresses are common.

var (
	values   = []string{"a", "b", "c", "d"}
	kinds    = []string{"email", "email", "crm_id", "anonymous_id"}
	purposes = []string{"", "marketing", "marketing.newsletter", "marketing.newsletter", "marketing.ads"}
	channels = []string{"", "email", "email", "sms"}
	restrain = []weir.Action{weir.RefusedConsent, weir.Withdrawn, weir.Objected, weir.OptedOut, weir.Signal, weir.Restricted, weir.ErasureRequested, "paused",
		weir.OptedOutAds, weir.OptedOutProfiles, weir.LimitSensitive, weir.Suppressed}
)

func one[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

func randomTime(r *rand.Rand) time.Time {
	if r.IntN(12) == 0 {
		return time.Time{}
	}
	return now.AddDate(0, 0, r.IntN(8)-6)
}

func randomEntry(r *rand.Rand, id string) weir.Consent {
	e := weir.Consent{ID: id, Kind: one(r, kinds), Value: one(r, values), Purpose: one(r, purposes), Channel: one(r, channels),
		OccurredAt: randomTime(r), RecordedAt: randomTime(r), Explicit: r.IntN(2) == 0, Action: weir.Granted}
	switch r.IntN(5) {
	case 0, 1:
		e.Action = one(r, restrain)
	case 2:
		if r.IntN(3) == 0 {
			e.Action = weir.Unrestricted
		}
	}
	if r.IntN(3) > 0 {
		e.Proof = "p"
	}
	if r.IntN(4) == 0 {
		e.ExpiresAt = now.AddDate(0, 0, r.IntN(3)-1)
	}
	return e
}

func randomRecord(r *rand.Rand) weir.Identifiers {
	ids := weir.Identifiers{}
	for range 1 + r.IntN(3) {
		ids.Add(one(r, kinds), one(r, values))
	}
	return ids
}

// profileOf gathers a profile as the caller must: all entries about any
// identifier that its records hold.
func profileOf(records []weir.Identifiers, world []weir.Consent) Profile {
	p := Profile{Held: records}
	for _, e := range world {
		if slices.ContainsFunc(records, func(ids weir.Identifiers) bool { return holds(ids, e.Kind, e.Value) }) {
			p.Entries = append(p.Entries, e)
		}
	}
	return p
}

func randomWorld(r *rand.Rand) ([]weir.Consent, []weir.Identifiers) {
	var world []weir.Consent
	for i := range r.IntN(10) {
		world = append(world, randomEntry(r, string(rune('A'+i))))
	}
	var records []weir.Identifiers
	for range 2 + r.IntN(4) {
		records = append(records, randomRecord(r))
	}
	return world, records
}

func randomQuery(r *rand.Rand) Query {
	return Query{Purpose: one(r, []string{"marketing.newsletter", "marketing.newsletter", "marketing.ads", "marketing"}), Channel: one(r, []string{"email", "sms"}),
		Addresses: []Address{{one(r, kinds), one(r, values)}}, Now: now}
}

// clear says whether nothing at all stands against the query.
func clear(s State) bool {
	return s.Status == Given && !s.Objected && !s.OptedOut && !s.Signal && !s.Restricted && !s.Erasure
}

// wider says whether s allows anything that was does not, in any single respect.
func wider(s, was State) bool {
	return (s.Status == Given && was.Status != Given) || (was.Objected && !s.Objected) || (was.OptedOut && !s.OptedOut) ||
		(was.Signal && !s.Signal) || (was.Restricted && !s.Restricted) || (was.Erasure && !s.Erasure) ||
		(was.OptedOutAds && !s.OptedOutAds) || (was.OptedOutProfiling && !s.OptedOutProfiling) || (was.LimitSensitive && !s.LimitSensitive) ||
		(was.Suppressed && !s.Suppressed) || (was.SuppressedElsewhere && !s.SuppressedElsewhere)
}

const rounds = 30_000

func TestOrderOfEntriesDoesNotMatter(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range rounds {
		world, records := randomWorld(r)
		q := randomQuery(r)
		p := profileOf(records, world)
		want := Fold(p, q)
		for range 3 {
			r.Shuffle(len(p.Entries), func(i, j int) { p.Entries[i], p.Entries[j] = p.Entries[j], p.Entries[i] })
			r.Shuffle(len(p.Held), func(i, j int) { p.Held[i], p.Held[j] = p.Held[j], p.Held[i] })
			if got := Fold(p, q); !reflect.DeepEqual(got, want) {
				t.Fatalf("order changed the answer:\n%+v\n%+v\nof %+v for %+v", want, got, p, q)
			}
		}
	}
}

func TestARestrictionNeverWidens(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	granted := 0
	for range rounds {
		world, records := randomWorld(r)
		q := randomQuery(r)
		p := profileOf(records, world)
		before := Fold(p, q)
		if clear(before) {
			granted++
		}
		e := randomEntry(r, "new")
		e.Action = one(r, restrain)
		p.Entries = append(p.Entries, e)
		if after := Fold(p, q); wider(after, before) {
			t.Fatalf("%+v widened\n%+v to\n%+v", e, before, after)
		}
	}
	if granted < rounds/100 {
		t.Fatalf("only %d of %d rounds had anything to lose", granted, rounds)
	}
}

// A merge gives no address a permission that it had in neither part, and where
// an address belongs to one part alone, nothing that stood against it is lifted
// but by that part's own entries.
func TestAMergeNeverWidens(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	kept := 0
	for range rounds {
		world, records := randomWorld(r)
		cut := 1 + r.IntN(len(records)-1)
		left, right := profileOf(records[:cut], world), profileOf(records[cut:], world)
		both := profileOf(records, world)
		q := randomQuery(r)
		merged := Fold(both, q)
		var parts []State
		for _, p := range []Profile{left, right} {
			if slices.ContainsFunc(p.Held, func(ids weir.Identifiers) bool { return holds(ids, q.Addresses[0].Kind, q.Addresses[0].Value) }) {
				parts = append(parts, Fold(p, q))
			}
		}
		if len(parts) == 0 {
			continue
		}
		if clear(merged) && !slices.ContainsFunc(parts, clear) {
			t.Fatalf("the merge allows what neither side did: %+v\n%+v\n%+v", merged, parts, q)
		}
		if len(parts) == 1 && wider(merged, parts[0]) {
			t.Fatalf("the merge widened %+v\nto %+v\nfor %+v", parts[0], merged, q)
		}
		if clear(merged) {
			kept++
		}
		// A split gives each side back its own.
		if again := Fold(profileOf(records[:cut], world), q); !reflect.DeepEqual(again, Fold(left, q)) {
			t.Fatalf("the split changed %+v", again)
		}
	}
	if kept < rounds/200 {
		t.Fatalf("only %d merges kept a permission", kept)
	}
}

func FuzzFold(f *testing.F) {
	f.Add("email", "a", "granted", "marketing.newsletter", int64(0), int64(5))
	f.Add("", "", "", ".", int64(-1), int64(0))
	f.Fuzz(func(t *testing.T, kind, value, action, purpose string, occurred, expires int64) {
		e := weir.Consent{ID: "1", Kind: kind, Value: value, Action: weir.Action(action), Purpose: purpose, OccurredAt: time.UnixMicro(occurred), ExpiresAt: time.UnixMicro(expires)}
		q := Query{Purpose: purpose, Channel: "email", Addresses: []Address{{kind, value}}, Now: now}
		s := Fold(Profile{Entries: []weir.Consent{e}, Held: []weir.Identifiers{{kind: {value}}}}, q)
		if s.Status == Given && e.Action != weir.Granted {
			t.Errorf("%q gave a grant", action)
		}
	})
}
