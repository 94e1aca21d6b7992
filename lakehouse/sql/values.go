package sql

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"
)

// typeName writes a type as DuckDB shows it.
func typeName(info duckdb.TypeInfo) string {
	switch d := info.Details().(type) {
	case *duckdb.DecimalDetails:
		return fmt.Sprintf("DECIMAL(%d,%d)", d.Width, d.Scale)
	case *duckdb.ListDetails:
		return typeName(d.Child) + "[]"
	case *duckdb.ArrayDetails:
		return fmt.Sprintf("%s[%d]", typeName(d.Child), d.Size)
	case *duckdb.MapDetails:
		return "MAP(" + typeName(d.Key) + ", " + typeName(d.Value) + ")"
	case *duckdb.StructDetails:
		parts := make([]string, len(d.Entries))
		for i, e := range d.Entries {
			parts[i] = QuoteName(e.Name()) + " " + typeName(e.Info())
		}
		return "STRUCT(" + strings.Join(parts, ", ") + ")"
	}
	switch info.InternalType() {
	case duckdb.TYPE_TIMESTAMP_TZ:
		return "TIMESTAMP WITH TIME ZONE"
	case duckdb.TYPE_SQLNULL:
		return "NULL"
	}
	names := map[duckdb.Type]string{
		duckdb.TYPE_BOOLEAN: "BOOLEAN", duckdb.TYPE_TINYINT: "TINYINT", duckdb.TYPE_SMALLINT: "SMALLINT",
		duckdb.TYPE_INTEGER: "INTEGER", duckdb.TYPE_BIGINT: "BIGINT", duckdb.TYPE_UTINYINT: "UTINYINT",
		duckdb.TYPE_USMALLINT: "USMALLINT", duckdb.TYPE_UINTEGER: "UINTEGER", duckdb.TYPE_UBIGINT: "UBIGINT",
		duckdb.TYPE_FLOAT: "FLOAT", duckdb.TYPE_DOUBLE: "DOUBLE", duckdb.TYPE_HUGEINT: "HUGEINT",
		duckdb.TYPE_UHUGEINT: "UHUGEINT", duckdb.TYPE_VARCHAR: "VARCHAR", duckdb.TYPE_BLOB: "BLOB",
		duckdb.TYPE_DATE: "DATE", duckdb.TYPE_TIME: "TIME", duckdb.TYPE_TIME_TZ: "TIME WITH TIME ZONE",
		duckdb.TYPE_TIMESTAMP: "TIMESTAMP", duckdb.TYPE_TIMESTAMP_S: "TIMESTAMP_S", duckdb.TYPE_TIMESTAMP_MS: "TIMESTAMP_MS",
		duckdb.TYPE_TIMESTAMP_NS: "TIMESTAMP_NS", duckdb.TYPE_INTERVAL: "INTERVAL", duckdb.TYPE_UUID: "UUID",
		duckdb.TYPE_BIT: "BIT", duckdb.TYPE_ENUM: "ENUM", duckdb.TYPE_UNION: "UNION",
	}
	if n, ok := names[info.InternalType()]; ok {
		return n
	}
	return "OTHER"
}

// valueOf turns the driver's value into one of those that Rows.Values lists.
func valueOf(v any, typ string) any {
	switch v := v.(type) {
	case nil, bool, int64, float64, string:
		return v
	case int8:
		return int64(v)
	case int16:
		return int64(v)
	case int32:
		return int64(v)
	case uint8:
		return int64(v)
	case uint16:
		return int64(v)
	case uint32:
		return int64(v)
	case uint64:
		return json.Number(fmt.Sprint(v))
	case float32:
		return float64(v)
	case *big.Int:
		return json.Number(v.String())
	case duckdb.Decimal:
		return json.Number(v.String())
	case duckdb.Interval:
		return fmt.Sprintf("%d months %d days %d us", v.Months, v.Days, v.Micros)
	case time.Time:
		switch {
		case typ == "DATE":
			return v.Format("2006-01-02")
		case strings.HasPrefix(typ, "TIME") && !strings.HasPrefix(typ, "TIMESTAMP"):
			return v.Format("15:04:05.999999")
		}
		return v.UTC()
	case []byte:
		if typ == "UUID" && len(v) == 16 {
			var u duckdb.UUID
			copy(u[:], v)
			return u.String()
		}
		return v
	case []any:
		return listOf(v, typ)
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = valueOf(x, "")
		}
		return out
	case duckdb.Map:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[fmt.Sprint(valueOf(k, ""))] = valueOf(x, valueType(typ))
		}
		return out
	case duckdb.OrderedMap:
		out := make(map[string]any, v.Len())
		values := v.Values()
		for i, k := range v.Keys() {
			out[fmt.Sprint(valueOf(k, ""))] = valueOf(values[i], valueType(typ))
		}
		return out
	case duckdb.Union:
		return valueOf(v.Value, "")
	}
	return fmt.Sprint(v)
}

func listOf(values []any, typ string) []any {
	element := typ
	if i := strings.LastIndexByte(typ, '['); i >= 0 {
		element = typ[:i]
	}
	out := make([]any, len(values))
	for i, x := range values {
		out[i] = valueOf(x, element)
	}
	return out
}

// valueType is the value's type of MAP(K, V), as far as a plain key tells.
func valueType(typ string) string {
	_, v, ok := strings.Cut(strings.TrimPrefix(typ, "MAP("), ", ")
	if !ok {
		return ""
	}
	return strings.TrimSuffix(v, ")")
}
