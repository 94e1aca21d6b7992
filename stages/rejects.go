package stages

import (
	"context"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
)

// quarantine is where a sync keeps the bad rows of a scope of this stream; of rows
// that belong to none, see unscoped.
func (sp collectSpec) quarantine(scope string) string {
	if scope == "" {
		return sp.recent() + "@" + sp.From
	}
	return sp.stream() + "/" + scopeName(scope)
}

// stream is where the bad rows of this stream are kept, in scopes below.
func (sp collectSpec) stream() string { return "collect/" + sp.Source + "/" + sp.Stream }

// recent is where those of the last sync are that belong to no scope; no
// connector's scope is called so.
func (sp collectSpec) recent() string { return sp.stream() + "/*" }

// unscoped keeps the bad rows of a sync that goes on from a cursor apart, under
// that cursor: a sync that goes on from the same one takes their place, since the
// one before never committed its rows. Under another they are settled, and join
// those of all syncs before. What is read from the beginning replaces all.
func (c *collect) unscoped(ctx context.Context, sp collectSpec, files []weir.DataFile) ([]weir.TableFiles, error) {
	snap, err := c.Lake.Current(ctx, quarantineTable)
	if err != nil {
		return nil, err
	}
	versions, err := c.Lake.Scopes(ctx, quarantineTable, snap.ID)
	if err != nil {
		return nil, err
	}
	from, held := versions[sp.recent()]
	settled := weir.TableFiles{Table: quarantineTable, Scope: sp.stream(), Replace: sp.Anew}
	if held && from != sp.From && !settled.Replace {
		if len(files) == 0 {
			return nil, nil // they may as well stay
		}
		byScope, err := c.Lake.ByScope(ctx, quarantineTable, snap.ID)
		if err != nil {
			return nil, err
		}
		if settled.Files, err = moved[weir.Quarantined](ctx, c.House, quarantineTable, byScope[sp.recent()], settled.Scope); err != nil {
			return nil, err
		}
	}
	out := []weir.TableFiles{settled}
	if held || len(files) > 0 {
		out = append(out, weir.TableFiles{Table: quarantineTable, Scope: sp.quarantine(""), Replace: true, Files: files})
	}
	return out, nil
}

// moved writes the rows of files into another scope.
func moved[T any](ctx context.Context, h *House, table string, files []weir.DataFile, scope string) ([]weir.DataFile, error) {
	t, err := h.Lake.Describe(ctx, table)
	if err != nil {
		return nil, err
	}
	w, err := rowfile.NewTableWriter[T](ctx, h.store(), t, scope)
	if err != nil {
		return nil, err
	}
	defer w.Abort()
	for row, err := range rowfile.Scan[T](ctx, h.store(), t, files) {
		if err == nil {
			err = w.Write(row)
		}
		if err != nil {
			return nil, err
		}
	}
	return w.Close()
}
