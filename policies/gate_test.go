package policies

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
)

func TestBuiltinPolicyPassesItsOwnTests(t *testing.T) {
	r, err := Test(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range r.Tests {
		if !x.Passed {
			t.Errorf("%s %s: %s", x.Where, x.Name, x.Detail)
		}
	}
	for _, c := range r.Cases {
		if !c.Passed {
			t.Errorf("%s case %s (%s): want %s, got %s %s", c.At(), c.Name, c.Title, c.Want, c.Got, c.Fault)
		}
	}
	if r.Coverage != 100 || len(r.Uncovered) > 0 || len(r.Tests) < 40 || len(r.Cases) < 40 || !r.Passed() {
		t.Errorf("coverage %v, not covered %v, %d tests, %d cases", r.Coverage, r.Uncovered, len(r.Tests), len(r.Cases))
	}
}

func TestAFailingTestCaseOrUncoveredRuleIsReported(t *testing.T) {
	dir := bundleWith(t, [3]string{"consent/deny/withdrawn.rego", `{"withdrawn", "denied"}`, `{"denied"}`},
		[3]string{"consent/deny/more.rego", "", denyFile("reasons contains {\"code\": \"X1\"} if input.subject.age_band == \"age_13\"")})
	r, err := Test(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if r.Passed() || !slices.ContainsFunc(r.Tests, func(x RegoTest) bool { return !x.Passed && strings.Contains(x.Detail, "withdrawn") }) {
		t.Errorf("the failing test is not named: %+v", r.Tests)
	}
	if !slices.ContainsFunc(r.Cases, func(c CaseResult) bool { return c.Name == "5" && !c.Passed && c.Got == "deny (no_basis)" }) {
		t.Error("case 5 should fail")
	}
	if !slices.Contains(r.Uncovered, "consent/deny/more.rego:5") {
		t.Errorf("uncovered %v", r.Uncovered)
	}
}

// An officer who changes a number need not change tests that are about its meaning.
func TestNumbersMayChange(t *testing.T) {
	for _, days := range []string{"90", "1461"} {
		r, err := Test(context.Background(), bundleWith(t, [3]string{"data/retention.yaml", "consent_max_age_days: 730", "consent_max_age_days: " + days}))
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range r.Tests {
			if !x.Passed {
				t.Errorf("%s days: %s %s", days, x.Name, x.Detail)
			}
		}
		for _, c := range r.Cases {
			if !c.Passed {
				t.Errorf("%s days: case %s (%s): want %s, got %s", days, c.Name, c.Title, c.Want, c.Got)
			}
		}
	}
}

func TestWriteGivesACopyThatRules(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "policies")
	n, err := Write(dir)
	if err != nil || n < 40 || mustLoad(t, dir).Revision() != mustLoad(t, "").Revision() {
		t.Errorf("%d files, %v", n, err)
	}
	if _, err := Write(dir); weir.CodeOf(err) != weir.Conflict {
		t.Errorf("a second time: %v", err)
	}
}

func TestACaseNamesALimitThatIs(t *testing.T) {
	dir := bundleWith(t, [3]string{"cases/more.yaml", "", "- {case: x, activation: {purpose: service.security}, want: deny, consents: [{action: granted, purpose: service.security, days_ago: limit}]}\n"})
	if _, err := Test(context.Background(), dir); err == nil || !strings.Contains(err.Error(), "cases/more.yaml:1") || !strings.Contains(err.Error(), "no limit") {
		t.Errorf("a limit that is not there: %v", err)
	}
}

func TestEvaluateExplains(t *testing.T) {
	g := mustLoad(t, "")
	e, err := g.Explain(context.Background(), good())
	if err != nil || !e.Verdict.Allow || e.Basis == nil || e.Basis.Code != "B2" || !slices.Equal(e.Verdict.Rules, []string{"B2"}) || e.Verdict.Until["consent.age_days"] != 730 {
		t.Fatalf("%+v %v", e, err)
	}
	in := good()
	in.Consent.Status, in.Subject.Restricted = StatusWithdrawn, Yes
	e, err = g.Explain(context.Background(), in)
	if err != nil || e.Verdict.Allow || e.Basis != nil || len(e.Reasons) != 2 {
		t.Fatalf("%+v %v", e, err)
	}
	for _, r := range e.Reasons {
		if r.Title == "" || r.Law == "" || r.Remedy == "" || len(r.Links) == 0 || !strings.Contains(r.At, ".rego:") {
			t.Errorf("reason %s is not explained: %+v", r.Code, r)
		}
	}
}

// Each fault denies with D31 and says what is wrong; none panics, none allows.
func TestFailsClosed(t *testing.T) {
	decision := "consent/decision/decision.rego"
	cases := map[string]struct {
		change [3]string
		fault  string
	}{
		"a builtin fails":           {[3]string{"consent/deny/x.rego", "", denyFile(`reasons contains {"code": "X"} if to_number(input.destination.country) > 3`)}, "to_number"},
		"two values conflict":       {[3]string{decision, "default valid_until := {}", "default valid_until := {}\n\nbasis := \"b\" if input.subject.gpc == \"no\""}, "conflict"},
		"undefined":                 {[3]string{decision, "\t\"basis\": basis,", "\t\"basis\": input.nothing.at_all,"}, "undefined"},
		"too slow":                  {[3]string{"consent/deny/x.rego", "", denyFile("many := [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]\n\nreasons contains {\"code\": \"X\"} if {\n\tsome a in many\n\tsome b in many\n\tsome c in many\n\tsome d in many\n\tsome e in many\n\tsome f in many\n\tsome g in many\n\ta + b + c + d + e + f + g > 1000\n}")}, "cancel"},
		"allow is a text":           {[3]string{decision, "\t\"allow\": allow,", "\t\"allow\": \"yes\","}, "not a boolean"},
		"an unknown key":            {[3]string{decision, "\t\"allow\": allow,", "\t\"allow\": allow,\n\t\"allowed\": true,"}, "allowed"},
		"allows against a reason":   {[3]string{decision, "count(deny.reasons) == 0\n\tbasis != \"\"", "basis != \"\"\n\tinput.subject.gpc == \"no\""}, "against a reason"},
		"denies without a reason":   {[3]string{decision, `reasons contains reason if some reason in deny.reasons`, `reasons contains reason if some reason in set()`}, "without a reason"},
		"a reason without a code":   {[3]string{"consent/deny/x.rego", "", denyFile(`reasons contains "D99" if input.subject.gpc == "no"`)}, "no code"},
		"an obligation of a number": {[3]string{"consent/obligations/obligations.rego", "", "package consent.obligations\n\n" + `due := {{"name": "a", "value": 1}}` + "\n"}, "obligation"},
		"two values of one":         {[3]string{"consent/obligations/obligations.rego", "", "package consent.obligations\n\n" + `due := {{"name": "a", "value": "1"}, {"name": "a", "value": "2"}}` + "\n"}, "two values"},
		"valid until what":          {[3]string{"consent/bases/consent.rego", `holds["consent.age_days"]`, `holds["consent.age"]`}, "valid_until"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			changes := [][3]string{c.change}
			if name == "undefined" { // the schema would refuse the reference
				changes = append(changes, [3]string{schemaPath, "", `{}`})
			}
			g, err := Load(context.Background(), Options{Dir: bundleWith(t, changes...), Deadline: 300 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			in := good()
			switch name {
			case "denies without a reason", "allows against a reason":
				in.Subject.Restricted = Yes
			}
			v, err := g.Evaluate(context.Background(), in)
			if err != nil || v.Allow || !slices.Equal(v.Reasons, []string{EvaluationError}) || !strings.Contains(v.Fault, c.fault) {
				t.Errorf("%+v %v", v, err)
			}
		})
	}
}

func TestACancelledQuestionIsAnErrorAndNoDecision(t *testing.T) {
	g := mustLoad(t, "")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if v, err := g.Evaluate(ctx, good()); !errors.Is(err, context.Canceled) || v.Allow {
		t.Errorf("%+v %v", v, err)
	}
	d := decider(t, g, question())
	if _, err := d.Decide(ctx, []Candidate{candidate("p", 1)}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	// The decider has not kept the half-asked class.
	got, err := d.Decide(context.Background(), []Candidate{candidate("p", 1)})
	if err != nil || !got[0].Allow {
		t.Errorf("%+v %v", got, err)
	}
}

func TestLoadRefuses(t *testing.T) {
	cases := map[string]struct {
		changes [][3]string
		want    []string
	}{
		"a syntax error":       {[][3]string{{"consent/deny/x.rego", "", "package consent.deny\n\nreasons contains if {\n"}}, []string{"consent/deny/x.rego:3"}},
		"the network":          {[][3]string{{"consent/deny/x.rego", "", denyFile(`reasons contains {"code": "X"} if http.send({"method": "get", "url": "http://x"}).status_code == 1`)}}, []string{"x.rego:5", "http.send", "pure functions"}},
		"the clock":            {[][3]string{{"consent/deny/x.rego", "", denyFile(`reasons contains {"code": "X"} if time.now_ns() > 1`)}}, []string{"x.rego:5", "time.now_ns"}},
		"chance":               {[][3]string{{"consent/deny/x.rego", "", denyFile(`reasons contains {"code": "X"} if rand.intn("a", 3) > 1`)}}, []string{"rand.intn"}},
		"the environment":      {[][3]string{{"consent/deny/x.rego", "", denyFile(`reasons contains {"code": "X"} if opa.runtime().env.HOME`)}}, []string{"opa.runtime"}},
		"a misspelt field":     {[][3]string{{"consent/deny/x.rego", "", denyFile(`reasons contains {"code": "X"} if input.subject.gcp == "yes"`)}}, []string{"x.rego:5", "gcp"}},
		"no decision":          {[][3]string{{"consent/decision/decision.rego", "", "package consent.decision\n"}}, []string{"consent.decision.result"}},
		"YAML that breaks off": {[][3]string{{"data/retention.yaml", "", "marketing.ads: {consent_max_age_days: 7\n"}}, []string{"data/retention.yaml:"}},
		"an alias":             {[][3]string{{"data/retention.yaml", "", "a: &a {consent_max_age_days: 7}\nb: *a\n"}}, []string{"data/retention.yaml:2", "alias"}},
		"half a day":           {[][3]string{{"data/retention.yaml", "", "marketing.newsletter: {consent_max_age_days: 7.5}\n"}}, []string{"data/retention.yaml:1", "is no integer: 7.5"}},
		"no purposes":          {[][3]string{{"data/purposes.yaml", "", ""}}, []string{"purposes"}},
		"no regime":            {[][3]string{{"data/jurisdictions.yaml", "", "\"FR\": {name: France}\n"}}, []string{"FR", "regime"}},
		"data named consent":   {[][3]string{{"data/consent.yaml", "", "deny: {reasons: []}\n"}}, []string{"data/consent.yaml"}},
		"a schema of no JSON":  {[][3]string{{schemaPath, "", "{"}}, []string{schemaPath}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := Load(context.Background(), Options{Dir: bundleWith(t, c.changes...)})
			if weir.CodeOf(err) != weir.Invalid {
				t.Fatalf("%v", err)
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q lacks %q", err, w)
				}
			}
		})
	}
	if _, err := Load(context.Background(), Options{Dir: filepath.Join(t.TempDir(), "none")}); weir.CodeOf(err) != weir.NotFound {
		t.Errorf("%v", err)
	}
	if _, err := Load(context.Background(), Options{Dir: t.TempDir()}); weir.CodeOf(err) != weir.Invalid {
		t.Errorf("%v", err)
	}
}

func TestRevisionNamesWhatDecides(t *testing.T) {
	builtin := mustLoad(t, "").Revision()
	if got := mustLoad(t, bundleWith(t)).Revision(); got != builtin {
		t.Errorf("a copy has another revision: %s, %s", got, builtin)
	}
	if got := mustLoad(t, bundleWith(t, [3]string{"data/retention.yaml", "730", "729"})).Revision(); got == builtin {
		t.Error("other data must be another revision")
	}
	if got := mustLoad(t, bundleWith(t, [3]string{"cases/more.yaml", "", "[]\n"}, [3]string{"consent/deny/x_test.rego", "", "package consent.x_test\n"})).Revision(); got != builtin {
		t.Error("cases and tests decide nothing")
	}
}

// The schema, the Go struct and D02's fields are one list.
func TestSchemaInputAndD02Agree(t *testing.T) {
	var schema struct {
		Properties map[string]struct {
			Required   []string
			Properties map[string]any
		}
	}
	b, err := os.ReadFile("bundle/" + schemaPath)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &schema); err != nil {
		t.Fatal(err)
	}
	var fields map[string]map[string]any
	if err := json.Unmarshal(good().canonical(), &fields); err != nil {
		t.Fatal(err)
	}
	for part, p := range schema.Properties {
		inGo, inSchema := sorted(fields[part]), sorted(p.Properties)
		if !slices.Equal(inGo, inSchema) || !slices.Equal(inSchema, p.Required) {
			t.Errorf("%s: Go %v, schema %v, required %v", part, inGo, inSchema, p.Required)
		}
		known := append(slices.Clone(caseFields[part]), map[bool][]string{true: {"regimes"}}[part == "subject"]...)
		slices.Sort(known)
		if !slices.Equal(known, inSchema) {
			t.Errorf("%s: case fields %v, schema %v", part, known, inSchema)
		}
	}
	if len(schema.Properties) != reflect.TypeFor[Input]().NumField() {
		t.Errorf("parts %v", slices.Sorted(maps.Keys(schema.Properties)))
	}
	// Canonical: encoding through a map, which sorts, changes nothing.
	again, err := json.Marshal(fields)
	if err != nil || string(again) != string(good().canonical()) {
		t.Errorf("not canonical:\n%s\n%s", again, good().canonical())
	}
}
