package files

import (
	"bytes"
)

// dialect is how a CSV file is written.
type dialect struct{ delimiter, quote byte }

// sampledRows is how many rows of the sample detection looks at.
const sampledRows = 200

// detect finds the delimiter and the quote that cut a sample's rows into the
// same number of fields, more than one; a zero in want is to be found. Without
// any such, the file has one column.
func detect(sample []byte, more bool, want dialect, quoteGiven bool) dialect {
	if more { // the last row is cut off
		if i := bytes.LastIndexByte(sample, '\n'); i >= 0 {
			sample = sample[:i+1]
		}
	}
	delimiters := []byte{',', ';', '\t', '|'}
	if want.delimiter != 0 {
		delimiters = []byte{want.delimiter}
	}
	quotes := []byte{want.quote}
	if !quoteGiven {
		quotes = []byte{'"'}
		if bytes.IndexByte(sample, '"') < 0 && bytes.IndexByte(sample, '\'') >= 0 {
			quotes = append(quotes, '\'')
		}
	}
	best, bestFit := dialect{delimiters[0], quotes[0]}, fit{}
	for _, q := range quotes {
		for _, d := range delimiters {
			f := measure(sample, dialect{d, q})
			if q == '\'' && !quoteGiven && !f.apostropheQuotes() {
				continue
			}
			if f.better(bestFit) {
				best, bestFit = dialect{d, q}, f
			}
		}
	}
	return best
}

// fit says how well a dialect cuts a sample.
type fit struct {
	rows, agree int // agree: rows with as many fields as the header, 2 at least
	fields      int
	quoted, bad int // fields in quotes; rows that are no CSV
}

func measure(sample []byte, d dialect) fit {
	p := &csvParser{lines: newLines(bytes.NewReader(sample), int64(len(sample))), delimiter: d.delimiter, quote: d.quote}
	var f fit
	for f.rows < sampledRows && p.next() == nil {
		f.rows++
		if p.bad != "" {
			f.bad++
			continue
		}
		if f.fields == 0 {
			f.fields = len(p.fields)
		}
		if len(p.fields) == f.fields && f.fields > 1 {
			f.agree++
		}
		for _, field := range p.fields {
			if field.quoted {
				f.quoted++
			}
		}
	}
	return f
}

// better prefers more rows that agree, then more fields.
func (f fit) better(g fit) bool {
	if a, b := f.agree*max(g.rows, 1), g.agree*max(f.rows, 1); a != b {
		return a > b
	}
	return f.agree > 0 && f.fields > g.fields
}

// apostropheQuotes: an apostrophe is a quote only where it is used as one in
// every other row at least and breaks none.
func (f fit) apostropheQuotes() bool {
	return f.bad == 0 && f.quoted*2 >= f.rows && f.quoted > 0
}
