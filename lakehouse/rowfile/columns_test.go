package rowfile

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/weir-cdp/weir/lakehouse/schema"
)

// flat has a column of each type that a flat table can have.
func flat(t *testing.T) (schema.Table, *arrow.Schema) {
	t.Helper()
	table := schema.Table{Name: "raw.crm__all", Key: []string{schema.RowID}, PersonBy: []string{schema.ByRecord}, Columns: []schema.Column{
		{ID: 1, Name: schema.RowID, Type: schema.Text, Required: true}, {ID: 2, Name: schema.Origin, Type: schema.Text},
		{ID: 3, Name: "few", Type: schema.Text}, {ID: 4, Name: "many", Type: schema.Text}, {ID: 5, Name: "bytes", Type: schema.Binary},
		{ID: 6, Name: "long", Type: schema.Long}, {ID: 7, Name: "int", Type: schema.Int}, {ID: 8, Name: "double", Type: schema.Double},
		{ID: 9, Name: "bool", Type: schema.Boolean}, {ID: 10, Name: "date", Type: schema.Date}, {ID: 11, Name: "at", Type: schema.Timestamp},
		{ID: 12, Name: "small", Type: "decimal(9,2)"}, {ID: 13, Name: "large", Type: "decimal(38,5)"}, {ID: 14, Name: "empty", Type: schema.Text}}}
	as, err := table.Arrow()
	if err != nil {
		t.Fatal(err)
	}
	return table, as
}

func flatRows(t *testing.T, as *arrow.Schema, rnd *rand.Rand, n int, nulls float64) arrow.RecordBatch {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, as)
	defer b.Release()
	for i := range n {
		for c, f := range as.Fields() {
			number := rnd.IntN(100000)
			text := map[string]string{schema.RowID: fmt.Sprintf("split#%d", i), schema.Origin: fmt.Sprintf("file.csv:%d", i), "few": strings.Repeat("é", number%5),
				"bytes": "aGVsbG8=", "double": fmt.Sprint(number) + ".5", "bool": fmt.Sprint(number%2 == 0), "date": fmt.Sprintf("20%02d-03-04", number%100),
				"at": fmt.Sprintf("20%02d-03-04T05:06:07Z", number%100), "small": fmt.Sprint(number) + ".25", "large": fmt.Sprint(number) + ".12345"}[f.Name]
			if text == "" && f.Name != "few" {
				text = fmt.Sprint(number)
			}
			if f.Nullable && (f.Name == "empty" || rnd.Float64() < nulls) {
				b.Field(c).AppendNull()
			} else if err := b.Field(c).AppendValueFromString(text); err != nil {
				t.Fatal(f.Name, err)
			}
		}
	}
	return b.NewRecordBatch()
}

// Columns that are written at the same time make the file that pqarrow makes of
// one after another.
func TestFlatFilesAreThoseOfPqarrow(t *testing.T) {
	table, as := flat(t)
	for _, nulls := range []float64{0, 0.3} {
		rnd := rand.New(rand.NewPCG(7, 9))
		var chunks []arrow.RecordBatch
		for _, n := range []int{9000, 9000, 1, 500} {
			chunks = append(chunks, flatRows(t, as, rnd, n, nulls))
		}
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
		theirs := &nestedFile{pq}
		for _, f := range []parquetFile{ours, theirs} {
			for i, rec := range chunks {
				if i == 2 {
					err = errors.Join(err, f.next())
				}
				err = errors.Join(err, f.write(rec))
			}
			if err = errors.Join(err, f.close()); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Errorf("with nulls %g: %d bytes, pqarrow's are %d and others", nulls, got.Len(), want.Len())
		}
	}
}

func TestTogether(t *testing.T) {
	done := make([]bool, 100)
	second := errors.New("of 7")
	err := together(len(done), func(i int) error {
		done[i] = true
		switch i {
		case 7:
			return second
		case 31:
			panic("of 31")
		}
		return nil
	})
	if !errors.Is(err, second) {
		t.Errorf("%v, want the error of the smallest", err)
	}
	for i, d := range done {
		if !d {
			t.Errorf("%d was left out", i)
		}
	}
	if err := together(40, func(i int) error {
		if i == 31 {
			panic("of 31")
		}
		return nil
	}); err == nil || !strings.Contains(err.Error(), "of 31") {
		t.Errorf("a panic gives %v", err)
	}
}

func TestWholeText(t *testing.T) {
	texts := func(parts ...string) *array.String {
		b := array.NewStringBuilder(memory.DefaultAllocator)
		for _, p := range parts {
			b.Append(p)
		}
		return b.NewStringArray()
	}
	for _, c := range []struct {
		parts []string
		want  bool
	}{{nil, true}, {[]string{""}, true}, {[]string{"a", "é", "", "日本"}, true}, {[]string{"a\xff"}, false}, {[]string{"\xc3", "\xa9"}, false}, {[]string{"x\xe6\x97", "\xa5y"}, false}} {
		a := texts(c.parts...)
		if got := wholeText(a); got != c.want {
			t.Errorf("%q: %v", c.parts, got)
		}
		if err := checkText(a); (err == nil) != c.want {
			t.Errorf("%q: %v", c.parts, err)
		}
	}
	sliced := array.NewSlice(texts("\xff", "é", "\xff"), 1, 2).(*array.String)
	if !wholeText(sliced) {
		t.Error("a slice is judged by what is outside of it")
	}
}
