package postgres

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
)

// A batch goes out when it holds so many bytes, however few rows.
const batchBytes = 8 << 20

// item is a batch or a rejection on its way to the sink.
type item struct {
	rows      arrow.RecordBatch
	rejection connectors.Rejection
}

// parser makes batches of a binary COPY stream. It is the writer that pgx copies
// to; a write holds a whole row, but need not.
type parser struct {
	ctx       context.Context
	items     chan<- item
	readings  []reading
	schema    *arrow.Schema
	cols      []column
	origin    string
	row       int64
	rows      int // of the batch
	bytes     int // that they came in
	batchRows int
	validate  bool // text may be no UTF-8
	begun     bool
	rest      []byte // of a row that is not whole yet
	fields    []span
}

type span struct{ from, size int }

var copyMagic = []byte("PGCOPY\n\xff\r\n\x00")

func newParser(ctx context.Context, rs []reading, items chan<- item) *parser {
	p := &parser{ctx: ctx, items: items, readings: rs, schema: schemaOf(rs), cols: make([]column, len(rs)), fields: make([]span, len(rs))}
	for i, r := range rs {
		p.cols[i] = r.new()
	}
	return p
}

// Write implements io.Writer.
func (p *parser) Write(b []byte) (int, error) {
	size := len(b)
	if len(p.rest) > 0 {
		p.rest = append(p.rest, b...)
		b = p.rest
	}
	if !p.begun {
		n, err := header(b)
		if err != nil {
			return 0, err
		}
		if p.begun = n > 0; p.begun {
			b = b[n:]
		} else {
			p.rest = append([]byte(nil), b...)
			return size, nil
		}
	}
	for len(b) > 0 {
		n, err := p.tuple(b)
		if err != nil {
			return 0, err
		}
		if n == 0 {
			break
		}
		b = b[n:]
	}
	p.rest = append(p.rest[:0:0], b...)
	return size, nil
}

// header gives the length of the stream's header, 0 if more is needed.
func header(b []byte) (int, error) {
	if len(b) < 19 {
		return 0, nil
	}
	if !bytes.HasPrefix(b, copyMagic) {
		return 0, weir.Errorf(weir.Internal, "the server's copy is none in binary form")
	}
	n := 19 + int(binary.BigEndian.Uint32(b[15:]))
	if len(b) < n {
		return 0, nil
	}
	return n, nil
}

// tuple takes one row and gives its length, 0 if it is not whole.
func (p *parser) tuple(b []byte) (int, error) {
	if len(b) < 2 {
		return 0, nil
	}
	switch n := be16(b); {
	case n == -1: // the end
		return len(b), nil
	case int(n) != len(p.cols):
		return 0, weir.Errorf(weir.Conflict, "a row has %d columns instead of %d", n, len(p.cols)).Then("sync again")
	}
	at := 2
	for i := range p.fields {
		if len(b) < at+4 {
			return 0, nil
		}
		size := int(be32(b[at:]))
		at += 4
		p.fields[i] = span{at, size}
		if size > 0 {
			at += size
		}
		if at > len(b) {
			return 0, nil
		}
	}
	return at, p.take(b, at)
}

// take adds a row of so many bytes to the batch.
func (p *parser) take(b []byte, size int) error {
	p.row++
	for i, f := range p.fields {
		if f.size < 0 {
			p.cols[i].null()
			continue
		}
		v := b[f.from : f.from+f.size]
		if p.validate && p.readings[i].text && !utf8.Valid(v) {
			p.cols[i].null()
			if err := p.reject(i, "not UTF-8", v); err != nil {
				return err
			}
			continue
		}
		reason, ok := p.cols[i].add(v)
		if !ok {
			return weir.Errorf(weir.Conflict, "%w", malformed{p.readings[i].name, len(v)}).Then("the table changed while it was read: sync again")
		}
		if reason != "" {
			if err := p.reject(i, reason, v); err != nil {
				return err
			}
		}
	}
	p.rows++
	if p.bytes += size; p.rows >= p.batchRows || p.bytes >= batchBytes {
		return p.flush()
	}
	return nil
}

// reject reports a value that became null. The number is that of the row's
// _weir_row_id.
func (p *parser) reject(i int, reason string, v []byte) error {
	excerpt := strings.ToValidUTF8(strings.ReplaceAll(string(v[:min(len(v), 100)]), "\x00", "?"), "?")
	if !p.readings[i].text {
		excerpt = "binary form " + hex.EncodeToString(v[:min(len(v), 32)])
	}
	return p.send(item{rejection: connectors.Rejection{Origin: fmt.Sprintf("%s#%d", p.origin, p.row-1),
		Field: p.readings[i].name, Reason: reason, Excerpt: excerpt}})
}

func (p *parser) flush() error {
	if p.rows == 0 {
		return nil
	}
	arrays := make([]arrow.Array, len(p.cols))
	for i, c := range p.cols {
		arrays[i] = c.take()
	}
	rec := array.NewRecordBatch(p.schema, arrays, int64(p.rows))
	for _, a := range arrays {
		a.Release()
	}
	p.rows, p.bytes = 0, 0
	return p.send(item{rows: rec})
}

func (p *parser) send(it item) error {
	select {
	case p.items <- it:
		return nil
	case <-p.ctx.Done():
		if it.rows != nil {
			it.rows.Release()
		}
		return p.ctx.Err()
	}
}
