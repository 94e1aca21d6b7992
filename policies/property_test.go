package policies

import (
	"encoding/json"
	"fmt"
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
	in.Activation.Categories = one(r, List(""), "", "", "health", "health,religion")
	in.Consent = Consent{AgeDays: one(r, DaysOf(0), DaysOf(30), DaysOf(729), DaysOf(730), DaysOf(731), DaysOf(4000), Days(0)), Explicit: one(r, Yes, No, Unknown),
		Proof: one(r, Yes, Yes, Yes, No, Unknown), Status: one(r, StatusGranted, StatusGranted, StatusGranted, StatusGranted, StatusNone, StatusDenied, StatusWithdrawn, StatusExpired, StatusUnknown)}
	in.Destination.Transfer = one(r, "none", "none", "none", "none", "share", "sale", "unknown")
	in.Destination.Purposes = ListOf(one(r, in.Activation.Purpose, in.Activation.Purpose, in.Activation.Purpose, "marketing", ""))
	in.Subject = Subject{AgeBand: one(r, AgeUnknown, AgeUnder13, Age13To15, Age16To17, Adult), Erasure: one(r, ErasureNone, ErasureNone, ErasureNone, ErasureNone, ErasureNone, ErasureRequested, ErasureDone, ErasureUnknown),
		GPC: randomFact(r), InactiveDays: one(r, DaysOf(0), DaysOf(2000), Days(0)), Jurisdictions: one(r, List("FR"), "FR", "FR", "DE,FR", "DE,FR", "US-CA", "US-CA", "GB", "GB", "BR", "unknown", "FR,unknown", "", "XX"),
		Objected: randomFact(r), OptedOut: randomFact(r), Restricted: randomFact(r)}
	return in
}

// restrictions are all ways in which a fact can get worse.
var restrictions = map[string]func(*Input){
	"restricted":         func(in *Input) { in.Subject.Restricted = Yes },
	"restricted unknown": func(in *Input) { in.Subject.Restricted = Unknown },
	"objected":           func(in *Input) { in.Subject.Objected = Yes },
	"objected unknown":   func(in *Input) { in.Subject.Objected = Unknown },
	"erasure":            func(in *Input) { in.Subject.Erasure = ErasureRequested },
	"erased":             func(in *Input) { in.Subject.Erasure = ErasureDone },
	"erasure unknown":    func(in *Input) { in.Subject.Erasure = ErasureUnknown },
	"opted out":          func(in *Input) { in.Subject.OptedOut = Yes },
	"opted out unknown":  func(in *Input) { in.Subject.OptedOut = Unknown },
	"gpc":                func(in *Input) { in.Subject.GPC = Yes },
	"gpc unknown":        func(in *Input) { in.Subject.GPC = Unknown },
	"shared":             func(in *Input) { in.Destination.Transfer = "share" },
	"sold":               func(in *Input) { in.Destination.Transfer = "sale" },
	"transfer unknown":   func(in *Input) { in.Destination.Transfer = "unknown" },
	"withdrawn":          func(in *Input) { in.Consent.Status = StatusWithdrawn },
	"denied":             func(in *Input) { in.Consent.Status = StatusDenied },
	"expired":            func(in *Input) { in.Consent.Status = StatusExpired },
	"never":              func(in *Input) { in.Consent.Status = StatusNone },
	"status unknown":     func(in *Input) { in.Consent.Status = StatusUnknown },
	"no proof":           func(in *Input) { in.Consent.Proof = No },
	"not explicit":       func(in *Input) { in.Consent.Explicit = No },
	"older":              func(in *Input) { in.Consent.AgeDays += 1000 },
	"age unknown":        func(in *Input) { in.Consent.AgeDays = 0 },
	"place unknown":      func(in *Input) { in.Subject.Jurisdictions = "unknown" },
	"another place":      func(in *Input) { in.Subject.Jurisdictions = ListOf(append(in.Subject.Jurisdictions.Items(), "XX")...) },
	"another category": func(in *Input) {
		in.Activation.Categories = ListOf(append(in.Activation.Categories.Items(), "ethnicity")...)
	},
	"purpose not covered": func(in *Input) { in.Destination.Purposes = "" },
}

func TestAddingARestrictionNeverAllows(t *testing.T) {
	g := mustLoad(t, "")
	r := rand.New(rand.NewPCG(1, 1))
	allowed := 0
	names := sorted(restrictions)
	for range 3000 {
		in := randomInput(r, g.Purposes())
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
			in.Subject = Subject{Erasure: ErasureNone, Objected: No, Restricted: No, Jurisdictions: List(place)}
			v, err := g.Evaluate(t.Context(), in)
			if err != nil || (v.Allow && v.Basis != "contract" && v.Basis != "legal_obligation") {
				t.Errorf("%s in %q, never asked: %s %v", purpose, place, words(v), err)
			}
		}
	}
}

// oracle is the default rules once more, in Go, written from the table and not
// from the Rego: what beats what, expiry, and the default for unknown places.
func oracle(in Input) (allow bool, reasons []string) {
	consentBased := map[string]bool{"marketing.newsletter": true, "marketing.own_similar": true, "marketing.ads": true, "analytics.profile": true, "fundraising": true, "reoptin_prompt": true}
	contract, legal := in.Activation.Purpose == "service.transactional", in.Activation.Purpose == "service.security"
	add := func(when bool, code string) {
		if when {
			reasons = append(reasons, code)
		}
	}
	places := in.Subject.Jurisdictions.Items()
	add(len(places) == 0 || slices.Contains(places, "unknown") || slices.Contains(places, "XX"), "D01")
	add(!legal && in.Subject.Restricted != No, "D03")
	add(!legal && in.Subject.Erasure != ErasureNone, "D04")
	add(!legal && !contract && in.Subject.Objected != No, "D05")
	base, c := consentBased[in.Activation.Purpose], in.Consent
	add(base && (c.Status == StatusWithdrawn || c.Status == StatusDenied), "D06")
	tooOld := c.AgeDays == 0 || c.AgeDays > DaysOf(730)
	add(base && (c.Status == StatusExpired || (c.Status == StatusGranted && tooOld)), "D07")
	add(base && c.Status == StatusGranted && c.Proof != Yes, "D08")
	add(!legal && in.Activation.Categories != "" && (c.Explicit != Yes || c.Status != StatusGranted), "D09")
	shared := in.Destination.Transfer != "none"
	add(shared && in.Subject.OptedOut != No, "D11")
	add(shared && in.Subject.GPC != No, "D12")
	add(!slices.Contains(in.Destination.Purposes.Items(), in.Activation.Purpose), "D23")
	add(!base && !contract && !legal, "unknown_purpose")
	positive := contract || legal || (base && c.Status == StatusGranted && c.Proof == Yes && !tooOld)
	add(len(reasons) == 0 && !positive, "no_basis")
	slices.Sort(reasons)
	return len(reasons) == 0, reasons
}

// The gate's decisions by classes on 40,000 random subjects, against the oracle
// row by row.
func TestOracle(t *testing.T) {
	g := mustLoad(t, "")
	r := rand.New(rand.NewPCG(2, 2))
	purposes := append(slices.Clone(g.Purposes()), "marketing", "unknown")
	rows, allowed, evaluations := 0, 0, int64(0)
	for n := range 20 {
		q := question()
		q.Activation.Purpose = purposes[n%len(purposes)]
		q.Activation.Categories = one(r, []string(nil), nil, []string{"health"})
		q.Destination.Purposes = []string{q.Activation.Purpose}
		if n%7 == 6 {
			q.Destination.Purposes = []string{"marketing"}
		}
		q.Destination.Transfer = one(r, "none", "none", "share", "sale", "")
		d := decider(t, g, q)
		var block []Candidate
		var pool []Input
		for range 80 {
			pool = append(pool, randomInput(r, nil))
		}
		for i := range 2000 {
			in := one(r, pool...)
			in.Consent.AgeDays = one(r, Days(0), DaysOf(r.IntN(1500)), DaysOf(r.IntN(700)))
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
	if rows < 40_000 || allowed < 2000 {
		t.Fatalf("%d rows, %d allowed", rows, allowed)
	}
	t.Logf("%d rows, %d allowed, %d evaluations", rows, allowed, evaluations)
}
