package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/stages"
)

func (a *app) showPreview(v stages.DecisionPreview) {
	d := v.Decision
	switch d.Change {
	case weir.DecidedApart:
		a.printf("apart: %s from %s\n", several(len(d.Moves), "record"), several(len(d.Stays), "record"))
	case weir.DecidedTogether:
		a.printf("together: %s\n", several(len(d.Stays), "record"))
	default:
		a.printf("withdrawn: %s\n", d.Undoes)
	}
	a.printf("by %s: %s\n", cell(d.Author), cell(d.Reason))
	if len(d.Overrules) > 0 {
		a.printf("overrules, as far as they contradict it: %s\n", strings.Join(d.Overrules, ", "))
	}
	if v.Pending {
		a.printf("other changes wait for the next run too; they are in what follows\n")
	}
	for _, r := range v.Refused {
		a.printf("does not join all of them: refused by %s\n", r)
	}
	if v.Moved == 0 && len(v.Identifiers) == 0 {
		a.printf("nothing changes now; later runs respect it\n")
		return
	}
	var rows [][]string
	for _, m := range v.Moves {
		rows = append(rows, []string{m.RecordID, m.From, m.To})
	}
	a.section("RECORD\tFROM\tTO", rows)
	if more := v.Moved - int64(len(v.Moves)); more > 0 {
		a.printf("and %s more records\n", count(more))
	}
	for _, p := range v.Profiles {
		a.showEffect(p)
	}
	if v.More > 0 {
		a.printf("\nand %s more profiles\n", count(v.More))
	}
	rows = nil
	for _, i := range v.Identifiers {
		rows = append(rows, []string{i.Kind, cell(i.Value), nobody(i.Before), nobody(i.After)})
	}
	a.section("IDENTIFIER\tVALUE\tLED TO\tLEADS TO", rows)
	rows = nil
	for _, e := range v.Events {
		rows = append(rows, []string{count(e.Events), nobody(e.From), nobody(e.To)})
	}
	a.section("EVENTS\tFROM\tTO", rows)
	a.printf("\n")
}

func (a *app) showEffect(p stages.ProfileEffect) {
	state := p.State
	if p.Into != "" {
		state += ", into " + p.Into
	}
	records := several(int(p.Records[1]), "record")
	if p.State == "stays" && p.Records[0] != p.Records[1] {
		records += ", before " + count(p.Records[0])
	}
	if p.State == "gone" {
		records = "had " + several(int(p.Records[0]), "record")
	}
	a.printf("\n%s (%s): %s\n", p.ProfileID, state, records)
	var rows [][]string
	for _, f := range p.Fields {
		rows = append(rows, []string{"  " + f.Field, cell(f.Before), cell(f.After)})
	}
	for _, s := range p.Segments {
		rows = append(rows, []string{"  segment " + s.Segment, map[string]string{"exit": "member"}[s.Change], map[string]string{"enter": "member"}[s.Change]})
	}
	if len(rows) > 0 {
		a.table([]string{"  FIELD", "BEFORE", "AFTER"}, rows)
	}
}

func nobody(profile string) string {
	if profile == "" {
		return "nobody"
	}
	return profile
}

func several(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(int64(n)) + " " + one + "s"
}

// showDecisions tells what people decided about the two.
func (a *app) showDecisions(e stages.Evidence) {
	var rows [][]string
	for _, d := range e.Decisions {
		rows = append(rows, []string{d.ID, d.Change, cell(d.Author), when(d.At), cell(d.Reason)})
	}
	a.section("DECISION\tSAYS\tAUTHOR\tAT (UTC)\tREASON", rows)
}

// showFigures tells what the last runs made of the records.
func (a *app) showFigures(r stages.IdentityReport) {
	var rows [][]string
	for _, m := range r.Rates {
		name := "all"
		if m.Source != "" {
			name = m.Source
		}
		rows = append(rows, []string{m.Kind, orAny(m.Rule), name, count(m.Records), count(m.Matched), percent(m.Matched, m.Records), count(m.Unlinkable)})
	}
	a.section("KIND\tRULE\tSOURCE\tRECORDS\tMATCHED\tRATE\tNOTHING TO COMPARE", rows)
	rows = nil
	for _, l := range r.Limits {
		worst := ""
		for _, p := range l.Worst[:min(3, len(l.Worst))] {
			worst += fmt.Sprintf("%s (%d) ", p.ProfileID, p.Values)
		}
		limit := count(int64(l.Limit))
		if l.Hard {
			limit += ", hard"
		}
		rows = append(rows, []string{l.Identifier, limit, count(l.Refused), count(l.Over), count(l.Most), count(l.Contra), strings.TrimSpace(worst)})
	}
	a.section("LIMIT OF\tVALUES\tEDGES REFUSED\tPROFILES OVER IT\tMOST VALUES\tRECORDS OVER IT\tWORST PROFILES", rows)
	rows = nil
	for _, k := range slices.Sorted(maps.Keys(r.Blocked)) {
		rows = append(rows, []string{strings.ReplaceAll(k, "_", " "), count(r.Blocked[k])})
	}
	a.section("BLOCKED BECAUSE\tVALUES", rows)
	rows = nil
	for _, x := range r.Runs {
		rows = append(rows, []string{string(x.RunID), count(x.Records), percent(x.Matched, x.Records), count(x.Profiles), count(x.Largest)})
	}
	a.section("RUN\tRECORDS\tMATCHED\tPROFILES\tLARGEST", rows)
}

func orAny(s string) string {
	if s == "" {
		return "any"
	}
	return s
}

func percent(n, of int64) string {
	if of == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(of))
}
