package stages

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/policies/consents"
	"github.com/weir-cdp/weir/project"
)

var letter = weir.ActivationDef{Name: "letter", Segment: "vip", Destination: "esp", Purpose: "marketing.newsletter", Channel: "email",
	Mode: weir.Mirror, Key: "email", Fields: map[string]string{"email": "email", "first_name": "given_name"}}

func withLetter() *project.Project {
	p := *hamlet
	p.Subject = weir.SubjectDef{Jurisdiction: []string{"consent.jurisdiction"}}
	p.Activations = []weir.ActivationDef{letter}
	p.Destinations = []project.Destination{{Name: "esp", Privacy: weir.Privacy{Role: "processor", Kind: "esp", Transfer: "none", Country: "FR",
		Mechanism: "adequacy", DPA: true, Purposes: []string{"marketing.newsletter"}}}}
	return &p
}

func TestConsentsFoldedForTheAddressAskedFor(t *testing.T) {
	v := people(t)
	c, err := v.Consents(t.Context(), withLetter(), "email:jo@x.org", noon)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Entries) != 2 || c.Entries[0].ID != "n1" || len(c.Folded) != 2 {
		t.Fatalf("%+v", c)
	}
	if c.Folded[0].Channel != "email" || c.Folded[0].State.Status != consents.Given || c.Folded[1].State.Status != consents.Withdrawn {
		t.Errorf("folded %+v", c.Folded)
	}
	c, err = v.Consents(t.Context(), withLetter(), "phone:+33100000000", noon)
	if err != nil || c.Who.ProfileID != "" || len(c.Entries) != 0 || c.Folded[0].State.Status != consents.None {
		t.Errorf("a value of nobody's has its own entries alone: %+v %v", c, err)
	}
}

func TestTheGateExplained(t *testing.T) {
	v := people(t)
	a, err := v.ExplainDecision(t.Context(), withLetter(), "p_jo", "letter", noon)
	if err != nil {
		t.Fatal(err)
	}
	if !a.Member || a.Held || !a.HasKey || !a.Explanation.Verdict.Allow || a.Explanation.Basis == nil || a.Recorded != nil {
		t.Errorf("%+v", a)
	}
	a, err = v.ExplainDecision(t.Context(), withLetter(), "email:al@x.org", "letter", noon)
	if err != nil || a.Member || a.Explanation.Verdict.Allow || len(a.Explanation.Reasons) == 0 || a.Explanation.Reasons[0].Remedy == "" {
		t.Errorf("without a grant: %+v %v", a.Explanation, err)
	}
	text, err := json.Marshal(a.Input)
	if err != nil || strings.Contains(string(text), "al@x.org") {
		t.Errorf("the question holds an address: %s %v", text, err)
	}
	if _, err = v.ExplainDecision(t.Context(), withLetter(), "letter", "p_jo", noon); weir.CodeOf(err) != weir.Invalid || !strings.Contains(err.Error(), "weir policy explain p_jo letter") {
		t.Errorf("swapped arguments: %v", err)
	}
	if _, err = v.ExplainDecision(t.Context(), withLetter(), "p_jo", "leter", noon); weir.CodeOf(err) != weir.NotFound {
		t.Errorf("an unknown activation: %v", err)
	}
}

// decided lets the village's audience be what letter sends.
func decided(v *village) {
	putNamed(v, "consent.decisions", weir.Decide,
		weir.Decision{ID: "d1", RunID: "r", Activation: "letter", ProfileID: "p_al", ClassID: "c", Allow: true, At: noon},
		weir.Decision{ID: "d2", RunID: "r", Activation: "letter", ProfileID: "p_jo", ClassID: "c", Allow: true, At: noon})
	put(v, schema.Named("activation.audience"), weir.Decide, "letter",
		weir.AudienceRow{Activation: "letter", ProfileID: "p_al", Key: "al@x.org", Fields: `{"email":"=al@x.org"}`, Checksum: "1", ClassID: "c", DecisionID: "d1"},
		weir.AudienceRow{Activation: "letter", ProfileID: "p_jo", Key: "jo@x.org", Fields: `{"email":"=jo@x.org","first_name":"=Jo"}`, Checksum: "2", ClassID: "c", DecisionID: "d2"})
}

func sentRow(profile, key, checksum, status string, sequence int64, at time.Time) weir.Delivery {
	return weir.Delivery{ID: "x" + profile + status + checksum, RunID: "r0", Activation: "letter", Destination: "esp", ProfileID: profile, DeliveredKey: key,
		Op: weir.Add, DecisionID: "d", Checksum: checksum, Sequence: sequence, Status: status, Attempts: 1, Reply: "422", At: at}
}

func TestRejectedRowsWaitUntilTheyAreRedriven(t *testing.T) {
	v := people(t)
	decided(v)
	p := withLetter()
	preview := func(adds, rejected int64) {
		t.Helper()
		a, err := v.PreviewActivation(t.Context(), p, "letter", 1)
		if err != nil {
			t.Fatal(err)
		}
		if a.Counts["add"] != adds || a.Rejected != rejected || len(a.Sample) != min(1, int(adds)) {
			t.Fatalf("%+v, want %d adds, %d rejected", a, adds, rejected)
		}
		for _, s := range a.Sample {
			if strings.Contains(s.Key, "jo@") || !strings.HasSuffix(s.Key, "***@x.org") {
				t.Errorf("the address is shown: %s", s.Key)
			}
		}
	}
	preview(2, 0)
	run := func(n int) weir.Run {
		return weir.Run{Workspace: "shop", ID: weir.NewRunID(noon.Add(time.Duration(n)*time.Hour), "bb"), Now: noon}
	}
	if _, err := v.Redrive(t.Context(), run(1), "letter", ""); weir.CodeOf(err) != weir.NotFound {
		t.Errorf("nothing to redrive: %v", err)
	}
	later := noon.Add(time.Hour) // the refusing run's now was later than the redrive's
	putNamed(v, "activation.deliveries", weir.Activate, sentRow("p_al", "al@x.org", "1", "rejected", 1, later), sentRow("p_jo", "jo@x.org", "2", "rejected", 1, later))
	preview(0, 2)
	rows, err := v.Redrive(t.Context(), run(2), "letter", "xp_jorejected2")
	if err != nil || len(rows) != 1 || rows[0].ProfileID != "p_jo" {
		t.Fatalf("%v %v", rows, err)
	}
	preview(1, 1)
	if _, err := v.Redrive(t.Context(), run(3), "letter", "xp_jorejected2"); weir.CodeOf(err) != weir.NotFound {
		t.Errorf("the same delivery twice: %v", err)
	}
	if rows, err = v.Redrive(t.Context(), run(4), "letter", ""); err != nil || len(rows) != 1 || rows[0].ProfileID != "p_al" {
		t.Fatalf("%v %v", rows, err)
	}
	preview(2, 0)
	runs, err := v.Lake.Runs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	last := runs[len(runs)-1]
	if last.Stage != weir.Activate || last.Part != "esp" || last.Counts["redriven"] != 1 {
		t.Errorf("ops.runs says %+v", last)
	}
}

// A refusal counts as long as it is the last word: what was delivered since may
// come again.
func TestAnOldRefusalIsForgotten(t *testing.T) {
	v := people(t)
	decided(v)
	putNamed(v, "activation.deliveries", weir.Activate, sentRow("p_jo", "jo@x.org", "2", "rejected", 1, noon), sentRow("p_jo", "jo@x.org", "3", "delivered", 2, noon.Add(time.Minute)))
	a, err := v.PreviewActivation(t.Context(), withLetter(), "letter", 5)
	if err != nil || a.Counts["add"] != 2 || a.Rejected != 0 {
		t.Errorf("%+v %v", a, err)
	}
}
