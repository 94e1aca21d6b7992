package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
)

// readCSV parses a text into batches.
func readCSV(t text, o options, out *out) error {
	sample, whole, more, err := peek(t.r)
	if err != nil {
		return err
	}
	if bytes.IndexByte(sample, '\n') < 0 && bytes.IndexByte(sample, '\r') >= 0 {
		whole, sample = oldMac{whole}, bytes.ReplaceAll(sample, []byte{'\r'}, []byte{'\n'})
	}
	if o.dialect.delimiter == 0 || !o.quoteGiven {
		o.dialect = detect(sample, more, o.dialect, o.quoteGiven)
	}
	p := &csvParser{lines: newLines(whole, o.maxRow), delimiter: o.dialect.delimiter, quote: o.dialect.quote}
	r := &csvReader{p: p, t: t, table: table{out: out}}
	if err := r.begin(o); errors.Is(err, io.EOF) {
		if o.header && !o.mayBeEmpty {
			return weir.Errorf(weir.Invalid, "the file is empty: it lacks even a header").
				Then("write it again, whole; if it may be empty, set the stream's `may_be_empty: true`")
		}
		return nil // no rows
	} else if err != nil {
		return err
	}
	for {
		if err := p.next(); errors.Is(err, io.EOF) {
			return r.flush()
		} else if err != nil {
			return err
		}
		if err := r.row(); err != nil {
			return err
		}
	}
}

type csvReader struct {
	table
	p       *csvParser
	t       text
	texts   []*textColumn // the same columns where they are text, nil elsewhere
	scratch []byte
}

// begin reads the header and makes the columns.
func (r *csvReader) begin(o options) error {
	if err := r.p.next(); err != nil {
		return err
	}
	names := o.columns
	if o.header {
		if reason := r.unusable(); reason != "" {
			return weir.Errorf(weir.Invalid, "the header can't be read: %s", reason).Then("correct the first line of the file")
		}
		for _, f := range r.p.fields {
			names = append(names, strings.TrimSpace(string(r.p.value(f, nil))))
		}
	} else if len(names) == 0 {
		for i := range r.p.fields {
			names = append(names, fmt.Sprintf("column_%d", i+1))
		}
	}
	if err := checkNames(names, o); err != nil {
		return err
	}
	r.names = names
	for _, n := range names {
		c, err := newColumn(o.types[n], o.loc)
		if err != nil {
			return err
		}
		t, _ := c.(*textColumn)
		r.cols, r.types, r.texts = append(r.cols, c), append(r.types, o.types[n]), append(r.texts, t)
	}
	if !o.header {
		return r.row()
	}
	return nil
}

// checkNames finds what makes a header unusable: empty and repeated names, and
// a key or a typed column that it lacks.
func checkNames(names []string, o options) error {
	seen := map[string]int{}
	for i, n := range names {
		if n == "" {
			return weir.Errorf(weir.Invalid, "column %d has no name", i+1).
				Then("name it in the file's header, or set `header: false` and `columns` if the file has none")
		}
		if first, ok := seen[n]; ok {
			return weir.Errorf(weir.Invalid, "columns %d and %d are both named %q", first, i+1, n).
				Then("rename one in the file's header, or set `header: false` and `columns`")
		}
		seen[n] = i + 1
	}
	for _, want := range slices.Concat(o.key, sortedNames(o.types)) {
		if _, ok := seen[want]; ok {
			continue
		}
		next := "correct `key` or `types`; or does the file lack its header? Then set `header: false` and `columns`"
		if n := connectors.Nearest(want, names); n != "" {
			next = "did you mean " + n + "?"
		}
		return weir.Errorf(weir.Invalid, "the header has no column %q", want).Then(next)
	}
	return nil
}

var replacement = []byte("\uFFFD")

// unusable says why the current row can't be taken; "" if it can.
func (r *csvReader) unusable() string {
	p := r.p
	switch {
	case p.bad != "":
		return p.bad
	case bytes.IndexByte(p.row, 0) >= 0:
		return "the row has a NUL byte"
	case r.t.decoded && bytes.Contains(p.row, replacement):
		return "the row has bytes that are not " + r.t.encoding
	case !r.t.decoded && !utf8.Valid(p.row):
		return "the row is not valid UTF-8; set `encoding` if the file is in another"
	case len(r.cols) > 0 && len(p.fields) != len(r.cols):
		return fmt.Sprintf("%d fields where %d are expected", len(p.fields), len(r.cols))
	}
	return ""
}

// row takes the parser's current row.
func (r *csvReader) row() error {
	p := r.p
	if reason := r.unusable(); reason != "" {
		return r.out.rejectRow(p.at, reason, p.row)
	}
	for i, f := range p.fields {
		switch c := r.texts[i]; {
		case f.start == f.end && !f.quoted:
			r.cols[i].null()
		case c != nil && !f.escaped:
			c.add(p.row[f.start:f.end])
		default:
			v := p.value(f, r.scratch)
			if f.escaped {
				r.scratch = v
			}
			if !r.cols[i].add(v) {
				if err := r.out.rejectValue(p.at, r.names[i], "is no "+r.types[i], v); err != nil {
					return err
				}
			}
		}
	}
	return r.rowDone(p.at, len(p.row))
}
