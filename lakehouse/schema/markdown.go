package schema

import (
	"fmt"
	"strings"
)

// Markdown writes the tables as a reference, in the order given: docs/tables.md
// is made from it.
func Markdown(tables []Table) string {
	var b strings.Builder
	for _, t := range tables {
		fmt.Fprintf(&b, "## %s\n\n%s\n\n", t.Name, t.Doc)
		fmt.Fprintf(&b, "Key: %s. ", list(t.Key, "none"))
		if len(t.PersonBy) == 0 {
			b.WriteString("Holds nothing about a person.\n\n")
		} else {
			fmt.Fprintf(&b, "A person is found by: %s.\n\n", list(t.PersonBy, ""))
		}
		b.WriteString("| column | type | null | field id | meaning |\n|---|---|---|---|---|\n")
		for _, c := range t.Columns {
			null, id := "yes", "assigned"
			if c.Required {
				null = "no"
			}
			if c.ID != 0 {
				id = fmt.Sprint(c.ID)
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", c.Name, escape(string(c.Type)), null, id, escape(c.Doc))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func list(names []string, none string) string {
	if len(names) == 0 {
		return none
	}
	return "`" + strings.Join(names, "`, `") + "`"
}

func escape(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "|", `\|`), "\n", " ") }
