package lakehouse

import (
	"encoding/json"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// Table properties in which a declaration's other parts are kept.
const (
	propertyKey      = "weir.table.key"       // JSON array
	propertyPersonBy = "weir.table.person-by" // JSON array
	propertyDoc      = "comment"              // as other engines spell it
)

var plainTypes = map[schema.Type]iceberg.Type{
	schema.Text:           iceberg.PrimitiveTypes.String,
	schema.Long:           iceberg.PrimitiveTypes.Int64,
	schema.Int:            iceberg.PrimitiveTypes.Int32,
	schema.Double:         iceberg.PrimitiveTypes.Float64,
	schema.Boolean:        iceberg.PrimitiveTypes.Bool,
	schema.Date:           iceberg.PrimitiveTypes.Date,
	schema.Timestamp:      iceberg.PrimitiveTypes.TimestampTz,
	schema.LocalTimestamp: iceberg.PrimitiveTypes.Timestamp,
	schema.Binary:         iceberg.PrimitiveTypes.Binary,
}

// icebergSchema maps a declaration in which every column has its ids.
func icebergSchema(t schema.Table) (*iceberg.Schema, error) {
	fields := make([]iceberg.NestedField, len(t.Columns))
	for i, c := range t.Columns {
		ids := c.Sub
		typ, err := icebergType(c.Type, &ids)
		if err != nil {
			return nil, weir.Errorf(weir.Invalid, "column %s: %w", c.Name, err).At(t.Name)
		}
		fields[i] = iceberg.NestedField{ID: c.ID, Name: c.Name, Type: typ, Required: c.Required, Doc: c.Doc}
	}
	return iceberg.NewSchema(0, fields...), nil
}

// icebergType takes the ids that it needs from the front of ids.
func icebergType(t schema.Type, ids *[]int) (iceberg.Type, error) {
	next := func() (id int) {
		if len(*ids) > 0 {
			id, *ids = (*ids)[0], (*ids)[1:]
		}
		return id
	}
	if plain, ok := plainTypes[t]; ok {
		return plain, nil
	}
	if p, s, ok := t.Decimal(); ok {
		return iceberg.DecimalTypeOf(p, s), nil
	}
	if e, ok := t.Element(); ok {
		id := next()
		element, err := icebergType(e, ids)
		return &iceberg.ListType{ElementID: id, Element: element}, err
	}
	if k, v, ok := t.KeyValue(); ok {
		keyID, valueID := next(), next()
		key, err := icebergType(k, ids)
		if err != nil {
			return nil, err
		}
		value, err := icebergType(v, ids)
		return &iceberg.MapType{KeyID: keyID, KeyType: key, ValueID: valueID, ValueType: value}, err
	}
	return nil, t.Check()
}

// columnType is the reverse of icebergType; ok is false for a type that no table
// of ours has.
func columnType(t iceberg.Type) (typ schema.Type, ids []int, ok bool) {
	for ours, theirs := range plainTypes {
		if theirs.Equals(t) {
			return ours, nil, true
		}
	}
	switch t := t.(type) {
	case iceberg.DecimalType:
		return schema.Decimal(t.Precision(), t.Scale()), nil, true
	case *iceberg.ListType:
		e, below, ok := columnType(t.Element)
		return schema.List(e), append([]int{t.ElementID}, below...), ok
	case *iceberg.MapType:
		k, belowKey, ok := columnType(t.KeyType)
		v, belowValue, ok2 := columnType(t.ValueType)
		ids := append([]int{t.KeyID, t.ValueID}, append(belowKey, belowValue...)...)
		return schema.Map(k, v), ids, ok && ok2
	}
	return schema.Type(t.String()), nil, false
}

// declaration reads a table's declaration back from its metadata.
func declaration(name string, t *table.Table) (schema.Table, error) {
	props := t.Properties()
	out := schema.Table{Name: name, Doc: props[propertyDoc]}
	for key, into := range map[string]*[]string{propertyKey: &out.Key, propertyPersonBy: &out.PersonBy} {
		if v := props[key]; v != "" {
			if err := json.Unmarshal([]byte(v), into); err != nil {
				return out, weir.Errorf(weir.Internal, "table property %s is not as Weir wrote it: %w", key, err).At(name)
			}
		}
	}
	for _, f := range t.Schema().Fields() {
		typ, sub, ok := columnType(f.Type)
		if !ok {
			return out, weir.Errorf(weir.Invalid, "column %s has type %s, which Weir does not use", f.Name, f.Type).
				At(name).Then("drop the column, or keep tables of other engines in another namespace")
		}
		out.Columns = append(out.Columns, schema.Column{ID: f.ID, Name: f.Name, Type: typ, Required: f.Required, Doc: f.Doc, Sub: sub})
	}
	return out, nil
}

// declarationProperties is what declaration reads beside the schema.
func declarationProperties(t schema.Table) iceberg.Properties {
	props := iceberg.Properties{}
	if t.Doc != "" {
		props[propertyDoc] = t.Doc
	}
	for key, list := range map[string][]string{propertyKey: t.Key, propertyPersonBy: t.PersonBy} {
		if len(list) > 0 {
			text, _ := json.Marshal(list) // strings always marshal
			props[key] = string(text)
		}
	}
	return props
}
