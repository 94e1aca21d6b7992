package mapping

import (
	"strconv"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/shopspring/decimal"
)

// CEL binds its operators to its own types once and for all, so expressions are
// rewritten to call these functions in their place, which know decimals and
// nulls too.
var replaced = map[string]string{
	operators.Add: "@add", operators.Subtract: "@subtract", operators.Multiply: "@multiply", operators.Divide: "@divide",
	operators.Negate: "@negate", operators.Equals: "@equals", operators.NotEquals: "@not_equals",
	operators.Less: "@less", operators.LessEquals: "@less_equals", operators.Greater: "@greater", operators.GreaterEquals: "@greater_equals",
}

type binary func(l, r ref.Val) ref.Val

// numbers lists the pairs of number types that an operator takes; same gives the
// result's type from the two, nil is boolean.
func numbers(name string, result func(a, b *cel.Type) *cel.Type) []cel.FunctionOpt {
	kinds := []*cel.Type{cel.IntType, cel.DoubleType, decimalType}
	var opts []cel.FunctionOpt
	for _, a := range kinds {
		for _, b := range kinds {
			opts = append(opts, cel.Overload(name+"_"+a.String()+"_"+b.String(), []*cel.Type{a, b}, result(a, b)))
		}
	}
	return opts
}

// wider is the type of a sum or product.
func wider(a, b *cel.Type) *cel.Type {
	switch {
	case a == decimalType || b == decimalType:
		return decimalType
	case a == cel.DoubleType || b == cel.DoubleType:
		return cel.DoubleType
	}
	return cel.IntType
}

func boolean(_, _ *cel.Type) *cel.Type { return cel.BoolType }

func operator(name string, f binary, opts ...cel.FunctionOpt) cel.EnvOption {
	return cel.Function(name, append(opts, cel.SingletonBinaryBinding(func(l, r ref.Val) ref.Val { return f(l, r) }))...)
}

func pair(id string, a, b, result *cel.Type) cel.FunctionOpt {
	return cel.Overload(id, []*cel.Type{a, b}, result)
}

// arithmetic declares the replaced operators.
func arithmetic() []cel.EnvOption {
	t, d, s := cel.TimestampType, cel.DurationType, cel.StringType
	list := cel.ListType(cel.TypeParamType("A"))
	add := append(numbers("add", wider), pair("add_text", s, s, s), pair("add_list", list, list, list),
		pair("add_time", t, d, t), pair("add_time_after", d, t, t), pair("add_duration", d, d, d))
	subtract := append(numbers("subtract", wider), pair("subtract_time", t, t, d), pair("subtract_duration_from_time", t, d, t),
		pair("subtract_duration", d, d, d))
	opts := []cel.EnvOption{
		operator("@add", arith(decimal.Decimal.Add, func(l, r ref.Val) ref.Val { return l.(traits.Adder).Add(r) }, traits.AdderType), add...),
		operator("@subtract", arith(decimal.Decimal.Sub, func(l, r ref.Val) ref.Val { return l.(traits.Subtractor).Subtract(r) }, traits.SubtractorType), subtract...),
		operator("@multiply", arith(decimal.Decimal.Mul, func(l, r ref.Val) ref.Val { return l.(traits.Multiplier).Multiply(r) }, traits.MultiplierType), numbers("multiply", wider)...),
		operator("@divide", divide, numbers("divide", wider)...),
		cel.Function("@negate", cel.Overload("negate_int", []*cel.Type{cel.IntType}, cel.IntType),
			cel.Overload("negate_double", []*cel.Type{cel.DoubleType}, cel.DoubleType),
			cel.Overload("negate_decimal", []*cel.Type{decimalType}, decimalType), cel.SingletonUnaryBinding(negate)),
		operator("@equals", equals, equality("equals")...),
		operator("@not_equals", func(l, r ref.Val) ref.Val {
			if b, ok := equals(l, r).(types.Bool); ok {
				return !b
			}
			return types.False
		}, equality("not_equals")...),
	}
	for name, holds := range map[string]func(int) bool{
		"less": func(c int) bool { return c < 0 }, "less_equals": func(c int) bool { return c <= 0 },
		"greater": func(c int) bool { return c > 0 }, "greater_equals": func(c int) bool { return c >= 0 },
	} {
		over := append(numbers(name, boolean), pair(name+"_text", s, s, cel.BoolType), pair(name+"_time", t, t, cel.BoolType),
			pair(name+"_duration", d, d, cel.BoolType), pair(name+"_bool", cel.BoolType, cel.BoolType, cel.BoolType))
		opts = append(opts, operator("@"+name, compare(holds), over...))
	}
	return opts
}

// equality lists the pairs that == takes: a type with itself, numbers with each
// other, and anything that can be missing with null.
func equality(name string) []cel.FunctionOpt {
	null := cel.NullableType
	whole, double := null(cel.IntType), null(cel.DoubleType)
	list, dict := cel.ListType(cel.TypeParamType("A")), cel.MapType(cel.TypeParamType("A"), cel.TypeParamType("B"))
	var opts []cel.FunctionOpt
	for i, p := range [][2]*cel.Type{
		{null(cel.StringType), null(cel.StringType)}, {null(cel.BoolType), null(cel.BoolType)}, {cel.BytesType, cel.BytesType},
		{cel.TimestampType, cel.TimestampType}, {cel.DurationType, cel.DurationType},
		{whole, whole}, {double, double}, {decimalType, decimalType}, {whole, double}, {double, whole},
		{decimalType, whole}, {whole, decimalType}, {decimalType, double}, {double, decimalType},
		{list, list}, {dict, dict}, {list, cel.NullType}, {cel.NullType, list}, {dict, cel.NullType}, {cel.NullType, dict},
	} {
		opts = append(opts, pair(name+"_"+strconv.Itoa(i), p[0], p[1], cel.BoolType))
	}
	return opts
}

func isNull(v ref.Val) bool { return v == types.NullValue }

// arith computes by decimals where one side is one, by doubles where int meets
// double, and as CEL does elsewhere.
func arith(exact func(a, b decimal.Decimal) decimal.Decimal, native binary, trait int) binary {
	return func(l, r ref.Val) ref.Val {
		if isNull(l) || isNull(r) {
			return types.NullValue
		}
		if a, b, ok := decimals(l, r); ok {
			return decimalResult(exact(a, b))
		}
		l, r = level(l, r)
		if !l.Type().HasTrait(trait) {
			return types.MaybeNoSuchOverloadErr(l)
		}
		return native(l, r)
	}
}

// decimals converts both sides if one of them is a decimal.
func decimals(l, r ref.Val) (a, b decimal.Decimal, ok bool) {
	_, left := l.(decimalVal)
	_, right := r.(decimalVal)
	if !left && !right {
		return a, b, false
	}
	a, left = toDecimal(l)
	b, right = toDecimal(r)
	return a, b, left && right
}

// level makes an int a double where the other side is one.
func level(l, r ref.Val) (ref.Val, ref.Val) {
	switch a := l.(type) {
	case types.Int:
		if _, ok := r.(types.Double); ok {
			return types.Double(a), r
		}
	case types.Double:
		if b, ok := r.(types.Int); ok {
			return l, types.Double(b)
		}
	}
	return l, r
}

func divide(l, r ref.Val) ref.Val {
	if isNull(l) || isNull(r) {
		return types.NullValue
	}
	if a, b, ok := decimals(l, r); ok {
		if b.IsZero() {
			return types.NewErr("division by zero")
		}
		return decimalResult(a.DivRound(b, quotientScale))
	}
	l, r = level(l, r)
	d, ok := l.(traits.Divider)
	if !ok {
		return types.MaybeNoSuchOverloadErr(l)
	}
	return d.Divide(r)
}

func negate(v ref.Val) ref.Val {
	switch n := v.(type) {
	case types.Null:
		return n
	case decimalVal:
		return decimalVal{n.d.Neg()}
	case traits.Negater:
		return n.Negate()
	}
	return types.MaybeNoSuchOverloadErr(v)
}

func equals(l, r ref.Val) ref.Val {
	if isNull(l) || isNull(r) {
		return types.Bool(isNull(l) && isNull(r))
	}
	if a, b, ok := decimals(l, r); ok {
		return types.Bool(a.Equal(b))
	}
	return l.Equal(r)
}

func compare(holds func(int) bool) binary {
	return func(l, r ref.Val) ref.Val {
		if isNull(l) || isNull(r) {
			return types.NullValue
		}
		if a, b, ok := decimals(l, r); ok {
			return types.Bool(holds(a.Cmp(b)))
		}
		c, ok := l.(traits.Comparer)
		if !ok {
			return types.MaybeNoSuchOverloadErr(l)
		}
		order := c.Compare(r)
		n, ok := order.(types.Int)
		if !ok {
			return order
		}
		return types.Bool(holds(int(n)))
	}
}
