package project

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/weir-cdp/weir"
)

var columnName = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

// longestQuery is the most that a query may ask for: the other segments wait for it.
const longestQuery = 30 * time.Minute

// query reads `query:` of a trait.
func (r *reader) query(trait string, n *yaml.Node) *weir.QueryDef {
	d := &weir.QueryDef{Trait: trait, At: r.at(n)}
	r.object(n, keys{
		"sql":     r.text(&d.SQL),
		"columns": func(n *yaml.Node) { d.Columns = r.columns(n) },
		"timeout": func(n *yaml.Node) {
			r.duration(&d.Timeout)(n)
			if d.Timeout < time.Second || d.Timeout > longestQuery {
				r.problem(n, "write it like 90s", "a query's timeout is from 1s to 30m")
			}
		},
	})
	if strings.TrimSpace(d.SQL) == "" {
		r.lacks("sql", n, "add sql: select profile_id, … from …", "a query needs its sql")
	}
	if len(d.Columns) == 0 {
		r.lacks("columns", n, "add columns: {value: number}", "a query needs its columns and their types")
	}
	return d
}

// columns reads {tickets: number, last_ticket: time}.
func (r *reader) columns(n *yaml.Node) []weir.QueryColumn {
	types := []string{string(weir.Text), string(weir.Number), string(weir.Date), string(weir.Instant), string(weir.Boolean)}
	var out []weir.QueryColumn
	r.each(n, func(k, v *yaml.Node) {
		c := weir.QueryColumn{Name: k.Value}
		if !columnName.MatchString(c.Name) || c.Name == "profile_id" {
			r.problem(k, "name the query's columns beside profile_id: small letters, digits and _", "%q is no column that becomes a trait", c.Name)
		}
		var kind string
		r.oneOf(&kind, types...)(v)
		c.Type = weir.AttributeType(kind)
		out = append(out, c)
	})
	slices.SortFunc(out, func(a, b weir.QueryColumn) int { return strings.Compare(a.Name, b.Name) })
	return out
}
