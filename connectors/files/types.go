package files

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
)

var typeNames = []string{"text", "int", "float", "boolean", "date", "timestamp", "decimal(12,2)"}

var decimalType = regexp.MustCompile(`^decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)$`)

// newColumn makes a column of a declared type; times without a zone are of loc.
func newColumn(declared string, loc *time.Location) (column, error) {
	switch declared {
	case "", "text":
		return newTextColumn(), nil
	case "int":
		return typed(arrow.PrimitiveTypes.Int64, 8, parseInt), nil
	case "float":
		return typed(arrow.PrimitiveTypes.Float64, 8, parseFloat), nil
	case "boolean":
		return typed(arrow.FixedWidthTypes.Boolean, 1, parseBoolean), nil
	case "date":
		return typed(arrow.FixedWidthTypes.Date32, 4, parseDate), nil
	case "timestamp":
		return typed(&arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, 8, timestampParser(loc)), nil
	}
	if m := decimalType.FindStringSubmatch(declared); m != nil {
		p, _ := strconv.Atoi(m[1])
		s, _ := strconv.Atoi(m[2])
		if p >= 1 && p <= 38 && s <= p {
			return typed(&arrow.Decimal128Type{Precision: int32(p), Scale: int32(s)}, 16, decimalParser(p, s)), nil
		}
		return nil, weir.Errorf(weir.Invalid, "the type %s is impossible", declared).Then("write decimal(p,s) with p up to 38 and s up to p")
	}
	e := weir.Errorf(weir.Invalid, "the type %q is not known", declared)
	if n := connectors.Nearest(declared, typeNames); n != "" {
		return nil, e.Then("did you mean " + n + "?")
	}
	return nil, e.Then("types are " + strings.Join(typeNames, ", "))
}

func typed(t arrow.DataType, width int, parse func(array.Builder, []byte) bool) column {
	return &typedColumn{builder: array.NewBuilder(memory.DefaultAllocator, t), parse: parse, width: width}
}

func parseInt(b array.Builder, text []byte) bool {
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err == nil {
		b.(*array.Int64Builder).Append(n)
	}
	return err == nil
}

func parseFloat(b array.Builder, text []byte) bool {
	x, err := strconv.ParseFloat(string(text), 64)
	if err != nil || strings.ContainsAny(string(text), "xX_pP") {
		return false
	}
	b.(*array.Float64Builder).Append(x)
	return true
}

func parseBoolean(b array.Builder, text []byte) bool {
	switch strings.ToLower(string(text)) {
	case "true", "t", "yes", "y", "1":
		b.(*array.BooleanBuilder).Append(true)
	case "false", "f", "no", "n", "0":
		b.(*array.BooleanBuilder).Append(false)
	default:
		return false
	}
	return true
}

func parseDate(b array.Builder, text []byte) bool {
	if m, ok := isoTime(text); ok && len(text) == len(time.DateOnly) {
		b.(*array.Date32Builder).Append(arrow.Date32(m.days()))
		return true
	}
	t, err := time.Parse("2006-01-02", string(text))
	if err == nil {
		b.(*array.Date32Builder).Append(arrow.Date32FromTime(t))
	}
	return err == nil
}

// Times as ISO 8601 and SQL write them; a fraction may follow the seconds.
var (
	zonedLayouts = []string{"2006-01-02T15:04:05Z07:00", "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05Z0700",
		"2006-01-02 15:04:05Z0700", "2006-01-02 15:04:05 Z07:00", "2006-01-02 15:04:05 Z0700",
		"2006-01-02 15:04:05 MST", "2006-01-02T15:04Z07:00"}
	localLayouts = []string{"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02"}
)

func timestampParser(loc *time.Location) func(array.Builder, []byte) bool {
	return func(b array.Builder, text []byte) bool {
		if m, ok := isoTime(text); ok && m.year > 0 {
			b.(*array.TimestampBuilder).Append(arrow.Timestamp(m.micros(loc)))
			return true
		}
		t, ok := parseTime(string(text), loc)
		if !ok || t.Year() < 1 || t.Year() > 9999 {
			return false
		}
		b.(*array.TimestampBuilder).Append(arrow.Timestamp(t.UnixMicro()))
		return true
	}
}

func parseTime(s string, loc *time.Location) (time.Time, bool) {
	for _, layout := range localLayouts {
		if t, err := time.ParseInLocation(layout, s, loc); err == nil {
			return t, true
		}
	}
	for _, layout := range zonedLayouts {
		if strings.HasSuffix(layout, "MST") && !strings.HasSuffix(s, "UTC") && !strings.HasSuffix(s, "GMT") {
			continue // other abbreviations say no certain zone
		}
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// decimalParser reads plain decimals exactly; digits beyond the scale must be
// zeros.
func decimalParser(precision, scale int) func(array.Builder, []byte) bool {
	return func(b array.Builder, text []byte) bool {
		if n, ok := plainNumber(text, precision, scale); ok {
			b.(*array.Decimal128Builder).Append(decimal128.FromI64(n))
			return true
		}
		s := string(text)
		sign := ""
		if s[0] == '-' || s[0] == '+' {
			sign, s = strings.TrimPrefix(s[:1], "+"), s[1:]
		}
		whole, fraction, _ := strings.Cut(s, ".")
		if whole == "" && fraction == "" || !digits(whole) || !digits(fraction) {
			return false
		}
		if len(fraction) > scale {
			if strings.Trim(fraction[scale:], "0") != "" {
				return false
			}
			fraction = fraction[:scale]
		}
		all := strings.TrimLeft(whole+fraction+strings.Repeat("0", scale-len(fraction)), "0")
		if len(all) > precision {
			return false
		}
		n, err := decimal128.FromString(sign+zeroIfEmpty(all), int32(max(precision, 1)), 0)
		if err != nil {
			return false
		}
		b.(*array.Decimal128Builder).Append(n)
		return true
	}
}

// plainNumber reads the decimals that nearly all are, as 10^-scale: digits that an
// int64 holds, no more than scale of them behind a point. ok is false for any
// other text, which may still be a decimal.
func plainNumber(text []byte, precision, scale int) (n int64, ok bool) {
	const safe = 18 // digits that always fit
	digits := text
	if digits[0] == '-' {
		digits = digits[1:]
	}
	point := len(digits)
	for i, c := range digits {
		switch {
		case c-'0' <= 9:
			n = 10*n + int64(c-'0')
		case c == '.' && point == len(digits):
			point = i
		default:
			return 0, false
		}
	}
	behind := max(len(digits)-point-1, 0)
	if point == 0 || point+scale > min(safe, precision) || behind > scale || behind == 0 && point < len(digits) {
		return 0, false
	}
	for range scale - behind {
		n *= 10
	}
	if digits[0] != text[0] {
		n = -n
	}
	return n, true
}

func zeroIfEmpty(s string) string {
	if s == "" {
		return "0"
	}
	return s
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
