package policies

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/weir-cdp/weir"
)

// The three properties of the default rules' table, and an oracle.

func one[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// randomFact is mostly No, so that there is something to lose.
func randomFact(r *rand.Rand) Fact { return one(r, No, No, No, No, No, No, No, No, Yes, Unknown) }

func randomInput(r *rand.Rand, purposes []string) Input {
	in := good()
	in.Activation.Purpose = one(r, append(slices.Clone(purposes), "marketing", "unknown")...)
	in.Activation.Categories = one(r, List(""), "", "", "", "health", "precise_geo", "health,religion")
	in.Activation.Channel = one(r, "email", "email", "email", "ads", "sms", "post", "unknown")
	in.Activation.Device, in.Activation.Effect = one(r, No, No, No, No, Yes, Unknown), one(r, "none", "none", "none", "none", "none", "significant")
	in.Activation.HumanReview = one(r, Yes, Yes, No)
	in.Controller = Controller{Charity: one(r, Yes, Yes, No, Unknown), Minors: one(r, No, No, No, Yes, Unknown)}
	in.Consent = Consent{AgeDays: one(r, DaysOf(0), DaysOf(30), DaysOf(729), DaysOf(730), DaysOf(731), DaysOf(4000), Days(0)), Explicit: one(r, Yes, Yes, No, Unknown),
		Proof: one(r, Yes, Yes, Yes, No, Unknown), Status: one(r, StatusGranted, StatusGranted, StatusGranted, StatusGranted, StatusNone, StatusNone, StatusDenied, StatusWithdrawn, StatusExpired, StatusUnknown),
		DeviceStorage: one(r, Yes, Yes, No, Unknown), Guardian: one(r, Yes, No, Unknown), TCF: one(r, SignalGranted, SignalGranted, SignalDenied, SignalMissing, SignalUnknown),
		Google: one(r, SignalGranted, SignalGranted, SignalDenied, SignalMissing, SignalUnknown)}
	in.Destination.Transfer = one(r, "none", "none", "none", "none", "share", "sale", "unknown")
	in.Destination.Kind = one(r, "esp", "esp", "esp", "ads_match", "ads")
	in.Destination.Country, in.Destination.Mechanism = one(r, "FR", "FR", "FR", "GB", "US", "IN", "unknown"), one(r, "adequacy", "scc", "scc", "dpf", "idta", "none", "unknown")
	in.Destination.Role, in.Destination.DPA = one(r, "processor", "processor", "third_party", "unknown"), one(r, Yes, Yes, Yes, Yes, No, Unknown)
	in.Destination.TCF, in.Destination.Google = one(r, No, No, No, Yes, Unknown), one(r, No, No, No, Yes, Unknown)
	in.Destination.Purposes = ListOf(one(r, in.Activation.Purpose, in.Activation.Purpose, in.Activation.Purpose, "marketing", ""))
	in.Subject = Subject{AgeBand: one(r, AgeUnknown, AgeUnder13, Age13, Age14, Age15, Age16, Age17, Adult, Adult, Adult, Adult, Adult), Erasure: one(r, ErasureNone, ErasureNone, ErasureNone, ErasureNone, ErasureNone, ErasureNone, ErasureNone, ErasureNone, ErasureRequested, ErasureDone, ErasureUnknown),
		GPC: randomFact(r), InactiveDays: one(r, DaysOf(0), DaysOf(30), DaysOf(1095), DaysOf(1096), Days(0)), Customer: one(r, Yes, Yes, No, Unknown), OptOutOffered: one(r, Yes, Yes, No, Unknown),
		Jurisdictions:  one(r, List("FR"), "FR", "DE", "DE,FR", "GB", "GB", "US-CA", "US-CA", "US-UT", "US-VA", "US-MD", "US-NJ", "US-OR", "US", "BR", "FR,US-CA", "US-CA,US-VA", "unknown", "FR,unknown", "", "XX"),
		LimitSensitive: randomFact(r), OptedOutAds: randomFact(r), OptedOutProfiling: randomFact(r), OptedOutDays: one(r, Days(0), DaysOf(100), DaysOf(364), DaysOf(365), DaysOf(500)),
		Objected: randomFact(r), OptedOut: randomFact(r), Restricted: randomFact(r), SuppressedElsewhere: randomFact(r),
		Suppressed: one(r, NotSuppressed, NotSuppressed, NotSuppressed, NotSuppressed, NotSuppressed, NotSuppressed, NotSuppressed, FreshlySuppressed, Suppressed, SuppressionUnknown)}
	return in
}

func TestAddingARestrictionNeverAllows(t *testing.T) {
	g := mustLoad(t, "")
	r := rand.New(rand.NewPCG(1, 1))
	allowed := 0
	restrictions := maps.Clone(restrictions)
	restrictions["also under GDPR"], restrictions["also in Maryland"] = also("DE"), also("US-MD")
	names := sorted(restrictions)
	for range 5000 {
		in := randomInput(r, g.Purposes())
		if r.IntN(2) == 0 { // mostly in order, so that there is something to lose
			p, places := in.Activation.Purpose, in.Subject.Jurisdictions
			in = good()
			in.Activation.Purpose, in.Destination.Purposes, in.Subject.Jurisdictions, in.Destination.Mechanism = p, ListOf(p), places, "scc"
		}
		before, err := g.Evaluate(t.Context(), in)
		if err != nil || before.Fault != "" {
			t.Fatalf("%+v %v", before, err)
		}
		if before.Allow {
			allowed++
		}
		name := one(r, names...)
		worse := in
		restrictions[name](&worse)
		if after, err := g.Evaluate(t.Context(), worse); err != nil || (after.Allow && !before.Allow) {
			t.Fatalf("%s turned %s into %s: %s %v", name, words(before), words(after), in.canonical(), err)
		}
	}
	if allowed < 100 {
		t.Fatalf("only %d inputs had anything to lose", allowed)
	}
}

func TestRemovingAFieldAlwaysDenies(t *testing.T) {
	g := mustLoad(t, "")
	for _, purpose := range g.Purposes() {
		in := good()
		in.Activation.Purpose, in.Destination.Purposes = purpose, ListOf(purpose)
		in.Subject.Regimes = "eu"
		var whole map[string]map[string]any
		if err := json.Unmarshal(in.canonical(), &whole); err != nil {
			t.Fatal(err)
		}
		for part, fields := range whole {
			for field, value := range fields {
				delete(fields, field)
				input, err := ast.InterfaceToValue(whole)
				if err != nil {
					t.Fatal(err)
				}
				v, err := g.ask(t.Context(), input)
				if err != nil || v.Allow || !slices.Contains(v.Reasons, "D02") {
					t.Errorf("%s without %s.%s: %s %v", purpose, part, field, words(v), err)
				}
				fields[field] = value
			}
		}
	}
	if v, err := g.ask(t.Context(), ast.NewObject()); err != nil || v.Allow || !slices.Contains(v.Reasons, "D02") {
		t.Errorf("an empty input: %s %v", words(v), err)
	}
}

// A person of whom nothing is known, and one of whom nothing bad is known but
// who never consented: nothing goes but what a contract or the law demands.
func TestAnEmptySubjectIsDenied(t *testing.T) {
	g := mustLoad(t, "")
	for _, purpose := range g.Purposes() {
		for _, place := range append(sorted(g.vocab.regime), "unknown", "") {
			in := good()
			in.Activation.Purpose, in.Destination.Purposes = purpose, ListOf(purpose)
			in.Consent, in.Subject = Consent{}, Subject{Jurisdictions: List(place)}
			if v, err := g.Evaluate(t.Context(), in); err != nil || (v.Allow && v.Basis != "legal_obligation") {
				t.Errorf("%s in %q, nothing known: %s %v", purpose, place, words(v), err)
			}
			in.Consent = Consent{Status: StatusNone}
			in.Subject = Subject{Erasure: ErasureNone, Objected: No, Restricted: No, Suppressed: NotSuppressed, Jurisdictions: List(place)}
			v, err := g.Evaluate(t.Context(), in)
			if err != nil || (v.Allow && v.Basis != "contract" && v.Basis != "legal_obligation" && v.Basis != "notice_opt_out") {
				t.Errorf("%s in %q, never asked: %s %v", purpose, place, words(v), err)
			}
		}
	}
}

// The gate's decisions by classes on 120,000 random subjects, against the oracle
// row by row.
func TestOracle(t *testing.T) {
	g := mustLoad(t, "")
	r := rand.New(rand.NewPCG(2, 2))
	purposes := append(slices.Clone(g.Purposes()), "marketing", "unknown")
	rows, allowed, evaluations := 0, 0, int64(0)
	for n := range 70 {
		fixed := randomInput(r, nil)
		q := question()
		q.Activation.Purpose, q.Activation.Channel = purposes[n%len(purposes)], fixed.Activation.Channel
		q.Activation.Categories, q.Activation.Effect, q.Activation.HumanReview = fixed.Activation.Categories.Items(), fixed.Activation.Effect, r.IntN(2) == 0
		if n%9 == 8 {
			q.Activation.Fields["device"] = "device_id"
		}
		q.Controller = weir.ControllerDef{Charity: r.IntN(2) == 0, Minors: r.IntN(4) == 0}
		to := fixed.Destination
		q.Destination = weir.Privacy{Role: to.Role, Kind: to.Kind, Transfer: to.Transfer, Country: to.Country, Mechanism: to.Mechanism, DPA: to.DPA == Yes,
			Purposes: []string{q.Activation.Purpose}, Google: to.Google == Yes}
		if to.TCF == Yes {
			q.Destination.TCFVendor = 755
		}
		if n%3 == 0 { // nothing about the question stands against it
			q.Activation.Categories, q.Activation.Effect, q.Destination = nil, "", question().Destination
			q.Destination.Purposes, q.Destination.Mechanism = []string{q.Activation.Purpose}, "scc"
		}
		if n%7 == 6 {
			q.Destination.Purposes = []string{"marketing"}
		}
		d := decider(t, g, q)
		var block []Candidate
		var pool []Input
		for range 6 {
			pool = append(pool, randomInput(r, nil))
		}
		for i := range 2000 {
			in := one(r, pool...)
			in.Consent.AgeDays = one(r, Days(0), DaysOf(600+r.IntN(300)), DaysOf(300))
			block = append(block, Candidate{ProfileID: fmt.Sprint(i), Subject: in.Subject, Consent: in.Consent})
		}
		got, err := d.Decide(t.Context(), block)
		if err != nil {
			t.Fatal(err)
		}
		classes := map[string]weir.DecisionClass{}
		for _, c := range d.Classes() {
			classes[c.ID] = c
		}
		for i, c := range block {
			in := q.fixed()
			in.Subject, in.Consent = c.Subject, c.Consent
			allow, reasons := oracle(in)
			class := classes[got[i].ClassID]
			if got[i].Allow != allow || class.Allow != allow || !slices.Equal(class.Reasons, reasons) {
				t.Fatalf("the gate says %v %v, the oracle %v %v: %s", got[i].Allow, class.Reasons, allow, reasons, in.canonical())
			}
			rows++
			if allow {
				allowed++
			}
		}
		evaluations += d.Stats().Evaluations
	}
	if rows < 120_000 || allowed < 3000 {
		t.Fatalf("%d rows, %d allowed", rows, allowed)
	}
	t.Logf("%d rows, %d allowed, %d evaluations", rows, allowed, evaluations)
}
