package stages

import (
	"slices"
	"testing"

	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/policies/consents"
)

// Without a usable policy nobody stays of whom a restriction has become known.
func TestAnyNewRestrictionIsNarrower(t *testing.T) {
	free := policies.Input{}
	free.Subject.Suppressed = policies.NotSuppressed
	if narrower(free, consents.State{Status: consents.Given}) {
		t.Error("nothing new is narrower")
	}
	for name, now := range map[string]consents.State{
		"signal":               {Signal: true},
		"objected":             {Objected: true},
		"opted_out":            {OptedOut: true},
		"opted_out_ads":        {OptedOutAds: true},
		"opted_out_profiles":   {OptedOutProfiling: true},
		"limit_sensitive":      {LimitSensitive: true},
		"suppressed":           {Suppressed: true},
		"suppressed_elsewhere": {SuppressedElsewhere: true},
		"restricted":           {Restricted: true},
		"erasure":              {Erasure: true},
		"refused":              {Status: consents.Refused},
		"withdrawn":            {Status: consents.Withdrawn},
	} {
		if !narrower(free, now) {
			t.Errorf("%s is not", name)
		}
	}
	granted := free
	granted.Consent.Status = policies.StatusGranted
	if !narrower(granted, consents.State{}) {
		t.Error("a grant that is gone is not")
	}
	for inputs, worse := range map[string][]consents.Status{ // as classes record them
		`{"consent":{"status":"granted"}}`:              {consents.None, consents.Expired, consents.Refused, consents.Withdrawn},
		`{"consent":{"status":"none|granted|expired"}}`: {consents.Expired, consents.Refused, consents.Withdrawn},
		`{"consent":{"status":"denied|withdrawn"}}`:     nil,
		`{"consent":{}}`: {consents.Refused, consents.Withdrawn},
	} {
		then, err := policies.InputsOf(inputs)
		if err != nil {
			t.Fatal(err)
		}
		for _, now := range []consents.Status{consents.None, consents.Given, consents.Expired, consents.Refused, consents.Withdrawn} {
			if want := slices.Contains(worse, now); narrower(then, consents.State{Status: now}) != want {
				t.Errorf("%s, now %s: want narrower %v", inputs, now, want)
			}
		}
	}
	known := free
	known.Subject.OptedOutAds, known.Subject.Suppressed, known.Subject.SuppressedElsewhere = policies.Yes, policies.Suppressed, policies.Yes
	known.Consent.Status = policies.StatusDenied
	if narrower(known, consents.State{OptedOutAds: true, Suppressed: true, SuppressedElsewhere: true, Status: consents.Withdrawn}) {
		t.Error("what the decision knew of is")
	}
}
