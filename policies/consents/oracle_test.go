package consents

import (
	"math/rand/v2"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
)

// replay is the fold once more, written the other way round: entries are played
// in the order of their times, and each changes what holds.
func replay(p Profile, q Query) (s State) {
	s.Status = None
	end := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	type timed struct {
		occurred, recorded time.Time
		e                  weir.Consent
	}
	var all []timed
	for _, e := range p.Entries {
		t := timed{e.OccurredAt, e.RecordedAt, e}
		if e.Action != weir.Granted && e.Action != weir.Unrestricted {
			if t.recorded.IsZero() {
				t.recorded = end
			}
			if t.occurred.IsZero() {
				t.occurred = t.recorded
			}
		} else if t.occurred.After(q.Now) {
			continue
		}
		all = append(all, t)
	}
	same := func(a, b timed) bool { return a.occurred.Equal(b.occurred) && a.recorded.Equal(b.recorded) }
	sort.SliceStable(all, func(i, j int) bool {
		if !all[i].occurred.Equal(all[j].occurred) {
			return all[i].occurred.Before(all[j].occurred)
		}
		return all[i].recorded.Before(all[j].recorded)
	})
	restricted := map[string]bool{}
	var ever State
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && same(all[i], all[j]) {
			j++
		}
		var grants []weir.Consent
		for _, t := range all[i:j] {
			switch t.e.Action {
			case weir.Granted:
				if t.e.Purpose == q.Purpose && (t.e.Channel == "" || t.e.Channel == q.Channel) && near(p.Held, t.e, q.Addresses[0]) {
					grants = append(grants, t.e)
				}
			case weir.Unrestricted:
				delete(restricted, t.e.Kind+"/"+t.e.Value)
			}
		}
		if len(grants) > 0 {
			explicit, express := true, true
			s.Status, s.Proof, s.GivenAt, s.ExpiresAt = Given, true, grants[0].OccurredAt, time.Time{}
			for _, g := range grants {
				explicit = explicit && g.Explicit
				express = express && g.Explicit && g.Kind != "anonymous_id"
				s.Proof = s.Proof && g.Proof != ""
				if !g.ExpiresAt.IsZero() && (s.ExpiresAt.IsZero() || g.ExpiresAt.Before(s.ExpiresAt)) {
					s.ExpiresAt = g.ExpiresAt
				}
			}
			s.Explicit = explicit
			if !s.ExpiresAt.IsZero() && !s.ExpiresAt.After(q.Now) {
				s.Status = Expired
			}
			// What was said before stands unless this grant, now the governing one,
			// overrides it.
			s.Objected = ever.Objected && !explicit
			s.OptedOut, s.Signal = ever.OptedOut && !express, ever.Signal && !express
			s.OptedOutAds, s.OptedOutProfiling, s.LimitSensitive = ever.OptedOutAds && !express, ever.OptedOutProfiling && !express, ever.LimitSensitive && !express
			s.Suppressed, s.SuppressedElsewhere = ever.Suppressed && !explicit, ever.SuppressedElsewhere && !explicit
		}
		for _, t := range all[i:j] {
			s = restrictBy(s, t.e, q, restricted)
			ever.Objected, ever.OptedOut, ever.Signal = ever.Objected || s.Objected, ever.OptedOut || s.OptedOut, ever.Signal || s.Signal
			ever.OptedOutAds, ever.OptedOutProfiling, ever.LimitSensitive = ever.OptedOutAds || s.OptedOutAds, ever.OptedOutProfiling || s.OptedOutProfiling, ever.LimitSensitive || s.LimitSensitive
			ever.Suppressed, ever.SuppressedElsewhere = ever.Suppressed || s.Suppressed, ever.SuppressedElsewhere || s.SuppressedElsewhere
		}
		i = j
	}
	s.Restricted = len(restricted) > 0
	return s
}

func restrictBy(s State, e weir.Consent, q Query, restricted map[string]bool) State {
	concerns := (e.Channel == "" || e.Channel == q.Channel) &&
		(e.Purpose == "" || strings.HasPrefix(q.Purpose+".", e.Purpose+".") || strings.HasPrefix(e.Purpose+".", q.Purpose+"."))
	if e.Action == weir.Suppressed && e.Channel != "" && e.Channel != q.Channel {
		e.Channel = ""
		s.SuppressedElsewhere = s.SuppressedElsewhere || restrictBy(State{}, e, q, restricted).Suppressed
		return s
	}
	switch {
	case e.Action == weir.Restricted:
		restricted[e.Kind+"/"+e.Value] = true
	case e.Action == weir.ErasureRequested:
		s.Erasure = true
	case e.Action == weir.Granted, e.Action == weir.Unrestricted, !concerns:
	case e.Action == weir.Objected:
		s.Objected = true
	case e.Action == weir.OptedOut:
		s.OptedOut = true
	case e.Action == weir.OptedOutAds:
		s.OptedOutAds = true
	case e.Action == weir.OptedOutProfiles:
		s.OptedOutProfiling = true
	case e.Action == weir.LimitSensitive:
		s.LimitSensitive = true
	case e.Action == weir.Suppressed:
		s.Suppressed = true
	case e.Action == weir.Signal:
		s.Signal = true
	case e.Action == weir.RefusedConsent && s.Status == Withdrawn:
	case e.Action == weir.RefusedConsent:
		s.Status = Refused
	default:
		s.Status = Withdrawn
	}
	return s
}

func near(held []weir.Identifiers, e weir.Consent, a Address) bool {
	if e.Kind == a.Kind && e.Value == a.Value {
		return true
	}
	for _, ids := range held {
		has := map[Address]bool{}
		for kind, vs := range ids {
			for _, v := range vs {
				has[Address{kind, v}] = true
			}
		}
		if has[a] && has[Address{e.Kind, e.Value}] {
			return true
		}
	}
	return false
}

func TestOracle(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	seen := map[Status]int{}
	for range 40_000 {
		world, records := randomWorld(r)
		p, q := profileOf(records, world), randomQuery(r)
		got, want := Fold(p, q), replay(p, q)
		seen[got.Status]++
		if verdict(got) != verdict(want) {
			t.Fatalf("the fold says\n%+v, the replay\n%+v\nof %+v\nfor %+v", got, want, p, q)
		}
		if got.Status == Given && (got.Proof != want.Proof || got.Explicit != want.Explicit || !got.ExpiresAt.Equal(want.ExpiresAt)) {
			t.Fatalf("the fold's grant is\n%+v, the replay's\n%+v", got, want)
		}
	}
	for _, s := range []Status{None, Given, Refused, Withdrawn, Expired} {
		if seen[s] < 150 {
			t.Errorf("only %d answers were %s", seen[s], s)
		}
	}
}
