package files_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/weir-cdp/weir/connectors/connectortest"
)

// summary gives rows, then rejections, one a line.
func summary(c *connectortest.Collector) string {
	var b strings.Builder
	for _, r := range c.Texts() {
		fmt.Fprintln(&b, r)
	}
	for _, r := range c.Rejected {
		fmt.Fprintf(&b, "! %s", r.Origin)
		if r.Field != "" {
			fmt.Fprintf(&b, " %s", r.Field)
		}
		fmt.Fprintf(&b, ": %s", r.Reason)
		if r.Excerpt != "" {
			fmt.Fprintf(&b, " [%s]", r.Excerpt)
		}
		fmt.Fprintln(&b)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// TestReading holds what becomes of a file, good or bad: rows, rejections (!)
// and the split's error.
func TestReading(t *testing.T) {
	cases := []struct {
		name, file, content string
		settings            setting
		types               map[string]string
		key                 []string
		want                string
		err                 string // part of it
	}{
		{name: "values keep their text", file: "a.csv", content: "id,zip,n\n1,01000, 1.50 \n",
			want: `a.csv:2 id="1" n=" 1.50 " zip="01000"`},
		{name: "empty is null, quoted empty is empty", file: "a.csv", content: "id,a,b\n1,,\"\"\n", want: `a.csv:2 b="" id="1"`},
		{name: "quotes with commas, lines and doubled quotes", file: "a.csv", content: "id,a\r\n1,\"x, \"\"y\"\"\nz\"\r\n2,b\r\n",
			want: "a.csv:2 a=\"x, \\\"y\\\"\\nz\" id=\"1\"\na.csv:4 a=\"b\" id=\"2\""},
		{name: "a quote inside of a plain field is a letter", file: "a.csv", content: "id,a\n1,6\" nail\n", want: `a.csv:2 a="6\" nail" id="1"`},
		{name: "no newline at the end, blank lines", file: "a.csv", content: "id,a\n\n1,x\n\n2,", want: "a.csv:3 a=\"x\" id=\"1\"\na.csv:5 id=\"2\""},
		{name: "old Mac line ends", file: "a.csv", content: "id,a\r1,x\r2,y", want: "a.csv:2 a=\"x\" id=\"1\"\na.csv:3 a=\"y\" id=\"2\""},
		{name: "empty file", file: "a.csv", content: "", err: "data/a.csv: the file is empty: it lacks even a header"},
		{name: "empty gzip file", file: "a.csv.gz", content: "", err: "data/a.csv.gz: the file is empty: it lacks even a header"},
		{name: "blank lines only", file: "a.csv", content: "\n\r\n", err: "data/a.csv: the file is empty: it lacks even a header"},
		{name: "empty file of no header", file: "a.csv", content: "", settings: setting{"header": false, "columns": []any{"id"}}, want: ""},
		{name: "header only", file: "a.csv", content: "id,a\n", want: ""},
		{name: "ragged rows", file: "a.csv", content: "id,a\n1\n2,b\n3,c,d\n",
			want: "a.csv:3 a=\"b\" id=\"2\"\n! a.csv:2: 1 fields where 2 are expected [1]\n! a.csv:4: 3 fields where 2 are expected [3,c,d]"},
		{name: "NUL byte", file: "a.csv", content: "id,a\n1,x\x00y\n2,b\n", want: "a.csv:3 a=\"b\" id=\"2\"\n! a.csv:2: the row has a NUL byte [1,x?y]"},
		{name: "unclosed quote costs one row", file: "a.csv", content: "id,a\n1,\"x\n2,b\n3,c\n",
			want: "a.csv:3 a=\"b\" id=\"2\"\na.csv:4 a=\"c\" id=\"3\"\n! a.csv:2: a quote is opened and not closed [1,\"x]"},
		{name: "unclosed quote before a good one", file: "a.csv", content: "id,a\n1,\"x\n2,\"b\"\n3,c\n",
			want: "a.csv:3 a=\"b\" id=\"2\"\na.csv:4 a=\"c\" id=\"3\"\n! a.csv:2: text follows a closing quote [1,\"x]"},
		{name: "text after a quote", file: "a.csv", content: "id,a\n1,\"x\"y\n2,b\n", want: "a.csv:3 a=\"b\" id=\"2\"\n! a.csv:2: text follows a closing quote [1,\"x\"y]"},
		{name: "a few bad bytes in UTF-8", file: "a.csv", content: "id,a\n1,é\n2,\xe9\n3,èà\n",
			want: "a.csv:2 a=\"é\" id=\"1\"\na.csv:4 a=\"èà\" id=\"3\"\n! a.csv:3: the row is not valid UTF-8; set `encoding` if the file is in another [2,?]"},
		{name: "Windows-1252 is found", file: "a.csv", content: "id,a\n1,Ren\xe9\n2,\x80\n", want: "a.csv:2 a=\"René\" id=\"1\"\na.csv:3 a=\"€\" id=\"2\""},
		{name: "UTF-8 mark", file: "a.csv", content: "\xef\xbb\xbfid,a\n1,x\n", want: `a.csv:2 a="x" id="1"`},
		{name: "UTF-16 by mark", file: "a.csv", content: "\xff\xfei\x00d\x00\n\x001\x00\n\x00", want: `a.csv:2 id="1"`},
		{name: "UTF-16 without mark", file: "a.csv", content: "\x00i\x00d\x00\n\x001\x00\n", want: `a.csv:2 id="1"`},
		{name: "half a letter of UTF-16", file: "a.csv", content: "\xff\xfei\x00d\x00\n\x001\x00\n\x00\x00\xd8\n\x002\x00\n\x00",
			want: "a.csv:2 id=\"1\"\na.csv:4 id=\"2\"\n! a.csv:3: the row has bytes that are not utf-16le [\uFFFD]"},
		{name: "encoding said", file: "a.csv", content: "id\n\xa4\n", settings: setting{"encoding": "ISO-8859-15"}, want: `a.csv:2 id="€"`},
		{name: "unknown encoding", file: "a.csv", content: "id\n", settings: setting{"encoding": "latin-9000"}, err: `the encoding "latin-9000" is not known`},
		{name: "semicolons with decimal commas", file: "a.csv", content: "id;a;b\n1;1,5;x\n2;2,5;\"y;z\"\n", want: "a.csv:2 a=\"1,5\" b=\"x\" id=\"1\"\na.csv:3 a=\"2,5\" b=\"y;z\" id=\"2\""},
		{name: "tabs", file: "a.tsv", content: "id\ta,b\n1\tx\n", want: `a.tsv:2 a,b="x" id="1"`},
		{name: "apostrophes as quotes", file: "a.csv", content: "id,a\n1,'x, y'\n2,'z'\n", want: "a.csv:2 a=\"x, y\" id=\"1\"\na.csv:3 a=\"z\" id=\"2\""},
		{name: "apostrophes as letters", file: "a.csv", content: "id,a\n1,'tis\n2,O'Neil\n", want: "a.csv:2 a=\"'tis\" id=\"1\"\na.csv:3 a=\"O'Neil\" id=\"2\""},
		{name: "delimiter said", file: "a.csv", content: "id^a,b\n1^x\n", settings: setting{"delimiter": "^"}, want: `a.csv:2 a,b="x" id="1"`},
		{name: "no header", file: "a.csv", content: "1,x\n2,y\n", settings: setting{"header": false, "columns": []any{"id", "a"}},
			want: "a.csv:1 a=\"x\" id=\"1\"\na.csv:2 a=\"y\" id=\"2\""},
		{name: "no header and no names", file: "a.csv", content: "1,x\n", settings: setting{"header": false}, want: `a.csv:1 column_1="1" column_2="x"`},
		{name: "missing header", file: "a.csv", content: "1,x\n2,y\n", key: []string{"id"}, err: "data/a.csv: the header has no column \"id\"; correct `key` or `types`; or does the file lack its header?"},
		{name: "missing column", file: "a.csv", content: "id,quantty\n1,2\n", types: map[string]string{"quantity": "int"}, err: "did you mean quantty?"},
		{name: "duplicate names", file: "a.csv", content: "id,a,a\n1,2,3\n", err: `columns 2 and 3 are both named "a"`},
		{name: "nameless column", file: "a.csv", content: "id,,b\n1,2,3\n", err: "column 2 has no name"},
		{name: "long line", file: "a.csv", content: "id,a\n1," + strings.Repeat("x", 5000) + "\n2,b\n", settings: setting{"max_row_bytes": 1000},
			want: "a.csv:3 a=\"b\" id=\"2\"\n! a.csv:2: the row is longer than the limit (max_row_bytes) [1," + strings.Repeat("x", 198) + "]"},
		{name: "types", file: "a.csv", content: "i,d,f,b,day,at,s\n 7 ,12.50,1e3,yes,2024-02-29,2024-07-01 12:00:00,x\n",
			types: map[string]string{"i": "int", "d": "decimal(12,2)", "f": "float", "b": "boolean", "day": "date", "at": "timestamp", "s": "text"},
			want:  `a.csv:2 at="2024-07-01T10:00:00Z" b="true" d="12.5" day="2024-02-29" f="1000" i="7" s="x"`},
		{name: "values of other types", file: "a.csv", content: "id,i,d,day,at\n1,x,1.234,2024-02-30,soon\n2,,,,\n",
			types: map[string]string{"i": "int", "d": "decimal(4,2)", "day": "date", "at": "timestamp"},
			want: "a.csv:2 id=\"1\"\na.csv:3 id=\"2\"\n! a.csv:2 i: is no int [x]\n! a.csv:2 d: is no decimal(4,2) [1.234]\n" +
				"! a.csv:2 day: is no date [2024-02-30]\n! a.csv:2 at: is no timestamp [soon]"},
		{name: "unknown type", file: "a.csv", content: "id\n1\n", types: map[string]string{"id": "integer"}, err: "types.id: the type \"integer\" is not known"},

		{name: "objects are flattened, literals kept", file: "a.ndjson",
			content: `{"id":1.50,"traits":{"email":"a@x","age":null,"n":{"deep":true}},"list":[ 1, {"a": "b c"} ],"big":12345678901234567890,"u":"\u00e9\n"}`,
			want:    `a.ndjson:1 big="12345678901234567890" id="1.50" list="[1,{\"a\":\"b c\"}]" traits.email="a@x" traits.n.deep="true" u="é\n"`},
		{name: "columns grow", file: "a.ndjson", content: "{\"a\":1}\n\n{\"b\":2}\n{\"a\":3,\"c\":{}}\n",
			want: "a.ndjson:1 a=\"1\"\na.ndjson:3 b=\"2\"\na.ndjson:4 a=\"3\""},
		{name: "bad objects", file: "a.ndjson", content: "{\"a\":1}\n{\"a\":}\nnull\n[1]\n{\"a\":1} x\n{\"a\":\"\xff\"}\n{\"a\":01}\n{\"a\":2}",
			want: "a.ndjson:1 a=\"1\"\na.ndjson:8 a=\"2\"\n" +
				"! a.ndjson:2: the row is not JSON: invalid character '}' at start of value [{\"a\":}]\n! a.ndjson:3: the row is not a JSON object [null]\n" +
				"! a.ndjson:4: the row is not a JSON object [[1]]\n! a.ndjson:5: the row has more after the JSON object [{\"a\":1} x]\n" +
				"! a.ndjson:6: the row is not JSON: invalid UTF-8 [{\"a\":\"?\"}]\n! a.ndjson:7: the row is not JSON: invalid character '1' after object value (expecting ',' or '}') [{\"a\":01}]"},
		{name: "a dotted key and a nested one", file: "a.ndjson", content: "{\"id\":1,\"a.b\":1,\"a\":{\"b\":2}}\n{\"id\":2,\"a\":{\"b\":2}}\n",
			want: "a.ndjson:1 id=\"1\"\na.ndjson:2 a.b=\"2\" id=\"2\"\n! a.ndjson:1 a.b: has two values in this row: a key with a dot and a nested one, or an attribute and an element [1]"},
		{name: "repeated names: the last one", file: "a.ndjson", content: `{"a":1,"b":{"x":1},"a":2,"b":{"y":3}}`, want: `a.ndjson:1 a="2" b.y="3"`},
		{name: "nested too deep", file: "a.ndjson", content: strings.Repeat(`{"a":`, 70) + "1" + strings.Repeat("}", 70) + "\n{\"a\":1}\n",
			want: "a.ndjson:2 a=\"1\"\n! a.ndjson:1: the row is nested too deep [" + strings.Repeat(`{"a":`, 40) + "]"},
		{name: "a NUL in a string", file: "a.ndjson", content: `{"id":1,"a":"x\u0000y"}`, want: "a.ndjson:1 id=\"1\"\n! a.ndjson:1 a: has a NUL character [x?y]"},
		{name: "declared types", file: "a.ndjson", content: `{"id":1,"at":"2024-01-01T00:00:00.123456+01:00","n":"x"}`, types: map[string]string{"id": "int", "at": "timestamp", "n": "int"},
			want: "a.ndjson:1 at=\"2023-12-31T23:00:00.123456Z\" id=\"1\"\n! a.ndjson:1 n: is no int [x]"},
		{name: "long object", file: "a.ndjson", content: "{\"a\":1}\n{\"a\":\"" + strings.Repeat("x", 2000) + "\"}\n{\"a\":3}", settings: setting{"max_row_bytes": 500},
			want: "a.ndjson:1 a=\"1\"\na.ndjson:3 a=\"3\"\n! a.ndjson:2: the row is longer than the limit (max_row_bytes) [{\"a\":\"" + strings.Repeat("x", 194) + "]"},

		{name: "a list of objects", file: "a.json", content: "[\n {\"a\": \"]\\\"}\"},\n {\"a\":\n  2}\n]\n", want: "a.json:2 a=\"]\\\"}\"\na.json:3 a=\"2\""},
		{name: "objects in a row", file: "a.json", content: "{\"a\":1}{\"a\":2}\n{\"a\":3}", want: "a.json:1 a=\"1\"\na.json:1 a=\"2\"\na.json:2 a=\"3\""},
		{name: "empty list", file: "a.json", content: " [ ] ", want: ""},
		{name: "bad elements", file: "a.json", content: "[{\"a\":1},\n7,\n{\"a\" 2},\n\"x\",\n{\"a\":3}]",
			want: "a.json:1 a=\"1\"\na.json:5 a=\"3\"\n! a.json:2: the row is not a JSON object [7]\n" +
				"! a.json:3: the row is not JSON: invalid character '2' after object name (expecting ':') [{\"a\" 2}]\n! a.json:4: the row is not a JSON object [\"x\"]"},
		{name: "long element", file: "a.json", content: "[{\"a\":1},\n{\"a\":\"" + strings.Repeat("\n", 3000) + "\"},\n{\"a\":3}]", settings: setting{"max_row_bytes": 500},
			want: "a.json:1 a=\"1\"\na.json:3003 a=\"3\"\n! a.json:2: the row is longer than the limit (max_row_bytes) [{\"a\":\"" + strings.Repeat("\n", 194) + "]"},
		{name: "truncated list", file: "a.json", content: `[{"a":1},`, err: "data/a.json: the list is not closed: the file is truncated"},
		{name: "list without commas", file: "a.json", content: `[{"a":1} {"a":2}]`, err: "is not expected between the elements"},

		{name: "xml", file: "a.xml", settings: setting{"row": "//optin"},
			content: "<?xml version=\"1.0\"?>\n<root xmlns:x=\"u\"><optins>\n<optin id=\"1\" xmlns=\"y\">\n <email type=\"home\">a&amp;b@x</email><tag>a</tag><tag>b</tag><note/><x:addr><city><![CDATA[<Paris>]]></city></x:addr></optin>\n<optin id=\"2\">yes</optin></optins></root>",
			want:    "a.xml:3 addr.city=\"<Paris>\" email=\"a&b@x\" email.type=\"home\" id=\"1\" tag=\"[\\\"a\\\",\\\"b\\\"]\"\na.xml:5 id=\"2\" text=\"yes\""},
		{name: "xml by full path", file: "a.xml", settings: setting{"row": "/r/a"}, content: "<r><a><v>1</v></a><b><a><v>2</v></a></b></r>", want: `a.xml:1 v="1"`},
		{name: "xml attribute and element", file: "a.xml", settings: setting{"row": "a"}, content: `<r><a id="1"><id>2</id><v>x</v></a></r>`,
			want: "a.xml:1 v=\"x\"\n! a.xml:1 id: has two values in this row: a key with a dot and a nested one, or an attribute and an element [1]"},
		{name: "xml encoding declared", file: "a.xml", settings: setting{"row": "a"}, content: "<?xml version='1.0' encoding='ISO-8859-1'?><r><a><v>\xe9</v></a></r>", want: `a.xml:1 v="é"`},
		{name: "xml bad bytes", file: "a.xml", settings: setting{"row": "a"}, content: "<r><a><v>\xe9</v></a>\n<a><v>ok</v></a></r>",
			want: "a.xml:2 v=\"ok\"\n! a.xml:1: the row has bytes that are not in the file's encoding"},
		{name: "xml bomb", file: "a.xml", settings: setting{"row": "a"}, content: `<!DOCTYPE r [<!ENTITY a "x"><!ENTITY b "&a;&a;">]><r><a>&b;</a></r>`,
			err: "declares entities or a document type of its own, which is refused"},
		{name: "xml external entity", file: "a.xml", settings: setting{"row": "a"}, content: `<r><a>&xxe;</a></r>`, err: "line 1: an entity other than the five of XML is refused"},
		{name: "xml long row", file: "a.xml", settings: setting{"row": "a", "max_row_bytes": 9000}, content: "<r><a>" + strings.Repeat("<v>x</v>", 5000) + "</a>\n<a><v>ok</v></a></r>",
			want: "a.xml:2 v=\"ok\"\n! a.xml:1: the row is longer than the limit (max_row_bytes)"},
		{name: "xml long text", file: "a.xml", settings: setting{"row": "a", "max_row_bytes": 9000}, content: "<r><a><v>" + strings.Repeat("x", 50_000) + "</v></a></r>", err: "one tag or text is longer than the limit"},
		{name: "xml cut off", file: "a.xml", settings: setting{"row": "a"}, content: "<r><a><v>1</v></a><a><v>2", err: "is not XML: unexpected EOF"},
		{name: "xml empty file", file: "a.xml", settings: setting{"row": "a"}, content: "", want: ""},
		{name: "xml without row", file: "a.xml", content: "<r/>", err: "set `row`"},
		{name: "xml row that is no path", file: "a.xml", content: "<r/>", settings: setting{"row": "//a[@b]"}, err: "is not a path of element names"},

		{name: "truncated gzip", file: "a.csv.gz", content: gzipped(t, "id\n"+strings.Repeat("1234567\n", 5000))[:40], err: "data/a.csv.gz: the gzip file ends too early: it is truncated"},
		{name: "truncated zstd", file: "a.csv.zst", content: zstded(t, "id\n1\n2\n3\n")[:12], err: "data/a.csv.zst: "},
		{name: "not gzip", file: "a.csv.gz", content: "id,name\n1,a\n2,b\n", err: "is not what gzip writes"},
		{name: "unpacks to too much", file: "a.csv.gz", content: gzipped(t, "id\n"+strings.Repeat("1\n", 5000)), settings: setting{"max_bytes": 4096}, err: "unpacks to more than 4096 bytes"},
		{name: "unknown extension", file: "a.bin", content: "x", settings: setting{"path": "a.bin"}, err: `data/a.bin: the extension ".bin" says no format`},
		{name: "not parquet", file: "a.parquet", content: "PAR1 but not for long", err: "data/a.parquet: is not a whole Parquet file"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			project := t.TempDir()
			write(t, project, c.file, c.content)
			raw := setting{"path": "*"}
			for k, v := range c.settings {
				raw[k] = v
			}
			st := stream(t, raw)
			st.Types, st.Key = c.types, c.key
			got, err := readAll(t, project, st)
			switch {
			case c.err == "" && err != nil:
				t.Fatal(err)
			case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
				t.Fatalf("error: %v\nwant:  … %s …", err, c.err)
			}
			if c.err == "" || c.want != "" {
				if s := summary(got); s != c.want {
					t.Errorf("got\n%s\nwant\n%s", s, c.want)
				}
			}
		})
	}
}

func TestOneBadFileStopsNoOther(t *testing.T) {
	project := t.TempDir()
	write(t, project, "1.csv", "id\n1\n")
	write(t, project, "2.csv", "id,id\n2,2\n")
	write(t, project, "3.csv.gz", "not gzip")
	write(t, project, "4.csv", "id\n4\n")
	c, err := readAll(t, project, stream(t, setting{"path": "*"}))
	if err == nil || len(c.Rows) != 2 {
		t.Errorf("rows %v, error %v", c.Rows, err)
	}
}

func TestBombIsRefusedByItsRatio(t *testing.T) {
	project := t.TempDir()
	// zstd repeats better than gzip: 130 MB in a few KB
	write(t, project, "bomb.csv.zst", zstded(t, "id\n"+strings.Repeat(strings.Repeat("x", 1<<20-1)+"\n", 130)))
	_, err := readAll(t, project, stream(t, setting{"path": "*"}))
	if err == nil || !strings.Contains(err.Error(), "decompression bomb") {
		t.Errorf("error: %v", err)
	}
}

func TestFiftyMegabyteLineIsOneRejection(t *testing.T) {
	project := t.TempDir()
	write(t, project, "a.csv", "id,a\n1,x\n2,"+strings.Repeat("y", 50<<20)+"\n3,z\n")
	write(t, project, "b.csv", "id,a\n1,x\n2,\""+strings.Repeat("y", 50<<20)+"\"\n3,z\n")
	write(t, project, "c.ndjson", "{\"id\":1}\n{\"id\":\""+strings.Repeat("y", 50<<20)+"\"}\n{\"id\":3}\n")
	c, err := readAll(t, project, stream(t, setting{"path": "*"}))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Rows) != 6 || len(c.Rejected) != 3 {
		t.Fatalf("%d rows, %d rejections", len(c.Rows), len(c.Rejected))
	}
	for i, want := range []string{"a.csv:3", "b.csv:3", "c.ndjson:2"} {
		if got := c.Rejected[i].Origin; got != want {
			t.Errorf("rejected at %s, want %s", got, want)
		}
	}
}

func TestParquet(t *testing.T) {
	project := t.TempDir()
	write(t, project, "a.parquet", "")
	p := filepath.Join(project, "data", "a.parquet")
	mem := memory.DefaultAllocator
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int64},
		{Name: "small", Type: arrow.PrimitiveTypes.Int16, Nullable: true},
		{Name: "money", Type: &arrow.Decimal128Type{Precision: 12, Scale: 2}},
		{Name: "at", Type: &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "Europe/Paris"}},
		{Name: "d", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}},
		{Name: "s", Type: arrow.StructOf(arrow.Field{Name: "x", Type: arrow.BinaryTypes.String, Nullable: true},
			arrow.Field{Name: "y", Type: arrow.StructOf(arrow.Field{Name: "z", Type: arrow.FixedWidthTypes.Boolean})}), Nullable: true},
		{Name: "l", Type: arrow.ListOf(arrow.PrimitiveTypes.Int64)},
	}, nil)
	rec, _, err := array.RecordFromJSON(mem, schema, strings.NewReader(`[
		{"id":1,"small":7,"money":"12.50","at":"2024-07-01T10:00:00.123456789Z","d":"a","s":{"x":"é","y":{"z":true}},"l":[1,2]},
		{"id":2,"small":null,"money":"-0.01","at":"1969-12-31T23:59:59.999999999Z","d":"b","s":null,"l":[]}]`))
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(p)
	if err != nil {
		t.Fatal(err)
	}
	w, err := pqarrow.NewFileWriter(schema, f, nil, pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // two row groups
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	c, err := readAll(t, project, stream(t, setting{"path": "*"}))
	if err != nil {
		t.Fatal(err)
	}
	row1 := ` at="2024-07-01T10:00:00.123456Z" d="a" id="1" l="[1,2]" money="12.5" s.x="é" s.y.z="true" small="7"`
	row2 := ` at="1969-12-31T23:59:59.999999Z" d="b" id="2" l="[]" money="-0.01"`
	want := "a.parquet:1" + row1 + "\na.parquet:2" + row2 + "\na.parquet:3" + row1 + "\na.parquet:4" + row2
	if got := summary(c); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}

	whole, err := os.ReadFile(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int{10, len(whole) / 2, len(whole) - 3} {
		write(t, project, "a.parquet", string(whole[:cut]))
		if _, err := readAll(t, project, stream(t, setting{"path": "*"})); err == nil || !strings.Contains(err.Error(), "data/a.parquet: is not a whole Parquet file") {
			t.Errorf("cut after %d bytes: %v", cut, err)
		}
	}
}
