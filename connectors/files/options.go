package files

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
)

// options are a stream's settings, checked.
type options struct {
	pattern             string
	format, compression string // "": by extension
	dialect             dialect
	quoteGiven          bool
	encoding            string
	header              bool
	columns             []string
	row                 rowPath
	key                 []string
	types               map[string]string
	loc                 *time.Location
	maxBytes, maxRow    int64
	full, mayBeEmpty    bool
	fingerprint         string // of all that changes what is read from a file
}

func parseOptions(st connectors.Stream, timezone string) (options, error) {
	s := st.Settings
	o := options{pattern: s.String("path"), format: s.String("format"), compression: s.String("compression"),
		encoding: strings.ToLower(s.String("encoding")), header: s.Bool("header"), columns: s.Strings("columns"),
		key: st.Key, types: st.Types, maxBytes: s.Int("max_bytes"), maxRow: s.Int("max_row_bytes"), full: st.Mode == "full", mayBeEmpty: st.MayBeEmpty}
	fail := func(next, format string, args ...any) (options, error) {
		return o, weir.Errorf(weir.Invalid, format, args...).At("stream " + st.Name).Then(next)
	}
	if o.pattern == "" || path.IsAbs(o.pattern) || slices.Contains(strings.Split(o.pattern, "/"), "..") {
		return fail("write a pattern below the source's folder", "path %q leads out of the folder", o.pattern)
	}
	o.pattern = path.Clean(o.pattern)
	if !doublestar.ValidatePattern(o.pattern) {
		return fail("close its brackets and braces", "path %q is no pattern", o.pattern)
	}
	if st.Cursor != "" || (st.Mode != "" && st.Mode != "full" && st.Mode != "incremental") {
		return fail("remove `cursor`; new and changed files are found without", "files have no cursor")
	}
	if o.maxBytes <= 0 || o.maxRow <= 0 || o.maxRow > 1<<30 {
		return fail("max_row_bytes may be 1 GiB", "max_bytes and max_row_bytes must be positive")
	}
	if d := s.String("delimiter"); d == "tab" || d == `\t` {
		o.dialect.delimiter = '\t'
	} else if len(d) == 1 && !strings.ContainsAny(d, "\n\r\x00\"") {
		o.dialect.delimiter = d[0]
	} else if d != "" {
		return fail(`write for example delimiter: ";" or "tab"`, "delimiter %q is not one character of ASCII", d)
	}
	if q := s.String("quote"); q == "none" {
		o.quoteGiven = true
	} else if len(q) == 1 && q[0] != o.dialect.delimiter && !strings.ContainsAny(q, "\n\r\x00") {
		o.dialect.quote, o.quoteGiven = q[0], true
	} else if q != "" {
		return fail(`write for example quote: "'" or "none"`, "quote %q is not one character of ASCII", q)
	}
	if o.encoding != "" {
		if _, err := lookup(o.encoding); err != nil {
			return o, err
		}
	}
	if len(o.columns) > 0 && o.header {
		return fail("add `header: false`, or remove `columns`", "columns are named though a header is expected")
	}
	var err error
	if o.row, err = parseRowPath(s.String("row")); err != nil {
		return o, err
	}
	if o.loc, err = time.LoadLocation(timezone); err != nil {
		return fail("use a name like Europe/Paris", "the time zone %q is not known", timezone)
	}
	for _, name := range sortedNames(o.types) {
		if _, err := newColumn(o.types[name], o.loc); err != nil {
			return o, fmt.Errorf("types.%s: %w", name, err)
		}
	}
	o.fingerprint = fingerprint(s, o.types, timezone)
	return o, nil
}

// fingerprint makes a corrected setting read its files again. Which files are
// read is not part of it.
func fingerprint(s connectors.Settings, types map[string]string, timezone string) string {
	h := sha256.New()
	for _, k := range sortedNames(s) {
		if k != "path" && k != "max_bytes" {
			fmt.Fprintf(h, "%q=%q\n", k, fmt.Sprint(s[k]))
		}
	}
	for _, k := range sortedNames(types) {
		fmt.Fprintf(h, "%q:%q\n", k, types[k])
		if types[k] == "timestamp" {
			fmt.Fprintf(h, "zone %q\n", timezone)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:4])
}

func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

var formats = map[string]string{".csv": "csv", ".tsv": "csv", ".txt": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson",
	".json": "json", ".xml": "xml", ".parquet": "parquet"}

// of gives the options for one file: what its name says fills what is not set.
func (o options) of(name string) (options, error) {
	compression, inner := compressionOf(name)
	if o.compression == "" {
		o.compression = compression
	}
	ext := strings.ToLower(path.Ext(inner))
	if o.format == "" {
		o.format = formats[ext]
	}
	switch {
	case o.format == "":
		return o, weir.Errorf(weir.Invalid, "the extension %q says no format", ext).Then("set `format`, or narrow `path`")
	case o.format == "csv" && ext == ".tsv" && o.dialect.delimiter == 0:
		o.dialect.delimiter = '\t'
	case o.format == "xml" && o.row == nil:
		return o, weir.Errorf(weir.Invalid, "which element is a row of this XML file is not said").Then("set `row`, for example row: //optin")
	case o.format == "parquet" && o.compression != "none":
		return o, weir.Errorf(weir.Invalid, "a Parquet file that is compressed as a whole can't be read").Then("unpack it: Parquet compresses its columns itself")
	case o.format == "parquet" && len(o.types) > 0:
		return o, weir.Errorf(weir.Invalid, "Parquet files carry their own types").Then("remove `types`, and convert in `map`")
	}
	return o, nil
}
