package schema

import (
	"slices"

	"github.com/weir-cdp/weir"
)

// Column is one column of a table.
type Column struct {
	ID       int    `json:"id"` // the Iceberg field id; 0: the catalog assigns it
	Name     string `json:"name"`
	Type     Type   `json:"type"`
	Required bool   `json:"required,omitempty"` // never null
	Doc      string `json:"doc,omitempty"`
	// Sub holds the ids below a list or map column: key, value (or element),
	// then those below the value. Empty: the catalog assigns them.
	Sub []int `json:"sub,omitempty"`
}

// Table declares one table.
type Table struct {
	Name    string   `json:"name"` // "core.events"
	Columns []Column `json:"columns"`
	Key     []string `json:"key"` // columns that tell rows apart; files are sorted by them
	// PersonBy says how a person is found in it: columns that hold a record id
	// (record_id), a profile id (profile_id), or identifiers (identifier). Empty:
	// the table holds nothing about a person.
	PersonBy []string `json:"person_by,omitempty"`
	Doc      string   `json:"doc"`
}

// The values of Table.PersonBy.
const (
	ByRecord     = "record_id"
	ByProfile    = "profile_id"
	ByIdentifier = "identifier"
)

// Column returns the column of that name.
func (t Table) Column(name string) (Column, bool) {
	i := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
	if i < 0 {
		return Column{}, false
	}
	return t.Columns[i], true
}

// Attributes returns the columns of core.records or core.profiles beside those
// that every project has: one per declared attribute.
func (t Table) Attributes() []Column {
	base, ok := fixed(t.Name)
	if !ok {
		return nil
	}
	var out []Column
	for _, c := range t.Columns {
		if _, is := base.Column(c.Name); !is {
			out = append(out, c)
		}
	}
	return out
}

// Check finds what no table may have: a column twice, an unknown type, an id
// twice, a key that is no column.
func (t Table) Check() error {
	bad := func(format string, args ...any) error {
		return weir.Errorf(weir.Invalid, format, args...).At(t.Name)
	}
	if t.Name == "" || len(t.Columns) == 0 {
		return bad("a table needs a name and columns")
	}
	names, ids := map[string]bool{}, map[int]string{}
	for _, c := range t.Columns {
		if c.Name == "" || names[c.Name] {
			return bad("column %q has no name or has it twice", c.Name)
		}
		names[c.Name] = true
		if err := c.Type.Check(); err != nil {
			return err
		}
		if n := c.Type.Subs(); len(c.Sub) != 0 && len(c.Sub) != n {
			return bad("column %s of type %s has %d ids below it, not %d", c.Name, c.Type, len(c.Sub), n)
		}
		for _, id := range append([]int{c.ID}, c.Sub...) {
			if other, twice := ids[id]; twice && id != 0 {
				return bad("field id %d is of %s and %s", id, other, c.Name)
			}
			ids[id] = c.Name
		}
	}
	for _, k := range t.Key {
		if !names[k] {
			return bad("key %s is no column", k)
		}
	}
	return nil
}

// WithIDs returns t with ids given to the columns that have none, counted on
// from the highest one present, each column's own followed by those below it.
// It is what a catalog does with a new table; tests and scratch tables use it.
func (t Table) WithIDs() Table {
	last := 0
	for _, c := range t.Columns {
		last = max(last, c.ID)
		for _, s := range c.Sub {
			last = max(last, s)
		}
	}
	t.Columns = slices.Clone(t.Columns)
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.ID == 0 {
			last++
			c.ID = last
		}
		if n := c.Type.Subs(); len(c.Sub) != n {
			c.Sub = make([]int, n)
			for j := range c.Sub {
				last++
				c.Sub[j] = last
			}
		}
	}
	return t
}
