package mapping

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/ext"
)

// coalesceMost is the most values that coalesce takes.
const coalesceMost = 8

// function declares a helper on texts; null in gives null out.
func function(name string, args int, result *cel.Type, f func(args []string) ref.Val) cel.EnvOption {
	params := make([]*cel.Type, args)
	for i := range params {
		params[i] = cel.StringType
	}
	return cel.Function(name, cel.Overload("weir_"+name, params, result),
		cel.SingletonFunctionBinding(func(vals ...ref.Val) ref.Val {
			texts := make([]string, len(vals))
			for i, v := range vals {
				switch s := v.(type) {
				case types.Null:
					return s
				case types.String:
					texts[i] = string(s)
				default:
					return types.MaybeNoSuchOverloadErr(v)
				}
			}
			return f(texts)
		}))
}

func (o Options) functions() []cel.EnvOption {
	text := cel.StringType
	opts := []cel.EnvOption{
		function("lower", 1, text, func(a []string) ref.Val { return types.String(strings.ToLower(a[0])) }),
		function("upper", 1, text, func(a []string) ref.Val { return types.String(strings.ToUpper(a[0])) }),
		plainAndMember("trim", 0, text, func(a []string) ref.Val { return types.String(strings.TrimSpace(a[0])) }),
		plainAndMember("split", 1, cel.ListType(text), func(a []string) ref.Val {
			return types.NewStringList(types.DefaultTypeAdapter, strings.Split(a[0], a[1]))
		}),
		plainAndMember("replace", 2, text, func(a []string) ref.Val { return types.String(strings.ReplaceAll(a[0], a[1], a[2])) }),
		function("hash", 1, text, func(a []string) ref.Val {
			sum := sha256.Sum256([]byte(a[0]))
			return types.String(hex.EncodeToString(sum[:]))
		}),
		function("date", 1, text, func(a []string) ref.Val {
			if o.Date == nil {
				return types.NewErr("type conversion error")
			}
			day, err := o.Date(a[0])
			switch {
			case err != nil:
				return types.NewErr("type conversion error")
			case day == "":
				return types.NullValue
			}
			return types.String(day)
		}),
		function("datetime", 1, cel.TimestampType, func(a []string) ref.Val {
			if o.Time == nil {
				return types.NewErr("type conversion error")
			}
			t, ok, err := o.Time(a[0])
			switch {
			case err != nil:
				return types.NewErr("type conversion error")
			case !ok:
				return types.NullValue
			}
			return types.Timestamp{Time: t}
		}),
		function("parse_json", 1, cel.DynType, func(a []string) ref.Val { return parseJSON(a[0]) }),
		coalesce(), toDecimalFunction(),
		cel.Function("string", cel.Overload("decimal_to_string", []*cel.Type{decimalType}, text, cel.UnaryBinding(convert(types.StringType)))),
		cel.Function("double", cel.Overload("decimal_to_double", []*cel.Type{decimalType}, cel.DoubleType, cel.UnaryBinding(convert(types.DoubleType)))),
		cel.Function("int", cel.Overload("decimal_to_int", []*cel.Type{decimalType}, cel.IntType, cel.UnaryBinding(convert(types.IntType)))),
	}
	return opts
}

func convert(t ref.Type) func(ref.Val) ref.Val {
	return func(v ref.Val) ref.Val { return v.ConvertToType(t) }
}

// plainAndMember declares f(text, …) beside the text.f(…) of cel-go's string
// extensions.
func plainAndMember(name string, more int, result *cel.Type, f func([]string) ref.Val) cel.EnvOption {
	params := make([]*cel.Type, more+1)
	for i := range params {
		params[i] = cel.StringType
	}
	call := func(vals ...ref.Val) ref.Val {
		texts := make([]string, len(vals))
		for i, v := range vals {
			s, ok := v.(types.String)
			if !ok {
				return types.MaybeNoSuchOverloadErr(v)
			}
			texts[i] = string(s)
		}
		return f(texts)
	}
	var binding cel.OverloadOpt
	switch more {
	case 0:
		binding = cel.UnaryBinding(func(v ref.Val) ref.Val { return call(v) })
	case 1:
		binding = cel.BinaryBinding(func(a, b ref.Val) ref.Val { return call(a, b) })
	default:
		binding = cel.FunctionBinding(call)
	}
	return cel.Function(name, cel.Overload("weir_"+name, params, result, binding))
}

// coalesce gives the first value that is neither null nor an empty text.
func coalesce() cel.EnvOption {
	var opts []cel.FunctionOpt
	for n := 2; n <= coalesceMost; n++ {
		params := make([]*cel.Type, n)
		for i := range params {
			params[i] = cel.DynType
		}
		opts = append(opts, cel.Overload("coalesce_"+string(rune('0'+n)), params, cel.DynType))
	}
	return cel.Function("coalesce", append(opts, cel.SingletonFunctionBinding(func(vals ...ref.Val) ref.Val {
		for _, v := range vals {
			if !isNull(v) && v != types.String("") {
				return v
			}
		}
		return types.NullValue
	}))...)
}

func toDecimalFunction() cel.EnvOption {
	var opts []cel.FunctionOpt
	for _, t := range []*cel.Type{cel.StringType, cel.IntType, cel.DoubleType, decimalType} {
		opts = append(opts, cel.Overload("decimal_of_"+t.String(), []*cel.Type{t}, decimalType))
	}
	return cel.Function("decimal", append(opts, cel.SingletonUnaryBinding(func(v ref.Val) ref.Val {
		if isNull(v) {
			return v
		}
		if s, ok := v.(types.String); ok {
			d, ok := newDecimal(strings.TrimSpace(string(s)))
			if !ok {
				return types.NewErr("type conversion error")
			}
			return decimalVal{d}
		}
		if d, ok := toDecimal(v); ok {
			return decimalVal{d}
		}
		return types.NewErr("type conversion error")
	}))...)
}

// parseJSON reads a JSON text; its numbers are ints where they are whole, else
// decimals.
func parseJSON(text string) ref.Val {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return types.NewErr("type conversion error")
	}
	return jsonValue(v)
}

func jsonValue(v any) ref.Val {
	switch x := v.(type) {
	case json.Number:
		if n, err := x.Int64(); err == nil {
			return types.Int(n)
		}
		if d, ok := newDecimal(x.String()); ok {
			return decimalVal{d}
		}
		return types.NewErr("type conversion error")
	case []any:
		vals := make([]ref.Val, len(x))
		for i, e := range x {
			vals[i] = jsonValue(e)
		}
		return types.NewRefValList(types.DefaultTypeAdapter, vals)
	case map[string]any:
		vals := make(map[ref.Val]ref.Val, len(x))
		for k, e := range x {
			vals[types.String(k)] = jsonValue(e)
		}
		return types.NewRefValMap(types.DefaultTypeAdapter, vals)
	}
	return types.DefaultTypeAdapter.NativeToValue(v)
}

func stringExtensions() cel.EnvOption { return ext.Strings() }
