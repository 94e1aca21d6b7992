package stages

import (
	"cmp"
	"context"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// gather turns the splits' files into one commit of the raw table and one of
// the quarantine.
func (c *collect) gather(ctx context.Context, sp collectSpec, done []landed) (result, error) {
	r := result{Manifest: weir.Manifest{Run: sp.Run, Stage: weir.Collect, Counts: map[string]int64{}},
		Part: sp.Source + "/" + sp.Stream, Properties: map[string]map[string]string{
			sp.Table: {cursorProperty: sp.Plan.Cursor, rewindProperty: "", collectedProperty: sp.CollectedAt.UTC().Format(time.RFC3339Nano)}}}
	gone := map[string]bool{} // scopes that lose their rows
	for _, s := range sp.Plan.Drop {
		gone[s] = true
	}
	if sp.Drop {
		gone[""] = true // rows that belong to no scope were appended
		for _, s := range sp.Held {
			gone[s] = true
		}
	}
	// Rows that are read without a scope join what was appended before, or take
	// its place. The entry is there in any case: the cursor moves with it.
	appended := weir.TableFiles{Table: sp.Table, Replace: gone[""]}
	var unscoped []weir.DataFile
	delete(gone, "")
	if sp.Plan.Missing > 0 {
		r.Counts[missingScopes] = sp.Plan.Missing
	}
	for i, split := range sp.Plan.Splits {
		d := done[i]
		r.Counts["rows_in"] += d.Rows + d.Withheld
		r.Counts["rows_out"] += d.Rows
		r.Counts["quarantined"] += d.Rejected
		r.Counts["withheld"] += d.Withheld
		if split.Scope == "" {
			appended.Files = append(appended.Files, d.Files...)
			unscoped = append(unscoped, d.Quarantine...)
			continue
		}
		delete(gone, split.Scope)
		r.Tables = append(r.Tables, weir.TableFiles{Table: quarantineTable, Scope: sp.quarantine(split.Scope), Replace: true, Files: d.Quarantine})
		if d.Failed == "" { // else its scope keeps what it held, and is tried again next time
			r.Tables = append(r.Tables, weir.TableFiles{Table: sp.Table, Scope: scoped(split), Replace: true, Files: d.Files})
		}
	}
	for _, scope := range slices.Sorted(maps.Keys(gone)) {
		r.Tables = append(r.Tables, weir.TableFiles{Table: sp.Table, Scope: scopeName(scope), Replace: true},
			weir.TableFiles{Table: quarantineTable, Scope: sp.quarantine(scope), Replace: true})
	}
	more, err := c.unscoped(ctx, sp, unscoped)
	if err != nil {
		return r, err
	}
	r.Tables = append(append(r.Tables, appended), more...)
	if err := c.keepFormer(ctx, sp, &r, done); err != nil {
		return r, err
	}
	// The quarantine is committed first: once the raw table's cursor has moved on,
	// nobody would tell of these rows again.
	slices.SortStableFunc(r.Tables, func(a, b weir.TableFiles) int {
		return cmp.Compare(rank(a.Table == quarantineTable), rank(b.Table == quarantineTable))
	})
	if err := c.ensure(ctx, sp.Table); err != nil {
		return r, err
	}
	if err := c.tellNews(ctx, &r); err != nil {
		return r, err
	}
	if r.Counts[newRows] > 0 {
		r.Status = Partial
	}
	return r, c.guard(ctx, sp, &r, done)
}

// scopeName makes a connector's scope fit for a table's: "@" separates the version.
func scopeName(scope string) string { return url.QueryEscape(scope) }

// connectorName is scopeName's inverse.
func connectorName(scope string) string {
	if name, err := url.QueryUnescape(scope); err == nil {
		return name
	}
	return scope
}

func scoped(s connectors.Split) string { return scopeName(s.Scope) + "@" + scopeName(s.Version) }

func rank(first bool) int {
	if first {
		return 0
	}
	return 1
}

// ensure makes the raw table of a stream that has no rows.
func (c *collect) ensure(ctx context.Context, raw string) error {
	_, err := c.Lake.Describe(ctx, raw)
	if weir.CodeOf(err) != weir.NotFound {
		return err
	}
	empty, err := schema.Raw(raw, arrow.NewSchema(nil, nil))
	if err == nil {
		_, err = c.Lake.Ensure(ctx, empty)
	}
	return err
}
