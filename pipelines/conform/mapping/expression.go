package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/shopspring/decimal"
)

// costLimit bounds one evaluation, in CEL's cost units (about one a step and one
// for ten characters).
const costLimit = 1_000_000

// Options are what expressions need of the stream's settings.
type Options struct {
	Date func(text string) (string, error)                   // behind date(text): "" where it says nothing
	Time func(text string) (t time.Time, ok bool, err error) // behind datetime(text)
}

// Expression gives one value of a row. It is safe for concurrent use.
type Expression struct {
	column int // a plain column, or -1
	text   string
	names  *names
	cols   []Column
	read   []int // columns that it reads
	eval   cel.Program
	kind   types.Kind // of its result, as checked
}

// environment is CEL with a stream's columns.
func environment(columns []Column, n *names, o Options) (*cel.Env, error) {
	opts := []cel.EnvOption{cel.Variable(rowVar, cel.MapType(cel.StringType, cel.DynType)), stringExtensions()}
	for i, c := range columns {
		opts = append(opts, cel.Variable(columnVar+strconv.Itoa(i), celType(c.Kind)))
	}
	for i := range n.order {
		opts = append(opts, cel.Variable(groupVar+strconv.Itoa(i), cel.MapType(cel.StringType, cel.DynType)))
	}
	opts = append(opts, arithmetic()...)
	opts = append(opts, o.functions()...)
	return cel.NewEnv(opts...)
}

func celType(k Kind) *cel.Type {
	switch k {
	case Text, Day:
		return cel.NullableType(cel.StringType)
	case Int:
		return cel.NullableType(cel.IntType)
	case Double:
		return cel.NullableType(cel.DoubleType)
	case Bool:
		return cel.NullableType(cel.BoolType)
	case Decimal:
		return decimalType
	case Instant:
		return cel.TimestampType
	case List:
		return cel.ListType(cel.StringType)
	case Map:
		return cel.MapType(cel.StringType, cel.DynType)
	}
	return cel.DynType
}

// compile makes an expression of a mapping's value: a column's name, or CEL.
func compile(env *cel.Env, n *names, columns []Column, text string) (*Expression, error) {
	if i, ok := n.columns[text]; ok {
		return &Expression{column: i, text: text, cols: columns, names: n, read: []int{i}}, nil
	}
	parsed, issues := env.Parse(text)
	if err := issues.Err(); err != nil {
		return nil, problem(issues)
	}
	r := &rewriter{names: n, make: ast.NewExprFactory(), read: map[int]bool{}}
	r.rewrite(parsed.NativeRep().Expr(), nil)
	checked, issues := env.Check(parsed)
	if issues.Err() != nil {
		return nil, problem(issues)
	}
	if !gives(checked.OutputType()) {
		return nil, fmt.Errorf("it gives a %s, which is no value", checked.OutputType())
	}
	opts := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}
	if r.loops { // else its own length bounds it, and counting costs half the time
		opts = append(opts, cel.CostLimit(costLimit))
	}
	p, err := env.Program(checked, opts...)
	if err != nil {
		return nil, err
	}
	e := &Expression{column: -1, text: text, names: n, cols: columns, eval: p, kind: checked.OutputType().Kind()}
	for i := range columns {
		if r.all || r.read[i] {
			e.read = append(e.read, i)
		}
	}
	return e, nil
}

// gives reports whether a type is one of a value.
func gives(t *cel.Type) bool {
	switch t.Kind() {
	case types.StringKind, types.IntKind, types.UintKind, types.DoubleKind, types.BoolKind, types.TimestampKind,
		types.DynKind, types.ListKind, types.MapKind, types.NullTypeKind:
		return true
	}
	return t.TypeName() == decimalType.TypeName()
}

// operatorSigns puts the operators' signs back into the checker's messages.
var operatorSigns = func() *strings.Replacer {
	var pairs []string
	for sign, name := range replaced {
		pairs = append(pairs, "'"+name+"'", "'"+strings.Trim(sign, "_")+"'")
	}
	return strings.NewReplacer(append(pairs, "wrapper(int)", "int", "wrapper(string)", "text", "wrapper(double)", "double",
		"wrapper(bool)", "boolean", "wrapper(", "(", "google.protobuf.Timestamp", "time", " (in container '')", "")...)
}()

// problem is the first issue, with its place in the expression.
func problem(issues *cel.Issues) error {
	errs := issues.Errors()
	if len(errs) == 0 {
		return issues.Err()
	}
	first := errs[0]
	return fmt.Errorf("at %d:%d: %s", first.Location.Line(), first.Location.Column()+1, operatorSigns.Replace(first.Message))
}

// Fault is why an expression gave no value for a row. Its text never holds one.
type Fault string

// Error implements error.
func (f Fault) Error() string { return string(f) }

// Plain returns the index of the column that the expression is; -1 for CEL.
func (e *Expression) Plain() int { return e.column }

// String returns the expression as it was written.
func (e *Expression) String() string { return e.text }

// Eval gives the expression's value of a row; null where what it is made of is
// missing, a Fault where it can't be computed.
func (e *Expression) Eval(row Row) (Value, error) {
	if e.column >= 0 {
		return row.Value(e.column), nil
	}
	out, _, err := e.eval.Eval(&activation{e: e, row: row})
	if err != nil {
		return e.failed(row, err)
	}
	v, ok := fromCEL(out)
	if !ok {
		return Value{}, Fault("the expression gives no usable value")
	}
	return v, nil
}

// failed tells an error that a missing value caused from one that a person must
// see. CEL's own texts may hold values: they stay here.
func (e *Expression) failed(row Row, err error) (Value, error) {
	text := err.Error()
	switch {
	case strings.Contains(text, "cost limit"), strings.Contains(text, "cost exceeded"):
		return Value{}, Fault("the expression costs too much to compute")
	case strings.Contains(text, "no such key"), strings.Contains(text, "no such attribute"):
		return Value{}, nil
	}
	for _, i := range e.read {
		if row.Value(i).Kind == Null {
			return Value{}, nil
		}
	}
	for _, known := range []string{"division by zero", "modulus by zero", "overflow", "index out of bounds", "type conversion error", "no such overload"} {
		if strings.Contains(text, known) {
			return Value{}, Fault("the expression can't be computed: " + known)
		}
	}
	var conversion *strconv.NumError
	if errors.As(err, &conversion) || strings.Contains(text, "strconv") || strings.Contains(text, "pars") || strings.HasPrefix(text, "invalid ") {
		return Value{}, Fault("the expression can't be computed: type conversion error")
	}
	return Value{}, Fault("the expression can't be computed")
}

// activation gives a row's columns to CEL as they are asked for.
type activation struct {
	e   *Expression
	row Row
}

// ResolveName implements cel.Activation.
func (a *activation) ResolveName(name string) (any, bool) {
	switch {
	case strings.HasPrefix(name, columnVar):
		i, err := strconv.Atoi(name[len(columnVar):])
		if err != nil {
			return nil, false
		}
		return toCEL(a.row.Value(i)), true
	case strings.HasPrefix(name, groupVar):
		g, err := strconv.Atoi(name[len(groupVar):])
		if err != nil {
			return nil, false
		}
		return a.group(a.e.names.order[g] + "."), true
	case name == rowVar:
		m := make(map[ref.Val]ref.Val, len(a.e.cols))
		for i, c := range a.e.cols {
			m[types.String(c.Name)] = toCEL(a.row.Value(i))
		}
		return types.NewRefValMap(types.DefaultTypeAdapter, m), true
	}
	return nil, false
}

// Parent implements cel.Activation.
func (a *activation) Parent() cel.Activation { return nil }

// group is the map of the columns below a prefix that are not null.
func (a *activation) group(prefix string) ref.Val {
	m := map[ref.Val]ref.Val{}
	nested := map[string]bool{}
	for i, c := range a.e.cols {
		rest, ok := strings.CutPrefix(c.Name, prefix)
		if !ok {
			continue
		}
		if first, _, deeper := strings.Cut(rest, "."); deeper {
			nested[first] = true
			continue
		}
		if v := a.row.Value(i); v.Kind != Null {
			m[types.String(rest)] = toCEL(v)
		}
	}
	for first := range nested {
		below := a.group(prefix + first + ".")
		if size := below.(traits.Sizer).Size(); size != types.Int(0) {
			m[types.String(first)] = below
		}
	}
	return types.NewRefValMap(types.DefaultTypeAdapter, m)
}

func toCEL(v Value) ref.Val {
	switch v.Kind {
	case Text, Day:
		return types.String(v.Text)
	case Int:
		return types.Int(v.Int)
	case Double:
		return types.Double(v.Double)
	case Decimal:
		return decimalVal{v.Decimal}
	case Bool:
		return types.Bool(v.Int != 0)
	case Instant:
		return types.Timestamp{Time: v.Time}
	case List:
		vals := make([]ref.Val, len(v.List))
		for i, e := range v.List {
			vals[i] = toCEL(e)
		}
		return types.NewRefValList(types.DefaultTypeAdapter, vals)
	case Map:
		m := make(map[ref.Val]ref.Val, len(v.Map))
		for k, e := range v.Map {
			m[types.String(k)] = toCEL(e)
		}
		return types.NewRefValMap(types.DefaultTypeAdapter, m)
	}
	return types.NullValue
}

func fromCEL(v ref.Val) (Value, bool) {
	switch x := v.(type) {
	case types.Null:
		return Value{}, true
	case types.String:
		return Value{Kind: Text, Text: string(x)}, true
	case types.Int:
		return Value{Kind: Int, Int: int64(x)}, true
	case types.Uint:
		return Value{Kind: Decimal, Decimal: decimal.NewFromUint64(uint64(x))}, true
	case types.Double:
		return Value{Kind: Double, Double: float64(x)}, true
	case types.Bool:
		if x {
			return Value{Kind: Bool, Int: 1}, true
		}
		return Value{Kind: Bool}, true
	case decimalVal:
		return Value{Kind: Decimal, Decimal: x.d}, true
	case types.Timestamp:
		return Value{Kind: Instant, Time: x.Time}, true
	case traits.Lister:
		return listFromCEL(x)
	case traits.Mapper:
		return mapFromCEL(x)
	}
	return Value{}, false
}

func listFromCEL(l traits.Lister) (Value, bool) {
	out := Value{Kind: List}
	for it := l.Iterator(); it.HasNext() == types.True; {
		e, ok := fromCEL(it.Next())
		if !ok {
			return Value{}, false
		}
		out.List = append(out.List, e)
	}
	return out, true
}

func mapFromCEL(m traits.Mapper) (Value, bool) {
	out := Value{Kind: Map, Map: map[string]Value{}}
	for it := m.Iterator(); it.HasNext() == types.True; {
		k := it.Next()
		name, ok := k.(types.String)
		if !ok {
			return Value{}, false
		}
		if out.Map[string(name)], ok = fromCEL(m.Get(k)); !ok {
			return Value{}, false
		}
	}
	return out, true
}

// columnsOf collects the columns that expressions read, in order.
func columnsOf(expressions ...*Expression) []int {
	var out []int
	for _, e := range expressions {
		if e != nil {
			out = append(out, e.read...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// CompileExpression compiles one expression over columns, for whoever has values
// that are no rows of a stream.
func CompileExpression(text string, columns []Column, o Options) (*Expression, error) {
	n := newNames(columns)
	env, err := environment(columns, n, o)
	if err != nil {
		return nil, err
	}
	return compile(env, n, columns, text)
}

// Result returns the kind of the expression's values as checked; Null where that
// is known only of each value.
func (e *Expression) Result() Kind {
	if e.column >= 0 {
		return e.cols[e.column].Kind
	}
	switch e.kind {
	case types.StringKind:
		return Text
	case types.IntKind, types.UintKind:
		return Int
	case types.DoubleKind:
		return Double
	case types.BoolKind:
		return Bool
	case types.TimestampKind:
		return Instant
	case types.OpaqueKind:
		return Decimal
	case types.ListKind:
		return List
	case types.MapKind:
		return Map
	}
	return Null
}
