package postgres

import (
	"encoding/binary"
	"math/big"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// Signs of a numeric in binary form.
const (
	signNegative = 0x4000
	signNaN      = 0xC000
	signInfinity = 0xD000
	signNegInf   = 0xF000
)

var powers = [...]uint64{1, 10, 100, 1000, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18}

// newDecimal reads numeric exactly; what has more digits than the type is null.
func newDecimal(precision, scale int) column {
	t := &arrow.Decimal128Type{Precision: int32(precision), Scale: int32(scale)}
	return &fixed[*array.Decimal128Builder]{builder[*array.Decimal128Builder](t), func(b *array.Decimal128Builder, v []byte) (string, bool) {
		if len(v) < 8 || len(v) != 8+2*int(binary.BigEndian.Uint16(v)) {
			return "", false
		}
		weight, sign, digits := int(be16(v[2:])), binary.BigEndian.Uint16(v[4:]), v[8:]
		switch sign {
		case signNaN, signInfinity, signNegInf:
			b.AppendNull()
			return "not a finite number", true
		}
		n, ok := scaled(digits, weight, precision, scale)
		if !ok {
			b.AppendNull()
			return "more digits than " + t.String() + " holds", true
		}
		if sign == signNegative {
			n = n.Negate()
		}
		b.Append(n)
		return "", true
	}}
}

// scaled is the number of 10^-scale that base-10000 digits make, of which the
// first counts 10000^weight.
func scaled(digits []byte, weight, precision, scale int) (decimal128.Num, bool) {
	count := len(digits) / 2
	exponent := 4*(weight-count+1) + scale // of ten, of the last digit's unit
	if count <= 4 {
		var n uint64
		for i := 0; i < len(digits); i += 2 {
			n = n*10000 + uint64(binary.BigEndian.Uint16(digits[i:]))
		}
		if n == 0 {
			return decimal128.Num{}, true
		}
		if exponent < 0 && exponent > -len(powers) {
			p := powers[-exponent]
			return decimal128.FromU64(n / p), n%p == 0 && fits(n/p, precision)
		}
		if exponent >= 0 && exponent <= 2 {
			n *= powers[exponent]
			return decimal128.FromU64(n), fits(n, precision)
		}
	}
	return scaledBig(digits, exponent, precision)
}

func fits(n uint64, precision int) bool { return precision >= len(powers) || n < powers[precision] }

func scaledBig(digits []byte, exponent, precision int) (decimal128.Num, bool) {
	n, base := new(big.Int), big.NewInt(10000)
	for i := 0; i < len(digits); i += 2 {
		n.Add(n.Mul(n, base), big.NewInt(int64(binary.BigEndian.Uint16(digits[i:]))))
	}
	if exponent > 80 || exponent < -200_000 { // no decimal of 38 digits
		return decimal128.Num{}, n.Sign() == 0
	}
	shift := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(exponent, -exponent))), nil)
	if exponent >= 0 {
		n.Mul(n, shift)
	} else {
		rest := new(big.Int)
		if n.QuoRem(n, shift, rest); rest.Sign() != 0 {
			return decimal128.Num{}, false
		}
	}
	if n.Cmp(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(precision)), nil)) >= 0 {
		return decimal128.Num{}, false
	}
	return decimal128.FromBigInt(n), true
}
