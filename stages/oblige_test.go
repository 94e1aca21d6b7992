package stages

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/policies/permit"
)

// obliging is the built-in policy with these rules about obligations.
func obliging(t *testing.T, rules string) func() (*policies.Gate, error) {
	return brokenPolicy(t, func(rel, text string) string {
		if rel == "consent/obligations/obligations.rego" {
			return "package consent.obligations\n\n" + rules + "\n"
		}
		return text
	})
}

// ops lists what the tool applied since, op and profile.
func (w *world) ops(from int) (out []string) {
	for _, r := range w.tool.log[from:] {
		out = append(out, string(r.Op)+" "+r.ProfileID)
	}
	return out
}

// What is dropped or set is done before the destination sees the row, which needs no
// ability; another obligation is another content, so it goes as an update; and what
// stays as it is goes once.
func TestFieldsAreDroppedAndSetBeforeTheyGo(t *testing.T) {
	w := one(t)
	w.deliver()
	w.holds(map[string]string{"a@x.org": "p1 a@x.org Ann"})
	for _, step := range []struct{ rules, holds, ops string }{
		{`due := {{"name": "drop_fields", "value": "first_name, ltv"}}`, "p1 a@x.org <nil>", "update p1"},
		{`due := {{"name": "drop_fields", "value": "first_name"}, {"name": "set", "value": "consent=granted"}}`, "p1 granted a@x.org <nil>", "update p1"},
		{`due := {{"name": "set", "value": "consent=denied"}}`, "p1 denied a@x.org Ann", "update p1"},
		{`due := set()`, "p1 a@x.org Ann", "update p1"},
	} {
		w.gate = obliging(t, step.rules)
		from := len(w.tool.log)
		w.deliver()
		w.holds(map[string]string{"a@x.org": step.holds})
		w.deliver() // nothing is left to do
		if got := strings.Join(w.ops(from), ", "); got != step.ops {
			t.Errorf("%s: %s, want %s%s", step.rules, got, step.ops, w.story())
		}
	}
}

// Case 10, all the way: a customer is written to without consent, on the condition that
// each message offers the way out.
func TestSoftOptInGoesWithItsOptOutLink(t *testing.T) {
	w := newWorld(t)
	w.people["p1"] = citizen{email: "a+b@x.org", name: "Ann", member: true}
	w.settle()
	w.project.Subject.Customer, w.project.Subject.OptOutOffered = []string{"attribute.given_name"}, []string{"attribute.given_name"}
	a := &w.project.Activations[0]
	a.Purpose, a.OptOutLink = "marketing.own_similar", "https://shop.test/leave?a={key}&c={channel}"
	w.people["p1"] = citizen{email: "a+b@x.org", name: "yes", member: true} // a text that says yes
	w.settle()
	w.project.Destinations[0].Privacy.Purposes = []string{a.Purpose}
	w.gate = brokenPolicy(t, func(rel, text string) string {
		switch rel {
		case "data/settings.yaml":
			return strings.Replace(text, "soft_opt_in_link: false", "soft_opt_in_link: true", 1)
		case "data/regimes.yaml":
			return strings.ReplaceAll(text, "limits_retention: true", "limits_retention: false") // the world knows no contacts
		}
		return text
	})
	w.deliver()
	w.holds(map[string]string{}) // the tool sends no links: denied
	for _, d := range ledger[weir.DecisionClass](w, "consent.classes", "") {
		if d.Allow || !slices.Equal(d.Reasons, []string{policies.UnmetObligation}) {
			t.Errorf("%+v", d)
		}
	}
	w.tool.caps.Obligations = []string{policies.IncludeOptOutLink}
	w.deliver()
	w.holds(map[string]string{"a+b@x.org": "p1 a+b@x.org yes https://shop.test/leave?a=a%2Bb%40x.org&c=email"})
	a.OptOutLink = "https://shop.test/bye?p={profile_id}"
	w.deliver()
	w.holds(map[string]string{"a+b@x.org": "p1 a+b@x.org yes https://shop.test/bye?p=p1"})
	for _, d := range ledger[weir.DecisionClass](w, "consent.classes", "where allow") {
		if d.Basis != "soft_opt_in" || d.Obligations != `{"include_optout_link":"yes"}` {
			t.Errorf("%+v", d)
		}
	}
	w.tool.caps.Obligations = nil // it can't any more: who is held goes
	w.deliver()
	w.holds(map[string]string{})
}

// Case 27's other half: a list upload's consent is said of all its rows, so a batch is
// of one class; and who changes classes is sent anew.
func TestPartsAreOfOneClass(t *testing.T) {
	w := one(t)
	w.say("b@x.org", weir.Granted)
	w.say("c@x.org", weir.Granted)
	w.people["p2"], w.people["p3"] = citizen{"b@x.org", "Bob", true}, citizen{"c@x.org", "Cleo", true}
	w.entries[1].Explicit = false
	w.settle()
	w.tool.caps.BatchRows, w.tool.caps.Obligations = 100, []string{policies.PartitionByClass}
	// The rule makes the gate tell express consent apart.
	w.gate = obliging(t, "due contains {\"name\": \"partition_by_class\", \"value\": \"yes\"}\n\ndue contains {\"name\": \"set\", \"value\": \"express=yes\"} if input.consent.explicit == \"yes\"")
	part := map[string]string{}
	w.tool.after = func(_ int, b permit.Batch) error {
		for _, r := range b.Rows() {
			part[r.ProfileID] = b.ClassID()
		}
		return nil
	}
	w.deliver()
	if len(part) != 3 || part["p1"] != part["p3"] || part["p1"] == part["p2"] || part["p1"] == "" {
		t.Fatalf("%v%s", part, w.story())
	}
	was, from := maps.Clone(part), len(w.tool.log)
	w.deliver()
	if len(w.tool.log) != from {
		t.Errorf("sent again: %v", w.ops(from))
	}
	w.entries[2].Explicit = false
	w.settle()
	w.deliver()
	if part["p3"] != was["p2"] || !slices.Equal(w.ops(from), []string{"update p3"}) {
		t.Errorf("%v %v%s", part, w.ops(from), w.story())
	}
	from = len(w.tool.log)
	rules := "due contains {\"name\": \"partition_by_class\", \"value\": \"yes\"}\n\ndue contains {\"name\": \"set\", \"value\": \"express=yes\"} if input.consent.explicit == \"yes\""
	edited := func(days string, rules string) func() (*policies.Gate, error) {
		return brokenPolicy(t, func(rel, text string) string {
			switch rel {
			case "data/retention.yaml":
				return strings.Replace(text, days+": {consent_max_age_days: 730,", days+": {consent_max_age_days: 700,", 1)
			case "consent/obligations/obligations.rego":
				return "package consent.obligations\n\n" + rules + "\n"
			}
			return text
		})
	}
	w.gate = edited("fundraising", rules)
	if row, _ := w.deliver(); row.Counts["decisions"] != 3 || len(w.tool.log) != from {
		t.Errorf("a revision that says the same of everybody decides anew, and sends nothing: %v, sent %v", row.Counts, w.ops(from))
	}
	w.gate = edited("marketing.newsletter", rules) // the days up to which consent counts are a fact of each class
	w.deliver()
	if got := w.ops(from); !slices.Equal(slices.Sorted(slices.Values(got)), []string{"update p1", "update p2", "update p3"}) {
		t.Errorf("a revision by which classes say something else: %v%s", got, w.story())
	}
}

// The same facts under other rules of the same obligations are other classes: a row
// that only moves from part to part is an update though none of its fields changed.
func TestAMoveBetweenPartsAloneIsAnUpdate(t *testing.T) {
	a := weir.ActivationDef{Name: "news", Fields: map[string]string{"email": "email"}}
	row := weir.AudienceRow{ProfileID: "p", Key: "a@x.org", Fields: `{"email":"=a@x.org"}`, Checksum: "c"}.Digested()
	apart := map[string]string{policies.PartitionByClass: "yes"}
	sums := map[string]string{}
	for name, x := range map[string]struct {
		class string
		due   map[string]string
	}{"none": {"c1", nil}, "part 1": {"c1", apart}, "part 2": {"c2", apart}, "other": {"c1", map[string]string{"blur": "5"}}, "other, more": {"c1", map[string]string{"blur": "6"}}} {
		r, err := obliged(a, row, x.class, x.due)
		if err != nil || r.Fields != row.Fields || r.RowDigest == row.RowDigest != (name == "none") {
			t.Errorf("%s: %+v %v", name, r, err)
		}
		if other, double := sums[r.Checksum]; double {
			t.Errorf("%s is as %s", name, other)
		}
		sums[r.Checksum] = name
	}
	same, err := obliged(a, row, "c2", map[string]string{"blur": "5"})
	if err != nil || sums[same.Checksum] != "other" { // classes count only where they are kept apart
		t.Errorf("%v %v", same, err)
	}
}

// What nobody knows is denied, and who is held under it is removed.
func TestAnUnknownObligationDenies(t *testing.T) {
	w := one(t)
	w.deliver()
	w.gate = obliging(t, `due := {{"name": "bless", "value": "yes"}}`)
	row, _ := w.deliver()
	w.holds(map[string]string{})
	if row.Counts["news."+policies.UnmetObligation] != 1 {
		t.Errorf("%v", row.Counts)
	}
	a, err := w.ExplainDecision(t.Context(), w.project, "p1", "news", w.at)
	if err != nil || !a.Explanation.Verdict.Allow || !slices.Equal(a.Unmet, []string{"bless"}) {
		t.Errorf("%+v %v", a, err)
	}
}

// Consents that arrive before the sending are asked about with the obligations of the
// plan; a policy that can't be used changes nothing of what is held under one.
func TestObligationsHoldOnTheWay(t *testing.T) {
	w := one(t)
	w.say("b@x.org", weir.Granted)
	w.people["p2"] = citizen{email: "b@x.org", name: "Bob", member: true}
	w.settle()
	w.gate = obliging(t, `due := {{"name": "drop_fields", "value": "first_name"}}`)
	w.must(weir.Decide, "")
	w.say("b@x.org", weir.Withdrawn)
	w.tell()
	w.must(weir.Activate, "esp")
	w.holds(map[string]string{"a@x.org": "p1 a@x.org <nil>"})
	w.gate = brokenPolicy(t, func(rel, text string) string {
		if strings.HasSuffix(rel, "decision.rego") {
			return text + "\nnot rego at all"
		}
		return text
	})
	if _, row := w.deliver(); row.Status != Unchanged {
		t.Errorf("%s %v%s", row.Status, row.Counts, w.story())
	}
}

// What can't be carried out is told before anything runs.
func TestWhatNobodyCarriesOutIsToldBeforehand(t *testing.T) {
	w := one(t)
	for rules, want := range map[string]string{
		`due := {{"name": "partition_by_class", "value": "yes"}}`:                                              "partition_by_class, which destination esp does not carry out",
		`due contains {"name": "include_optout_link", "value": "yes"} if input.subject.customer == "yes"`:      "add optout_link",
		`due contains {"name": "partition_by_class", "value": "yes"} if input.destination.google == "yes"`:     "",
		`due := {{"name": "drop_fields", "value": "first_name"}, {"name": "set", "value": "consent=granted"}}`: "",
	} {
		g, err := obliging(t, rules)()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, u := range w.Unobliging(t.Context(), w.project, g) {
			got = append(got, u.Problem.String())
		}
		if text := strings.Join(got, "\n"); (want == "") != (text == "") || !strings.Contains(text, want) {
			t.Errorf("%s: %s", rules, text)
		}
	}
}

// A destination that can't be opened must not look like one that carries out nothing:
// that would remove everybody.
func TestADestinationThatCantBeOpenedRemovesNobody(t *testing.T) {
	w := one(t)
	w.gate = obliging(t, `due := {{"name": "partition_by_class", "value": "yes"}}`)
	w.tool.caps.Obligations = []string{policies.PartitionByClass}
	w.deliver()
	c := w.Connectors["tool"]
	w.Connectors["tool"] = connectors.Connector{Name: "tool", OpenDestination: func(context.Context, connectors.Env, connectors.Settings) (connectors.Destination, error) {
		return nil, weir.Errorf(weir.Unavailable, "away")
	}}
	if _, err := w.pass(weir.Decide, "", w.next()); weir.CodeOf(err) != weir.Unavailable {
		t.Errorf("%v", err)
	}
	w.Connectors["tool"] = c
	w.deliver()
	w.holds(map[string]string{"a@x.org": "p1 a@x.org Ann"})
}
