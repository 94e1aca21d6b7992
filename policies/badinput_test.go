package policies

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
)

// Bad input of policies, item by item: what can be seen is refused with file, line and
// remedy; what shows only while a question is asked denies with its code, in one
// question and in a run of many rows. Nothing panics and nothing allows. What has to do
// with signatures is in policies/revisions and stages; docs/consent.md names those tests.
func TestBadInputIsRefused(t *testing.T) {
	const x, cases, signals = "consent/deny/x.rego", "cases/x.yaml", "data/signals.yaml"
	for name, c := range map[string]struct {
		change [3]string
		where  string // of the finding
		next   string // of the remedy
		loads  bool   // cases don't decide: the policy rules, and its tests don't pass
	}{
		"a syntax error":              {[3]string{x, "", "package consent.deny\n\nreasons contains if {\n"}, x + ":3", "weir policy check", false},
		"an infinite rule":            {[3]string{x, "", denyFile("loop if again\n\nagain if loop\n\nreasons contains {\"code\": \"X\"} if loop")}, x + ":", "weir policy check", false},
		"a conflict of kinds":         {[3]string{x, "", denyFile(`reasons := {"code": "X"}`)}, "consent/deny/", "weir policy check", false},
		"YAML 1.1: yes for true":      {[3]string{"data/destinations.yaml", "shares: true", "shares: yes"}, "data/destinations.yaml:", "write true or false", false},
		"YAML 1.1: off for false":     {[3]string{"data/settings.yaml", "revoke_all: false", "revoke_all: off"}, "data/settings.yaml:", "write true or false", false},
		"YAML 1.1: Norway":            {[3]string{"data/jurisdictions.yaml", `"NO":`, "NO:"}, "data/jurisdictions.yaml:", `write "NO"`, true},
		"a first line indented more":  {[3]string{"data/retention.yaml", "marketing.newsletter:", "  marketing.newsletter:"}, "data/retention.yaml:", "check the indentation", false},
		"a second document":           {[3]string{"data/settings.yaml", "soft_opt_in_link: false", "---\nsoft_opt_in_link: false"}, "data/settings.yaml:", "keep one document a file", false},
		"cases below another mark":    {[3]string{cases, "", "- case: x\n  activation: {purpose: fundraising}\n  want: deny\n---\n- case: y\n"}, cases + ":4", "keep one document a file", true},
		"a purpose that nobody knows": {[3]string{"data/retention.yaml", "marketing.newsletter:", "marketing.newsleter:"}, "data/retention.yaml:", "did you mean marketing.newsletter?", false},
		"such a purpose in a case":    {[3]string{cases, "", "- case: x\n  activation: {purpose: marketing.newsleter}\n  want: deny\n"}, cases + ":2", "did you mean marketing.newsletter?", true},
		"a case with a field of none": {[3]string{cases, "", "- case: x\n  subject: {restrcted: yes}\n  activation: {purpose: fundraising}\n  want: deny\n"}, cases + ":2", "did you mean restricted?", true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := bundleWith(t, c.change)
			problems, err := Check(dir)
			if err != nil {
				t.Fatal(err)
			}
			at := slices.IndexFunc(problems, func(p Problem) bool {
				return strings.HasPrefix(p.Where, c.where) && regexp.MustCompile(`:\d+$`).MatchString(p.Where)
			})
			if at < 0 {
				t.Fatalf("no finding at %s with its line: %v", c.where, problems)
			}
			_, err = Load(t.Context(), Options{Dir: dir})
			if (err == nil) != c.loads {
				t.Fatalf("loads: %v", err)
			}
			var e *weir.Error
			if told := problems[at].String(); errors.As(err, &e) {
				if e.Code != weir.Invalid || e.Next == "" || !strings.Contains(fmt.Sprint(e.Where, e.Next, e.Message, told), c.next) || !regexp.MustCompile(`:\d+$`).MatchString(e.Where) {
					t.Errorf("%v (%s); %s", err, e.Where, told)
				}
			} else if !strings.Contains(told, c.next) {
				t.Errorf("%s lacks %q", told, c.next)
			}
		})
	}
}

// Another folder is told as such, and not by what it lacks file by file.
func TestCheckOfAnotherFolder(t *testing.T) {
	if problems, err := Check(t.TempDir()); weir.CodeOf(err) != weir.NotFound || !strings.Contains(err.Error(), "holds no policy") || problems != nil {
		t.Errorf("%v %v", err, problems)
	}
}

// What follows from a mistake is not told besides it.
func TestAMistakeIsToldOnce(t *testing.T) {
	const cases = "cases/x.yaml"
	one := "- case: x\n  subject: {jurisdictions: [FR]}\n  consents:\n    - {action: granted, purpose: fundraising, days_ago: 3}\n  activation: {purpose: fundraising}\n  want: deny\n  reasons: [D08]\n"
	for name, c := range map[string]struct{ path, old, new, want string }{
		"a limit's name":      {"data/retention.yaml", "newsletter: {consent_max_age_days", "newsletter: {consent_max_age_day", "data/retention.yaml:8: marketing.newsletter has no key"},
		"a limit in words":    {"data/retention.yaml", "newsletter: {consent_max_age_days: 730", "newsletter: {consent_max_age_days: ninety", "data/retention.yaml:8: consent_max_age_days is no integer"},
		"want: no":            {cases, "", strings.Replace(one, "want: deny", "want: no", 1), cases + `:6: "no" is none of allow, deny`},
		"a misspelt action":   {cases, "", strings.Replace(one, "granted", "grnted", 1), cases + `:4: "grnted" is none of`},
		"a word for a list":   {cases, "", strings.Replace(one, "[FR]", "FR", 1), cases + ":2: subject.jurisdictions is a list; write [FR]"},
		"a text for a number": {cases, "", strings.Replace(one, "{jurisdictions", "{inactive_days: long, jurisdictions", 1), cases + `:2: subject.inactive_days can't be long: "long" is not a number of days`},
		"a code of no rule":   {cases, "", strings.Replace(one, "D08", "D99", 1), cases + ":7: no rule has the code D99"},
	} {
		t.Run(name, func(t *testing.T) {
			problems, err := Check(bundleWith(t, [3]string{c.path, c.old, c.new}))
			if err != nil || len(problems) != 1 || !strings.HasPrefix(problems[0].String(), c.want) {
				t.Errorf("%v %v", err, problems)
			}
		})
	}
}

func TestBadInputAtRunTimeDenies(t *testing.T) {
	const x, decision = "consent/deny/x.rego", "consent/decision/decision.rego"
	double := "a0 := \"people of this kind\"\n\n"
	for i := range 60 {
		double += fmt.Sprintf("a%d := concat(\"\", [a%d, a%d])\n\n", i+1, i, i)
	}
	long := "many := [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]\n\n"
	for name, c := range map[string]struct {
		changes [][3]string
		fault   string
	}{
		"a conflict":                    {[][3]string{{decision, "default valid_until := {}", "default valid_until := {}\n\nbasis := \"b\" if input.subject.gpc == \"no\""}}, "conflict"},
		"a builtin error":               {[][3]string{{x, "", denyFile(`reasons contains {"code": "X"} if to_number(input.destination.country) > 3`)}}, "to_number"},
		"division by zero":              {[][3]string{{x, "", denyFile(`reasons contains {"code": "X"} if 7 / count(input.activation.categories) > 3`)}}, "divide by zero"},
		"an undefined decision":         {[][3]string{{decision, "\t\"basis\": basis,", "\t\"basis\": input.nothing.at_all,"}, {schemaPath, "", `{}`}}, "undefined"},
		"a rule that explodes in time":  {[][3]string{{x, "", denyFile(long + "reasons contains {\"code\": \"X\"} if {\n\tsome a in many\n\tsome b in many\n\tsome c in many\n\tsome d in many\n\tsome e in many\n\tsome f in many\n\ta + b + c + d + e + f > 1000\n}")}}, "cancel"},
		"a rule that explodes in space": {[][3]string{{x, "", denyFile(double + "reasons contains {\"code\": \"X\"} if count(a60) == input.consent.age_days")}}, "more than 1048576"},
		"by putting in":                 {[][3]string{{x, "", denyFile("a0 := \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"\n\na1 := replace(a0, \"a\", a0)\n\na2 := replace(a1, \"a\", a1)\n\na3 := replace(a2, \"a\", a2)\n\na4 := replace(a3, \"a\", a3)\n\nreasons contains {\"code\": \"X\"} if count(a4) == input.consent.age_days")}}, "more than 1048576"},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := Load(t.Context(), Options{Dir: bundleWith(t, c.changes...), Deadline: 200 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			if v, err := g.Evaluate(t.Context(), good()); err != nil || v.Allow || !slices.Equal(v.Reasons, []string{EvaluationError}) || !strings.Contains(v.Fault, c.fault) {
				t.Errorf("asked once: %+v %v", v, err)
			}
			decisions, classes, err := g.Decide(t.Context(), question(), []Candidate{candidate("p1", 10), candidate("p2", 11)})
			if err != nil || len(classes) == 0 {
				t.Fatalf("%v %v", classes, err)
			}
			for _, d := range decisions {
				if d.Allow {
					t.Errorf("%+v", d)
				}
			}
			for _, k := range classes {
				if k.Allow || !slices.Equal(k.Reasons, []string{EvaluationError}) {
					t.Errorf("%+v", k)
				}
			}
		})
	}
}

// A policy that is too slow for every class costs a run a bounded number of deadlines:
// then the run is refused, with the expression that took the time. Another run may try.
func TestAPolicyThatIsTooSlowForAllIsRefused(t *testing.T) {
	const slow = `many := [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]

reasons contains {"code": "X"} if {
	input.consent.age_days >= 0
	some a in many
	some b in many
	some c in many
	some d in many
	some e in many
	some f in many
	a + b + c + d + e + f > 1000 + input.consent.age_days
}`
	g, err := Load(t.Context(), Options{Dir: bundleWith(t, [3]string{"consent/deny/x.rego", "", denyFile(slow)}), Deadline: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	var rows []Candidate
	for i := range 400 { // each a class of its own, for the rule reads the days
		rows = append(rows, candidate(fmt.Sprintf("p%d", i), 1+i))
	}
	few, _, err := g.Decide(t.Context(), question(), rows[:maxLate])
	if err != nil || slices.ContainsFunc(few, func(d weir.Decision) bool { return d.Allow }) {
		t.Fatalf("%d classes are denied: %v", maxLate, err)
	}
	q := question()
	q.Run.ID += "-2"
	d, err := g.Decider(q)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // and at once, when it asks again
		_, err = d.Decide(t.Context(), rows)
		told := fmt.Sprintf("%v", err)
		if weir.CodeOf(err) != weir.Invalid || !strings.Contains(told, "consent/deny/x.rego:15") || !strings.Contains(told, "refused") || !strings.Contains(told, "into a + b") {
			t.Fatalf("%v", err)
		}
	}
	if n := g.late.classes; n < maxLate+1 || n > maxLate+1+runtime.GOMAXPROCS(0) {
		t.Errorf("%d classes cost their deadlines", n)
	}
	q.Run.ID += "-3"
	if _, _, err := g.Decide(t.Context(), q, rows[:1]); err != nil {
		t.Errorf("another run: %v", err)
	}
}

// A question about a purpose that the policy does not know is denied by a rule.
func TestAnUnknownPurposeIsDenied(t *testing.T) {
	q := question()
	q.Activation.Purpose, q.Destination.Purposes = "marketing.newsleter", []string{"marketing.newsleter"}
	d := decide(t, mustLoad(t, ""), q, candidate("p", 10))[0]
	if d.Decision.Allow || len(d.Class.Reasons) == 0 {
		t.Errorf("%+v", d)
	}
}

// A bundle that was cut, or of which one byte is another, is refused or is another
// revision than was signed; it never panics, and never answers under the old name.
func TestATamperedBundleIsNotTheSame(t *testing.T) {
	packed, err := Pack("")
	if err != nil {
		t.Fatal(err)
	}
	want := mustLoad(t, "").Revision()
	for _, cut := range []int{0, 1, len(packed) / 2, len(packed) - 1} {
		if g, err := LoadPacked(t.Context(), packed[:cut], "bundle", Options{}); err == nil {
			t.Errorf("cut at %d: loads as %s", cut, g.Revision())
		}
	}
	for _, old := range []string{"consent_max_age_days: 730", "count(deny.reasons) == 0", "default allow := false"} {
		b := bytes.Replace(slices.Clone(packed), []byte(old), []byte(strings.Replace(old, "0", "9", 1)), 1)
		if g, err := LoadPacked(t.Context(), b, "bundle", Options{}); err == nil && g.Revision() == want && !bytes.Equal(b, packed) {
			t.Errorf("%s: rules under the old revision", old)
		}
	}
	evil := rezipped(t, packed, func(name string, text []byte) []byte {
		if name == "consent/decision/decision.rego" {
			return bytes.Replace(text, []byte("default allow := false"), []byte("default allow := true"), 1)
		}
		return text
	})
	g, err := LoadPacked(t.Context(), evil, "bundle", Options{})
	if err == nil && g.Revision() == want {
		t.Error("other rules have the same revision")
	}
}

// rezipped packs a bundle anew, whole and with sound checksums, with other texts.
func rezipped(t *testing.T, packed []byte, change func(name string, text []byte) []byte) []byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := b.ReadFrom(in); err != nil {
			t.Fatal(err)
		}
		to, err := w.Create(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := to.Write(change(f.Name, b.Bytes())); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// The list in docs/consent.md names tests that there are.
func TestTheListOfBadInputNamesTests(t *testing.T) {
	page, err := os.ReadFile("../docs/consent.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([a-z/]+)`: `(Test[A-Za-z0-9]+|Fuzz[A-Za-z0-9]+)`").FindAllStringSubmatch(string(page), -1)
	if len(named) < 12 {
		t.Fatalf("%d tests are named", len(named))
	}
	for _, m := range named {
		entries, err := os.ReadDir("../" + m[1])
		if err != nil {
			t.Error(err)
			continue
		}
		found := false
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), "_test.go") {
				b, err := os.ReadFile("../" + m[1] + "/" + e.Name())
				found = found || err == nil && strings.Contains(string(b), "func "+m[2]+"(")
			}
		}
		if !found {
			t.Errorf("%s has no %s", m[1], m[2])
		}
	}
}
