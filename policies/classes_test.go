package policies

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Whatever an officer writes, deciding by classes gives each row the answer that the
// policy gives it alone; also where the answer is an error, a conflict or too slow.
func TestClassesAgreeWithRowByRow(t *testing.T) {
	const x = "consent/deny/x.rego"
	rules := map[string]string{
		"a number in the rule":           `reasons contains {"code": "X1"} if input.consent.age_days > 200`,
		"a number of days in a reason":   `reasons contains {"code": sprintf("X%v", [input.consent.age_days])} if input.subject.gpc == "yes"`,
		"the whole input":                "f(i) if i.subject.gpc == \"yes\"\n\nreasons contains {\"code\": \"X1\"} if f(input)",
		"a field by its name":            `reasons contains {"code": "X1"} if { some k in ["gpc", "objected"]; input.subject[k] == "yes" }`,
		"a field replaced":               "h if input.subject.gpc == \"yes\"\n\nreasons contains {\"code\": \"X1\"} if h with input.subject.gpc as input.subject.objected",
		"an error":                       `reasons contains {"code": "X1"} if to_number(input.consent.status) > 3`,
		"an error for some":              `reasons contains {"code": "X1"} if { input.subject.gpc == "yes"; input.consent.age_days + 1 > 100 }`,
		"an error that leads nowhere":    `reasons contains {"code": "X1"} if { input.subject.gpc == "yes"; input.consent.age_days + 1 > 100; input.activation.purpose == "none" }`,
		"a conflict for some":            "lvl := 1 if input.subject.gpc == \"yes\"\n\nlvl := 2 if input.subject.objected == \"yes\"\n\nreasons contains {\"code\": \"X1\"} if lvl > 1",
		"a conflict that leads nowhere":  "lvl := 1 if input.subject.gpc == \"yes\"\n\nlvl := 2 if input.subject.objected == \"yes\"\n\nreasons contains {\"code\": \"X1\"} if { lvl > 1; input.activation.purpose == \"none\" }",
		"else":                           "lvl := 1 if input.subject.gpc == \"yes\" else := 2 if input.consent.age_days in {10, 700}\n\nreasons contains {\"code\": \"X1\"} if lvl == 2",
		"every place":                    `reasons contains {"code": "X1"} if every p in input.subject.jurisdictions { p in {"FR", "DE"} }`,
		"how old by place":               `reasons contains {"code": "X1"} if { some p in input.subject.jurisdictions; input.consent.age_days > data.jurisdictions[p].nothing }`,
		"a list of ages":                 `reasons contains {"code": "X1"} if not input.consent.age_days in [10, 11, 12.5, "unknown"]`,
		"a place that is no number":      `reasons contains {"code": "X1"} if input.consent.age_days < input.subject.inactive_days`,
		"ages of a rule through a place": `reasons contains {"code": "X1"} if { some r in input.subject.regimes; r == "eu"; data.minors.years[input.subject.age_band] < 17 }`,
	}
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) {
			g, err := Load(context.Background(), Options{Dir: bundleWith(t, [3]string{x, "", denyFile(rule)}, [3]string{schemaPath, "", `{}`})})
			if err != nil {
				t.Fatal(err)
			}
			agree(t, g, 120)
		})
	}
	t.Run("too slow", func(t *testing.T) {
		slow := "many := numbers\n\nnumbers := [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]\n\nreasons contains {\"code\": \"X\"} if {\n\tsome a in many\n\tsome b in many\n\tsome c in many\n\tsome d in many\n\tsome e in many\n\tsome f in many\n\tsome g in many\n\ta + b + c + d + e + f + g > 1000\n\tinput.subject.gpc == \"yes\"\n}"
		g, err := Load(context.Background(), Options{Dir: bundleWith(t, [3]string{x, "", denyFile(slow)}), Deadline: 200 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		row := candidate("p", 10)
		row.Subject.GPC = Yes // else OPA's index passes the rule over
		got, classes, err := g.Decide(t.Context(), question(), []Candidate{row})
		if err != nil || got[0].Allow || len(classes) != 1 || !slices.Equal(classes[0].Reasons, []string{EvaluationError}) {
			t.Errorf("%+v %v", classes, err)
		}
	})
}

func agree(t *testing.T, g *Gate, n int) {
	t.Helper()
	r := rand.New(rand.NewPCG(4, 4))
	d := decider(t, g, question())
	var rows []Candidate
	for i := range n {
		in := good()
		in.Subject.GPC, in.Subject.Objected = Fact(r.IntN(3)), one(r, No, No, Yes)
		in.Subject.AgeBand, in.Subject.Jurisdictions = one(r, Adult, Age16, AgeUnknown), one(r, List("FR"), "FR", "DE,FR", "US-CA")
		in.Subject.InactiveDays = one(r, Days(0), DaysOf(3), DaysOf(150))
		in.Consent.AgeDays, in.Consent.Status = one(r, Days(0), DaysOf(10), DaysOf(11), DaysOf(r.IntN(800))), one(r, StatusGranted, StatusGranted, StatusNone)
		rows = append(rows, Candidate{ProfileID: fmt.Sprint(i), Subject: in.Subject, Consent: in.Consent})
	}
	if _, err := d.Decide(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		want, err := g.Evaluate(t.Context(), d.Input(rows[i]))
		if err != nil {
			t.Fatal(err)
		}
		if got := d.last[i].verdict; !got.equal(want) || (got.Fault == "") != (want.Fault == "") {
			t.Fatalf("as one of its class %s, alone %s: %s", words(got), words(want), d.Input(rows[i]).canonical())
		}
		if in, err := InputsOf(d.last[i].inputs); err != nil {
			t.Fatal(err)
		} else if k := (key{subject: in.Subject, consent: in.Consent}); d.last[i].lens.inputs(&d.asked.texts, &k) != d.last[i].inputs {
			t.Fatalf("the inputs do not stand for their class: %s", d.last[i].inputs)
		}
	}
	if s := d.Stats(); s.Classes >= int64(n) && len(g.Costs()) == 0 {
		t.Errorf("%d classes of %d rows, and nothing costs anything", s.Classes, n)
	}
}

// The table of facts forgets no field, and its values go there and back.
func TestTheTableOfFactsIsWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for range 300 {
		in := randomInput(r, []string{"marketing.newsletter"})
		k := key{subject: in.Subject, consent: in.Consent}
		w, n := k.values()
		if got := keyWith(w, n, in.Subject.Jurisdictions); got != k {
			t.Fatalf("got  %+v\nwant %+v", got, k)
		}
		g := &Gate{vocab: &vocabulary{regime: map[string]string{"FR": "eu"}}}
		consent, subject := k.terms(g.vocab.regimes(k.subject.Jurisdictions))
		in.Subject.Regimes = g.vocab.regimes(k.subject.Jurisdictions)
		if got := fmt.Sprintf(`"consent":%s`, consent.String()); !slices.Equal(letters(got), letters(fmt.Sprintf(`"consent":%s`, encoded(in.Consent)))) {
			t.Fatalf("%s\n%s", got, encoded(in.Consent))
		}
		if got := subject.String(); !slices.Equal(letters(got), letters(string(encoded(in.Subject)))) {
			t.Fatalf("%s\n%s", got, encoded(in.Subject))
		}
	}
}

// letters are a text's characters without spaces.
func letters(s string) []rune {
	var out []rune
	for _, c := range s {
		if c != ' ' {
			out = append(out, c)
		}
	}
	return out
}
