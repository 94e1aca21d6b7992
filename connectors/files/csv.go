package files

import (
	"bytes"
	"errors"
	"io"
)

// csvParser cuts CSV (RFC 4180) into fields without copying them.
//
// A quote counts at a field's beginning only; elsewhere it is a character like
// others (6" nail). Where a quoted field goes wrong (it never ends, or text
// follows its end) the line on which its row began is bad, and parsing goes on
// with the line after it: a stray quote costs one row, not the rest of the file.
type csvParser struct {
	*lines
	delimiter byte
	quote     byte // 0: none

	// of the current row
	row    []byte // valid until the next call
	at     int64  // its first line
	fields []csvField
	bad    string // why the row is bad; "" if it is not

	lineEnd int // of the line being parsed, relative to start, without "\n"
}

const tooLongRow = "the row is longer than the limit (max_row_bytes)"

var errOpenQuote = errors.New("open quote")

// csvField is a place in row.
type csvField struct {
	start, end      int
	quoted, escaped bool // escaped: doubled quotes inside
}

// next finds the next row that is not blank; io.EOF after the last.
func (p *csvParser) next() error {
	for {
		p.at, p.bad, p.fields = p.number, "", p.fields[:0]
		n, ended, err := p.length()
		if errors.Is(err, errTooLong) {
			return p.tooLong()
		}
		if err != nil {
			return err
		}
		line := p.buf[p.start : p.start+n]
		quotes := p.quote != 0 && bytes.IndexByte(line, p.quote) >= 0
		line = chomp(line)
		switch {
		case quotes && !p.splitQuoted(line):
			p.fields = p.fields[:0]
			return p.quoted(n)
		case !quotes && len(line) > 0:
			p.split(line)
		}
		p.advanceLine(n, ended)
		if len(line) > 0 {
			p.row = line
			return nil
		}
	}
}

func (p *csvParser) advanceLine(n int, ended bool) {
	if ended {
		p.advance(n+1, 1)
	} else {
		p.advance(n, 0)
	}
}

// tooLong makes a bad row of a line beyond the limit and passes it.
func (p *csvParser) tooLong() error {
	p.row = append([]byte(nil), p.have()[:min(len(p.have()), excerptSize)]...)
	p.bad = tooLongRow
	return p.skip()
}

func (p *csvParser) split(line []byte) {
	start := 0
	for {
		i := bytes.IndexByte(line[start:], p.delimiter)
		if i < 0 {
			p.fields = append(p.fields, csvField{start: start, end: len(line)})
			return
		}
		p.fields = append(p.fields, csvField{start: start, end: start + i})
		start += i + 1
	}
}

// splitQuoted cuts a row with quotes that ends with its line and is well formed,
// as nearly all are; it reports false for any other, which may have added fields.
func (p *csvParser) splitQuoted(line []byte) bool {
	for pos := 0; ; {
		if pos == len(line) || line[pos] != p.quote {
			i := bytes.IndexByte(line[pos:], p.delimiter)
			if i < 0 {
				p.fields = append(p.fields, csvField{start: pos, end: len(line)})
				return true
			}
			p.fields = append(p.fields, csvField{start: pos, end: pos + i})
			pos += i + 1
			continue
		}
		f := csvField{start: pos + 1, end: pos + 1, quoted: true}
		for {
			i := bytes.IndexByte(line[f.end:], p.quote)
			if i < 0 {
				return false
			}
			if f.end += i; f.end+1 == len(line) || line[f.end+1] != p.quote {
				break
			}
			f.escaped = true
			f.end += 2
		}
		p.fields = append(p.fields, f)
		if pos = f.end + 1; pos == len(line) {
			return true
		}
		if line[pos] != p.delimiter {
			return false
		}
		pos++
	}
}

// quoted parses a row with quotes, whose first line has n bytes.
func (p *csvParser) quoted(n int) error {
	pos, over := 0, false
	p.lineEnd = n
	var err error
	for !over {
		var f csvField
		if b, e := p.byteAt(pos); e == nil && b == p.quote {
			f, pos, over, err = p.quotedField(pos)
		} else {
			f, pos, over, err = p.plainField(pos)
		}
		if err != nil {
			switch {
			case errors.Is(err, errOpenQuote):
				p.bad = "a quote is opened and not closed"
			case errors.Is(err, errTooLong):
				p.bad = tooLongRow
			}
		}
		if p.bad != "" {
			return p.badLine(n)
		}
		if err != nil {
			return err
		}
		p.fields = append(p.fields, f)
	}
	p.row = p.buf[p.start : p.start+pos]
	p.advance(pos, bytes.Count(p.row, []byte{'\n'}))
	return nil
}

// badLine makes the row's first line bad and goes on after it.
func (p *csvParser) badLine(n int) error {
	p.row = append([]byte(nil), p.buf[p.start:p.start+min(n, excerptSize)]...)
	p.fields = p.fields[:0]
	p.advanceLine(n, p.start+n < p.end)
	return nil
}

// byteAt gives a byte of the row, reading on if need be; io.EOF at the end.
func (p *csvParser) byteAt(pos int) (byte, error) {
	for p.start+pos >= p.end {
		if err := p.fill(); err != nil {
			return 0, err
		}
	}
	return p.buf[p.start+pos], nil
}

// quotedField parses the field whose opening quote is at pos; next is where the
// one after it begins, or the row's end if over.
func (p *csvParser) quotedField(pos int) (f csvField, next int, over bool, err error) {
	f = csvField{start: pos + 1, quoted: true}
	for i := pos + 1; ; {
		k := -1
		if p.start+i < p.end {
			k = bytes.IndexByte(p.buf[p.start+i:p.end], p.quote)
		}
		if k < 0 {
			i = max(i, p.end-p.start)
			if err := p.fill(); errors.Is(err, io.EOF) || errors.Is(err, errTooLong) {
				return f, 0, false, errOpenQuote
			} else if err != nil {
				return f, 0, false, err
			}
			continue
		}
		f.end = i + k
		after, err := p.byteAt(f.end + 1)
		if err == nil && after == p.quote {
			f.escaped = true
			i = f.end + 2
			continue
		}
		next, over, err = p.afterQuote(f.end+1, after, err)
		return f, next, over, err
	}
}

// afterQuote wants a delimiter or the row's end at pos.
func (p *csvParser) afterQuote(pos int, b byte, err error) (next int, over bool, _ error) {
	switch {
	case errors.Is(err, io.EOF):
		return pos, true, nil
	case err != nil:
		return 0, false, err
	case b == p.delimiter:
		return pos + 1, false, nil
	case b == '\n':
		return pos + 1, true, nil
	case b == '\r':
		n, err := p.byteAt(pos + 1)
		if errors.Is(err, io.EOF) {
			return pos + 1, true, nil
		}
		if err != nil {
			return 0, false, err
		}
		if n == '\n' {
			return pos + 2, true, nil
		}
	}
	p.bad = "text follows a closing quote"
	return 0, false, nil
}

// plainField parses an unquoted field at pos. It ends with its line at the
// latest; lineEnd is where that is, as far as it is known.
func (p *csvParser) plainField(pos int) (f csvField, next int, over bool, err error) {
	if pos > p.lineEnd {
		if err := p.findLineEnd(pos); err != nil {
			return f, 0, false, err
		}
	}
	f.start = pos
	line := p.buf[p.start+pos : p.start+p.lineEnd]
	if i := bytes.IndexByte(line, p.delimiter); i >= 0 {
		f.end = pos + i
		return f, f.end + 1, false, nil
	}
	f.end = pos + len(chomp(line))
	if p.start+p.lineEnd < p.end {
		return f, p.lineEnd + 1, true, nil
	}
	return f, p.lineEnd, true, nil
}

// findLineEnd sets lineEnd for the line that holds pos.
func (p *csvParser) findLineEnd(pos int) error {
	for from := pos; ; {
		if p.start+from < p.end {
			if i := bytes.IndexByte(p.buf[p.start+from:p.end], '\n'); i >= 0 {
				p.lineEnd = from + i
				return nil
			}
			from = p.end - p.start
		}
		if err := p.fill(); errors.Is(err, io.EOF) {
			p.lineEnd = p.end - p.start
			return nil
		} else if err != nil {
			return err
		}
	}
}

// value gives a field's text; scratch is used if quotes have to be undoubled.
func (p *csvParser) value(f csvField, scratch []byte) []byte {
	raw := p.row[f.start:f.end]
	if !f.escaped {
		return raw
	}
	scratch = scratch[:0]
	for {
		i := bytes.IndexByte(raw, p.quote)
		if i < 0 {
			return append(scratch, raw...)
		}
		scratch = append(scratch, raw[:i+1]...)
		raw = raw[min(i+2, len(raw)):]
	}
}
