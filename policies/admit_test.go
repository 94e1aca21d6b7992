package policies

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/permit"
)

// decide gives recorded decisions with their classes.
func decide(t *testing.T, g *Gate, q Question, rows ...Candidate) []Decided {
	t.Helper()
	decisions, classes, err := g.Decide(t.Context(), q, rows)
	if err != nil {
		t.Fatal(err)
	}
	var out []Decided
	for _, d := range decisions {
		i := slices.IndexFunc(classes, func(c weir.DecisionClass) bool { return c.ID == d.ClassID })
		out = append(out, Decided{Decision: d, Class: classes[i]})
	}
	return out
}

func rowsOf(decided []Decided) []permit.Row {
	var out []permit.Row
	for _, d := range decided {
		out = append(out, permit.Row{Op: weir.Add, Key: d.Decision.ProfileID + "@x.test", ProfileID: d.Decision.ProfileID, DecisionID: d.Decision.ID,
			IdempotencyKey: "k-" + d.Decision.ProfileID, Sequence: 1, Fields: []permit.Field{{Name: "first_name", Value: "A"}}})
	}
	return out
}

func recheck(t *testing.T, g *Gate, q Question, decided []Decided, fresh ...Candidate) (Checked, []Refused) {
	t.Helper()
	c, refused, err := decider(t, g, q).Recheck(t.Context(), decided, fresh)
	if err != nil {
		t.Fatal(err)
	}
	return c, refused
}

func TestAdmitMakesBatchesOfOneClass(t *testing.T) {
	g := mustLoad(t, "")
	other := candidate("p4", 10)
	other.Subject.Jurisdictions = "GB"
	decided := decide(t, g, question(), candidate("p1", 10), candidate("p2", 20), candidate("p3", 30), other)
	c, refused := recheck(t, g, question(), decided)
	batches, more := Admit(c, Delivery{Now: now, BatchRows: 2}, rowsOf(decided))
	if len(refused)+len(more) > 0 || len(batches) != 3 {
		t.Fatalf("%v %v %v", refused, more, batches)
	}
	var got []string
	for _, b := range batches {
		if b.PolicyRevision() != g.Revision() || b.Activation() != "lapsed_vip" || b.Run() != question().Run {
			t.Errorf("%+v", b)
		}
		for _, r := range b.Rows() {
			got = append(got, r.ProfileID)
			if i := slices.IndexFunc(decided, func(d Decided) bool { return d.Decision.ProfileID == r.ProfileID }); decided[i].Class.ID != b.ClassID() || b.ValidUntil().After(decided[i].Decision.ValidUntil) {
				t.Errorf("%s is in a batch of another class or that ends after it", r.ProfileID)
			}
		}
	}
	if !slices.Equal(got, []string{"p1", "p2", "p3", "p4"}) {
		t.Errorf("order %v", got)
	}
}

func TestAdmitRefuses(t *testing.T) {
	g := mustLoad(t, "")
	decided := decide(t, g, question(), candidate("p", 10))
	c, _ := recheck(t, g, question(), decided)
	good := rowsOf(decided)[0]
	for name, x := range map[string]struct {
		change func(*permit.Row, *Delivery)
		want   string
	}{
		"another profile":      {func(r *permit.Row, _ *Delivery) { r.ProfileID = "q" }, NotDecided},
		"another decision":     {func(r *permit.Row, _ *Delivery) { r.DecisionID = "x" }, NotDecided},
		"no decision":          {func(r *permit.Row, _ *Delivery) { r.DecisionID = "" }, NotDecided},
		"a removal":            {func(r *permit.Row, _ *Delivery) { r.Op = weir.Remove }, UseRemovals},
		"no key":               {func(r *permit.Row, _ *Delivery) { r.Key = "" }, WithoutKey},
		"a field of its own":   {func(r *permit.Row, _ *Delivery) { r.Fields = []permit.Field{{Name: "diagnosis"}} }, UndeclaredField},
		"after the end":        {func(_ *permit.Row, d *Delivery) { d.Now = decided[0].Decision.ValidUntil }, Ended},
		"at no time":           {func(_ *permit.Row, d *Delivery) { d.Now = time.Time{} }, Ended},
		"nothing wrong at all": {func(*permit.Row, *Delivery) {}, ""},
	} {
		row, d := good, Delivery{Now: now}
		x.change(&row, &d)
		batches, refused := Admit(c, d, []permit.Row{row})
		if x.want == "" {
			if len(batches) != 1 || len(refused) != 0 {
				t.Errorf("%s: %v", name, refused)
			}
		} else if len(batches) != 0 || len(refused) != 1 || refused[0].Reasons[0] != x.want || refused[0].Row != 0 {
			t.Errorf("%s: %v %v, want %s", name, batches, refused, x.want)
		}
	}
	if batches, refused := Admit(Checked{}, Delivery{Now: now}, []permit.Row{good}); len(batches) != 0 || len(refused) != 1 {
		t.Error("an empty check admits nothing")
	}
}

// What is written in the decisions' tables is not believed: the policy is asked
// again about each class.
func TestForgedDecisionsLetNothingThrough(t *testing.T) {
	g := mustLoad(t, "")
	withdrawn := candidate("p", 10)
	withdrawn.Consent.Status = StatusWithdrawn
	denied := decide(t, g, question(), withdrawn)[0]
	allowed := decide(t, g, question(), candidate("p", 10))[0]
	for name, x := range map[string]struct {
		change func() Decided
		want   string
	}{
		"denied":           {func() Decided { return denied }, "D06"},
		"flipped decision": {func() Decided { d := denied; d.Decision.Allow = true; return d }, Mismatched},
		"flipped both": {func() Decided {
			d := denied
			d.Decision.Allow, d.Class.Allow, d.Class.Basis = true, true, "consent"
			return d
		}, PolicyDisagrees},
		"another class":          {func() Decided { d := denied; d.Class = allowed.Class; return d }, Mismatched},
		"denied, allowed inputs": {func() Decided { d := allowed; d.Class.Inputs = denied.Class.Inputs; return d }, Mismatched},
		"another policy":         {func() Decided { d := allowed; d.Class.PolicyRevision = "0"; return d }, PolicyChanged},
		"another activation":     {func() Decided { d := allowed; d.Decision.Activation = "other"; return d }, Mismatched},
		"another basis":          {func() Decided { d := allowed; d.Class.Basis = "contract"; return d }, PolicyDisagrees},
		"inputs of no sense": {func() Decided {
			d := allowed
			d.Class.Inputs = `{"subject":{"restricted":"maybe"}}`
			d.Class.ID = classID("shop", "lapsed_vip", g.Revision(), d.Class.Inputs, Verdict{})
			d.Decision.ClassID = d.Class.ID
			return d
		}, QuestionChanged},
		"inputs of another question": {func() Decided {
			q := question()
			q.Activation.Purpose, q.Destination.Purposes = "service.transactional", []string{"service.transactional"}
			return decide(t, g, q, withdrawn)[0]
		}, QuestionChanged},
		"the genuine one": {func() Decided { return allowed }, ""},
	} {
		d := x.change()
		c, refused := recheck(t, g, question(), []Decided{d})
		batches, _ := Admit(c, Delivery{Now: now}, rowsOf([]Decided{d}))
		if x.want == "" {
			if len(batches) != 1 || len(refused) != 0 {
				t.Errorf("%s: %v", name, refused)
			}
		} else if len(batches) != 0 || len(refused) != 1 || refused[0].Reasons[0] != x.want {
			t.Errorf("%s: %v %v, want %s", name, batches, refused, x.want)
		}
	}
	if _, _, err := decider(t, g, question()).Recheck(t.Context(), []Decided{allowed, allowed}, nil); weir.CodeOf(err) != weir.Internal {
		t.Errorf("two decisions in force: %v", err)
	}
}

// Case 61: consent is withdrawn between the decision and the delivery.
func TestRecheckStopsWhatWasWithdrawnSince(t *testing.T) {
	g := mustLoad(t, "")
	decided := decide(t, g, question(), candidate("p1", 10), candidate("p2", 10), candidate("p3", 10))
	fresh := candidate("p2", 10)
	fresh.Consent.Status = StatusWithdrawn
	shorter := candidate("p3", 10)
	shorter.ExpiresAt = now.AddDate(0, 0, 2)
	c, refused := recheck(t, g, question(), decided, fresh, shorter, candidate("not decided", 1))
	if len(refused) != 1 || refused[0].ProfileID != "p2" || refused[0].Reasons[0] != "D06" || refused[0].DecisionID != decided[1].Decision.ID {
		t.Fatalf("%+v", refused)
	}
	batches, stopped := Admit(c, Delivery{Now: now}, rowsOf(decided))
	if len(batches) != 1 || batches[0].Len() != 2 || len(stopped) != 1 || stopped[0].ProfileID != "p2" {
		t.Errorf("%v %v", batches, stopped)
	}
	if !batches[0].ValidUntil().Equal(shorter.ExpiresAt) {
		t.Errorf("the batch ends %s, want %s", batches[0].ValidUntil(), shorter.ExpiresAt)
	}
}

// Invariant 7, and even without a policy.
func TestRemovals(t *testing.T) {
	run := question().Run
	var rows []permit.Row
	for i := range 250 {
		rows = append(rows, permit.Row{Op: weir.Remove, Key: fmt.Sprint("k", i), ProfileID: "p", DecisionID: "d", IdempotencyKey: "i", Sequence: 7, Fields: []permit.Field{{Name: "first_name", Value: "A"}}})
	}
	rows = append(rows, permit.Row{Op: weir.Add, Key: "k"}, permit.Row{Op: weir.Remove})
	batches, refused := Removals(run, "lapsed_vip", 0, rows)
	if len(batches) != 3 || batches[2].Len() != 50 || len(refused) != 2 || refused[0].Reasons[0] != UseRemovals || refused[1].Reasons[0] != WithoutKey {
		t.Fatalf("%d batches, %v", len(batches), refused)
	}
	r := batches[0].Rows()[1]
	if r.Key != "k1" || r.Fields != nil || r.DecisionID != "" || r.Op != weir.Remove || r.Sequence != 7 || r.IdempotencyKey != "i" {
		t.Errorf("%+v", r)
	}
	if batches[0].ClassID() != "" || batches[0].Activation() != "lapsed_vip" || !batches[0].ValidUntil().IsZero() {
		t.Errorf("%+v", batches[0])
	}
}
