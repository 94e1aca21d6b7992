package rowfile

import (
	"math/bits"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/weir-cdp/weir"
)

// parseDecimal reads a plain decimal ("-12.50"; no exponent, no grouping).
// Digits beyond the scale are rounded half to even; a number that needs more
// than precision digits is an error.
func parseDecimal(s string, precision, scale int32) (decimal128.Num, error) {
	bad := func(why string) (decimal128.Num, error) {
		return decimal128.Num{}, weir.Errorf(weir.Invalid, "%s", why)
	}
	digits, negative := s, false
	if digits != "" && (digits[0] == '-' || digits[0] == '+') {
		negative, digits = digits[0] == '-', digits[1:]
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	if whole == "" && fraction == "" {
		return bad("is no plain decimal number")
	}
	var hi, lo uint64
	overflow := false
	push := func(d byte) {
		h, l := bits.Mul64(lo, 10)
		oh, hh := bits.Mul64(hi, 10)
		var carry uint64
		lo, carry = bits.Add64(l, uint64(d), 0)
		hi, carry = bits.Add64(hh, h, carry)
		overflow = overflow || oh != 0 || carry != 0 || hi>>63 != 0
	}
	for i := 0; i < len(whole); i++ {
		if whole[i] < '0' || whole[i] > '9' {
			return bad("is no plain decimal number")
		}
		push(whole[i] - '0')
	}
	above := 0 // the dropped part against one half: -1 none or less, 0 equal, 1 more
	for i := 0; i < max(len(fraction), int(scale)); i++ {
		d := byte(0)
		if i < len(fraction) {
			if fraction[i] < '0' || fraction[i] > '9' {
				return bad("is no plain decimal number")
			}
			d = fraction[i] - '0'
		}
		switch {
		case i < int(scale):
			push(d)
		case i == int(scale):
			above = int(d) - 5
		case above == 0 && d != 0:
			above = 1
		}
	}
	if len(fraction) > int(scale) && (above > 0 || above == 0 && lo&1 == 1) {
		var carry uint64
		lo, carry = bits.Add64(lo, 1, 0)
		hi += carry
	}
	n := decimal128.New(int64(hi), lo)
	if overflow || !n.FitsInPrecision(precision) {
		return bad("has too many digits before the point")
	}
	if negative {
		n = n.Negate()
	}
	return n, nil
}

// formatDecimal writes the plain decimal without trailing zeros: "12.5", "-0.001", "0".
func formatDecimal(n decimal128.Num, scale int32) string {
	s := n.ToString(scale)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if s == "-0" || s == "" {
		return "0"
	}
	return s
}

const day = 24 * 60 * 60

// parseDate reads 2006-01-02 strictly.
func parseDate(s string) (arrow.Date32, error) {
	t, err := time.Parse("2006-01-02", s)
	if err != nil {
		return 0, weir.Errorf(weir.Invalid, "is no date like 2006-01-02")
	}
	return arrow.Date32(t.Unix() / day), nil
}

func formatDate(d arrow.Date32) string {
	return time.Unix(int64(d)*day, 0).UTC().Format("2006-01-02")
}

// parseInstant reads RFC 3339; what is below a microsecond is dropped.
func parseInstant(s string) (arrow.Timestamp, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0, weir.Errorf(weir.Invalid, "is no time like 2006-01-02T15:04:05Z")
	}
	return arrow.Timestamp(t.UnixMicro()), nil
}

func formatInstant(micros int64) string {
	return time.UnixMicro(micros).UTC().Format("2006-01-02T15:04:05.999999Z07:00")
}

func parseBoolean(s string) (bool, error) {
	switch s {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, weir.Errorf(weir.Invalid, "is neither true nor false")
}
