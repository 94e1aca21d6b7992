package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/stages"
)

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
