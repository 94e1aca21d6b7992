package rowfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir/lakehouse/schema"
)

// Texts whose words are looked up by us make the file that they make when the
// library does: words few and many, all nulls, words that come late, a dictionary that
// grows too large, over several pages and row groups.
func TestWordsAreThoseOfPqarrow(t *testing.T) {
	names := []string{"one", "two", "hundreds", "thousands", "late", "growing", "nulls", "some", "required"}
	table := schema.Table{Name: "raw.crm__words", Key: []string{schema.RowID}, PersonBy: []string{schema.ByRecord}, Columns: []schema.Column{{ID: 1, Name: schema.RowID, Type: schema.Text, Required: true}}}
	for i, name := range names {
		table.Columns = append(table.Columns, schema.Column{ID: i + 2, Name: name, Type: schema.Text, Required: name == "required"})
	}
	as, err := table.Arrow()
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 9))
	row := 0
	chunk := func(n int) arrow.RecordBatch {
		b := array.NewRecordBuilder(memory.DefaultAllocator, as)
		defer b.Release()
		for range n {
			row++
			late := "early"
			if row%20_000 == 0 {
				late = fmt.Sprint("late ", row)
			}
			for i, v := range []string{fmt.Sprint(row), "one", fmt.Sprint(row % 2), fmt.Sprint("h", rnd.IntN(500)), fmt.Sprint("t", row*31%9970), late,
				fmt.Sprint(strings.Repeat("growing", 9), rnd.IntN(1+row/4)), "", fmt.Sprint(rnd.IntN(50)), fmt.Sprint("r", rnd.IntN(300))} {
				if f := as.Field(i).Name; f == "nulls" || f == "some" && rnd.IntN(3) == 0 {
					b.Field(i).AppendNull()
				} else {
					b.Field(i).(*array.StringBuilder).Append(v)
				}
			}
		}
		return b.NewRecordBatch()
	}
	var chunks []arrow.RecordBatch
	for range 40 {
		chunks = append(chunks, chunk(8<<10))
	}
	chunks = append(chunks, chunk(3001))
	props := writerProperties(table, newOptions(nil), chunks[0])
	var got, want bytes.Buffer
	ours, err := openFlat(as, &got, props)
	if err != nil {
		t.Fatal(err)
	}
	pq, err := pqarrow.NewFileWriter(as, &want, props, arrowProperties())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []parquetFile{ours, &nestedFile{pq}} {
		for i, rec := range chunks {
			if i%15 == 14 {
				err = errors.Join(err, f.next())
			}
			err = errors.Join(err, f.write(rec))
		}
		if err = errors.Join(err, f.close()); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := pagesOf(got.Bytes()), pagesOf(want.Bytes()); !bytes.Equal(a, b) {
		t.Errorf("%d bytes of pages, pqarrow's are %d, or others", len(a), len(b))
	}
	if d := cmp.Diff(columnsOf(t, want.Bytes()), columnsOf(t, got.Bytes())); d != "" {
		t.Errorf("pqarrow's columns (-), ours (+)\n%s", d)
	}
}

// pagesOf is a file without its footer, in which the library counts the pages of a
// column that has grown out of its dictionary in any order.
func pagesOf(text []byte) []byte {
	n := len(text) - 8
	return text[:n-int(binary.LittleEndian.Uint32(text[n:]))]
}

func columnsOf(t *testing.T, text []byte) (all []string) {
	t.Helper()
	r, err := file.NewParquetReader(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for g := range r.NumRowGroups() {
		for c := range r.MetaData().Schema.NumColumns() {
			m, err := r.MetaData().RowGroup(g).ColumnChunk(c)
			if err != nil {
				t.Fatal(err)
			}
			s, err := m.Statistics()
			if err != nil || s == nil {
				t.Fatal(err, s)
			}
			all = append(all, fmt.Sprint(g, m.PathInSchema(), m.DataPageOffset(), m.TotalCompressedSize(), m.TotalUncompressedSize(), m.Encodings(), s.NumValues(), s.NullCount(), string(s.EncodeMin()), string(s.EncodeMax())))
		}
	}
	return all
}
