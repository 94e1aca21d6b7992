package policies

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
)

func mustProve(t *testing.T, dir string) TestReport {
	t.Helper()
	r, err := Prove(context.Background(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// No rule and no condition of the built-in policy can be dropped or negated without a
// test or a case noticing, and the three properties hold of it.
func TestBuiltinPolicyIsProved(t *testing.T) {
	var last weir.Progress
	r, err := Prove(context.Background(), "", func(p weir.Progress) { last = p })
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range r.Mutation.Survivors {
		t.Errorf("%s: %s unnoticed: %s", m.Where, m.Kind, m.Text)
	}
	for _, p := range r.Properties {
		t.Logf("%s: %d checked", p.Name, p.Checked)
		if p.Checked < 500 {
			t.Errorf("%s was tried on %d only", p.Name, p.Checked)
		}
		for _, v := range p.Violations {
			t.Errorf("%s: %s: %s", p.Name, v, v.Inputs)
		}
	}
	if !r.Passed() || r.Mutation.Mutants < 600 || last.Done != int64(r.Mutation.Mutants) || last.Total != last.Done {
		t.Errorf("passed %v, %d mutants, progress %+v", r.Passed(), r.Mutation.Mutants, last)
	}
	t.Logf("%d mutants, %d of them noticed; %d more do not compile", r.Mutation.Mutants, r.Mutation.Killed, r.Mutation.Invalid)
}

const careful = `# METADATA
# title: T
# description: D
# labels: {code: X1, name: x, law: L}
# custom: {owner: o, review_by: "2027-01-01", remedy: r}
# related_resources: [{ref: "https://example.test"}]
`

// A rule that nobody would miss is found.
func TestARuleThatNobodyTestsSurvives(t *testing.T) {
	dir := bundleWith(t, [3]string{"consent/deny/x.rego", "", denyFile(careful + "reasons contains {\"code\": \"D12\"} if {\n\tinput.subject.gpc == \"yes\"\n\tinput.destination.transfer == \"sale\"\n}")})
	r := mustProve(t, dir)
	if r.Passed() || r.Mutation == nil || r.Mutation.Killed < 600 {
		t.Fatalf("%+v", r.Mutation)
	}
	var got []string
	for _, m := range r.Mutation.Survivors {
		got = append(got, m.Where+" "+m.Kind)
	}
	// D12 gives the same reason to the same people: only what reaches further is noticed.
	want := []string{"consent/deny/x.rego:11 rule dropped", "consent/deny/x.rego:13 condition negated"}
	if len(got) == 0 || !slices.Contains(got, want[0]) || slices.ContainsFunc(got, func(s string) bool { return !strings.HasPrefix(s, "consent/deny/x.rego:1") }) {
		t.Errorf("survivors %q", got)
	}
}

// Each breach of a property is found, and named.
func TestBrokenPropertiesAreFound(t *testing.T) {
	const objected = `input.subject.objected != "no"`
	cases := map[string]struct {
		change   [3]string
		property string
		says     string
	}{
		"an unknown objection that counts for none": {[3]string{"consent/deny/objection.rego", objected, `input.subject.objected == "yes"`}, propertyRestriction, "objected unknown"},
		"a field that is not missed":                {[3]string{"consent/deny/schema.rego", `{"code": "D02"} if not _complete`, "{\"code\": \"D02\"} if {\n\tnot _complete\n\tinput.subject.restricted\n}"}, propertyField, "without subject.restricted"},
		"a basis for strangers":                     {[3]string{"consent/bases/soft_opt_in.rego", `input.subject.customer == "yes"`, `input.subject.customer != "yes"`}, propertyRestriction, "customer"},
		"a basis for everybody": {[3]string{"consent/bases/consent.rego", "\tinput.consent.status == \"granted\"\n\tinput.consent.proof == \"yes\"\n\tinput.consent.age_days <= data.retention[input.activation.purpose].consent_max_age_days\n", ""},
			propertyEmpty, "nothing is known"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			g := mustLoad(t, bundleWith(t, c.change))
			props, err := g.properties(context.Background(), func(weir.Progress) {})
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range props {
				if p.Name == c.property && slices.ContainsFunc(p.Violations, func(v Violation) bool {
					return strings.Contains(v.Change, c.says) && len(v.Inputs) > 0 && len(v.Where) > 0
				}) {
					return
				}
			}
			t.Errorf("no violation of %s says %q: %+v", c.property, c.says, props)
		})
	}
}
