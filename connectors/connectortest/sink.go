package connectortest

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/weir-cdp/weir/connectors"
)

// Row is one row as read: column to text; a null is absent.
type Row map[string]string

// String gives columns in order of name.
func (r Row) String() string {
	names := make([]string, 0, len(r))
	for n := range r {
		names = append(names, n)
	}
	sort.Strings(names)
	var b strings.Builder
	for _, n := range names {
		fmt.Fprintf(&b, "%s=%q ", n, r[n])
	}
	return strings.TrimSpace(b.String())
}

// Key joins the values of some columns.
func (r Row) Key(columns []string) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = r[c]
	}
	return strings.Join(parts, "\x00")
}

// Collector is a Sink that keeps what it is given and checks its form. It may
// be shared by several reads.
type Collector struct {
	T testing.TB
	// OnWrite, if set, is called before a batch is taken; its error is returned.
	OnWrite func(b connectors.Batch) error

	mu       sync.Mutex
	Rows     []Row
	Origins  []string // of each row: "origin:line" or "origin"
	Deleted  []bool   // of each row
	Rejected []connectors.Rejection
	Schemas  []*arrow.Schema // of each batch
}

// Write implements connectors.Sink.
func (c *Collector) Write(ctx context.Context, b connectors.Batch) error {
	if c.OnWrite != nil {
		if err := c.OnWrite(b); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n := int(b.Rows.NumRows())
	if n == 0 {
		c.T.Error("a batch without rows")
	}
	if b.Origin == "" {
		c.T.Error("a batch without an origin")
	}
	if b.Lines != nil && len(b.Lines) != n {
		c.T.Errorf("a batch of %d rows has %d lines", n, len(b.Lines))
	}
	if b.Deleted != nil && len(b.Deleted) != n {
		c.T.Errorf("a batch of %d rows has %d deletion marks", n, len(b.Deleted))
	}
	c.Schemas = append(c.Schemas, b.Rows.Schema())
	for i := range n {
		row := Row{}
		for j, f := range b.Rows.Schema().Fields() {
			if col := b.Rows.Column(j); !col.IsNull(i) {
				row[f.Name] = strings.Clone(col.ValueStr(i))
			}
		}
		origin := b.Origin
		if b.Lines != nil {
			origin = fmt.Sprintf("%s:%d", b.Origin, b.Lines[i])
		}
		c.Rows, c.Origins = append(c.Rows, row), append(c.Origins, origin)
		c.Deleted = append(c.Deleted, b.Deleted != nil && b.Deleted[i])
	}
	return nil
}

// Reject implements connectors.Sink.
func (c *Collector) Reject(ctx context.Context, r connectors.Rejection) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Reason == "" || r.Origin == "" {
		c.T.Errorf("a rejection lacks its reason or origin: %+v", r)
	}
	if len(r.Excerpt) > 200 || !utf8.ValidString(r.Excerpt) {
		c.T.Errorf("an excerpt is longer than 200 bytes or not UTF-8: %q", r.Excerpt)
	}
	if r.Field == "" && !r.Withheld {
		c.T.Errorf("a rejection of a whole row must withhold it: %+v", r)
	}
	c.Rejected = append(c.Rejected, r)
	return nil
}

// Texts gives each row's text, in order.
func (c *Collector) Texts() []string {
	out := make([]string, len(c.Rows))
	for i, r := range c.Rows {
		out[i] = c.Origins[i] + " " + r.String()
	}
	return out
}
