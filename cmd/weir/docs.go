package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// docsCommand writes the references in docs/ from the declarations; make generate
// calls it.
func (a *app) docsCommand() *cobra.Command {
	page := func(use, short string, write func(root *cobra.Command) string) *cobra.Command {
		return &cobra.Command{Use: use, Short: short, Example: "  weir docs " + use + " > docs/" + use + ".md", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				text := write(cmd.Root())
				if a.json {
					return a.printJSON(map[string]string{"markdown": text})
				}
				a.printf("%s", text)
				return nil
			}}
	}
	return group("docs", "Print the references: tables, connectors, commands",
		"  weir docs commands\n  weir docs tables",
		page("tables", "Every table and column, and how to read them from elsewhere", func(*cobra.Command) string { return tablesDoc + schema.Markdown(schema.Fixed()) }),
		page("connectors", "Every connector's settings", func(*cobra.Command) string { return connectorsDoc(systems()) }),
		page("commands", "Every command and flag", commandsDoc))
}

const generated = "<!-- Made by weir docs; edit the declarations, not this file. -->\n\n"

const tablesDoc = "# Tables\n\n" + generated + `All tables are Iceberg tables (format version 2, unpartitioned, no delete files) of
Parquet files in the lake's bucket. ` + "`weir query`" + ` reads them with DuckDB; PyIceberg, DuckDB
and Spark read the same files without Weir's code.

## Which snapshot to read

A stage that writes several tables commits each of them, and then appends one row to
` + "`ops.runs`" + ` that names the snapshot of every table it wrote. Only then is its output
current. So a reader that wants whole results does not read a table's newest snapshot,
but the one that ` + "`ops.runs`" + ` pins:

1. Read the newest snapshot of ` + "`ops.runs`" + `, the one table that nothing pins.
2. Keep rows whose ` + "`status`" + ` is ` + "`done`, `unchanged` or `partial`" + `; a failed run pins nothing.
   (` + "`partial`" + ` means that something was newly quarantined or not delivered; the tables are whole.)
3. Of the snapshot ids that the ` + "`snapshots`" + ` maps of these rows name for a table, take the
   one that is latest in the table's own order: the highest sequence number in its
   metadata. (Not the latest ` + "`ended_at`" + `: clocks of several machines may disagree.)
4. Read that snapshot of the table.

For the tables as they were at a moment, keep in step 2 only rows with ` + "`ended_at`" + ` up to
it. Snapshots older than ` + "`retention.snapshots`" + ` in weir.yaml expire, except those pinned now.

With PyIceberg:

` + "```python" + `
runs = catalog.load_table("ops.runs").scan().to_arrow().to_pylist()
table = catalog.load_table("core.profiles")
order = {s.snapshot_id: s.sequence_number for s in table.metadata.snapshots}
pins = [dict(r["snapshots"]).get("core.profiles") for r in runs if r["status"] in ("done", "unchanged", "partial")]
pinned = max((p for p in pins if p in order), key=order.get)
profiles = table.scan(snapshot_id=pinned).to_arrow()
` + "```" + `

In SQL of Weir (the views are pinned already):

` + "```sql" + `
select stage, part, status, ended_at, map_keys(snapshots) from ops.runs order by ended_at desc limit 10;
` + "```" + `

` + "`core.records` and `core.profiles`" + ` have, beside the columns below, one column per attribute
that the project maps; ` + "`raw.<source>__<stream>`" + ` has the source's columns and Weir's own
(` + "`_weir_row_id`, `_weir_collected_at`, `_weir_origin`, `_weir_op`" + `: upsert,
delete, or former for a row of a consent stream that its source no longer has).

`

func connectorsDoc(all map[string]connectors.Connector) string {
	var b strings.Builder
	b.WriteString("# Connectors\n\n" + generated)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		b.WriteString(connectors.Markdown(all[name]) + "\n")
	}
	return b.String()
}

// commandsDoc writes the tree of commands.
func commandsDoc(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("# Commands\n\n" + generated)
	b.WriteString("Every command takes these flags. Exit codes: 0 done, 1 failed, 2 wrong use or an invalid\nproject, 3 partly done (something was newly quarantined, or not delivered).\n\n")
	fmt.Fprintf(&b, "```text\n%s```\n", root.PersistentFlags().FlagUsages())
	writeCommands(&b, root)
	return b.String()
}

func writeCommands(b *strings.Builder, c *cobra.Command) {
	for _, sub := range c.Commands() {
		if sub.Hidden || sub.Name() == "help" || sub.Name() == "completion" {
			continue
		}
		if sub.Runnable() && !sub.HasSubCommands() {
			fmt.Fprintf(b, "\n## %s\n\n%s.\n", strings.TrimSuffix(sub.UseLine(), " [flags]"), sub.Short)
			if sub.Long != "" {
				fmt.Fprintf(b, "\n%s\n", sub.Long)
			}
			if sub.Example != "" {
				fmt.Fprintf(b, "\n```sh\n%s\n```\n", dedent(sub.Example))
			}
			if f := sub.LocalNonPersistentFlags(); f.HasAvailableFlags() {
				fmt.Fprintf(b, "\n```text\n%s```\n", f.FlagUsages())
			}
		}
		writeCommands(b, sub)
	}
}

func dedent(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], "  ")
	}
	return strings.Join(lines, "\n")
}
