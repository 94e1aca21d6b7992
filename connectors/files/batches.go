package files

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/weir-cdp/weir/connectors"
)

// A batch goes out when it has so many rows or bytes: few enough that it is in the
// processor's cache when it is written.
const (
	batchRows  = 8 << 10
	batchBytes = 8 << 20
)

const excerptSize = 200

// excerpt shortens a value for a rejection and makes it valid UTF-8.
func excerpt(b []byte) string {
	s := string(b[:min(len(b), excerptSize)])
	if len(b) > excerptSize { // do not cut a letter in two
		for i := 0; i < utf8.UTFMax-1 && len(s) > 0 && !utf8.ValidString(s[len(s)-1:]) && !validEnd(s); i++ {
			s = s[:len(s)-1]
		}
	}
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "?"), "?")
	return s[:min(len(s), excerptSize)]
}

func validEnd(s string) bool {
	r, size := utf8.DecodeLastRuneInString(s)
	return r != utf8.RuneError || size != 1
}

// out is where a format's reader puts what it finds. It runs ahead of the sink
// by a few items, so that parsing and writing overlap.
type out struct {
	ctx    context.Context
	items  chan item
	origin string
}

type item struct {
	batch     connectors.Batch
	rejection connectors.Rejection
}

func (o *out) send(it item) error {
	select {
	case o.items <- it:
		return nil
	case <-o.ctx.Done():
		if it.batch.Rows != nil {
			it.batch.Rows.Release()
		}
		return o.ctx.Err()
	}
}

// rejectRow reports a row that is in no batch.
func (o *out) rejectRow(line int64, reason string, row []byte) error {
	return o.send(item{rejection: connectors.Rejection{Origin: o.at(line), Reason: reason, Excerpt: excerpt(row), Withheld: true}})
}

// rejectValue reports a value that became null.
func (o *out) rejectValue(line int64, field, reason string, value []byte) error {
	return o.send(item{rejection: connectors.Rejection{Origin: o.at(line), Field: field, Reason: reason, Excerpt: excerpt(value)}})
}

func (o *out) at(line int64) string { return fmt.Sprintf("%s:%d", o.origin, line) }

// table collects rows of named columns into batches. Columns may be added
// between rows: earlier rows of the batch have null there.
type table struct {
	out   *out
	names []string
	types []string // as declared; "" is text
	cols  []column
	lines []int64
	bytes int // of the batch, as the rows' texts were
}

func (t *table) rows() int { return len(t.lines) }

// rowDone ends a row that took so many bytes.
func (t *table) rowDone(line int64, size int) error {
	t.lines = append(t.lines, line)
	if t.bytes += size; t.bytes >= batchBytes || len(t.lines) >= batchRows {
		return t.flush()
	}
	return nil
}

func (t *table) flush() error {
	n := len(t.lines)
	if n == 0 {
		return nil
	}
	fields, arrays := make([]arrow.Field, len(t.cols)), make([]arrow.Array, len(t.cols))
	for i, c := range t.cols {
		nullsUpTo(c, n)
		fields[i] = arrow.Field{Name: t.names[i], Type: c.dataType(), Nullable: true}
		arrays[i] = c.take()
	}
	rows := array.NewRecordBatch(arrow.NewSchema(fields, nil), arrays, int64(n))
	for _, a := range arrays {
		a.Release()
	}
	b := connectors.Batch{Rows: rows, Origin: t.out.origin, Lines: t.lines}
	t.lines, t.bytes = make([]int64, 0, n), 0
	return t.out.send(item{batch: b})
}
