package value

import (
	"math/bits"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// Places is how many decimals a stored number keeps (decimal(38,9) in the lake).
const Places = 9

const (
	unit      = 1_000_000_000 // 10^Places
	maxWhole  = 29            // digits before the point in decimal(38,9)
	maxNumber = 80            // bytes of a number's text
)

// Number is an exact decimal. The zero Number is 0.
//
// Numbers of usual size are an int64 count of billionths; anything larger or
// finer is held by a decimal library. Both give the same results.
type Number struct {
	small int64
	wide  *decimal.Decimal // not nil: the value, and small is not used
}

// Whole returns n as a Number.
func Whole(n int64) Number {
	if hi, lo := bits.Mul64(uint64(abs(n)), unit); hi == 0 && lo <= 1<<63-1 {
		return Number{small: n * unit}
	}
	d := decimal.NewFromInt(n)
	return Number{wide: &d}
}

// Billionths returns n / 10^9 as a Number.
func Billionths(n int64) Number { return Number{small: n} }

// Billionths returns n * 10^9, if that is a whole number of usual size.
func (n Number) Billionths() (int64, bool) { return n.small, n.wide == nil }

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

// ParseNumber reads a plain decimal: digits, perhaps a minus sign and a point;
// no exponent, no leading zero ("01000" is a text), at most 29 digits before
// the point.
func ParseNumber(s string) (Number, bool) {
	whole, fraction, ok := split(s)
	if !ok {
		return Number{}, false
	}
	if len(whole) <= 9 && len(fraction) <= Places {
		var n int64
		for i := 0; i < len(whole); i++ {
			n = n*10 + int64(whole[i]-'0')
		}
		for i := 0; i < Places; i++ {
			n *= 10
			if i < len(fraction) {
				n += int64(fraction[i] - '0')
			}
		}
		if s[0] == '-' {
			n = -n
		}
		return Number{small: n}, true
	}
	d, err := decimal.NewFromString(s)
	if err != nil {
		return Number{}, false
	}
	return shrink(d), true
}

// split checks the form of a number's text and cuts it at the point.
func split(s string) (whole, fraction string, ok bool) {
	if len(s) == 0 || len(s) > maxNumber {
		return "", "", false
	}
	whole, fraction, point := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	if !digits(whole) || len(whole) > maxWhole || len(whole) > 1 && whole[0] == '0' {
		return "", "", false
	}
	if point && !digits(fraction) {
		return "", "", false
	}
	return whole, fraction, true
}

func digits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// shrink gives a decimal its one form: small if it fits.
func shrink(d decimal.Decimal) Number {
	if scaled := d.Shift(Places); scaled.IsInteger() {
		if b := scaled.BigInt(); b.IsInt64() && b.Int64() != -1<<63 {
			return Number{small: b.Int64()}
		}
	}
	return Number{wide: &d}
}

func (n Number) decimal() decimal.Decimal {
	if n.wide != nil {
		return *n.wide
	}
	return decimal.New(n.small, -Places)
}

// Add returns n + m, exactly.
func (n Number) Add(m Number) Number {
	if n.wide == nil && m.wide == nil {
		if s := n.small + m.small; (s > n.small) == (m.small > 0) && s != -1<<63 {
			return Number{small: s}
		}
	}
	return shrink(n.decimal().Add(m.decimal()))
}

// Compare returns -1, 0 or 1 as n is less than, equal to or more than m.
func (n Number) Compare(m Number) int {
	if n.wide == nil && m.wide == nil {
		switch {
		case n.small < m.small:
			return -1
		case n.small > m.small:
			return 1
		}
		return 0
	}
	return n.decimal().Cmp(m.decimal())
}

// Over returns n / count rounded to 9 decimals, halves away from zero; count
// must be positive.
func (n Number) Over(count int64) Number {
	return shrink(n.decimal().DivRound(decimal.NewFromInt(count), Places))
}

// Times returns n * m, exactly.
func (n Number) Times(m Number) Number { return shrink(n.decimal().Mul(m.decimal())) }

// Ratio returns n / m rounded to 9 decimals, halves away from zero; ok is false
// where m is 0.
func (n Number) Ratio(m Number) (_ Number, ok bool) {
	if d := m.decimal(); !d.IsZero() {
		return shrink(n.decimal().DivRound(d, Places)), true
	}
	return Number{}, false
}

// Decimal returns n as the decimal library's; OfDecimal the other way round.
func (n Number) Decimal() decimal.Decimal { return n.decimal() }

// OfDecimal returns d as a Number.
func OfDecimal(d decimal.Decimal) Number { return shrink(d) }

// Stored returns n as the lake keeps it: rounded to 9 decimals, halves away
// from zero. ok is false for a number that is too large for decimal(38,9).
func (n Number) Stored() (_ Number, ok bool) {
	if n.wide == nil {
		return n, true
	}
	d := n.wide.Round(Places)
	return shrink(d), d.Abs().Cmp(decimal.New(1, maxWhole)) < 0
}

// String returns the canonical text: plain, without trailing zeros.
func (n Number) String() string {
	if n.wide != nil {
		s := n.wide.String()
		if strings.Contains(s, ".") {
			s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
		}
		return s
	}
	whole, rest := n.small/unit, abs(n.small%unit)
	s := strconv.FormatInt(whole, 10)
	if n.small < 0 && whole == 0 {
		s = "-0"
	}
	if rest == 0 {
		return s
	}
	f := strconv.FormatInt(unit+rest, 10)[1:]
	return s + "." + strings.TrimRight(f, "0")
}
