package rowfile_test

import (
	"errors"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/lakehouse/object/objecttest"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// Files that are sent while the next ones are written are given in their order, each
// there when all are given; one that can't be sent fails the writer, and nothing of it
// is left in the folder for temporary files.
func TestFilesAreSentInOrder(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	var refused atomic.Bool
	c := objecttest.Config(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if refused.Load() && r.Method == http.MethodPut {
				http.Error(w, "no", http.StatusForbidden)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	s, err := object.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	rows := customerRows(0, 40_000)
	table, err := schema.Raw("raw.crm__customers", customers)
	if err != nil {
		t.Fatal(err)
	}
	write := func() ([]weir.DataFile, error) {
		w, err := rowfile.NewArrowWriter(t.Context(), s, table, customers, "a", rowfile.GroupRows(8<<10), rowfile.FileBytes(1), rowfile.SpillBytes(1<<10))
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(rows); err != nil {
			return nil, err
		}
		return w.Close()
	}
	files, err := write()
	if err != nil || len(files) != 5 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	at := 0
	for rec, err := range rowfile.ScanArrow(t.Context(), s, files, nil) {
		if err != nil {
			t.Fatal(err)
		}
		ids := func(rec arrow.RecordBatch) arrow.Array { return rec.Column(rec.Schema().FieldIndices("id")[0]) }
		for i := range int(rec.NumRows()) {
			if ids(rec).ValueStr(i) != ids(rows).ValueStr(at) {
				t.Fatalf("row %d is %s", at, ids(rec).ValueStr(i))
			}
			at++
		}
	}
	if at != 40_000 {
		t.Errorf("%d rows", at)
	}
	refused.Store(true)
	rows = customerRows(1, 40_000) // of other names: what is there already is not sent
	var e *weir.Error
	if _, err := write(); !errors.As(err, &e) || e.Code == weir.Internal {
		t.Errorf("a store that takes nothing gives %v", err)
	}
	left, err := os.ReadDir(temp)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range left {
		if strings.HasPrefix(f.Name(), "weir-rowfile") {
			t.Errorf("%s is left", f.Name())
		}
	}
}
