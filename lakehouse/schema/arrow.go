package schema

import (
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/weir-cdp/weir"
)

// fieldIDKey is where Arrow's Parquet writer looks for a field's id.
const fieldIDKey = "PARQUET:field_id"

// UTC is the Arrow type of Timestamp.
var UTC = &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}

// Arrow returns the schema that files of t are written with. Every field, also
// of list elements and map keys and values, carries its field id as metadata,
// where it has one.
func (t Table) Arrow() (*arrow.Schema, error) {
	fields := make([]arrow.Field, len(t.Columns))
	for i, c := range t.Columns {
		ids := c.Sub
		typ, err := arrowType(c.Type, &ids)
		if err != nil {
			return nil, weir.Errorf(weir.CodeOf(err), "column %s: %w", c.Name, err).At(t.Name)
		}
		fields[i] = arrow.Field{Name: c.Name, Type: typ, Nullable: !c.Required, Metadata: idMetadata(c.ID)}
	}
	return arrow.NewSchema(fields, nil), nil
}

// ArrowType returns the Arrow type of a column type, without field ids.
func (t Type) ArrowType() (arrow.DataType, error) {
	var none []int
	return arrowType(t, &none)
}

// arrowType takes the ids that it needs from the front of ids.
func arrowType(t Type, ids *[]int) (arrow.DataType, error) {
	next := func() arrow.Metadata {
		if len(*ids) == 0 {
			return arrow.Metadata{}
		}
		id := (*ids)[0]
		*ids = (*ids)[1:]
		return idMetadata(id)
	}
	if plain, ok := plainTypes[t]; ok {
		return plain, nil
	}
	if p, s, ok := t.Decimal(); ok {
		return &arrow.Decimal128Type{Precision: int32(p), Scale: int32(s)}, nil
	}
	if e, ok := t.Element(); ok {
		id := next()
		et, err := arrowType(e, ids)
		if err != nil {
			return nil, err
		}
		return arrow.ListOfField(arrow.Field{Name: "element", Type: et, Nullable: true, Metadata: id}), nil
	}
	if k, v, ok := t.KeyValue(); ok {
		keyID, valueID := next(), next()
		kt, err := arrowType(k, ids)
		if err != nil {
			return nil, err
		}
		vt, err := arrowType(v, ids)
		if err != nil {
			return nil, err
		}
		return arrow.MapOfFields(arrow.Field{Name: "key", Type: kt, Metadata: keyID},
			arrow.Field{Name: "value", Type: vt, Nullable: true, Metadata: valueID}), nil
	}
	return nil, t.Check()
}

var plainTypes = map[Type]arrow.DataType{
	Text:           arrow.BinaryTypes.String,
	Long:           arrow.PrimitiveTypes.Int64,
	Int:            arrow.PrimitiveTypes.Int32,
	Double:         arrow.PrimitiveTypes.Float64,
	Boolean:        arrow.FixedWidthTypes.Boolean,
	Date:           arrow.FixedWidthTypes.Date32,
	Timestamp:      UTC,
	LocalTimestamp: &arrow.TimestampType{Unit: arrow.Microsecond},
	Binary:         arrow.BinaryTypes.Binary,
}

func idMetadata(id int) arrow.Metadata {
	if id == 0 {
		return arrow.Metadata{}
	}
	return arrow.NewMetadata([]string{fieldIDKey}, []string{strconv.Itoa(id)})
}

// FromArrow returns the column type that holds every value of an Arrow type, or
// an error naming the Arrow type. Narrower integers and floats widen, unsigned
// 64-bit integers become decimal(20,0), times of day and structs become text.
func FromArrow(t arrow.DataType) (Type, error) {
	switch t := t.(type) {
	case *arrow.DictionaryType:
		return FromArrow(t.ValueType)
	case *arrow.TimestampType:
		if t.TimeZone == "" {
			return LocalTimestamp, nil
		}
		return Timestamp, nil
	case arrow.DecimalType:
		if t.GetPrecision() <= 38 && t.GetScale() >= 0 && t.GetScale() <= t.GetPrecision() {
			return Decimal(int(t.GetPrecision()), int(t.GetScale())), nil
		}
		return Text, nil
	case *arrow.MapType:
		k, err := FromArrow(t.KeyType())
		if err != nil {
			return "", err
		}
		v, err := FromArrow(t.ItemType())
		return Map(k, v), err
	case arrow.ListLikeType:
		e, err := FromArrow(t.Elem())
		return List(e), err
	case arrow.ExtensionType:
		return FromArrow(t.StorageType())
	}
	switch t.ID() {
	case arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW, arrow.NULL, arrow.TIME32, arrow.TIME64, arrow.STRUCT:
		return Text, nil
	case arrow.BINARY, arrow.LARGE_BINARY, arrow.BINARY_VIEW, arrow.FIXED_SIZE_BINARY:
		return Binary, nil
	case arrow.BOOL:
		return Boolean, nil
	case arrow.INT8, arrow.INT16, arrow.INT32, arrow.UINT8, arrow.UINT16:
		return Int, nil
	case arrow.INT64, arrow.UINT32:
		return Long, nil
	case arrow.UINT64:
		return Decimal(20, 0), nil
	case arrow.FLOAT16, arrow.FLOAT32, arrow.FLOAT64:
		return Double, nil
	case arrow.DATE32, arrow.DATE64:
		return Date, nil
	}
	return "", weir.Errorf(weir.Invalid, "Arrow type %s has no column type", t).
		Then("let the connector convert the column, for example to text")
}
