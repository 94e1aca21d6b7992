package files

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"

	"github.com/weir-cdp/weir"
)

func newEncoder(format string, w io.Writer, s shape, escape bool) (encoder, error) {
	switch format {
	case "csv":
		return newCSVEncoder(w, s, escape)
	case "ndjson":
		return &ndjsonEncoder{w: w}, nil
	case "parquet":
		return newParquetEncoder(w, s)
	}
	return nil, weir.Errorf(weir.Invalid, "format %q can't be written", format).Then("use csv, ndjson or parquet")
}

// csvEncoder writes RFC 4180. Null is nothing, an empty text is "" in quotes, so
// that a reader can tell them apart.
type csvEncoder struct {
	w      io.Writer
	names  []string
	escape bool
	line   []byte
}

func newCSVEncoder(w io.Writer, s shape, escape bool) (encoder, error) {
	e := &csvEncoder{w: w, names: sortedNames(s), escape: escape}
	e.line = append(e.line, "_op,_key"...)
	for _, n := range e.names {
		e.line = append(e.line, ',')
		e.text(n)
	}
	return e, e.end()
}

func (e *csvEncoder) row(r partRow) error {
	e.line = append(e.line, r.Op...)
	e.line = append(e.line, ',')
	e.text(r.Key)
	i := 0
	for _, name := range e.names {
		e.line = append(e.line, ',')
		if i == len(r.Fields) || r.Fields[i].Name != name {
			continue
		}
		switch f := r.Fields[i]; f.Kind {
		case kindNull:
		case kindText:
			e.text(f.Text)
		default:
			e.line = append(e.line, f.Text...)
		}
		i++
	}
	return e.end()
}

func (e *csvEncoder) end() error {
	e.line = append(e.line, '\n')
	_, err := e.w.Write(e.line)
	e.line = e.line[:0]
	return err
}

func (e *csvEncoder) close() error { return nil }

func (e *csvEncoder) text(s string) {
	if e.escape && formula(s) {
		s = "'" + s
	}
	if s != "" && !strings.ContainsAny(s, ",\"\r\n") && s[0] != ' ' && s[len(s)-1] != ' ' {
		e.line = append(e.line, s...)
		return
	}
	e.line = append(e.line, '"')
	e.line = append(e.line, strings.ReplaceAll(s, `"`, `""`)...)
	e.line = append(e.line, '"')
}

// formula says whether a spreadsheet would run a text as a formula. A sign with
// nothing but digits, points and spaces (+33 6 12 34 56 78) is a number to it.
func formula(s string) bool {
	if s == "" {
		return false
	}
	switch s[0] {
	case '=', '@', '\t', '\r', '\n':
		return true
	case '+', '-':
		return strings.Trim(s[1:], "0123456789. ") != "" || len(s) == 1
	}
	return false
}

// ndjsonEncoder writes one object a line: _op, _key, then the row's fields.
type ndjsonEncoder struct {
	w    io.Writer
	line bytes.Buffer
}

func (e *ndjsonEncoder) row(r partRow) error {
	e.line.Reset()
	e.line.WriteString(`{"_op":`)
	e.quote(string(r.Op))
	e.line.WriteString(`,"_key":`)
	e.quote(r.Key)
	for _, f := range r.Fields {
		e.line.WriteByte(',')
		e.quote(f.Name)
		e.line.WriteByte(':')
		switch f.Kind {
		case kindNull:
			e.line.WriteString("null")
		case kindInt, kindBool, kindDecimal:
			e.line.WriteString(f.Text)
		default:
			e.quote(f.Text)
		}
	}
	e.line.WriteString("}\n")
	_, err := e.w.Write(e.line.Bytes())
	return err
}

// quote writes a JSON string. A string always has a JSON form.
func (e *ndjsonEncoder) quote(s string) {
	enc := json.NewEncoder(&e.line)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s)
	e.line.Truncate(e.line.Len() - 1) // the newline that Encode adds
}

func (e *ndjsonEncoder) close() error { return nil }
