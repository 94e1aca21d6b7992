package schema

import (
	"maps"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
)

// Fixed declares every table that each project has, in the order of their names,
// with core.records and core.profiles in their base columns. Callers own the
// result.
func Fixed() []Table {
	var out []Table
	for _, group := range [][]Table{coreTables(), identityTables(), segmentTables(), gateTables(), ledgerTables(), opsTables()} {
		out = append(out, group...)
	}
	slices.SortFunc(out, func(a, b Table) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Named returns the fixed table of that name; it panics on another, which is a
// programmer's error.
func Named(name string) Table {
	t, ok := fixed(name)
	if !ok {
		panic("schema: no fixed table " + name)
	}
	return t
}

func fixed(name string) (Table, bool) {
	for _, t := range Fixed() {
		if t.Name == name {
			return t, true
		}
	}
	return Table{}, false
}

// Records declares core.records with one column per attribute, in the order of
// their names; the attributes' ids are the catalog's to assign.
func Records(attributes map[string]weir.AttributeType) Table {
	return withAttributes("core.records", attributes)
}

// Profiles declares core.profiles with one column per attribute.
func Profiles(attributes map[string]weir.AttributeType) Table {
	return withAttributes("core.profiles", attributes)
}

func withAttributes(name string, attributes map[string]weir.AttributeType) Table {
	t := Named(name)
	for _, a := range slices.Sorted(maps.Keys(attributes)) {
		if _, taken := t.Column(a); taken {
			// The project's check refuses such a name; a second column would
			// make the table unreadable.
			continue
		}
		t.Columns = append(t.Columns, Column{Name: a, Type: Of(attributes[a]), Doc: "Attribute."})
	}
	return t
}

// table is shorthand for a declaration. Ids count up in the order written, each
// column's own followed by those below it, so a new column goes last, never
// between.
func table(name, doc string, key, person []string, columns ...Column) Table {
	t := Table{Name: name, Doc: doc, Key: key, PersonBy: person, Columns: columns}
	for i, c := range t.Columns {
		t.Columns[i].Required = slices.Contains(key, c.Name)
	}
	return t.WithIDs()
}

func col(name string, typ Type, doc string) Column { return Column{Name: name, Type: typ, Doc: doc} }
