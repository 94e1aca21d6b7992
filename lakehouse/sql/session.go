package sql

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"maps"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// Session is an analyst's read-only view of attached tables. It is safe for
// concurrent use.
type Session struct {
	engine *engine
	mu     sync.Mutex
	locked bool
	outs   int // exports so far
	// later are the tables whose files are downloaded when a query names them, by the
	// short name in small letters.
	later map[string][]awaited
}

// awaited is a table whose view shows nothing yet.
type awaited struct {
	table schema.Table
	files []weir.DataFile
}

// Open starts a session without tables.
func Open(ctx context.Context, o Options) (*Session, error) {
	e, err := newEngine(ctx, o)
	if err != nil {
		return nil, err
	}
	return &Session{engine: e}, nil
}

// Close ends the session and removes its temporary files.
func (s *Session) Close() error { return s.engine.Close() }

// Attach makes the view schema.table over exactly these files, each declared
// column present. Tables are attached before the first query.
func (s *Session) Attach(ctx context.Context, t schema.Table, files []weir.DataFile) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.locked {
		return weir.Errorf(weir.Internal, "tables are attached before the first query").At(t.Name)
	}
	_, short, _ := strings.Cut(t.Name, ".")
	if len(files) == 0 || short == "" || !s.engine.files.remote() {
		return s.engine.attach(ctx, t, files)
	}
	if s.later == nil {
		s.later = map[string][]awaited{}
	}
	short = strings.ToLower(short)
	s.later[short] = append(s.later[short], awaited{t, files})
	return s.engine.declare(ctx, t, files)
}

// load brings the files of the tables that a statement may name: a name can't be
// used without standing in the text, however it is quoted. What is named and not
// used costs a download, no more.
func (s *Session) load(ctx context.Context, q string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	q = strings.ToLower(q)
	for _, short := range slices.Sorted(maps.Keys(s.later)) {
		if !strings.Contains(q, short) {
			continue
		}
		for _, a := range s.later[short] {
			paths, err := s.engine.files.all(ctx, a.files)
			if err == nil {
				err = s.engine.show(ctx, a.table, paths)
			}
			if err != nil {
				return err
			}
		}
		delete(s.later, short)
	}
	return nil
}

// lock closes the session's way to any file but the attached ones.
func (s *Session) lock(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.locked {
		return nil
	}
	paths := slices.Sorted(maps.Keys(s.engine.allowed))
	for i, p := range paths {
		paths[i] = QuoteText(p)
	}
	for _, set := range []string{
		"SET allowed_paths=[" + strings.Join(paths, ", ") + "]",
		"SET enable_external_access=false",
		"SET lock_configuration=true",
	} {
		if _, err := s.engine.db.ExecContext(ctx, set); err != nil {
			return failed("lock the session", err)
		}
	}
	s.locked = true
	return nil
}

// Query runs one reading statement: SELECT, WITH, FROM, VALUES, DESCRIBE,
// SUMMARIZE, SHOW, EXPLAIN or PRAGMA table_info. Anything else is weir.Denied, a
// mistake in it weir.Invalid. The caller closes the rows.
func (s *Session) Query(ctx context.Context, q string) (*Rows, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	conn, err := s.engine.db.Conn(ctx)
	if err != nil {
		return nil, failed("connect to DuckDB", err)
	}
	st, err := check(ctx, conn, q)
	if err == nil {
		err = s.load(ctx, q)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	var rows *Rows
	if st.selects {
		rows, err = pagedRows(ctx, conn, st.text)
	} else {
		rows, err = directRows(ctx, conn, st.text)
	}
	if err != nil {
		conn.Close()
		return nil, failed("run the query", err)
	}
	return rows, nil
}

// Export writes the rows of a reading statement to a file: .csv, .parquet or
// .ndjson, as path says. The file appears whole or not at all.
func (s *Session) Export(ctx context.Context, q, path string) (rows int64, err error) {
	formats := map[string]string{".csv": "FORMAT csv, HEADER", ".parquet": "FORMAT parquet, COMPRESSION zstd", ".ndjson": "FORMAT json"}
	format, ok := formats[strings.ToLower(filepath.Ext(path))]
	if !ok {
		return 0, weir.Errorf(weir.Invalid, "can't tell the format from %q", filepath.Base(path)).
			Then("end the file's name with .csv, .parquet or .ndjson")
	}
	if err := s.lock(ctx); err != nil {
		return 0, err
	}
	conn, err := s.engine.db.Conn(ctx)
	if err != nil {
		return 0, failed("connect to DuckDB", err)
	}
	defer conn.Close()
	st, err := check(ctx, conn, q)
	if err != nil {
		return 0, err
	}
	if !st.selects {
		return 0, weir.Errorf(weir.Invalid, "EXPLAIN and PRAGMA can't be exported").Then("print them instead")
	}
	if err := s.load(ctx, q); err != nil {
		return 0, err
	}
	s.mu.Lock()
	s.outs++
	out := filepath.Join(s.engine.spill(), fmt.Sprintf("export-%d", s.outs))
	s.mu.Unlock()
	defer os.Remove(out)
	// DuckDB may write to its own temporary folder only; from there it is ours.
	res, err := conn.ExecContext(ctx, "COPY (SELECT * FROM "+InParentheses(st.text)+") TO "+QuoteText(out)+" ("+format+")")
	if err != nil {
		return 0, failed("export the query", err)
	}
	rows, _ = res.RowsAffected()
	return rows, publish(out, path)
}

// publish moves a finished file to its place.
func publish(from, to string) error {
	if err := os.Chmod(from, 0o600); err != nil { // it may hold personal data
		return err
	}
	if os.Rename(from, to) == nil {
		return nil
	}
	// Another disk: copy beside the place, then rename.
	err := func() error {
		src, err := os.Open(from)
		if err != nil {
			return err
		}
		defer src.Close()
		dst, err := os.CreateTemp(filepath.Dir(to), ".export-")
		if err != nil {
			return err
		}
		_, err = io.Copy(dst, src)
		if cerr := dst.Close(); err == nil {
			err = cerr
		}
		if err == nil {
			err = os.Chmod(dst.Name(), 0o600) // it may hold personal data
		}
		if err == nil {
			err = os.Rename(dst.Name(), to)
		}
		if err != nil {
			os.Remove(dst.Name())
		}
		return err
	}()
	if err != nil {
		return weir.Errorf(weir.Invalid, "can't write the output: %w", err).At(to).
			Then("choose a file in a folder that exists and can be written")
	}
	return nil
}

// InParentheses makes a statement a subquery. A comment at its end must not
// swallow the bracket, a semicolon not end it.
func InParentheses(q string) string {
	return "(\n" + strings.TrimRight(strings.TrimSpace(q), "; \n\t") + "\n)"
}
