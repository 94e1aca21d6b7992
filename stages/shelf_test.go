package stages

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/project"
)

// shelf is a source of scoped splits (files) and of rows appended after a cursor.
type shelf struct {
	mu      sync.Mutex
	files   map[string]file // by scope
	log     [][]string      // appended rows, each of one column
	reads   map[string]int  // by split
	fail    func(split string) error
	session string // not empty: splits agree within a session only
	opened  int
	missing int64
}

type file struct {
	version string
	columns []arrow.Field
	rows    [][]any
}

func text(name string, rows ...any) file  { return typed(name, arrow.BinaryTypes.String, rows...) }
func longs(name string, rows ...any) file { return typed(name, arrow.PrimitiveTypes.Int64, rows...) }

func typed(name string, t arrow.DataType, rows ...any) file {
	f := file{version: fmt.Sprint(t, rows), columns: []arrow.Field{{Name: name, Type: t, Nullable: true}}}
	for _, r := range rows {
		f.rows = append(f.rows, []any{r})
	}
	return f
}

func (s *shelf) Check(context.Context) error                               { return nil }
func (s *shelf) Close() error                                              { return nil }
func (s *shelf) Discover(context.Context) ([]connectors.Discovered, error) { return nil, nil }
func (s *shelf) Plan(_ context.Context, _ connectors.Stream, prior connectors.Prior) (connectors.Plan, error) {
	p := connectors.Plan{Cursor: strconv.Itoa(len(s.log)), Missing: s.missing}
	for _, scope := range slices.Sorted(maps.Keys(s.files)) {
		if f := s.files[scope]; prior.Scopes[scope] != f.version {
			p.Splits = append(p.Splits, connectors.Split{ID: "f" + strconv.Itoa(len(p.Splits)), Scope: scope, Version: f.version})
		}
	}
	for _, scope := range slices.Sorted(maps.Keys(prior.Scopes)) {
		if _, ok := s.files[scope]; !ok {
			p.Drop = append(p.Drop, scope)
		}
	}
	from, _ := strconv.Atoi(prior.Cursor)
	for n := from; n < len(s.log); n++ {
		p.Splits = append(p.Splits, connectors.Split{ID: "log" + strconv.Itoa(n), Detail: strconv.Itoa(n)})
	}
	return p, nil
}

func (s *shelf) Read(ctx context.Context, _ connectors.Stream, _ connectors.Plan, split connectors.Split, out connectors.Sink) error {
	s.mu.Lock()
	s.reads[split.ID]++
	f, ok := s.files[split.Scope]
	if !ok {
		n, _ := strconv.Atoi(split.Detail)
		f = file{columns: []arrow.Field{{Name: "v", Type: arrow.BinaryTypes.String, Nullable: true}}}
		for _, v := range s.log[n] {
			f.rows = append(f.rows, []any{v})
		}
	}
	fail := s.fail
	s.mu.Unlock()
	for i, half := range [][][]any{f.rows[:len(f.rows)/2], f.rows[len(f.rows)/2:]} {
		if err := out.Write(ctx, connectors.Batch{Rows: batch(f.columns, half), Origin: split.Scope, Lines: lines(i*(len(f.rows)/2)+1, len(half))}); err != nil {
			return err
		}
		if fail != nil && i == 0 {
			if err := fail(split.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// talks is a shelf whose splits need one session.
type talks struct {
	*shelf
	token string
}

func (s talks) Begin(context.Context, connectors.Stream, connectors.Plan) (string, error) {
	return s.token, nil
}

func lines(from, n int) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = int64(from + i)
	}
	return out
}

func batch(columns []arrow.Field, rows [][]any) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(columns, nil))
	defer b.Release()
	for _, r := range rows {
		for i, v := range r {
			if v == nil {
				b.Field(i).AppendNull()
			} else if err := b.Field(i).AppendValueFromString(fmt.Sprint(v)); err != nil {
				panic(err)
			}
		}
	}
	return b.NewRecordBatch()
}

const things = "raw.shelf__things"

func newShelf(t *testing.T) (*world, *shelf) {
	w := newWorld(t)
	s := &shelf{files: map[string]file{}, reads: map[string]int{}}
	w.Connectors["shelf"] = connectors.Connector{Name: "shelf", OpenSource: func(context.Context, connectors.Env, connectors.Settings) (connectors.Source, error) {
		s.opened++
		if s.session != "" {
			return talks{s, s.session + strconv.Itoa(s.opened)}, nil
		}
		return s, nil
	}}
	w.project.Sources = []project.Source{{Name: "shelf", Connector: "shelf", Streams: []project.Stream{{Name: "things"}}}}
	return w, s
}

func (w *world) collect() weir.StageRun { w.t.Helper(); return w.must(weir.Collect, "shelf/things") }

// landed lists the values of the pinned raw table, "column=value" joined, sorted.
func (w *world) landed() []string {
	w.t.Helper()
	ctx := w.t.Context()
	pins, err := w.Lake.Pins(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	sess, have, err := w.attached(ctx, []string{things}, pins)
	if err != nil {
		w.t.Fatal(err)
	}
	defer sess.Close()
	var parts []string
	for _, c := range have[things].Columns {
		if !strings.HasPrefix(c.Name, "_weir_") {
			parts = append(parts, fmt.Sprintf("coalesce('%s=' || %s::varchar || ' ', '')", c.Name, quote(c.Name)))
		}
	}
	if len(parts) == 0 {
		return nil
	}
	rows, err := column[string](ctx, sess, "select "+strings.Join(parts, " || ")+" from "+things+" order by 1")
	if err != nil {
		w.t.Fatal(err)
	}
	return rows
}

func (w *world) wantLanded(want ...string) {
	w.t.Helper()
	slices.Sort(want)
	if d := cmp.Diff(want, w.landed()); d != "" {
		w.t.Fatalf("raw table (-want +got):\n%s", d)
	}
}

func (w *world) bad() []weir.Quarantined {
	w.t.Helper()
	return ledger[weir.Quarantined](w, quarantineTable, "order by origin, field")
}
