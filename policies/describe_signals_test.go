package policies

import (
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/consents"
)

// What a device said counts for the person that a source holds together with it;
// a refusal counts for the whole profile.
func TestDescribeSignals(t *testing.T) {
	g := mustLoad(t, "")
	q := question()
	q.Activation.Purpose, q.Activation.Channel = "marketing.ads", "ads"
	q.Destination.TCFVendor, q.Destination.Google = 284, true
	held := []weir.Identifiers{{"email": {"a@x.test"}, "anonymous_id": {"d"}}, {"anonymous_id": {"other"}}}
	signal := func(device, method, raw string, days int) weir.Consent {
		return weir.Consent{ID: method + device, Kind: "anonymous_id", Value: device, Action: weir.Signal, Method: method, RawSignal: raw, OccurredAt: now.AddDate(0, 0, -days)}
	}
	const tc = "COzSDo9OzSDo9B9AAAENAiCAALAAAAAAAAAACOQAQCOAAAAA" // vendor 284, purposes 1, 3, 4
	const both, one = `{"ad_user_data":"granted","ad_personalization":"granted"}`, `{"ad_user_data":"granted"}`
	for name, c := range map[string]struct {
		entries               []weir.Consent
		tcf, google           SignalState
		gpc, out, ads, limits Fact
	}{
		"nothing":                   {nil, SignalMissing, SignalMissing, No, No, No, No},
		"both":                      {[]weir.Consent{signal("d", "google", both, 3)}, SignalMissing, SignalGranted, No, No, No, No},
		"one":                       {[]weir.Consent{signal("d", "google", one, 3)}, SignalMissing, SignalDenied, No, No, No, No},
		"another device granted":    {[]weir.Consent{signal("other", "google", both, 3)}, SignalMissing, SignalMissing, No, No, No, No},
		"another device refused":    {[]weir.Consent{signal("d", "google", both, 3), signal("other", "google", one, 2)}, SignalMissing, SignalDenied, No, No, No, No},
		"granted again":             {[]weir.Consent{signal("d", "google", one, 3), signal("d", "google", both, 2)}, SignalMissing, SignalGranted, No, No, No, No},
		"a vendor without purposes": {[]weir.Consent{signal("d", "tcf", tc, 3)}, SignalDenied, SignalMissing, No, No, No, No}, // purpose 2 is lacking
		"damaged":                   {[]weir.Consent{signal("d", "tcf", tc[:9], 3)}, SignalUnknown, SignalUnknown, Yes, No, No, No},
		"sale":                      {[]weir.Consent{signal("other", "usp", "1YYN", 3)}, SignalMissing, SignalMissing, No, Yes, No, No},
		"no sale":                   {[]weir.Consent{signal("other", "usp", "1YNN", 3)}, SignalMissing, SignalMissing, No, No, No, No},
		"browser":                   {[]weir.Consent{signal("other", "gpc", "1", 3)}, SignalMissing, SignalMissing, Yes, No, No, No},
		"browser says nothing":      {[]weir.Consent{signal("other", "gpc", "0", 3)}, SignalMissing, SignalMissing, No, No, No, No},
		"GPP of two states":         {[]weir.Consent{signal("other", "gpp", "DBABh4A~BlgWEYCY.QA~BSFgmiU", 3)}, SignalMissing, SignalMissing, No, No, Yes, Yes},
	} {
		p := Person{ProfileID: "p", Addresses: []consents.Address{{Kind: "email", Value: "a@x.test"}}, Consents: consents.Profile{Entries: c.entries, Held: held}}
		got := decider(t, g, q).Describe(p)
		s := got.Subject
		if got.Consent.TCF != c.tcf || got.Consent.Google != c.google || s.GPC != c.gpc || s.OptedOut != c.out || s.OptedOutAds != c.ads || s.LimitSensitive != c.limits {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := decider(t, g, question()).Describe(Person{}); got.Consent.TCF != SignalUnknown || got.Consent.Google != SignalUnknown {
		t.Errorf("nobody asks for it: %+v", got)
	}
}
