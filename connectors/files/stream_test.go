package files

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow/array"
	"pgregory.net/rapid"

	"github.com/weir-cdp/weir/connectors"
)

// given reads a text of a format and hands on every batch and rejection.
func given(ctx context.Context, r io.Reader, o options, batch func(connectors.Batch), reject func(connectors.Rejection)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := &out{ctx: ctx, items: make(chan item, 2), origin: "f"}
	done := make(chan error, 1)
	go func() {
		defer close(out.items)
		done <- readText(r, o, out)
	}()
	for it := range out.items {
		if it.batch.Rows != nil {
			batch(it.batch)
			it.batch.Rows.Release()
		} else {
			reject(it.rejection)
		}
	}
	return <-done
}

func defaults(format string) options {
	return options{format: format, header: true, maxBytes: defaultMaxBytes, maxRow: defaultMaxRowBytes}
}

// cells reads a text whole: rows of columns' texts, "<null>" for null.
func cells(t interface{ Fatal(...any) }, text string, o options) (rows [][]string, rejected []connectors.Rejection) {
	err := given(context.Background(), strings.NewReader(text), o, func(b connectors.Batch) {
		for i := range int(b.Rows.NumRows()) {
			var row []string
			for _, c := range b.Rows.Columns() {
				if c.IsNull(i) {
					row = append(row, "<null>")
				} else {
					row = append(row, c.(*array.String).Value(i))
				}
			}
			rows = append(rows, row)
		}
	}, func(r connectors.Rejection) { rejected = append(rejected, r) })
	if err != nil {
		t.Fatal(err)
	}
	return rows, rejected
}

// TestCSVAgreesWithEncodingCSV writes random values by encoding/csv and wants
// the same back from both parsers.
func TestCSVAgreesWithEncodingCSV(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		comma := rapid.SampledFrom([]rune{',', ';', '\t', '|'}).Draw(t, "comma")
		width := rapid.IntRange(1, 6).Draw(t, "width")
		cell := rapid.StringOfN(rapid.SampledFrom([]rune("ab \"',;\t|\n=é€0")), 0, 8, -1)
		var want [][]string
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.Comma, w.UseCRLF = comma, rapid.Bool().Draw(t, "crlf")
		for range rapid.IntRange(0, 30).Draw(t, "rows") {
			row := make([]string, width)
			for i := range row {
				row[i] = cell.Draw(t, "cell")
			}
			if width == 1 && row[0] == "" {
				row[0] = "x" // a blank line is no row to either
			}
			want = append(want, row)
			if err := w.Write(row); err != nil {
				t.Fatal(err)
			}
		}
		w.Flush()
		text := b.String()
		r := csv.NewReader(strings.NewReader(text))
		r.Comma = comma
		theirs, err := r.ReadAll()
		if err != nil || len(theirs) != len(want) {
			t.Fatalf("encoding/csv can't read its own: %v", err)
		}
		o := defaults("csv")
		o.header, o.dialect, o.quoteGiven = false, dialect{byte(comma), '"'}, true
		ours, rejected := cells(t, text, o)
		if len(rejected) > 0 {
			t.Fatalf("rejected: %v", rejected)
		}
		if len(ours) != len(theirs) {
			t.Fatalf("%d rows, want %d", len(ours), len(theirs))
		}
		for i := range theirs {
			for j := range theirs[i] {
				got := strings.ReplaceAll(ours[i][j], "\r\n", "\n") // encoding/csv makes them one
				if got == "<null>" {
					got = ""
				}
				if got != theirs[i][j] {
					t.Fatalf("row %d column %d: %q, want %q", i, j, got, theirs[i][j])
				}
			}
		}
	})
}

func FuzzCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a;b\n\"x\"\"y\";2", "a\n\"", "a,b\r\n\"1\n2\",\x00\n", "\xff\xfea\x00\n\x00", "a\tb\n'x'\t2\n", "\"a\"b\n1\n", "a\r1\r"} {
		f.Add([]byte(s), uint16(64))
	}
	f.Fuzz(func(t *testing.T, text []byte, maxRow uint16) {
		o := defaults("csv")
		o.maxRow = int64(maxRow) + 1
		last, seen := int64(0), 0
		err := given(t.Context(), bytes.NewReader(text), o, func(b connectors.Batch) {
			for i, line := range b.Lines {
				if line <= last {
					t.Fatalf("line %d after %d", line, last)
				}
				last = line
				seen++
				for _, c := range b.Rows.Columns() {
					if s := c.(*array.String); s.IsValid(i) && (!utf8.ValidString(s.Value(i)) || strings.Contains(s.Value(i), "\x00")) {
						t.Fatalf("a value is no text: %q", s.Value(i))
					}
				}
			}
		}, func(r connectors.Rejection) {
			if !utf8.ValidString(r.Excerpt) || len(r.Excerpt) > excerptSize {
				t.Fatalf("excerpt %q", r.Excerpt)
			}
			seen++
		})
		if err == nil && seen > bytes.Count(text, []byte("\n"))+bytes.Count(text, []byte("\r"))+1 {
			t.Fatalf("%d rows in %d bytes", seen, len(text))
		}
	})
}

func FuzzJSONFlattening(f *testing.F) {
	for _, s := range []string{`{"a":1}`, `{"a":{"b":[1,{"c":null}]},"d":"\u00e9"}`, `{"a.b":1,"a":{"b":2}}`, `{"a":1,"a":{"b":2}}`, `{"":1}`, "{\"a\":\"\xff\"}", `{"a":1e400}`, `[]`, `{"a":"\ud800"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.ContainsAny(line, "\n\r") || len(bytes.TrimSpace(line)) == 0 || bytes.HasPrefix(line, []byte("\xEF\xBB\xBF")) ||
			bytes.HasPrefix(line, []byte("\xFF\xFE")) || bytes.HasPrefix(line, []byte("\xFE\xFF")) || looksUTF16(line) != "" {
			t.Skip()
		}
		rows, withheld := 0, 0
		var names []string
		err := given(t.Context(), bytes.NewReader(line), defaults("ndjson"), func(b connectors.Batch) {
			rows += int(b.Rows.NumRows())
			for _, x := range b.Rows.Schema().Fields() {
				names = append(names, x.Name)
			}
		}, func(r connectors.Rejection) {
			if r.Withheld {
				withheld++
			}
		})
		if err != nil || rows+withheld != 1 {
			t.Fatalf("%d rows, %d withheld, %v", rows, withheld, err)
		}
		// whatever we accept, encoding/json accepts, and top-level names are columns
		if rows == 1 {
			var object map[string]any
			if err := json.Unmarshal(line, &object); err != nil && !strings.Contains(err.Error(), "cannot unmarshal number") {
				t.Fatalf("encoding/json refuses what was accepted: %v", err)
			}
			for k, v := range object {
				if _, nested := v.(map[string]any); !nested && !contains(names, k) {
					t.Fatalf("no column for %q in %q", k, names)
				}
			}
		}
	})
}

func contains(names []string, k string) bool {
	for _, n := range names {
		if n == k {
			return true
		}
	}
	return false
}

// rowsOf is a text without end in sight: header, then rows as long as wanted.
type rowsOf struct {
	header string
	row    func(b []byte, i int) []byte
	left   int64
	buf    []byte
	i      int
}

func (g *rowsOf) Read(p []byte) (int, error) {
	for len(g.buf) < len(p) && g.left > 0 {
		before := len(g.buf)
		if g.i == 0 {
			g.buf = append(g.buf, g.header...)
		}
		g.buf = g.row(g.buf, g.i)
		g.i++
		g.left -= int64(len(g.buf) - before)
	}
	if len(g.buf) == 0 {
		return 0, io.EOF
	}
	n := copy(p, g.buf)
	g.buf = g.buf[:copy(g.buf, g.buf[n:])]
	return n, nil
}

func csvRow(b []byte, i int) []byte {
	b = strconv.AppendInt(b, int64(i), 10)
	b = append(b, ",user"...)
	b = strconv.AppendInt(b, int64(i), 10)
	return append(b, "@example.org,\"Name, of some length\",2024-01-01 00:00:00,12.50,,United Kingdom,WHITE HANGING HEART T-LIGHT HOLDER\n"...)
}

func ndjsonRow(b []byte, i int) []byte {
	b = append(b, `{"messageId":"m-`...)
	b = strconv.AppendInt(b, int64(i), 10)
	return append(b, `","type":"track","event":"Order Completed","traits":{"email":"a@example.org","age":42},"properties":{"revenue":12.50,"products":[{"sku":"A"},{"sku":"B"}]},"timestamp":"2024-01-01T00:00:00Z"}`+"\n"...)
}

func xmlRow(b []byte, i int) []byte {
	b = append(b, `<optin id="`...)
	b = strconv.AppendInt(b, int64(i), 10)
	return append(b, `"><email>a@example.org</email><purpose>marketing.newsletter</purpose><at>2024-01-01T00:00:00Z</at></optin>`+"\n"...)
}

const csvHeader = "id,email,name,at,price,empty,country,description\n"

// TestMemoryDoesNotGrowWithTheFile reads 200 MB (XML, which is slower, 60) and
// looks at the live heap at every batch.
func TestMemoryDoesNotGrowWithTheFile(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 460 MB: left out by -short")
	}
	cases := map[string]*rowsOf{
		"csv":    {header: csvHeader, row: csvRow, left: 200 << 20},
		"ndjson": {row: ndjsonRow, left: 200 << 20},
		"xml":    {header: "<r>", row: xmlRow, left: 60 << 20},
	}
	for _, format := range []string{"csv", "ndjson", "xml"} {
		t.Run(format, func(t *testing.T) {
			o := defaults(format)
			o.row = rowPath{"", "optin"}
			r, w := io.Pipe()
			go func() {
				_, err := io.Copy(w, cases[format])
				if format == "xml" && err == nil {
					_, err = io.WriteString(w, "</r>")
				}
				_ = w.CloseWithError(err)
			}()
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			base, peak, rows := m.HeapAlloc, uint64(0), int64(0)
			err := given(t.Context(), r, o, func(b connectors.Batch) {
				rows += b.Rows.NumRows()
				runtime.GC()
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapAlloc)
			}, func(r connectors.Rejection) { t.Errorf("rejected: %+v", r) })
			if err != nil {
				t.Fatal(err)
			}
			if int(rows) != cases[format].i {
				t.Errorf("%d rows of %d", rows, cases[format].i)
			}
			t.Logf("%d rows, the live heap grew by %d MB", rows, (int64(peak)-int64(base))>>20)
			if over := int64(peak) - int64(base); over > 96<<20 {
				t.Errorf("the live heap grew by %d MB", over>>20)
			}
		})
	}
}

func benchmark(b *testing.B, format, header string, row func([]byte, int) []byte) {
	text, err := io.ReadAll(&rowsOf{header: header, row: row, left: 64 << 20})
	if err != nil {
		b.Fatal(err)
	}
	if format == "xml" {
		text = append(text, "</r>"...)
	}
	o := defaults(format)
	o.row = rowPath{"", "optin"}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if err := given(b.Context(), bytes.NewReader(text), o, func(connectors.Batch) {}, func(r connectors.Rejection) { b.Fatal(r) }); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCSV(b *testing.B)    { benchmark(b, "csv", csvHeader, csvRow) }
func BenchmarkNDJSON(b *testing.B) { benchmark(b, "ndjson", "", ndjsonRow) }
func BenchmarkXML(b *testing.B)    { benchmark(b, "xml", "<r>", xmlRow) }

func BenchmarkCSVWithoutQuotes(b *testing.B) {
	benchmark(b, "csv", csvHeader, func(buf []byte, i int) []byte {
		before := len(buf)
		buf = csvRow(buf, i)
		row := bytes.ReplaceAll(buf[before:], []byte(`"Name, of some length"`), []byte(`Name of some length`))
		return append(buf[:before], row...)
	})
}

func TestLinesSurviveEveryChunking(t *testing.T) {
	text := "id,a\n1,\"x\r\ny\"\"z\"\r\n2,é\n3,\"\"\n"
	want, _ := cells(t, text, defaults("csv"))
	for n := 1; n < len(text); n++ {
		var got [][]string
		err := given(t.Context(), chunks{strings.NewReader(text), n}, defaults("csv"), func(b connectors.Batch) {
			for i := range int(b.Rows.NumRows()) {
				got = append(got, []string{b.Rows.Column(0).ValueStr(i), b.Rows.Column(1).ValueStr(i)})
			}
		}, func(r connectors.Rejection) { t.Errorf("rejected: %+v", r) })
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("in chunks of %d: %q, want %q, %v", n, got, want, err)
		}
	}
}

// chunks gives few bytes at a time, and its last ones with the end.
type chunks struct {
	r *strings.Reader
	n int
}

func (c chunks) Read(p []byte) (int, error) {
	n, err := c.r.Read(p[:min(c.n, len(p))])
	if c.r.Len() == 0 && err == nil {
		err = io.EOF
	}
	return n, err
}

func TestReadErrorsEndTheRead(t *testing.T) {
	broken := errors.New("cable pulled")
	for _, format := range []string{"csv", "ndjson", "json", "xml"} {
		o := defaults(format)
		o.row = rowPath{"", "a"}
		r := io.MultiReader(strings.NewReader(map[string]string{"csv": "id\n1\n\"2", "ndjson": "{\"a\":1}\n{", "json": "[{\"a\":1},", "xml": "<r><a>"}[format]), failing{broken})
		if err := given(t.Context(), r, o, func(connectors.Batch) {}, func(r connectors.Rejection) { t.Errorf("%s rejected: %+v", format, r) }); !errors.Is(err, broken) {
			t.Errorf("%s: %v", format, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
