package main

import (
	"context"
	"fmt"
	"html/template"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies"
)

func (a *app) policyDocs() *cobra.Command {
	var page, today bool
	c := &cobra.Command{
		Use: "docs [DIR]", Short: "The rules as a document, for officers and auditors",
		Long: `Writes each rule with its law, meaning, remedy and owner, as its METADATA has them, and the
cases about it. With --today, how many people it decides about by the decisions in force.
` + policyDir,
		Example: "  weir policy docs > rules.md\n  weir policy docs --html --today > rules.html", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := a.policyDir(args)
			if err != nil {
				return err
			}
			pages, revision, err := policies.Document(cmd.Context(), dir)
			if err != nil {
				return err
			}
			if today {
				if err := a.opened(cmd, func(ctx context.Context, pl *platform) error { return countRules(ctx, pl, pages) }); err != nil {
					return err
				}
			}
			switch {
			case a.json:
				return a.printJSON(pages)
			case page:
				return a.rulesPage(pages, revision)
			}
			a.printf("%s", rulesMarkdown(pages, revision))
			return nil
		},
	}
	c.Flags().BoolVar(&page, "html", false, "one self-contained web page instead of Markdown")
	c.Flags().BoolVar(&today, "today", false, "count the people that each rule decides about")
	return c
}

// countRules fills in what each rule does today.
func countRules(ctx context.Context, pl *platform, pages []policies.RulePage) error {
	counts, err := pl.house.RuleCounts(ctx)
	if err != nil {
		return err
	}
	for i := range pages {
		n := counts[pages[i].Code]
		if n == 0 {
			n = counts[pages[i].Name]
		}
		pages[i].Today = &n
	}
	return nil
}

func rulesMarkdown(pages []policies.RulePage, revision string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Rules of the policy\n\nRevision `%s`.\n", revision)
	for _, r := range pages {
		fmt.Fprintf(&b, "\n## %s %s\n\n%s\n\n", r.Code, r.Title, r.Description)
		for _, row := range ruleRows(r) {
			fmt.Fprintf(&b, "- %s: %s\n", row[0], row[1])
		}
		if len(r.Cases) > 0 {
			b.WriteString("\n| case | about | want | where |\n|---|---|---|---|\n")
		}
		for _, c := range r.Cases {
			fmt.Fprintf(&b, "| %s | %s | %s | `%s` |\n", escaped(c.Name), escaped(c.Title), c.Want, c.Where)
		}
	}
	return b.String()
}

func escaped(s string) string { return strings.ReplaceAll(s, "|", "\\|") }

// ruleRows are what is known of a rule, by name.
func ruleRows(r policies.RulePage) [][2]string {
	today := ""
	if r.Today != nil {
		today = count(*r.Today) + " people"
	}
	var out [][2]string
	for _, row := range [][2]string{{"Law", r.Law}, {"What to do", r.Remedy}, {"Decides today about", today}, {"Owner", r.Owner}, {"Review by", r.ReviewBy}, {"Rule", r.At}, {"See", strings.Join(r.Links, ", ")}} {
		if row[1] != "" {
			out = append(out, row)
		}
	}
	return out
}

var rulesTemplate = template.Must(template.New("rules").Funcs(template.FuncMap{"rows": ruleRows}).Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Rules of the policy</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}h2{margin-top:2.5rem;border-top:1px solid #ddd;padding-top:1rem}
dt{font-weight:600}dd{margin:0 0 .4rem 0}table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.2rem .6rem .2rem 0;border-bottom:1px solid #eee}nav a{margin-right:.6rem}code{font-size:.9em}</style>
<h1>Rules of the policy</h1><p>Revision <code>{{.Revision}}</code></p>
<nav>{{range .Pages}}<a href="#{{.Code}}">{{.Code}}</a> {{end}}</nav>
{{range .Pages}}<section id="{{.Code}}"><h2>{{.Code}} {{.Title}}</h2><p>{{.Description}}</p>
<dl>{{range rows .}}<dt>{{index . 0}}</dt><dd>{{index . 1}}</dd>{{end}}</dl>
{{if .Cases}}<table><tr><th>case<th>about<th>want<th>where</tr>{{range .Cases}}<tr><td>{{.Name}}<td>{{.Title}}<td>{{.Want}}<td><code>{{.Where}}</code></tr>{{end}}</table>{{end}}</section>
{{end}}</html>
`))

func (a *app) rulesPage(pages []policies.RulePage, revision string) error {
	err := rulesTemplate.Execute(a.out, struct {
		Revision string
		Pages    []policies.RulePage
	}{revision, pages})
	if err != nil {
		return weir.Errorf(weir.Internal, "write the page: %w", err)
	}
	return nil
}
