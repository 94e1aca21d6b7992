package postgres

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/weir-cdp/weir"
)

// reading is how one column is read: what the query says, and what decodes it.
type reading struct {
	name  string
	query string        // the expression in the query
	new   func() column // an empty Arrow column
	typ   arrow.DataType
	text  bool // the value is text as the server has it
}

var decimalType = regexp.MustCompile(`^decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)$`)

// newReading chooses how a column is read. A declared type is only of use for
// numeric without a precision, and to have any column as text.
func newReading(a attribute, declared string) (reading, error) {
	r := reading{name: a.name, query: pgx.Identifier{a.name}.Sanitize()}
	if declared == "text" {
		r.query += "::text"
		return r.asText(), nil
	}
	if m := decimalType.FindStringSubmatch(declared); m != nil && a.typ == pgtype.NumericOID {
		p, _ := strconv.Atoi(m[1])
		s, _ := strconv.Atoi(m[2])
		if p < 1 || p > 38 || s > p {
			return r, weir.Errorf(weir.Invalid, "types.%s: the type %s is impossible", a.name, declared).Then("write decimal(p,s) with p up to 38 and s up to p")
		}
		return r.as(func() column { return newDecimal(p, s) }), nil
	}
	if declared != "" {
		return r, weir.Errorf(weir.Invalid, "types.%s: the table itself says the type, %s", a.name, a.typname).
			Then("remove it; only text, and decimal(p,s) of a numeric, can be declared")
	}
	return r.natural(a), nil
}

func (r reading) as(new func() column) reading {
	r.new, r.typ = new, new().dataType()
	return r
}

func (r reading) asText() reading {
	r.text = true
	return r.as(newText)
}

// natural is the Arrow type that holds a PostgreSQL type's values exactly, and
// text in PostgreSQL's own form where there is none.
func (r reading) natural(a attribute) reading {
	switch a.typ {
	case pgtype.BoolOID:
		return r.as(newBool)
	case pgtype.Int2OID, pgtype.Int4OID:
		return r.as(newInt32)
	case pgtype.Int8OID, pgtype.OIDOID:
		return r.as(newInt64)
	case pgtype.Float4OID, pgtype.Float8OID:
		return r.as(newFloat)
	case pgtype.DateOID:
		return r.as(newDate)
	case pgtype.TimestampOID:
		return r.as(func() column { return newTimestamp("") })
	case pgtype.TimestamptzOID:
		return r.as(func() column { return newTimestamp("UTC") })
	case pgtype.UUIDOID:
		return r.as(newUUID)
	case pgtype.ByteaOID:
		return r.as(newBytes)
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.NameOID, pgtype.JSONOID:
		return r.asText()
	case pgtype.JSONBOID:
		return r.as(newJSONB)
	case pgtype.NumericOID:
		// typmod is precision and scale, four more than said
		if p, s := int((a.typmod-4)>>16&0xffff), int((a.typmod-4)&0x7ff); a.typmod >= 4 && p <= 38 && s <= p {
			return r.as(func() column { return newDecimal(p, s) })
		}
	}
	switch {
	case a.element != 0:
		r.query = "array_to_json(" + r.query + ")::text"
	case a.typtype == "e": // its binary form is its label
	default:
		r.query += "::text"
	}
	return r.asText()
}

// schema is the Arrow schema of what is read.
func schemaOf(rs []reading) *arrow.Schema {
	fields := make([]arrow.Field, len(rs))
	for i, r := range rs {
		fields[i] = arrow.Field{Name: r.name, Type: r.typ, Nullable: true}
	}
	return arrow.NewSchema(fields, nil)
}

// malformed is a value that the type can't have: the table is another than the
// one that was described.
type malformed struct {
	column string
	size   int
}

func (m malformed) Error() string {
	return fmt.Sprintf("column %s sends a value of %d bytes, which is none of its type", m.column, m.size)
}
