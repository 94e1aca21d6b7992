package policies

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/consents"
)

func TestDecideGivesDecisionsAndClasses(t *testing.T) {
	g := mustLoad(t, "")
	withdrawn := candidate("p3", 40)
	withdrawn.Consent.Status = StatusWithdrawn
	rows := []Candidate{candidate("p1", 30), candidate("p2", 31), withdrawn}
	decisions, classes, err := g.Decide(t.Context(), question(), rows)
	if err != nil {
		t.Fatal(err)
	}
	if len(classes) != 2 || decisions[0].ClassID != decisions[1].ClassID || decisions[0].ID == decisions[1].ID {
		t.Fatalf("%+v\n%+v", decisions, classes)
	}
	if !decisions[0].Allow || decisions[2].Allow || !decisions[2].ValidUntil.IsZero() || decisions[0].At != now || decisions[0].RunID != question().Run.ID {
		t.Errorf("%+v", decisions)
	}
	for _, c := range classes {
		if in, err := InputsOf(c.Inputs); err != nil || in.Subject.Jurisdictions != "FR" || !strings.Contains(c.Inputs, `"consent":{"age_days":"0..730",`) || !strings.Contains(c.Inputs, `"regimes":["eu"]`) ||
			strings.Contains(c.Inputs, `"gpc"`) || !json.Valid([]byte(c.Inputs)) {
			t.Errorf("inputs %s: %v", c.Inputs, err)
		}
		want := weir.DecisionClass{ID: c.ID, Activation: "lapsed_vip", PolicyRevision: g.Revision(), Inputs: c.Inputs, Reasons: []string{"D06"}, Rules: []string{"D06"}, Obligations: "{}"}
		if c.ID == decisions[0].ClassID {
			want.Allow, want.Basis, want.Reasons, want.Rules = true, "consent", []string{}, []string{"B2"}
		}
		if !reflect.DeepEqual(c, want) {
			t.Errorf("got  %+v\nwant %+v", c, want)
		}
	}
}

// The same rows in any order and in any blocks give the same bytes.
func TestDecideIsDeterministic(t *testing.T) {
	g := mustLoad(t, "")
	var rows []Candidate
	for i := range 300 {
		c := candidate(fmt.Sprintf("p%03d", i), i*5)
		if i%7 == 0 {
			c.Subject.Jurisdictions = "unknown"
		}
		rows = append(rows, c)
	}
	whole := decider(t, g, question())
	want, err := whole.Decide(t.Context(), rows)
	if err != nil {
		t.Fatal(err)
	}
	backwards := decider(t, g, question())
	for i := len(rows) - 1; i >= 0; i -= 3 {
		lo := max(i-2, 0)
		got, err := backwards.Decide(t.Context(), rows[lo:i+1])
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want[lo:i+1]) {
			t.Fatalf("block %d: %+v\n%+v", lo, got, want[lo:i+1])
		}
	}
	if !reflect.DeepEqual(whole.Classes(), backwards.Classes()) {
		t.Error("classes differ")
	}
	s := whole.Stats()
	if s.Rows != 300 || s.Classes != int64(len(whole.Classes())) || s.Classes > 20 || s.Allowed == 0 || s.Reasons["D01"] != 43 || s.Audited < s.Classes {
		t.Errorf("%+v", s)
	}
}

func TestADecisionIsTheSameTomorrow(t *testing.T) {
	g := mustLoad(t, "")
	today, classes, err := g.Decide(t.Context(), question(), []Candidate{candidate("p", 30)})
	if err != nil {
		t.Fatal(err)
	}
	q := question()
	q.Run.ID, q.Run.Now = "20260602T120000Z-b", now.AddDate(0, 0, 1)
	c := candidate("p", 30)
	c.Consent.AgeDays = DaysSince(c.GivenAt, q.Run.Now)
	tomorrow, again, err := g.Decide(t.Context(), q, []Candidate{c})
	if err != nil {
		t.Fatal(err)
	}
	if !Unchanged(today[0], tomorrow[0]) || !reflect.DeepEqual(classes, again) {
		t.Errorf("%+v\n%+v", today, tomorrow)
	}
	c.Subject.Objected = Yes
	later, _, err := g.Decide(t.Context(), q, []Candidate{c})
	if err != nil || Unchanged(today[0], later[0]) {
		t.Errorf("%+v %v", later, err)
	}
}

func TestValidUntil(t *testing.T) {
	g := mustLoad(t, "")
	byAge := candidate("a", 30)
	byEnd := candidate("b", 30)
	byEnd.ExpiresAt = now.AddDate(0, 1, 0)
	lateEnd := candidate("c", 30)
	lateEnd.ExpiresAt = now.AddDate(9, 0, 0)
	counted := candidate("d", 30)
	counted.GivenAt = time.Time{}
	got, _, err := g.Decide(t.Context(), question(), []Candidate{byAge, byEnd, lateEnd, counted})
	if err != nil {
		t.Fatal(err)
	}
	end := byAge.GivenAt.Add(731 * 24 * time.Hour)
	for i, want := range []time.Time{end, byEnd.ExpiresAt, end, now.Add(700 * 24 * time.Hour)} {
		if !got[i].ValidUntil.Equal(want) {
			t.Errorf("%s: %s, want %s", got[i].ProfileID, got[i].ValidUntil, want)
		}
	}
	// At its end the decision would be another, and a moment before the same.
	if DaysSince(byAge.GivenAt, end) != DaysOf(731) || DaysSince(byAge.GivenAt, end.Add(-1)) != DaysOf(730) {
		t.Error("the end is not the first moment at which the consent is too old")
	}
	q := question()
	q.Activation.Purpose, q.Destination.Purposes = "service.transactional", []string{"service.transactional"}
	got, _, err = g.Decide(t.Context(), q, []Candidate{byAge})
	if err != nil || !got[0].Allow || !got[0].ValidUntil.IsZero() {
		t.Errorf("a contract has no end: %+v %v", got, err)
	}
}

// A class analysis that overlooks a read puts rows together that the policy tells
// apart: the audit refuses the run.
func TestTheAuditRefusesWhatClassesCannotSee(t *testing.T) {
	g := mustLoad(t, bundleWith(t, [3]string{"consent/deny/x.rego", "", denyFile("reasons contains {\"code\": \"X1\"} if input.consent.age_days > 200")}))
	blind := func() *Decider {
		d := decider(t, g, question())
		l := *g.lens(t.Context(), d.asked, "FR")
		l.counts[0] = countCells{from: []int{0}, cell: []int{0}, many: 1}
		d.lenses["FR"] = &l
		return d
	}
	_, err := blind().Decide(t.Context(), []Candidate{candidate("young", 10), candidate("old", 300)})
	if weir.CodeOf(err) != weir.Invalid || !strings.Contains(err.Error(), "run of lapsed_vip is refused") || !strings.Contains(err.Error(), "X1") {
		t.Fatalf("%v", err)
	}
	// Only in the sample: the first two rows of the class agree, one in a hundred of the
	// others does not.
	d := blind()
	var rows []Candidate
	for i := range 20_000 {
		rows = append(rows, candidate(fmt.Sprint("p", i), 10+290*(i%100)/99+i%2))
	}
	if _, err := d.Decide(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	if err := d.Finish(t.Context()); weir.CodeOf(err) != weir.Invalid || !strings.Contains(err.Error(), "X1") {
		t.Errorf("the sample of 20,000 rows met no difference: %v", err)
	}
	if a := d.Stats().Audited; a < sampleRows {
		t.Errorf("%d rows were audited", a)
	}
	// With its own eyes the gate sees it, wherever the number stands.
	got, classes, err := g.Decide(t.Context(), question(), []Candidate{candidate("young", 10), candidate("old", 300)})
	if err != nil || len(classes) != 2 || !got[0].Allow || got[1].Allow {
		t.Errorf("%+v %v", got, err)
	}
	if end := now.AddDate(0, 0, -10).Add(201 * 24 * time.Hour); !got[0].ValidUntil.Equal(end) {
		t.Errorf("the decision ends %s, and the policy says otherwise from %s on", got[0].ValidUntil, end)
	}
}

// The sample is as large as it has to be, and every row is as likely to be in it.
func TestTheSample(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, n := range []int{0, 1, 999, 1000, 5000, 3_000_000} {
		var s sample
		late := 0
		for i := range n {
			s.see(r.Uint64(), &Candidate{GivenAt: now, Subject: Subject{InactiveDays: Days(i)}}, nil)
		}
		for _, x := range s.rows {
			if int(x.key.subject.InactiveDays) >= n/2 {
				late++
			}
		}
		want := max(min(n, sampleRows), n/sampleShare)
		if d := len(s.rows) - want; d < -want/10 || d > want/10 || len(s.rows) < min(n, sampleRows) {
			t.Errorf("%d of %d rows", len(s.rows), n)
		}
		if n >= 1000 && (late < len(s.rows)*4/10 || late > len(s.rows)*6/10) {
			t.Errorf("%d of %d are of the second half", late, len(s.rows))
		}
	}
}

func TestAFaultyClassHasItsOwnIDAndIsCounted(t *testing.T) {
	g := mustLoad(t, bundleWith(t, [3]string{"consent/deny/x.rego", "", denyFile(`reasons contains {"code": "X"} if to_number(input.destination.country) > 3`)}))
	d := decider(t, g, question())
	got, err := d.Decide(t.Context(), []Candidate{candidate("p", 1)})
	if err != nil || got[0].Allow || d.Stats().Reasons[EvaluationError] != 1 || len(d.Stats().Faults) != 1 {
		t.Fatalf("%+v %v %+v", got, err, d.Stats())
	}
	c := d.Classes()[0]
	if c.ID == classID("shop", "lapsed_vip", g.Revision(), c.Inputs, Verdict{}) || c.ID != got[0].ClassID {
		t.Error("a class without an answer must not take the id of one with an answer")
	}
}

func TestDescribe(t *testing.T) {
	g := mustLoad(t, "")
	d := decider(t, g, question())
	email := consents.Address{Kind: "email", Value: "a@x.test"}
	grant := weir.Consent{ID: "g", Kind: "email", Value: "a@x.test", Purpose: "marketing.newsletter", Channel: "email", Action: weir.Granted, OccurredAt: now.Add(-36 * time.Hour), Proof: "f", Jurisdiction: "de"}
	p := Person{ProfileID: "p", Attributes: map[string]string{"country": "United States", "state": "california", "birth_date": "2010-06-02"}, Addresses: []consents.Address{email},
		Consents: consents.Profile{Entries: []weir.Consent{grant, {ID: "o", Kind: "phone", Value: "1", Action: weir.ErasureRequested}}}, LastContactAt: now.AddDate(0, 0, -3)}
	got := d.Describe(p)
	want := Candidate{ProfileID: "p", GivenAt: grant.OccurredAt, LastContactAt: p.LastContactAt, Rests: []string{"g", "o"},
		Consent: Consent{AgeDays: DaysOf(1), Explicit: No, Guardian: No, Proof: Yes, Status: StatusGranted},
		Subject: Subject{AgeBand: Age15, Customer: Unknown, Erasure: ErasureRequested, GPC: No, InactiveDays: DaysOf(3), Jurisdictions: "DE,US-CA", Objected: No, OptedOut: No, Restricted: No,
			LimitSensitive: No, OptedOutAds: No, OptedOutProfiling: No, Suppressed: NotSuppressed, SuppressedElsewhere: No}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for _, c := range []struct{ country, state, want string }{
		{"", "", "unknown"}, {"Atlantis", "", "unknown"}, {"fr", "", "FR"}, {"EIRE", "", "IE"}, {"US", "", "US"}, {"us", "va", "US-VA"}, {"FR", "ca", "FR"},
		{"DE", "DE", "DE"}, {"US", "DE", "US-DE"}, {"US", "US-NY", "US-NY"}, {"US", "Bavaria", "US"},
	} {
		if got := d.Portray(Person{Attributes: map[string]string{"country": c.country, "state": c.state}}).jurisdictions(d, nil); string(got) != c.want {
			t.Errorf("%q, %q: %q, want %q", c.country, c.state, got, c.want)
		}
	}
	for born, want := range map[string]AgeBand{"": AgeUnknown, "soon": AgeUnknown, "2030-01-01": AgeUnknown, "1800-01-01": AgeUnknown, "2013-06-02": AgeUnder13, "2013-06-01": Age13,
		"2010-06-01": Age16, "2008-06-02": Age17, "2008-06-01": Adult} {
		if got := d.age(map[string]string{"birth_date": born}); got != want {
			t.Errorf("born %s: %s, want %s", born, got, want)
		}
	}
	q := question()
	q.Subject.Region = []string{"trait.region"}
	if _, err := g.Decider(q); weir.CodeOf(err) != weir.Invalid {
		t.Errorf("%v", err)
	}
}

// Zero values are unknown, and the policy denies them.
func TestZeroFactsDeny(t *testing.T) {
	g := mustLoad(t, "")
	got, classes, err := g.Decide(t.Context(), question(), []Candidate{{ProfileID: "p"}})
	if err != nil || got[0].Allow || !strings.Contains(classes[0].Inputs, `"status":"unknown|none"`) || !strings.Contains(classes[0].Inputs, `"age_days":"unknown|731.."`) {
		t.Errorf("%+v %v", classes, err)
	}
}

// BenchmarkDecide gives rows a second on one goroutine, cold, and what they cost
// in evaluations.
func BenchmarkDecide(b *testing.B) {
	g := mustLoad(b, "")
	rows := make([]Candidate, 100_000)
	for i := range rows {
		rows[i] = candidate(fmt.Sprintf("profile-%07d", i), i%1500)
		rows[i].Subject.Jurisdictions = List([]string{"FR", "DE", "GB", "US-CA", "unknown"}[i%5])
		if i%11 == 0 {
			rows[i].Consent.Status = StatusWithdrawn
		}
	}
	var s Stats
	for b.Loop() {
		d := decider(b, g, question())
		for at := 0; at < len(rows); at += 10_000 {
			if _, err := d.Decide(b.Context(), rows[at:at+10_000]); err != nil {
				b.Fatal(err)
			}
		}
		s = d.Stats()
	}
	b.ReportMetric(float64(len(rows))*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(s.Classes), "classes")
	b.ReportMetric(float64(s.Evaluations), "evaluations")
}

// BenchmarkEvaluate is one evaluation of the policy, as a class costs.
func BenchmarkEvaluate(b *testing.B) {
	g := mustLoad(b, "")
	for b.Loop() {
		if v, err := g.Evaluate(b.Context(), good()); err != nil || !v.Allow {
			b.Fatal(v, err)
		}
	}
}
