package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/policies/revisions"
	"github.com/weir-cdp/weir/stages"
	"github.com/weir-cdp/weir/workflows"
)

// Plan says what makes a schedule that is missing, and does not name it as Temporal does.
func TestPlanSaysWhoMakesSchedules(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &out, errw: &out}
	a.showDifference(nil, []workflows.Change{{Source: workflows.MaintenanceSchedule, Action: "create"}}, true)
	if got := strings.Join(strings.Fields(out.String()), " "); got != "create schedule of maintenance weir apply does it, or weir dev" {
		t.Errorf("plan: %q", got)
	}
}

// Status names what is broken, where and why, and how to see it and what is quarantined.
func TestStatusTellsOfBrokenDefinitions(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &out, errw: &out}
	look := `weir query "select origin from ops.quarantine where source = 'crm'"`
	a.showStatus(statusView{
		Parts:  []stages.PartStatus{{Stage: weir.Collect, Part: "crm/people", Look: look}, {Stage: weir.Collect, Part: "crm/well"}},
		Broken: []stages.BrokenDefinition{{What: "trait", Name: "spent", Where: "traits/spent.yaml:2:10", Reason: "no such thing", Told: true}}})
	for _, want := range []string{look, "trait spent", "traits/spent.yaml:2:10", "no such thing (told by the last run of segment)", stages.BrokenQuery} {
		if strings.Count(out.String(), want) != 1 {
			t.Errorf("want once %q:\n%s", want, out.String())
		}
	}
	out.Reset()
	a.showStatus(statusView{Parts: []stages.PartStatus{{Stage: weir.Collect, Part: "crm/well"}}})
	if strings.Contains(out.String(), "broken") || strings.Contains(out.String(), "quarantine\n") {
		t.Errorf("nothing is wrong:\n%s", out.String())
	}
}

// Between naming signers and their first revision everything is denied: it is told with
// what to do, and not as if the project's folder ruled.
func TestNothingPublishedIsTold(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &out, errw: &out}
	a.showRevisions(nil, revisions.Standing{}, true)
	if got := out.String(); !strings.Contains(got, "D32") || !strings.Contains(got, "weir policy publish") {
		t.Errorf("signers: %s", got)
	}
	out.Reset()
	a.showRevisions(nil, revisions.Standing{}, false)
	if got := out.String(); !strings.Contains(got, "the built-in policy rules") {
		t.Errorf("no signers: %s", got)
	}
}

// A case that fails is told by name, title and answer, apart.
func TestFailedCasesAreToldApart(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &out, errw: &out}
	a.showTests("p", policies.TestReport{Cases: []policies.CaseResult{{Case: policies.Case{Name: "late", Title: "no yesterday", File: "cases/x.yaml", Line: 3}, Want: "allow", Got: "deny (D06)"}}})
	if want := "FAIL cases/x.yaml:3: case late: no yesterday: want allow, got deny (D06)\n"; !strings.HasPrefix(out.String(), want) {
		t.Errorf("%q", out.String())
	}
}
