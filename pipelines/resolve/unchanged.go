package resolve

import (
	"cmp"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
	"github.com/weir-cdp/weir/pipelines/resolve/index"
)

// contents digests records as index.Content does, from the columns of a view: most
// rows of a file that is read again are as they were, and need not be made. It is used
// for one view after another.
type contents struct {
	digest       index.Digester
	kind, source func(row int) string
	names        []string // of attributes, ascending
	texts        []func(row int) string
	lists        func(row int, to []pipelines.ViewList) []pipelines.ViewList
	held         []pipelines.ViewList
}

// isRead says which columns of core.records resolve reads.
func isRead(column string) bool { return column != "stream" && column != "observed_at" }

func (c *contents) open(v *pipelines.View) (err error) {
	fixed := schema.Named(records)
	c.names, c.texts = c.names[:0], c.texts[:0]
	for _, name := range v.Columns() {
		if _, ok := fixed.Column(name); !ok {
			c.names = append(c.names, name)
		}
	}
	slices.Sort(c.names)
	for _, name := range c.names {
		text, err := v.Text(name)
		if err != nil {
			return err
		}
		c.texts = append(c.texts, text)
	}
	if c.kind, err = v.Text("kind"); err != nil {
		return err
	}
	if c.source, err = v.Text("source"); err != nil {
		return err
	}
	c.lists, err = v.Lists("identifiers")
	return err
}

// of digests a row. It returns false where a kind of identifiers comes twice: which
// one counts is for who makes the row to say.
func (c *contents) of(row int) (h evidence.Hash, ok bool) {
	c.digest.Begin(c.kind(row), c.source(row))
	for i, text := range c.texts {
		c.digest.Attribute(c.names[i], text(row))
	}
	c.held = c.lists(row, c.held[:0])
	slices.SortFunc(c.held, func(a, b pipelines.ViewList) int { return cmp.Compare(a.Name, b.Name) })
	for i, l := range c.held {
		if i > 0 && l.Name == c.held[i-1].Name {
			return h, false
		}
		c.digest.Identifier(l.Name, l.Values)
	}
	return c.digest.Sum(), true
}

// rowContents are those of the rows of one view after another, in their order.
type rowContents struct {
	contents
	all  []evidence.Hash // zero: see contents.of
	next int
}

func (d *rowContents) look(v *pipelines.View) error {
	d.all, d.next = d.all[:0], 0
	if err := d.open(v); err != nil {
		return err
	}
	for row := range v.Rows() {
		h, _ := d.contents.of(row)
		d.all = append(d.all, h)
	}
	return nil
}

// of is index.Content of the next row, which was made into a record.
func (d *rowContents) of(rec *weir.Record) evidence.Hash {
	h := d.all[d.next]
	if d.next++; h == (evidence.Hash{}) {
		return index.Content(rec)
	}
	return h
}

// choose leaves out the rows that the index knows as they are.
func (c *changed) choose(v *pipelines.View, chosen []bool) error {
	id, err := v.Text("record_id")
	if err != nil {
		return err
	}
	if err := c.contents.open(v); err != nil {
		return err
	}
	for row := range chosen {
		chosen[row] = true
		known, ok := c.version(id(row))
		if !ok {
			continue
		}
		if h, ok := c.contents.of(row); !ok || h != c.shelf.content[known] {
			continue
		}
		chosen[row] = false
		if err := c.unchanged(known); err != nil {
			return err
		}
	}
	return nil
}
