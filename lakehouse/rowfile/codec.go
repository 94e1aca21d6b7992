package rowfile

import (
	"reflect"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// layout says which field of the noun T is which column of its table. A field's
// column is named by its parquet tag, else its json tag. The field "attributes"
// (of Record and Profile) is spread over the columns that no other field has.
type layout struct {
	table      schema.Table
	columns    []columnField
	attributes int // index of the attributes field, or -1
}

type columnField struct {
	column   schema.Column
	field    int  // index in the struct, or -1: an attribute or a column that T lacks
	optional bool // the zero value is null
}

func layoutOf(t reflect.Type, table schema.Table) (*layout, error) {
	bad := func(format string, args ...any) error {
		return weir.Errorf(weir.Internal, format, args...).At(table.Name)
	}
	if t.Kind() != reflect.Struct {
		return nil, bad("%s is no struct", t)
	}
	l := &layout{table: table, attributes: -1}
	fields := map[string]columnField{}
	for i := range t.NumField() {
		name, optional := columnName(t.Field(i))
		switch {
		case name == "":
		case name == "attributes" && t.Field(i).Type == reflect.TypeFor[map[string]string]():
			l.attributes = i
		default:
			if _, ok := table.Column(name); !ok {
				return nil, bad("%s has a field %s that the table lacks", t, name)
			}
			fields[name] = columnField{field: i, optional: optional}
		}
	}
	for _, c := range table.Columns {
		f, ok := fields[c.Name]
		if !ok {
			f.field = -1
			if c.Required {
				return nil, bad("%s lacks the required column %s", t, c.Name)
			}
		}
		f.column = c
		f.optional = f.optional && !c.Required
		l.columns = append(l.columns, f)
	}
	return l, nil
}

func columnName(f reflect.StructField) (name string, optional bool) {
	if !f.IsExported() {
		return "", false
	}
	tag, ok := f.Tag.Lookup("parquet")
	if !ok {
		tag = f.Tag.Get("json")
	}
	name, rest, _ := strings.Cut(tag, ",")
	if name == "-" {
		return "", false
	}
	for part := range strings.SplitSeq(rest, ",") {
		optional = optional || part == "optional"
	}
	return name, optional
}

// encoder appends rows to a record builder.
type encoder[T any] struct {
	row   *T
	value reflect.Value // of *row
	steps []encodeStep
	attrs func() int // attributes of the row; how many of them have a column is counted by steps
	found int
}

type encodeStep struct {
	name string
	run  func() error
}

func newEncoder[T any](l *layout, b *array.RecordBuilder) (*encoder[T], error) {
	e := &encoder[T]{row: new(T)}
	e.value = reflect.ValueOf(e.row).Elem()
	for i, c := range l.columns {
		run, err := e.step(l, c, b.Field(i))
		if err != nil {
			return nil, weir.Errorf(weir.Internal, "column %s: %w", c.column.Name, err).At(l.table.Name)
		}
		e.steps = append(e.steps, encodeStep{c.column.Name, run})
	}
	if l.attributes >= 0 {
		attrs := e.value.Field(l.attributes).Addr().Interface().(*map[string]string)
		e.attrs = func() int { return len(*attrs) }
	}
	return e, nil
}

// append adds one row; after an error the builder is of no further use.
func (e *encoder[T]) append(row T) error {
	*e.row, e.found = row, 0
	for _, s := range e.steps {
		if err := s.run(); err != nil {
			return weir.Errorf(weir.CodeOf(err), "column %s %w", s.name, err)
		}
	}
	if e.attrs != nil && e.attrs() != e.found {
		return weir.Errorf(weir.Invalid, "an attribute has no column").
			Then("declare the attribute, so that the table gets a column for it")
	}
	return nil
}

func (e *encoder[T]) step(l *layout, c columnField, b array.Builder) (func() error, error) {
	if c.field < 0 {
		if l.attributes < 0 {
			return func() error { b.AppendNull(); return nil }, nil
		}
		attrs := e.value.Field(l.attributes).Addr().Interface().(*map[string]string)
		return func() error {
			s, ok := (*attrs)[c.column.Name]
			if !ok {
				b.AppendNull()
				return nil
			}
			e.found++
			return appendTyped(b, s)
		}, nil
	}
	v := e.value.Field(c.field)
	if run := stringStep(v, c, b); run != nil {
		return run, nil
	}
	switch b := b.(type) {
	case *array.TimestampBuilder:
		if t, ok := v.Addr().Interface().(*time.Time); ok {
			return func() error { appendTime(b, *t, c.column.Required); return nil }, nil
		}
	case *array.BooleanBuilder:
		if v.Kind() == reflect.Bool {
			return func() error { b.Append(v.Bool()); return nil }, nil
		}
	case *array.Int64Builder:
		if v.CanInt() {
			return func() error { b.Append(v.Int()); return nil }, nil
		}
	case *array.Int32Builder:
		if v.Kind() == reflect.Int32 {
			return func() error { b.Append(int32(v.Int())); return nil }, nil
		}
	case *array.Float64Builder:
		if v.CanFloat() {
			return func() error { b.Append(v.Float()); return nil }, nil
		}
	case *array.MapBuilder:
		if run := mapStep(v, b); run != nil {
			return run, nil
		}
	case *array.ListBuilder:
		if s, ok := v.Addr().Interface().(*[]string); ok {
			return func() error { return appendTexts(b, *s) }, nil
		}
	}
	return nil, weir.Errorf(weir.Internal, "a Go %s can't be written as %s", v.Type(), c.column.Type)
}

// stringStep appends a Go string to a text column, or to a typed one as
// canonical text.
func stringStep(v reflect.Value, c columnField, b array.Builder) func() error {
	if v.Kind() != reflect.String {
		return nil
	}
	text, ok := b.(*array.StringBuilder)
	if !ok {
		return func() error { return appendTyped(b, v.String()) }
	}
	return func() error {
		s := v.String()
		if s == "" && c.optional {
			text.AppendNull()
			return nil
		}
		return appendText(text, s)
	}
}

func mapStep(v reflect.Value, b *array.MapBuilder) func() error {
	a := &mapAppender{}
	switch m := v.Addr().Interface().(type) {
	case *map[string]string:
		if in, ok := b.ItemBuilder().(*array.StringBuilder); ok {
			item := func(s string) error { return appendText(in, s) }
			return func() error { return appendMap(a, b, *m, item) }
		}
	case *map[string]int64:
		if in, ok := b.ItemBuilder().(*array.Int64Builder); ok {
			item := func(n int64) error { in.Append(n); return nil }
			return func() error { return appendMap(a, b, *m, item) }
		}
	case *weir.Identifiers:
		if in, ok := b.ItemBuilder().(*array.ListBuilder); ok {
			item := func(s []string) error { return appendTexts(in, s) }
			return func() error { return appendMap(a, b, *m, item) }
		}
	}
	return nil
}
