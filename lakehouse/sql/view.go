package sql

import (
	"fmt"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// viewOf writes the view of a table over files. An empty relation with the
// declared columns comes first, so that a column that no file has is null of
// its type and no file at all is an empty table; columns that the table no longer
// has stay out.
func viewOf(t schema.Table, paths []string) (string, error) {
	if err := t.Check(); err != nil {
		return "", err
	}
	var declared, shown []string
	for _, c := range t.Columns {
		typ, err := typeOf(c.Type)
		if err != nil {
			return "", err
		}
		name := QuoteName(c.Name)
		declared = append(declared, fmt.Sprintf("NULL::%s AS %s", typ, name))
		shown = append(shown, fmt.Sprintf("%s::%s AS %s", name, typ, name))
	}
	from := "SELECT " + strings.Join(declared, ", ") + " WHERE false"
	if len(paths) > 0 {
		quoted := make([]string, len(paths))
		for i, p := range paths {
			quoted[i] = QuoteText(p)
		}
		from += " UNION ALL BY NAME SELECT * FROM read_parquet([" + strings.Join(quoted, ", ") +
			"], union_by_name=true, hive_partitioning=false, filename=false)"
	}
	space, name, _ := strings.Cut(t.Name, ".")
	return fmt.Sprintf("CREATE OR REPLACE VIEW %s.%s AS SELECT %s FROM (%s)",
		QuoteName(space), QuoteName(name), strings.Join(shown, ", "), from), nil
}

func typeOf(t schema.Type) (string, error) {
	switch t {
	case schema.Text:
		return "VARCHAR", nil
	case schema.Long:
		return "BIGINT", nil
	case schema.Int:
		return "INTEGER", nil
	case schema.Double:
		return "DOUBLE", nil
	case schema.Boolean:
		return "BOOLEAN", nil
	case schema.Date:
		return "DATE", nil
	case schema.Timestamp:
		return "TIMESTAMPTZ", nil
	case schema.LocalTimestamp:
		return "TIMESTAMP", nil
	case schema.Binary:
		return "BLOB", nil
	}
	if p, s, ok := t.Decimal(); ok {
		return fmt.Sprintf("DECIMAL(%d,%d)", p, s), nil
	}
	if e, ok := t.Element(); ok {
		in, err := typeOf(e)
		return in + "[]", err
	}
	if k, v, ok := t.KeyValue(); ok {
		kt, err := typeOf(k)
		if err != nil {
			return "", err
		}
		vt, err := typeOf(v)
		return fmt.Sprintf("MAP(%s, %s)", kt, vt), err
	}
	return "", weir.Errorf(weir.Internal, "type %s has no SQL type", t)
}

// QuoteName writes a name of a column or table as SQL.
func QuoteName(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// QuoteText writes a text as an SQL literal.
func QuoteText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
