package mapping

import (
	"fmt"
	"math"
	"reflect"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/shopspring/decimal"
)

// decimalType is CEL's name for exact decimal numbers.
var decimalType = types.NewOpaqueType("decimal")

// quotientScale is how many decimals a quotient keeps.
const quotientScale = 16

// maxDecimal bounds what a decimal may grow to, in digits and exponent.
const maxDecimal = 200

// decimalVal is a decimal as a CEL value.
type decimalVal struct{ d decimal.Decimal }

// ConvertToNative implements ref.Val.
func (v decimalVal) ConvertToNative(t reflect.Type) (any, error) {
	if t == reflect.TypeFor[decimal.Decimal]() {
		return v.d, nil
	}
	return nil, fmt.Errorf("a decimal can't be made a %s", t)
}

// ConvertToType implements ref.Val.
func (v decimalVal) ConvertToType(t ref.Type) ref.Val {
	switch t {
	case types.StringType:
		return types.String(v.d.String())
	case types.DoubleType:
		return types.Double(v.d.InexactFloat64())
	case types.IntType:
		n := v.d.Truncate(0)
		if !n.BigInt().IsInt64() {
			return types.NewErr("integer overflow")
		}
		return types.Int(n.IntPart())
	case types.TypeType:
		return decimalType
	}
	if t.TypeName() == decimalType.TypeName() {
		return v
	}
	return types.NewErr("type conversion error from decimal")
}

// Equal implements ref.Val: equal in value to any number.
func (v decimalVal) Equal(other ref.Val) ref.Val {
	o, ok := toDecimal(other)
	return types.Bool(ok && v.d.Equal(o))
}

// Type implements ref.Val.
func (v decimalVal) Type() ref.Type { return decimalType }

// Value implements ref.Val.
func (v decimalVal) Value() any { return v.d }

// toDecimal converts a number exactly; a double by its shortest text.
func toDecimal(v ref.Val) (decimal.Decimal, bool) {
	switch n := v.(type) {
	case decimalVal:
		return n.d, true
	case types.Int:
		return decimal.NewFromInt(int64(n)), true
	case types.Uint:
		return decimal.NewFromUint64(uint64(n)), true
	case types.Double:
		if f := float64(n); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return decimal.NewFromFloat(f), true
		}
	}
	return decimal.Decimal{}, false
}

// newDecimal reads a decimal; huge ones are refused before they cost anything.
func newDecimal(text string) (decimal.Decimal, bool) {
	if len(text) > maxDecimal {
		return decimal.Decimal{}, false
	}
	d, err := decimal.NewFromString(text)
	return d, err == nil && d.Exponent() >= -maxDecimal && d.Exponent() <= maxDecimal
}

func decimalResult(d decimal.Decimal) ref.Val {
	if d.NumDigits() > 2*maxDecimal || d.Exponent() > maxDecimal || d.Exponent() < -2*maxDecimal {
		return types.NewErr("decimal overflow")
	}
	return decimalVal{d}
}
