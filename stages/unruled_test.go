package stages

import (
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
		"signal":             {Signal: true},
		"objected":           {Objected: true},
		"opted_out":          {OptedOut: true},
		"opted_out_ads":      {OptedOutAds: true},
		"opted_out_profiles": {OptedOutProfiling: true},
		"limit_sensitive":    {LimitSensitive: true},
		"suppressed":         {Suppressed: true},
		"restricted":         {Restricted: true},
		"erasure":            {Erasure: true},
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
	known := free
	known.Subject.OptedOutAds, known.Subject.Suppressed = policies.Yes, policies.Suppressed
	if narrower(known, consents.State{OptedOutAds: true, Suppressed: true}) {
		t.Error("what the decision knew of is")
	}
}
