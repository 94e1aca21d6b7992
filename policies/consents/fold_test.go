package consents

import (
	"testing"
	"time"

	"github.com/weir-cdp/weir"
)

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func daysAgo(n int) time.Time { return now.AddDate(0, 0, -n) }

func entry(action weir.Action, value string, days int) weir.Consent {
	return weir.Consent{ID: string(action) + "/" + value, Kind: "email", Value: value, Purpose: "marketing.newsletter", Channel: "email",
		Action: action, OccurredAt: daysAgo(days), RecordedAt: daysAgo(days), Proof: "form-1"}
}

func with(e weir.Consent, change func(*weir.Consent)) weir.Consent { change(&e); return e }

func ask(value string) Query {
	return Query{Purpose: "marketing.newsletter", Channel: "email", Addresses: []Address{{"email", value}}, Now: now}
}

func TestFold(t *testing.T) {
	explicit := func(e *weir.Consent) { e.Explicit = true }
	cases := []struct {
		name    string
		entries []weir.Consent
		held    []weir.Identifiers
		query   Query
		want    State
	}{
		{name: "nothing said", query: ask("a"), want: State{Status: None}},
		{name: "granted", entries: []weir.Consent{entry(weir.Granted, "a", 30)}, query: ask("a"), want: State{Status: Given}},
		{name: "granted for another address", entries: []weir.Consent{entry(weir.Granted, "b", 30)}, query: ask("a"), want: State{Status: None}},
		{name: "granted for an address of the same record", entries: []weir.Consent{entry(weir.Granted, "b", 30)},
			held: []weir.Identifiers{{"email": {"a", "b"}}}, query: ask("a"), want: State{Status: Given}},
		{name: "two hops do not reach", entries: []weir.Consent{entry(weir.Granted, "c", 30)},
			held: []weir.Identifiers{{"email": {"a", "b"}}, {"email": {"b", "c"}}}, query: ask("a"), want: State{Status: None}},
		{name: "granted on a customer number that the record holds", held: []weir.Identifiers{{"email": {"a"}, "crm_id": {"7"}}},
			entries: []weir.Consent{with(entry(weir.Granted, "7", 30), func(e *weir.Consent) { e.Kind = "crm_id" })}, query: ask("a"), want: State{Status: Given}},
		{name: "granted for another channel", entries: []weir.Consent{with(entry(weir.Granted, "a", 3), func(e *weir.Consent) { e.Channel = "sms" })}, query: ask("a"), want: State{Status: None}},
		{name: "granted for all channels", entries: []weir.Consent{with(entry(weir.Granted, "a", 3), func(e *weir.Consent) { e.Channel = "" })}, query: ask("a"), want: State{Status: Given}},
		{name: "a grant of the parent purpose", entries: []weir.Consent{with(entry(weir.Granted, "a", 3), func(e *weir.Consent) { e.Purpose = "marketing" })}, query: ask("a"), want: State{Status: None}},
		{name: "a grant of no purpose", entries: []weir.Consent{with(entry(weir.Granted, "a", 3), func(e *weir.Consent) { e.Purpose = "" })}, query: ask("a"), want: State{Status: None}},
		{name: "a grant in the future", entries: []weir.Consent{entry(weir.Granted, "a", -1)}, query: ask("a"), want: State{Status: None}},
		{name: "withdrawn later", entries: []weir.Consent{entry(weir.Granted, "a", 30), entry(weir.Withdrawn, "a", 3)}, query: ask("a"), want: State{Status: Withdrawn}},
		{name: "withdrawn at another address", entries: []weir.Consent{entry(weir.Granted, "a", 30), entry(weir.Withdrawn, "b", 3)}, query: ask("a"), want: State{Status: Withdrawn}},
		{name: "withdrawn in the future", entries: []weir.Consent{entry(weir.Granted, "a", 30), entry(weir.Withdrawn, "a", -3)}, query: ask("a"), want: State{Status: Withdrawn}},
		{name: "withdrawn then granted again", entries: []weir.Consent{entry(weir.Withdrawn, "b", 30), entry(weir.Granted, "a", 3)}, query: ask("a"), want: State{Status: Given}},
		{name: "granted again for another address only", entries: []weir.Consent{entry(weir.Withdrawn, "b", 30), entry(weir.Granted, "a", 3)}, query: ask("b"), want: State{Status: Withdrawn}},
		{name: "a tie", entries: []weir.Consent{entry(weir.Granted, "a", 3), entry(weir.Withdrawn, "a", 3)}, query: ask("a"), want: State{Status: Withdrawn}},
		{name: "same time, grant recorded later", entries: []weir.Consent{with(entry(weir.Granted, "a", 3), func(e *weir.Consent) { e.RecordedAt = now }), entry(weir.Withdrawn, "a", 3)}, query: ask("a"), want: State{Status: Given}},
		{name: "a withdrawal that arrived late but occurred before", entries: []weir.Consent{entry(weir.Granted, "a", 3), with(entry(weir.Withdrawn, "a", 9), func(e *weir.Consent) { e.RecordedAt = now })}, query: ask("a"), want: State{Status: Given}},
		{name: "a withdrawal without any time", entries: []weir.Consent{entry(weir.Granted, "a", 3), with(entry(weir.Withdrawn, "a", 9), func(e *weir.Consent) { e.OccurredAt, e.RecordedAt = time.Time{}, time.Time{} })}, query: ask("a"), want: State{Status: Withdrawn}},
		{name: "a withdrawal of the parent purpose", entries: []weir.Consent{entry(weir.Granted, "a", 9), with(entry(weir.Withdrawn, "a", 3), func(e *weir.Consent) { e.Purpose = "marketing" })}, query: ask("a"), want: State{Status: Withdrawn}},
		{name: "a withdrawal of everything", entries: []weir.Consent{entry(weir.Granted, "a", 9), with(entry(weir.Withdrawn, "a", 3), func(e *weir.Consent) { e.Purpose, e.Channel = "", "" })}, query: ask("a"), want: State{Status: Withdrawn}},
		{name: "a withdrawal of a purpose with a like name", entries: []weir.Consent{entry(weir.Granted, "a", 9), with(entry(weir.Withdrawn, "a", 3), func(e *weir.Consent) { e.Purpose = "marketing.news" })}, query: ask("a"), want: State{Status: Given}},
		{name: "a withdrawal of another channel", entries: []weir.Consent{entry(weir.Granted, "a", 9), with(entry(weir.Withdrawn, "a", 3), func(e *weir.Consent) { e.Channel = "sms" })}, query: ask("a"), want: State{Status: Given}},
		{name: "an action that is not known", entries: []weir.Consent{entry(weir.Granted, "a", 9), entry("paused", "a", 3)}, query: ask("a"), want: State{Status: Withdrawn}},
		{name: "refused", entries: []weir.Consent{entry(weir.RefusedConsent, "a", 3)}, query: ask("a"), want: State{Status: Refused}},
		{name: "refused and withdrawn", entries: []weir.Consent{entry(weir.Withdrawn, "b", 3), entry(weir.RefusedConsent, "a", 2)}, query: ask("a"), want: State{Status: Withdrawn}},
		{name: "expired", entries: []weir.Consent{with(entry(weir.Granted, "a", 9), func(e *weir.Consent) { e.ExpiresAt = now })}, query: ask("a"), want: State{Status: Expired}},
		{name: "not yet expired", entries: []weir.Consent{with(entry(weir.Granted, "a", 9), func(e *weir.Consent) { e.ExpiresAt = now.Add(time.Microsecond) })}, query: ask("a"), want: State{Status: Given}},
		{name: "the latest grant governs", entries: []weir.Consent{entry(weir.Granted, "a", 9), with(entry(weir.Granted, "a", 8), func(e *weir.Consent) { e.ExpiresAt = now })}, query: ask("a"), want: State{Status: Expired}},
		{name: "objected beats a later plain grant", entries: []weir.Consent{with(entry(weir.Objected, "b", 9), func(e *weir.Consent) { e.Purpose, e.Channel = "", "" }), entry(weir.Granted, "a", 3)}, query: ask("a"), want: State{Status: Given, Objected: true}},
		{name: "a later explicit grant beats an objection", entries: []weir.Consent{entry(weir.Objected, "b", 9), with(entry(weir.Granted, "a", 3), explicit)}, query: ask("a"), want: State{Status: Given}},
		{name: "GPC on a device", entries: []weir.Consent{entry(weir.Granted, "a", 9), {Kind: "anonymous_id", Value: "x", Action: weir.Signal, OccurredAt: daysAgo(3)}}, query: ask("a"), want: State{Status: Given, Signal: true}},
		{name: "a later express opt-in of the known person", entries: []weir.Consent{with(entry(weir.Granted, "a", 2), explicit), {Kind: "anonymous_id", Value: "x", Action: weir.Signal, OccurredAt: daysAgo(3), RecordedAt: daysAgo(3)}}, query: ask("a"), want: State{Status: Given}},
		{name: "a later express opt-in on a device only", held: []weir.Identifiers{{"email": {"a"}, "anonymous_id": {"x"}}},
			entries: []weir.Consent{with(entry(weir.Granted, "x", 2), func(e *weir.Consent) { e.Kind, e.Explicit = "anonymous_id", true }), {Kind: "anonymous_id", Value: "x", Action: weir.Signal, OccurredAt: daysAgo(3), RecordedAt: daysAgo(3)}}, query: ask("a"), want: State{Status: Given, Signal: true}},
		{name: "opted out of sale", entries: []weir.Consent{{Kind: "email", Value: "b", Action: weir.OptedOut, OccurredAt: daysAgo(3)}}, query: ask("a"), want: State{Status: None, OptedOut: true}},
		{name: "restricted", entries: []weir.Consent{entry(weir.Granted, "a", 1), entry(weir.Restricted, "b", 3)}, query: ask("a"), want: State{Status: Given, Restricted: true}},
		{name: "restricted and lifted", entries: []weir.Consent{entry(weir.Restricted, "b", 3), entry(weir.Unrestricted, "b", 2)}, query: ask("a"), want: State{Status: None}},
		{name: "a lifting for another address", entries: []weir.Consent{entry(weir.Restricted, "b", 3), entry(weir.Unrestricted, "a", 2)}, query: ask("a"), want: State{Status: None, Restricted: true}},
		{name: "a lifting in the future", entries: []weir.Consent{entry(weir.Restricted, "b", 3), entry(weir.Unrestricted, "b", -2)}, query: ask("a"), want: State{Status: None, Restricted: true}},
		{name: "erasure is not lifted by a grant", entries: []weir.Consent{entry(weir.ErasureRequested, "b", 3), with(entry(weir.Granted, "a", 2), explicit)}, query: ask("a"), want: State{Status: Given, Erasure: true}},
		{name: "two addresses, one granted", entries: []weir.Consent{entry(weir.Granted, "a", 2)}, query: with2(ask("a"), Address{"phone", "1"}), want: State{Status: None}},
		{name: "no address", entries: []weir.Consent{entry(weir.Granted, "a", 2)}, query: Query{Purpose: "marketing.newsletter", Channel: "email", Now: now}, want: State{Status: None}},
		{name: "an empty address", entries: []weir.Consent{entry(weir.Granted, "", 2)}, query: ask(""), want: State{Status: None}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := Fold(Profile{Entries: c.entries, Held: c.held}, c.query)
			if g, w := verdict(got), verdict(c.want); g != w {
				t.Errorf("got %+v, want %+v", g, w)
			}
		})
	}
}

func with2(q Query, a Address) Query { q.Addresses = append(q.Addresses, a); return q }

// verdict leaves out what only reports.
func verdict(s State) (v struct {
	Status                                          Status
	Objected, OptedOut, Signal, Restricted, Erasure bool
	Ads, Profiling, Sensitive, Closed, Elsewhere    bool
}) {
	v.Status, v.Objected, v.OptedOut, v.Signal, v.Restricted, v.Erasure = s.Status, s.Objected, s.OptedOut, s.Signal, s.Restricted, s.Erasure
	v.Ads, v.Profiling, v.Sensitive, v.Closed, v.Elsewhere = s.OptedOutAds, s.OptedOutProfiling, s.LimitSensitive, s.Suppressed, s.SuppressedElsewhere
	return v
}

func TestReportsWhatItRestsOn(t *testing.T) {
	a := with(entry(weir.Granted, "a", 9), func(e *weir.Consent) { e.ID, e.Explicit, e.Jurisdiction = "g1", true, "FR" })
	b := with(entry(weir.Granted, "a", 9), func(e *weir.Consent) { e.ID, e.Proof, e.ExpiresAt = "g2", "", now.AddDate(1, 0, 0) })
	s := Fold(Profile{Entries: []weir.Consent{a, b}}, ask("a"))
	if s.Explicit || s.Proof || !s.ExpiresAt.Equal(now.AddDate(1, 0, 0)) || !s.GivenAt.Equal(daysAgo(9)) {
		t.Errorf("two grants at one time must give what both allow: %+v", s)
	}
	if len(s.Rests) != 2 || s.Rests[0] != "g1" || s.Rests[1] != "g2" || len(s.Jurisdictions) != 1 {
		t.Errorf("rests %v, jurisdictions %v", s.Rests, s.Jurisdictions)
	}
}
