package policies

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func TestTheBuiltinPolicyHasNoProblem(t *testing.T) {
	got, err := Check("")
	if err != nil || len(got) != 0 {
		t.Errorf("%v %v", got, err)
	}
}

func TestCheckNamesPlaceAndRemedy(t *testing.T) {
	const x = "consent/deny/x.rego"
	meta := `# METADATA
# title: T
# description: D
# labels: {code: X1, name: x, law: L}
# custom: {owner: o, review_by: "2027-01-01", remedy: r}
# related_resources: [{ref: "https://example.test"}]
`
	rule := func(body string) [3]string {
		return [3]string{x, "", denyFile(meta + `reasons contains {"code": "X1"} if ` + body)}
	}
	cases := map[string]struct {
		change [3]string
		where  string
		says   []string
	}{
		"sound":                    {rule(`input.subject.gpc == "yes"`), "", nil},
		"a misspelt field":         {rule(`input.subject.gcp == "yes"`), x + ":11", []string{"gcp", "did you mean gpc?"}},
		"a misspelt word":          {rule(`input.subject.age_band == "adlut"`), x + ":11", []string{"adlut", "did you mean adult?"}},
		"a number in a rule":       {rule(`input.consent.age_days > 365`), x + ":11", []string{"age_days", "_days"}},
		"the whole input":          {rule(`count(input) > 3`), x + ":11", []string{"whole input"}},
		"a syntax error":           {[3]string{x, "", "package consent.deny\n\nreasons contains if {\n"}, x + ":3", nil},
		"the clock":                {rule(`time.now_ns() > 1`), x + ":11", []string{"time.now_ns", "pure functions"}},
		"an unused variable":       {[3]string{x, "", denyFile(meta + "reasons contains {\"code\": \"X1\"} if {\n\ta := 1\n\tinput.subject.gpc == \"yes\"\n}")}, x + ":12", []string{"unused"}},
		"no METADATA":              {[3]string{x, "", denyFile(`reasons contains {"code": "X1"} if input.subject.gpc == "yes"`)}, x + ":5", []string{"no METADATA"}},
		"METADATA without a law":   {[3]string{x, "", denyFile(strings.Replace(meta, ", law: L", "", 1) + `reasons contains {"code": "X1"} if input.subject.gpc == "yes"`)}, x + ":11", []string{"labels.law"}},
		"a review at no date":      {[3]string{x, "", denyFile(strings.Replace(meta, "2027-01-01", "soon", 1) + `reasons contains {"code": "X1"} if input.subject.gpc == "yes"`)}, x + ":11", []string{"review_by"}},
		"a code that is taken":     {[3]string{x, "", denyFile(strings.Replace(meta, "X1", "D06", 1) + `reasons contains {"code": "D06"} if input.subject.gpc == "yes"`)}, "", []string{"D06"}},
		"not of yesteryear":        {[3]string{x, "", strings.Replace(denyFile(meta+`reasons contains {"code": "X1"} if not startswith(input.destination.country, "EU")`), "import future.keywords.not\n\n", "", 1)}, x + ":9", []string{"future.keywords.not"}},
		"another folder's package": {[3]string{"consent/other/x.rego", "", "package consent.elsewhere\n\na := 1\n"}, "consent/other/x.rego:1", []string{"consent/elsewhere/"}},
		"the layout":               {[3]string{x, "", denyFile(meta + `reasons  contains {"code":"X1"} if input.subject.gpc=="yes"`)}, x + ":11", []string{"layout"}},
		"Norway":                   {[3]string{"data/jurisdictions.yaml", `"NO":`, `NO:`}, "data/jurisdictions.yaml:", []string{"NO", "YAML 1.1"}},
		"an unknown purpose":       {[3]string{"cases/x.yaml", "", "- case: x\n  activation:\n    purpose: marketing.newsleter\n  want: deny\n"}, "cases/x.yaml:3", []string{"did you mean marketing.newsletter?"}},
		"an unknown field":         {[3]string{"cases/x.yaml", "", "- case: x\n  subject:\n    restrcted: yes\n  activation: {purpose: fundraising}\n  want: deny\n"}, "cases/x.yaml:3", []string{"did you mean restricted?"}},
		"an unknown value":         {[3]string{"cases/x.yaml", "", "- case: x\n  subject: {restricted: perhaps}\n  activation: {purpose: fundraising}\n  want: deny\n"}, "cases/x.yaml:2", []string{"perhaps", "yes"}},
		"an unknown action":        {[3]string{"cases/x.yaml", "", "- case: x\n  consents:\n    - {action: withdrew}\n  activation: {purpose: fundraising}\n  want: deny\n"}, "cases/x.yaml:3", []string{"did you mean withdrawn?"}},
		"nothing wanted":           {[3]string{"cases/x.yaml", "", "- case: x\n  activation: {purpose: fundraising}\n"}, "cases/x.yaml:1", []string{"want"}},
		"a case twice":             {[3]string{"cases/x.yaml", "", "- case: 1\n  activation: {purpose: fundraising}\n  want: deny\n"}, "cases/x.yaml:1", []string{"already at cases/consent.yaml:2"}},
		"no list":                  {[3]string{"cases/x.yaml", "", "case: x\n"}, "cases/x.yaml:1", []string{"list"}},
		"without what":             {[3]string{"cases/x.yaml", "", "- case: x\n  activation: {purpose: fundraising}\n  without: [subject.age]\n  want: deny\n"}, "cases/x.yaml:3", []string{"subject.age"}},
		"YAML":                     {[3]string{"cases/x.yaml", "", "- case: [\n"}, "cases/x.yaml:", []string{"YAML"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := Check(bundleWith(t, c.change))
			if err != nil {
				t.Fatal(err)
			}
			if c.says == nil && c.where == "" {
				if len(got) != 0 {
					t.Errorf("%v", got)
				}
				return
			}
			for _, p := range got {
				whole := p.String()
				found := strings.HasPrefix(p.Where, c.where) && p.Message != ""
				for _, s := range c.says {
					found = found && strings.Contains(whole, s)
				}
				if found {
					return
				}
			}
			t.Errorf("no problem at %s says %q: %v", c.where, c.says, got)
		})
	}
}

// Whatever the files hold, reading and checking them ends, and never panics.
func FuzzLoader(f *testing.F) {
	for _, p := range []string{"consent/deny/schema.rego", "data/jurisdictions.yaml", "cases/rights.yaml", schemaPath} {
		b, err := fs.ReadFile(Builtin(), p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p, string(b))
	}
	f.Add("cases/x.yaml", "- {case: x, consents: [{for: &a this}], want: *a}")
	f.Add("cases/x.yaml", "- [[]]\n- 1\n- {subject: 3, without: {}, reasons: 1}")
	f.Add("data/purposes.yaml", "a: {b_days: -1}\n? [x]\n: y")
	f.Add("data/retention.yaml", "a: .inf\nb: !!binary x")
	f.Fuzz(func(t *testing.T, p, text string) {
		if !fs.ValidPath(p) || len(p) > 100 || strings.HasPrefix(p, "consent/decision") {
			t.Skip()
		}
		fsys := fstest.MapFS{"data/purposes.yaml": {Data: []byte("marketing.ads: {kind: marketing, bases: []}")}, "data/jurisdictions.yaml": {Data: []byte(`"FR": {name: France, regime: eu}`)}, p: {Data: []byte(text)}}
		files, _ := read(fsys) // what is wrong with one file keeps Check from no other
		if files == nil {
			return
		}
		files.checkRego()
		if v, err := vocabularyOf(files); err == nil {
			_, _ = files.parseCases(v)
		}
	})
}

// The same on 1,500 damaged files of the built-in policy, in every run.
func TestDamagedFilesNeverPanic(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	paths := []string{"consent/deny/schema.rego", "consent/bases/consent.rego", "data/jurisdictions.yaml", "data/retention.yaml", "cases/rights.yaml", "cases/consent.yaml", schemaPath}
	for range 1500 {
		p := one(r, paths...)
		b, err := fs.ReadFile(Builtin(), p)
		if err != nil {
			t.Fatal(err)
		}
		b = slices.Clone(b)
		for range 1 + r.IntN(6) {
			i := r.IntN(len(b))
			switch r.IntN(3) {
			case 0:
				b[i] = byte(r.IntN(256))
			case 1:
				b = append(b[:i], b[min(i+r.IntN(40), len(b)-1):]...)
			default:
				b = append(b[:i:i], b[r.IntN(len(b)):]...)
			}
		}
		fsys := fstest.MapFS{"data/purposes.yaml": {Data: []byte("marketing.ads: {kind: marketing, bases: []}")}, p: {Data: b}}
		files, _ := read(fsys) // what is wrong with one file keeps Check from no other
		if files == nil {
			continue
		}
		files.checkRego()
		if v, err := vocabularyOf(files); err == nil {
			_, _ = files.parseCases(v)
		}
	}
}

// Where a rule needs the number itself the policy rules, row by row, and the officer
// is told where.
func TestCheckWarnsOfWhatDefeatsClasses(t *testing.T) {
	changes := [][3]string{{"consent/obligations/obligations.rego", "", "package consent.obligations\n\n" + "due contains {\"name\": \"set\", \"value\": sprintf(\"age=%v\", [input.consent.age_days])}" + "\n"}}
	dir := bundleWith(t, changes...)
	found, err := Check(dir)
	if err != nil {
		t.Fatal(err)
	}
	found = slices.DeleteFunc(found, func(p Problem) bool { return !p.Warning })
	if len(found) != 1 || !strings.HasPrefix(found[0].Where, "consent/obligations/obligations.rego:") || !strings.Contains(found[0].Message, "input.consent.age_days") || Failing(found) {
		t.Errorf("%v", found)
	}
	g := mustLoad(t, dir)
	if c := g.Costs(); len(c) != 1 || !strings.Contains(c[0].Expr, "sprintf") {
		t.Errorf("%+v", c)
	}
	var rows []Candidate
	for i := range 50 {
		rows = append(rows, candidate(fmt.Sprint("p", i), i))
	}
	got, classes, err := g.Decide(t.Context(), question(), rows)
	if err != nil || len(classes) != 50 || !strings.Contains(classes[0].Inputs, `"age_days":`) {
		t.Fatalf("%d classes, %v", len(classes), err)
	}
	for i, d := range got { // tomorrow it could be another answer
		if !d.Allow || !d.ValidUntil.Equal(rows[i].GivenAt.Add(time.Duration(i+1)*24*time.Hour)) {
			t.Errorf("%d days: %+v", i, d)
		}
	}
	if found, err := Check(""); err != nil || len(found) > 0 {
		t.Errorf("the built-in policy: %v %v", found, err)
	}
}
