package consents

import (
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
)

// Fold answers one query about one profile.
func Fold(p Profile, q Query) State {
	s := State{Status: None}
	govern := governing(p, q)
	if govern.found {
		s.Status, s.GivenAt, s.ExpiresAt = Given, govern.givenAt, govern.expiresAt
		s.Explicit, s.Proof, s.Guardian = govern.explicit, govern.proof, govern.guardian
		if !s.ExpiresAt.IsZero() && !q.Now.Before(s.ExpiresAt) {
			s.Status = Expired
		}
	}
	rests := govern.ids
	for i := range p.Entries {
		e := &p.Entries[i]
		if e.Jurisdiction != "" {
			s.Jurisdictions = append(s.Jurisdictions, e.Jurisdiction)
		}
		if restrict(&s, e, p, q, govern) {
			rests = append(rests, e.ID)
		}
	}
	slices.Sort(s.Jurisdictions)
	s.Jurisdictions = slices.Compact(s.Jurisdictions)
	slices.Sort(rests)
	s.Rests = slices.Compact(rests)
	return s
}

// restrict applies one entry to the state if it is a restriction in force, and
// says whether it is.
func restrict(s *State, e *weir.Consent, p Profile, q Query, g grant) bool {
	switch e.Action {
	case weir.Granted, weir.Unrestricted:
		return false
	case weir.Restricted:
		if lifted(e, p, q.Now) {
			return false
		}
		s.Restricted = true
		return true
	case weir.ErasureRequested:
		s.Erasure = true
		return true
	}
	if usChoice(e.Action) {
		return s.choice(e, q, g)
	}
	if e.Action == weir.Suppressed {
		return s.suppress(e, q, g)
	}
	if !covers(e, q) {
		return false
	}
	switch e.Action {
	case weir.Objected:
		if g.explicit && g.beats(e) {
			return false
		}
		s.Objected = true
	case weir.Signal:
		if g.express && g.beats(e) {
			return false
		}
		s.Signal = true
	default: // denied, withdrawn, and what is not known
		if g.beats(e) {
			return false
		}
		if e.Action == weir.RefusedConsent {
			if s.Status != Withdrawn {
				s.Status = Refused
			}
		} else {
			s.Status = Withdrawn
		}
	}
	return true
}

// usChoice says whether an action is a choice that US law gives: it is about a
// kind of use, not about one purpose.
func usChoice(a weir.Action) bool {
	switch a {
	case weir.OptedOut, weir.OptedOutAds, weir.OptedOutProfiles, weir.LimitSensitive:
		return true
	}
	return false
}

// choice applies an opt-out of US law. What such an entry may name as its purpose
// is the use that it opts out of (sale, share), so that it covers all purposes;
// any other purpose covers as in every restriction.
func (s *State) choice(e *weir.Consent, q Query, g grant) bool {
	all := *e
	switch first, _, _ := strings.Cut(e.Purpose, "."); first {
	case "sale", "share", "sell", "sharing", "targeted_ads", "targeted_advertising", "profiling", "sensitive":
		all.Purpose = ""
	}
	if !covers(&all, q) || (g.express && g.beats(e)) {
		return false
	}
	switch e.Action {
	case weir.OptedOutAds:
		s.OptedOutAds = true
	case weir.OptedOutProfiles:
		s.OptedOutProfiling = true
	case weir.LimitSensitive:
		s.LimitSensitive = true
	default:
		if !s.OptedOut {
			s.OptedOutAt = e.OccurredAt
		} else if e.OccurredAt.IsZero() || (!s.OptedOutAt.IsZero() && e.OccurredAt.After(s.OptedOutAt)) {
			s.OptedOutAt = e.OccurredAt
		}
		s.OptedOut = true
	}
	return true
}

// suppress applies an entry that closes a channel. A later explicit grant for
// the address opens it again.
func (s *State) suppress(e *weir.Consent, q Query, g grant) bool {
	here := *e
	here.Channel = ""
	if !covers(&here, q) || (g.explicit && g.beats(e)) {
		return false
	}
	if e.Channel != "" && e.Channel != q.Channel {
		s.SuppressedElsewhere = true
		return true
	}
	if !s.Suppressed || e.OccurredAt.IsZero() || (!s.SuppressedAt.IsZero() && e.OccurredAt.After(s.SuppressedAt)) {
		s.SuppressedAt = e.OccurredAt
	}
	s.Suppressed = true
	return true
}

// grant is the governing grant: of several at one time, what all of them allow.
type grant struct {
	found     bool
	at        moment
	givenAt   time.Time
	expiresAt time.Time
	explicit  bool // all are express
	express   bool // all are express and by a known person
	proof     bool
	guardian  bool // all are by a parent or guardian
	ids       []string
}

// beats says whether the grant is strictly later than a restriction.
func (g grant) beats(e *weir.Consent) bool {
	return g.found && g.at.compare(when(e)) > 0
}

// governing finds the latest grant that reaches each address; of several
// addresses, the weakest of theirs.
func governing(p Profile, q Query) grant {
	if len(q.Addresses) == 0 {
		return grant{}
	}
	all := latest(p, q, q.Addresses[0])
	for _, a := range q.Addresses[1:] {
		g := latest(p, q, a)
		if !g.found || !all.found {
			return grant{}
		}
		all = all.and(g, first)
	}
	return all
}

// latest finds the latest grant that reaches one address.
func latest(p Profile, q Query, a Address) grant {
	var best grant
	for i := range p.Entries {
		e := &p.Entries[i]
		if e.Action != weir.Granted || e.Purpose == "" || e.Purpose != q.Purpose ||
			(e.Channel != "" && e.Channel != q.Channel) || e.OccurredAt.After(q.Now) || !reaches(e, a, p.Held) {
			continue
		}
		g := grant{found: true, at: when(e), givenAt: e.OccurredAt, expiresAt: e.ExpiresAt, explicit: e.Explicit,
			express: e.Explicit && !slices.Contains(devices(q), e.Kind), proof: e.Proof != "", guardian: e.Actor == "guardian", ids: []string{e.ID}}
		switch {
		case !best.found || g.at.compare(best.at) > 0:
			best = g
		case g.at.compare(best.at) == 0:
			best = best.and(g, last)
		}
	}
	return best
}

// and gives what both grants allow.
func (g grant) and(o grant, pick func(moment, moment) moment) grant {
	at := pick(g.at, o.at)
	return grant{found: true, at: at, givenAt: earlier(g.givenAt, o.givenAt), expiresAt: sooner(g.expiresAt, o.expiresAt),
		explicit: g.explicit && o.explicit, express: g.express && o.express, proof: g.proof && o.proof, guardian: g.guardian && o.guardian,
		ids: append(slices.Clone(g.ids), o.ids...)}
}

func first(a, b moment) moment {
	if a.compare(b) < 0 {
		return a
	}
	return b
}

func last(a, b moment) moment {
	if a.compare(b) < 0 {
		return b
	}
	return a
}

// earlier is the earlier time; zero (not known) is the earliest.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.IsZero() || a.Before(b) {
		if b.IsZero() {
			return b
		}
		return a
	}
	return b
}

// sooner is the sooner end; zero is no end.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// reaches says whether a grant counts for an address: it was given for it, or a
// source holds both in one record.
func reaches(e *weir.Consent, a Address, held []weir.Identifiers) bool {
	if a.Value == "" {
		return false
	}
	if e.Kind == a.Kind && e.Value == a.Value {
		return true
	}
	for _, ids := range held {
		if holds(ids, e.Kind, e.Value) && holds(ids, a.Kind, a.Value) {
			return true
		}
	}
	return false
}

func holds(ids weir.Identifiers, kind, value string) bool {
	return value != "" && slices.Contains(ids[kind], value)
}

// lifted says whether a later `unrestricted` for the same address lifts a
// restriction of processing.
func lifted(e *weir.Consent, p Profile, now time.Time) bool {
	at := when(e)
	for i := range p.Entries {
		u := &p.Entries[i]
		if u.Action == weir.Unrestricted && u.Kind == e.Kind && u.Value == e.Value &&
			!u.OccurredAt.After(now) && when(u).compare(at) > 0 {
			return true
		}
	}
	return false
}

// covers says whether a restriction concerns the query.
func covers(e *weir.Consent, q Query) bool {
	if e.Channel != "" && e.Channel != q.Channel {
		return false
	}
	return e.Purpose == "" || within(q.Purpose, e.Purpose) || within(e.Purpose, q.Purpose)
}

// within says whether a purpose is another or lies below it.
func within(purpose, of string) bool {
	return purpose == of || (strings.HasPrefix(purpose, of) && strings.HasPrefix(purpose[len(of):], "."))
}

func devices(q Query) []string {
	if q.Devices != nil {
		return q.Devices
	}
	return DeviceKinds
}
