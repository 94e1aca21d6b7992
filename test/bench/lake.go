package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/connectors/files"
	"github.com/weir-cdp/weir/connectors/webhook"
	"github.com/weir-cdp/weir/deploy/embedded"
	"github.com/weir-cdp/weir/lakehouse"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/lakehouse/sql"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/project"
	"github.com/weir-cdp/weir/stages"
)

// pipelineMemory is the soft limit of a pipeline's process, as cmd/weir sets it
// where there are two processors.
const pipelineMemory = 2*pipelines.SlotMemory + 512<<20

// house opens the stages over a new embedded lake in a folder; log takes what they say.
func (b *bench) house(ctx context.Context, dir string, log *slog.Logger) (h *stages.House, closing func() error, err error) {
	own, err := embedded.Start(ctx, embedded.Options{Dir: filepath.Join(dir, ".weir"), Workspace: "bench", Command: "bench", Self: []string{b.weir}, Log: log})
	if err != nil {
		return nil, nil, err
	}
	lake, err := lakehouse.Open(ctx, lakehouse.Config{Object: own.Lake(), Catalog: lakehouse.CatalogConfig{Type: "sqlite", Path: own.Catalog()}})
	if err != nil {
		return nil, nil, errors.Join(err, own.Stop())
	}
	h = &stages.House{
		Lake: lake, Dir: dir, Timelines: filepath.Join(dir, ".weir", "timelines"), Log: log, Clock: time.Now, Secrets: project.Resolver{Dir: dir},
		Connectors: map[string]connectors.Connector{"webhook": webhook.Connector(), "files": files.Connector()},
		Pipeline: func(ctx context.Context, spec string, progress func(weir.Progress)) error {
			_, err := pipelines.RunChild(ctx, pipelines.Child{Binary: b.weir, Dir: own.Scratch(), Store: own.Lake(), LocalScratch: true, Memory: pipelineMemory}, spec, progress)
			return err
		},
		Session: func(ctx context.Context) (*sql.Internal, error) { // as cmd/weir has it
			return sql.OpenInternal(ctx, sql.Options{Store: lake.Store(), CacheDir: filepath.Join(own.Scratch(), "cache"),
				TempDir: filepath.Join(own.Scratch(), "sql"), MemoryLimit: 1 << 30})
		},
	}
	return h, func() error { return errors.Join(lake.Close(), own.Stop()) }, nil
}

// fillTable writes and commits a table's rows, row(i) for i below n, in the order
// of the table's key, and returns the snapshot.
func fillTable[T any](ctx context.Context, lake *lakehouse.Lake, name, scope string, n int, row func(i int) T) (int64, error) {
	return fillOf(ctx, lake, schema.Named(name), scope, n, row)
}

// fillOf is fillTable for a table of its own columns.
func fillOf[T any](ctx context.Context, lake *lakehouse.Lake, of schema.Table, scope string, n int, row func(i int) T) (int64, error) {
	name := of.Name
	t, err := lake.Ensure(ctx, of)
	if err != nil {
		return 0, err
	}
	w, err := rowfile.NewTableWriter[T](ctx, lake.Store(), t, scope)
	if err != nil {
		return 0, err
	}
	for i := range n {
		if err := w.Write(row(i)); err != nil {
			return 0, err
		}
	}
	files, err := w.Close()
	if err != nil {
		return 0, err
	}
	s, err := lake.Commit(ctx, lakehouse.Commit{ID: "fill/" + name, Table: name, Scopes: []weir.TableFiles{{Table: name, Scope: scope, Files: files}}})
	return s.ID, err
}
