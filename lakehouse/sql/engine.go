package sql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// engine is one DuckDB database in memory with a folder of its own.
type engine struct {
	opts  Options
	db    *sql.DB
	dir   string   // of this engine: dir/spill is DuckDB's, dir/files holds its data files
	hold  *os.File // of the folder: says that somebody uses it
	files *files
	// allowed are the attached files, which stay readable after the lock.
	allowed map[string]bool
}

func newEngine(ctx context.Context, o Options) (*engine, error) {
	o, err := o.filled()
	if err != nil {
		return nil, err
	}
	if o.TempDir != "" {
		if err := os.MkdirAll(o.TempDir, 0o700); err != nil {
			return nil, tempFailed(err)
		}
	}
	sweep(o.TempDir)
	dir, hold, err := ownFolder(o.TempDir)
	if err != nil {
		return nil, tempFailed(err)
	}
	e := &engine{opts: o, dir: dir, hold: hold, allowed: map[string]bool{}}
	e.files = &files{store: o.Store, cache: o.CacheDir, limit: o.CacheBytes, own: filepath.Join(dir, "files")}
	if err := e.start(ctx); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

func (e *engine) start(ctx context.Context) error {
	for _, d := range []string{e.spill(), e.files.own} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return tempFailed(err)
		}
	}
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		return failed("start DuckDB", err)
	}
	e.db = sql.OpenDB(connector)
	e.db.SetMaxIdleConns(0) // a connection's temporary tables end with its use
	for _, set := range []string{
		fmt.Sprintf("SET memory_limit='%dB'", e.opts.MemoryLimit),
		fmt.Sprintf("SET threads=%d", e.opts.Threads),
		"SET temp_directory=" + QuoteText(e.spill()),
		"SET autoinstall_known_extensions=false",
		"SET autoload_known_extensions=false",
		"SET allow_community_extensions=false",
		"SET GLOBAL TimeZone='UTC'",
	} {
		if _, err := e.db.ExecContext(ctx, set); err != nil {
			return failed("configure DuckDB", err)
		}
	}
	return nil
}

func (e *engine) spill() string { return filepath.Join(e.dir, "spill") }

// Close ends the engine and removes its folder.
func (e *engine) Close() error {
	var err error
	if e.db != nil {
		err = e.db.Close()
	}
	return errors.Join(err, os.RemoveAll(e.dir), e.hold.Close())
}

// attach makes the view of a table over its files.
func (e *engine) attach(ctx context.Context, t schema.Table, data []weir.DataFile) error {
	paths, err := e.files.all(ctx, data)
	if err != nil {
		return err
	}
	for _, p := range paths {
		e.allowed[p] = true
	}
	return e.show(ctx, t, paths)
}

// declare makes the view of a table without its files, which may be read later.
func (e *engine) declare(ctx context.Context, t schema.Table, data []weir.DataFile) error {
	for _, f := range data {
		e.allowed[e.files.name(f)] = true
	}
	return e.show(ctx, t, nil)
}

// show makes the view of a table over local files.
func (e *engine) show(ctx context.Context, t schema.Table, paths []string) error {
	view, err := viewOf(t, paths)
	if err != nil {
		return err
	}
	space, _, ok := strings.Cut(t.Name, ".")
	if !ok {
		return weir.Errorf(weir.Internal, "table %q has no schema in its name", t.Name)
	}
	if _, err := e.db.ExecContext(ctx, "CREATE SCHEMA IF NOT EXISTS "+QuoteName(space)); err != nil {
		return failed("make a schema", err)
	}
	if _, err := e.db.ExecContext(ctx, view); err != nil {
		return weir.Errorf(weir.CodeOf(failed("", err)), "can't attach the table: %w", err).At(t.Name)
	}
	return nil
}

func tempFailed(err error) error {
	return weir.Errorf(weir.Unavailable, "can't use the folder for temporary files: %w", err).
		Then("free space there, or set TMPDIR to another disk")
}

// listTables is how a person sees which there are, one readable line each.
const listTables = "see: select table_schema, table_name from information_schema.tables order by all"

// failed maps DuckDB's errors to weir codes.
func failed(what string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var known *weir.Error
	if errors.As(err, &known) {
		return err
	}
	code, next := weir.Invalid, ""
	var d *duckdb.Error
	if errors.As(err, &d) {
		switch d.Type {
		case duckdb.ErrorTypeOutOfMemory:
			code, next = weir.Unavailable, "narrow the query, or give it more memory and temporary disk"
		case duckdb.ErrorTypeIO:
			code, next = weir.Unavailable, "check the disk and the object store, then try again"
		case duckdb.ErrorTypePermission, duckdb.ErrorTypeMissingExtension, duckdb.ErrorTypeAutoLoad:
			code, next = weir.Denied, "queries read the lake's tables only; "+listTables
		case duckdb.ErrorTypeCatalog:
			next = listTables
		case duckdb.ErrorTypeInternal, duckdb.ErrorTypeFatal:
			code = weir.Internal
		}
	}
	return weir.Errorf(code, "can't %s: %w", what, err).Then(next)
}
