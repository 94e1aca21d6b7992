package rowfile

import (
	"reflect"
	"strings"
	"time"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/weir-cdp/weir"
)

// decoder makes rows of T from record batches.
type decoder[T any] struct {
	layout *layout
	row    *T
	value  reflect.Value // of *row
	steps  []func(i int) error
	others int // columns of the batch that are attributes
	zero   T
	intern map[string]*interner
	// Lent rows are the caller's until the next one: they share maps.
	lent bool
	held map[string]string // the attributes of lent rows
}

func newDecoder[T any](l *layout) *decoder[T] {
	d := &decoder[T]{layout: l, row: new(T), intern: map[string]*interner{}}
	d.value = reflect.ValueOf(d.row).Elem()
	return d
}

// wants says whether T has the column.
func (d *decoder[T]) wants(column string) bool {
	for _, c := range d.layout.columns {
		if c.column.Name == column {
			return c.field >= 0 || d.layout.attributes >= 0
		}
	}
	return false
}

// use prepares for the rows of one batch.
func (d *decoder[T]) use(rec arrow.RecordBatch) error {
	d.steps, d.others = d.steps[:0], 0
	for _, c := range d.layout.columns {
		at := rec.Schema().FieldIndices(c.column.Name)
		if len(at) == 0 || c.field < 0 && d.layout.attributes < 0 {
			continue
		}
		if c.field < 0 {
			d.others++
		}
		step, err := d.step(c, rec.Column(at[0]))
		if err != nil {
			return weir.Errorf(weir.CodeOf(err), "column %s: %w", c.column.Name, err).At(d.layout.table.Name)
		}
		d.steps = append(d.steps, step)
	}
	return nil
}

func (d *decoder[T]) decode(i int) (T, error) {
	*d.row = d.zero
	if d.layout.attributes >= 0 {
		*d.attributes() = d.emptyAttributes()
	}
	for _, s := range d.steps {
		if err := s(i); err != nil {
			return d.zero, err
		}
	}
	return *d.row, nil
}

func (d *decoder[T]) emptyAttributes() map[string]string {
	if !d.lent {
		return make(map[string]string, d.others)
	}
	if d.held == nil {
		d.held = make(map[string]string, d.others)
	}
	clear(d.held)
	return d.held
}

func (d *decoder[T]) attributes() *map[string]string {
	return d.value.Field(d.layout.attributes).Addr().Interface().(*map[string]string)
}

func (d *decoder[T]) step(c columnField, a arrow.Array) (func(i int) error, error) {
	in := d.interner(c.column.Name)
	if c.field < 0 {
		text, err := textOf(a, in)
		if err != nil {
			return nil, err
		}
		attrs, name := d.attributes(), c.column.Name
		return func(i int) error {
			if !a.IsNull(i) {
				(*attrs)[name] = text(i)
			}
			return nil
		}, nil
	}
	v := d.value.Field(c.field)
	if set := scalarStep(v, a, in); set != nil {
		return func(i int) error {
			if !a.IsNull(i) {
				set(i)
			}
			return nil
		}, nil
	}
	if set := nestedStep(v, a, in); set != nil {
		return func(i int) error {
			if !a.IsNull(i) {
				set(i)
			}
			return nil
		}, nil
	}
	return nil, weir.Errorf(weir.Internal, "a file's %s can't be read as Go %s", a.DataType(), v.Type())
}

// scalarStep sets a plain field; nil: the field or the column is not plain.
func scalarStep(v reflect.Value, a arrow.Array, in *interner) func(i int) {
	if v.Kind() == reflect.String {
		text, err := textOf(a, in)
		if err != nil {
			return nil
		}
		return func(i int) { v.SetString(text(i)) }
	}
	switch a := a.(type) {
	case *array.Timestamp:
		if t, ok := v.Addr().Interface().(*time.Time); ok {
			micros := microsOf(a)
			return func(i int) { *t = time.UnixMicro(micros(i)).UTC() }
		}
	case *array.Boolean:
		if v.Kind() == reflect.Bool {
			return func(i int) { v.SetBool(a.Value(i)) }
		}
	case *array.Int32:
		if v.CanInt() {
			return func(i int) { v.SetInt(int64(a.Value(i))) }
		}
	case *array.Int64:
		if v.Kind() == reflect.Int64 {
			return func(i int) { v.SetInt(a.Value(i)) }
		}
	case *array.Float32:
		if v.CanFloat() {
			return func(i int) { v.SetFloat(float64(a.Value(i))) }
		}
	case *array.Float64:
		if v.Kind() == reflect.Float64 {
			return func(i int) { v.SetFloat(a.Value(i)) }
		}
	}
	return nil
}

// nestedStep sets a map or list field.
func nestedStep(v reflect.Value, a arrow.Array, in *interner) func(i int) {
	keysIn := &interner{lent: in.lent}
	switch f := v.Addr().Interface().(type) {
	case *[]string:
		if list, ok := a.(*array.List); ok {
			if get := listOf(list, in); get != nil {
				return func(i int) { *f = get(i) }
			}
		}
	case *map[string]string:
		if m, ok := a.(*array.Map); ok {
			if get, err := textOf(m.Items(), in); err == nil {
				return mapSetter(f, m, keysIn, get)
			}
		}
	case *map[string]int64:
		if m, ok := a.(*array.Map); ok {
			switch items := m.Items().(type) {
			case *array.Int64:
				return mapSetter(f, m, keysIn, items.Value)
			case *array.Int32:
				return mapSetter(f, m, keysIn, func(i int) int64 { return int64(items.Value(i)) })
			}
		}
	case *weir.Identifiers:
		if m, ok := a.(*array.Map); ok {
			if items, ok := m.Items().(*array.List); ok {
				if get := listOf(items, in); get != nil {
					return mapSetter(f, m, keysIn, get)
				}
			}
		}
	}
	return nil
}

func mapSetter[M ~map[string]V, V any](f *M, m *array.Map, in *interner, get func(i int) V) func(i int) {
	key, err := textOf(m.Keys(), in)
	if err != nil {
		return nil
	}
	items := m.Items()
	var held M // of lent rows
	return func(i int) {
		from, to := m.ValueOffsets(i)
		out := held
		if out == nil {
			out = make(M, to-from)
		}
		if in.lent {
			clear(out)
			held = out
		}
		for j := int(from); j < int(to); j++ {
			var v V
			if !items.IsNull(j) {
				v = get(j)
			}
			out[key(j)] = v
		}
		*f = out
	}
}

func listOf(a *array.List, in *interner) func(i int) []string {
	text, err := textOf(a.ListValues(), in)
	if err != nil {
		return nil
	}
	values := a.ListValues()
	var room []string // of lent rows
	return func(i int) []string {
		from, to := a.ValueOffsets(i)
		if from == to {
			return nil
		}
		n := int(to - from)
		if cap(room)-len(room) < n {
			size := n
			if in.lent {
				size = max(n, roomLists)
			}
			room = make([]string, 0, size)
		}
		out := room[len(room) : len(room) : len(room)+n]
		room = room[:len(room)+n]
		for j := int(from); j < int(to); j++ {
			if !values.IsNull(j) {
				out = append(out, text(j))
			}
		}
		return out
	}
}

// textOf reads a column as canonical text.
func textOf(a arrow.Array, in *interner) (func(i int) string, error) {
	switch a := a.(type) {
	case *array.String:
		return func(i int) string { return in.own(a.Value(i)) }, nil
	case *array.LargeString:
		return func(i int) string { return in.own(a.Value(i)) }, nil
	case *array.Decimal128:
		scale := a.DataType().(*arrow.Decimal128Type).Scale
		return func(i int) string { return formatDecimal(a.Value(i), scale) }, nil
	case *array.Date32:
		return func(i int) string { return formatDate(a.Value(i)) }, nil
	case *array.Timestamp:
		micros := microsOf(a)
		return func(i int) string { return formatInstant(micros(i)) }, nil
	case *array.Boolean:
		return func(i int) string {
			if a.Value(i) {
				return "true"
			}
			return "false"
		}, nil
	case *array.Null:
		return func(int) string { return "" }, nil
	}
	return nil, weir.Errorf(weir.Internal, "a file's %s can't be read as text", a.DataType())
}

func microsOf(a *array.Timestamp) func(i int) int64 {
	unit := a.DataType().(*arrow.TimestampType).Unit
	if unit == arrow.Microsecond {
		return func(i int) int64 { return int64(a.Value(i)) }
	}
	return func(i int) int64 { return a.Value(i).ToTime(unit).UnixMicro() }
}

// interner gives strings a memory of their own, so that a kept row does not
// keep its batch, and gives one memory to the few values of a column that come
// again and again (sources, names, keys of maps).
type interner struct {
	seen   map[string]string
	misses int
	lent   bool
	room   []byte // of lent rows
}

const (
	internMost  = 512
	internBytes = 64
	giveUpAfter = 4096 // misses: such a column does not repeat
	// Of lent rows, memory is taken for many texts and lists at a time. Who keeps one
	// keeps those beside it.
	roomBytes = 4 << 10
	roomLists = 256
)

func (in *interner) own(s string) string {
	if len(s) > internBytes || in.misses > giveUpAfter {
		return in.clone(s)
	}
	if known, ok := in.seen[s]; ok {
		return known
	}
	in.misses++
	s = strings.Clone(s)
	if in.seen == nil {
		in.seen = map[string]string{}
	}
	if len(in.seen) < internMost {
		in.seen[s] = s
	}
	return s
}

func (in *interner) clone(s string) string {
	if !in.lent || len(s) == 0 || len(s) > roomBytes/8 {
		return strings.Clone(s)
	}
	if cap(in.room)-len(in.room) < len(s) {
		in.room = make([]byte, 0, roomBytes)
	}
	start := len(in.room)
	in.room = append(in.room, s...)
	return unsafe.String(&in.room[start], len(s))
}

func (d *decoder[T]) interner(column string) *interner {
	in, ok := d.intern[column]
	if !ok {
		in = &interner{lent: d.lent}
		d.intern[column] = in
	}
	return in
}
