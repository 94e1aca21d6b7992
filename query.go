package weir

import "time"

// QueryDef is `query:` of traits/<name>.yaml: traits that an SQL query over the lake
// gives, one for each of its columns beside profile_id.
type QueryDef struct {
	Trait   string        `json:"trait"`
	At      string        `json:"at,omitempty"` // file:line
	SQL     string        `json:"sql"`
	Columns []QueryColumn `json:"columns"` // in the order of their names
	Timeout time.Duration `json:"timeout,omitempty"`
}

// QueryColumn is a column of a query's rows, and the trait that it becomes.
type QueryColumn struct {
	Name string        `json:"name"`
	Type AttributeType `json:"type"`
}

// Query is the aggregate of a trait that a query gives; its Field is the column.
const Query = "query"

// QueryTimeout is how long a query may take that says nothing else.
const QueryTimeout = time.Minute

// ColumnTrait is the name of the trait of a column: the definition's for a column
// that is called value, else that, an underscore and the column's.
func (d *QueryDef) ColumnTrait(column string) string {
	if column == "value" {
		return d.Trait
	}
	return d.Trait + "_" + column
}

// Traits returns the traits that the query gives.
func (d *QueryDef) Traits(of Kind, categories []string) []TraitDef {
	var out []TraitDef
	for _, c := range d.Columns {
		out = append(out, TraitDef{Name: d.ColumnTrait(c.Name), Of: of, Aggregate: Query, Field: c.Name, Categories: categories, Query: d, At: d.At})
	}
	return out
}

// ColumnType is the type of a column, "" where the query has none of the name.
func (d *QueryDef) ColumnType(column string) AttributeType {
	for _, c := range d.Columns {
		if c.Name == column {
			return c.Type
		}
	}
	return ""
}
