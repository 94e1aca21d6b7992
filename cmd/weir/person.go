package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/stages"
)

func (a *app) profileCommand() *cobra.Command {
	get := &cobra.Command{
		Use:   "get KIND:VALUE | PROFILE_ID | RECORD_ID",
		Short: "All that is known of one profile, and where each field comes from",
		Long: `Shows the golden record with the record and rule that gave each field, identifiers,
records, accounts or people, traits, segments, consents, decisions and deliveries. An id that was given
up in a merge leads to the profile that it became.`,
		Example: "  weir profile get email:jo@example.org\n  weir profile get crm/contacts/42\n  weir profile get p_abc --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				v, err := pl.house.Profile(ctx, args[0])
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(v)
				}
				a.showProfile(v)
				return nil
			})
		},
	}
	return group("profile", "Look at golden records",
		"  weir profile get email:jo@example.org",
		get)
}

func (a *app) showProfile(v stages.ProfileView) {
	p := v.Profile
	a.printf("%s %s, %d records, seen %s to %s\n", p.Kind, p.ID, p.Records, when(p.FirstSeenAt), when(p.LastSeenAt))
	if v.Who.Was != "" {
		a.printf("(%s became it)\n", v.Who.Was)
	}
	origin := map[string]stages.FieldOrigin{}
	for _, l := range v.Lineage {
		origin[l.Field] = l
	}
	var rows [][]string
	for _, name := range slices.Sorted(maps.Keys(p.Attributes)) {
		o := origin[name]
		rows = append(rows, []string{name, cell(p.Attributes[name]), o.RecordID, o.Rule, when(o.ObservedAt)})
	}
	a.section("FIELD\tVALUE\tFROM RECORD\tRULE\tOBSERVED (UTC)", rows)
	rows = nil
	for _, kind := range slices.Sorted(maps.Keys(p.Identifiers)) {
		rows = append(rows, []string{kind, cell(strings.Join(p.Identifiers[kind], ", "))})
	}
	a.section("IDENTIFIER\tVALUES", rows)
	rows = nil
	for _, r := range v.Records {
		rows = append(rows, []string{r.RecordID, when(r.ObservedAt)})
	}
	a.section("RECORD\tOBSERVED (UTC)", rows)
	rows = nil
	for _, e := range v.Accounts {
		rows = append(rows, []string{e.ProfileID, cell(e.Name), e.By, cell(e.Value)})
	}
	a.section("BELONGS TO\tNAME\tBY\tVALUE", rows)
	rows = nil
	for _, e := range v.Staff.First {
		rows = append(rows, []string{e.ProfileID, e.By, cell(e.Value)})
	}
	a.section(fmt.Sprintf("PEOPLE (%s)\tBY\tVALUE", count(v.Staff.People)), rows)
	rows = nil
	for _, t := range v.Traits {
		rows = append(rows, []string{t.Name, cell(t.Value)})
	}
	a.section("TRAIT\tVALUE", rows)
	rows = nil
	for _, m := range v.Segments {
		rows = append(rows, []string{m.Segment, when(m.EnteredAt)})
	}
	a.section("SEGMENT\tSINCE (UTC)", rows)
	a.showEntries(v.Consents)
	rows = nil
	for _, d := range v.Decisions {
		rows = append(rows, []string{d.Activation, yes(d.Allow), d.Basis, strings.Join(d.Reasons, " "), when(d.At), when(d.ValidUntil)})
	}
	a.section("ACTIVATION\tALLOWED\tBASIS\tREASONS\tDECIDED (UTC)\tUNTIL (UTC)", rows)
	rows = nil
	for _, s := range v.Sent {
		rows = append(rows, []string{s.Activation, s.Destination, string(s.Op), s.Status, when(s.At), cell(s.Reply)})
	}
	a.section("SENT BY\tTO\tOP\tSTATUS\tAT (UTC)\tREPLY", rows)
}

// widestCell bounds what a person is shown of one value: a long one would widen the
// column in every row. --json has all of it.
const widestCell = 200

// section writes a table with a line before it, if it has rows.
func (a *app) section(header string, rows [][]string) {
	if len(rows) > 0 {
		a.printf("\n")
		for _, r := range rows {
			for i := range r {
				r[i] = shortened(r[i], widestCell)
			}
		}
		a.table(strings.Split(header, "\t"), rows)
	}
}

func (a *app) identityExplain() *cobra.Command {
	return &cobra.Command{
		Use:   "explain A B",
		Short: "Why two records or profiles are one, or why they are not",
		Long: `Shows the strongest chain of evidence between two records, profiles or identifier
values. If they are apart, it shows the chain that would have joined them with what
refused it, and the values that both hold but that count for nothing.`,
		Example: "  weir identity explain crm/contacts/1 shop/customers/77\n  weir identity explain email:jo@example.org email:j.doe@example.org",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				e, err := pl.house.ExplainIdentity(ctx, pl.project, args[0], args[1])
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(e)
				}
				a.showEvidence(e)
				return nil
			})
		},
	}
}

func (a *app) showEvidence(e stages.Evidence) {
	switch {
	case e.Same:
		a.printf("one profile: %s\n", e.A.ProfileID)
	default:
		a.printf("not the same: %s and %s\n", leads(e.A), leads(e.B))
	}
	if len(e.Path) == 0 && e.Same {
		a.printf("one record holds both\n")
	}
	var rows [][]string
	for _, h := range e.Path {
		used := "used"
		if !h.Edge.Used {
			used = "refused by " + h.Edge.RefusedBy
			if bits, doubted := strings.CutPrefix(h.Edge.RefusedBy, "doubt: "); doubted {
				used = "refused: all pairs of the two sides sum up to " + bits + " bits"
			}
		}
		rows = append(rows, []string{h.From, h.To, h.Edge.Rule, fmt.Sprintf("%.2f", h.Edge.Weight), fmt.Sprintf("%.4f", h.Edge.Probability), used})
	}
	a.section("FROM\tTO\tRULE\tWEIGHT\tPROBABILITY\tEVIDENCE", rows)
	if len(e.Path) == 0 && !e.Same {
		a.printf("there is no evidence between them\n")
	}
	a.showDecisions(e)
	rows = nil
	for _, s := range e.Shared {
		worth := "evidence"
		switch {
		case s.Why != "":
			worth = "none: " + s.Why + unusableTo(s.Rules)
		case s.Ambiguous:
			worth = "none: on too many profiles" + unusableTo(s.Rules)
		case s.NoLink:
			worth = "none: link: false in identity.yaml"
		}
		rows = append(rows, []string{s.Kind, cell(s.Value), worth})
	}
	a.section("BOTH HOLD\tVALUE\tCOUNTS AS", rows)
	if e.Partial {
		a.sayf("weir: the graph around them is too large to read whole; there may be stronger evidence\n")
	}
}

// unusableTo names the rules that a worthless value keeps from holding.
func unusableTo(rules []string) string {
	if len(rules) == 0 {
		return ""
	}
	return "; can't be used by " + strings.Join(rules, ", ")
}

func leads(w stages.Who) string {
	if w.ProfileID == "" {
		return fmt.Sprintf("a value on %d profiles", len(w.Holders))
	}
	return w.ProfileID
}

func (a *app) identityReport() *cobra.Command {
	var top int
	c := &cobra.Command{
		Use: "report", Aliases: []string{"ls"},
		Short:   "Counts by rule, values that lead nowhere, the largest profiles",
		Example: "  weir identity report --top 20",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if top < 1 {
				return weir.Errorf(weir.Invalid, "--top is at least 1").Then("weir identity report --top 10")
			}
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				r, err := pl.house.ReportIdentity(ctx, pl.project, top)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(r)
				}
				a.printf("%s records, profiles: %s; changes of ids ever: %s\n", count(r.Records), counts(r.Profiles), counts(r.Changes))
				a.showDrift(r.Drift)
				var rows [][]string
				for _, x := range r.Rules {
					rows = append(rows, []string{x.Rule, count(x.Used), count(x.Refused)})
				}
				a.section("RULE\tEDGES USED\tREFUSED", rows)
				a.showFigures(r)
				rows = nil
				for _, k := range slices.Sorted(maps.Keys(r.Ambiguous)) {
					rows = append(rows, []string{k, count(r.Ambiguous[k])})
				}
				a.section("KIND\tVALUES THAT LEAD NOWHERE", rows)
				a.showShared("HUB (MORE THAN shared_by)\tVALUE\tPROFILES\tWHY", r.Hubs)
				a.showShared("BLOCKED\tVALUE\tPROFILES\tWHY", r.Worthless)
				a.showShared("ON SEVERAL PROFILES\tVALUE\tPROFILES\tWHY", r.Shared)
				rows = nil
				for _, x := range r.Largest {
					rows = append(rows, []string{x.ProfileID, count(x.Records)})
				}
				a.section("LARGEST PROFILE\tRECORDS", rows)
				return nil
			})
		},
	}
	c.Flags().IntVar(&top, "top", 10, "how many hubs and large profiles")
	return c
}

// showShared lists values that are on several profiles; the last column is there
// where something is known for it.
func (a *app) showShared(head string, values []stages.Hub) {
	var rows [][]string
	why := false
	for _, x := range values {
		rows = append(rows, []string{x.Kind, cell(x.Value), count(x.Profiles), x.Why})
		why = why || x.Why != ""
	}
	if !why {
		head = strings.TrimSuffix(head, "\tWHY")
		for i := range rows {
			rows[i] = rows[i][:3]
		}
	}
	a.section(head, rows)
}

// counts writes counts by name in one line.
func counts(m map[string]int64) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, k+" "+count(m[k]))
	}
	if len(out) == 0 {
		return "none"
	}
	return strings.Join(out, ", ")
}
