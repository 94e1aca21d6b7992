package pipelines

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
)

// quarantineTable is where Quarantine writes.
const quarantineTable = "ops.quarantine"

// tableWriter is a rowfile.TableWriter of any row type.
type tableWriter interface {
	Close() ([]weir.DataFile, error)
	Abort()
}

// outputKey names one writer of a task.
type outputKey struct{ table, scope, part string }

// Output returns the task's writer of a table's scope; asked again, the same
// one. Rows must come sorted by the table's key. The engine closes it and puts
// the files into the manifest: the caller only writes.
func Output[T any](t *Task, table, scope string) (*rowfile.TableWriter[T], error) {
	return OutputPart[T](t, table, scope, "")
}

// OutputPart is Output of rows that get files of their own within the scope: each part
// has its writer.
func OutputPart[T any](t *Task, table, scope, part string) (*rowfile.TableWriter[T], error) {
	key := outputKey{table, scope, part}
	if w, ok := t.tables[key]; ok {
		same, ok := w.(*rowfile.TableWriter[T])
		if !ok {
			return nil, weir.Errorf(weir.Internal, "step %s writes rows of two types", t.Step()).At(table)
		}
		return same, nil
	}
	d, err := t.table(table)
	if err != nil {
		return nil, err
	}
	w, err := rowfile.NewTableWriter[T](t.ctx, t.rt.store, d, scope)
	if err != nil {
		return nil, err
	}
	if t.tables == nil {
		t.tables = map[outputKey]tableWriter{}
	}
	t.tables[key] = w
	return w, nil
}

// QuarantineScope is the scope of a stream's rows of a stage in ops.quarantine.
func QuarantineScope(stage weir.Stage, source, stream string) string {
	return string(stage) + "/" + source + "/" + stream
}

// Quarantine reports a bad value, or a bad row, in ops.quarantine under
// QuarantineScope; the run and (where zero) stage and time are filled in. It counts
// `quarantined` and, for a row that does not go on, `withheld`. A pipeline that
// reads its whole input again on each run declares the scope with Replace in
// Outputs, so that what was mended leaves the table.
func Quarantine(t *Task, q weir.Quarantined) error {
	if q.Stage == "" {
		q.Stage = t.rt.spec.Stage
	}
	w, err := Output[weir.Quarantined](t, quarantineTable, QuarantineScope(q.Stage, q.Source, q.Stream))
	if err != nil {
		return err
	}
	q.RunID = t.rt.spec.Run.ID
	if q.At.IsZero() {
		q.At = t.rt.spec.Run.Now
	}
	t.Count("quarantined", 1)
	if q.Withheld {
		t.Count("withheld", 1)
	}
	return w.Write(q)
}

// rowsOut is what n rows of a table add to rows_out.
func rowsOut(table string, n int64) int64 {
	if strings.HasPrefix(table, "ops.") {
		return 0
	}
	return n
}

// BatchWriter writes a table's rows as Arrow batches of its schema.
type BatchWriter struct {
	*rowfile.ArrowWriter
	schema *arrow.Schema
}

// Schema is that of the batches: the table's columns.
func (w *BatchWriter) Schema() *arrow.Schema { return w.schema }

// OutputBatches is Output of rows that come as columns; the files are those that
// Output makes of the same rows.
func OutputBatches(t *Task, table, scope string) (*BatchWriter, error) {
	key := outputKey{table, scope, ""}
	if w, ok := t.tables[key]; ok {
		same, ok := w.(*BatchWriter)
		if !ok {
			return nil, weir.Errorf(weir.Internal, "step %s writes both rows and columns", t.Step()).At(table)
		}
		return same, nil
	}
	d, err := t.table(table)
	if err != nil {
		return nil, err
	}
	s, err := d.Arrow()
	if err != nil {
		return nil, err
	}
	w, err := rowfile.NewArrowWriter(t.ctx, t.rt.store, d, s, scope)
	if err != nil {
		return nil, err
	}
	if t.tables == nil {
		t.tables = map[outputKey]tableWriter{}
	}
	out := &BatchWriter{w, s}
	t.tables[key] = out
	return out, nil
}

// Reuse makes files that an earlier run wrote part of what this task writes of a
// table's scope, as they are.
func Reuse(t *Task, table, scope string, files ...weir.DataFile) {
	if len(files) == 0 {
		return
	}
	t.result.Tables = append(t.result.Tables, weir.TableFiles{Table: table, Scope: scope, Files: files})
	for _, f := range files {
		t.result.RowsOut += rowsOut(table, f.Rows)
	}
}
