package policies

import (
	"context"
	"testing"
)

func mustLoad(t testing.TB, dir string) *Gate {
	t.Helper()
	g, err := Load(context.Background(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// good is an input that is allowed on consent.
func good() Input {
	return Input{
		Activation:  Activation{Channel: "email", Purpose: "marketing.newsletter"},
		Consent:     Consent{AgeDays: DaysOf(30), Explicit: No, Proof: Yes, Status: StatusGranted},
		Destination: Destination{Country: "FR", DPA: Yes, Kind: "esp", Mechanism: "adequacy", Purposes: ListOf("marketing.newsletter", "service.transactional", "service.security"), Role: "processor", Transfer: "none"},
		Subject:     Subject{AgeBand: Adult, Erasure: ErasureNone, GPC: No, InactiveDays: DaysOf(3), Jurisdictions: "FR", Objected: No, OptedOut: No, Restricted: No},
	}
}

func TestAllowsOnConsent(t *testing.T) {
	g := mustLoad(t, "")
	v, err := g.Evaluate(context.Background(), good())
	if err != nil || !v.Allow || v.Basis != "consent" || v.Until["consent.age_days"] != 730 || len(v.Rules) != 1 || v.Rules[0] != "B2" {
		t.Fatalf("%+v %v", v, err)
	}
	in := good()
	in.Consent.Status = StatusWithdrawn
	v, _ = g.Evaluate(context.Background(), in)
	t.Logf("%+v", v)
	for _, r := range g.Rules() {
		t.Logf("%s %s %s %s %v", r.Code, r.Name, r.Title, r.At, r.Links)
	}
}
