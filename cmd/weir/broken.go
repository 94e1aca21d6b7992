package main

import "github.com/weir-cdp/weir/stages"

// showQuarantined says how to see what lies in ops.quarantine of each part.
func (a *app) showQuarantined(parts []stages.PartStatus) {
	told := false
	for _, s := range parts {
		if s.Look == "" {
			continue
		}
		if !told {
			a.printf("\nsee what is quarantined:\n")
			told = true
		}
		a.printf("  %s\n", onScreen(s.Look))
	}
}

// showBroken names the definitions that cannot be computed, with place and reason.
func (a *app) showBroken(broken []stages.BrokenDefinition) {
	if len(broken) == 0 {
		return
	}
	rows := make([][]string, 0, len(broken))
	for _, b := range broken {
		reason := b.Reason
		if b.Told {
			reason += " (told by the last run of segment)"
		}
		rows = append(rows, []string{b.What + " " + b.Name, b.Where, cell(reason)})
	}
	a.printf("\nbroken: until it is mended a segment keeps the members that it had, a query its last answers, another trait has no values:\n")
	a.table([]string{"DEFINITION", "PLACE", "REASON"}, rows)
	a.printf("what the last run told of them: %s\n", stages.BrokenQuery)
}
