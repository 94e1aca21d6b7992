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
		return numbers(arrow.PrimitiveTypes.Int64, parseInt), nil
	case "float":
		return numbers(arrow.PrimitiveTypes.Float64, parseFloat), nil
	case "boolean":
		return &booleanColumn{array.NewBooleanBuilder(memory.DefaultAllocator)}, nil
	case "date":
		return numbers(arrow.FixedWidthTypes.Date32, parseDate), nil
	case "timestamp":
		return numbers(&arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, timestampParser(loc)), nil
	}
	if m := decimalType.FindStringSubmatch(declared); m != nil {
		p, _ := strconv.Atoi(m[1])
		s, _ := strconv.Atoi(m[2])
		if p >= 1 && p <= 38 && s <= p {
			return numbers(&arrow.Decimal128Type{Precision: int32(p), Scale: int32(s)}, decimalParser(p, s)), nil
		}
		return nil, weir.Errorf(weir.Invalid, "the type %s is impossible", declared).Then("write decimal(p,s) with p up to 38 and s up to p")
	}
	e := weir.Errorf(weir.Invalid, "the type %q is not known", declared)
	if n := connectors.Nearest(declared, typeNames); n != "" {
		return nil, e.Then("did you mean " + n + "?")
	}
	return nil, e.Then("types are " + strings.Join(typeNames, ", "))
}

func parseInt(text []byte) (int64, bool) {
	if n, ok := plainNumber(text, 18, 0); ok {
		return n, true
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	return n, err == nil
}

func parseFloat(text []byte) (float64, bool) {
	x, err := strconv.ParseFloat(string(text), 64)
	return x, err == nil && !strings.ContainsAny(string(text), "xX_pP")
}

func parseBoolean(text []byte) (value, ok bool) {
	switch strings.ToLower(string(text)) {
	case "true", "t", "yes", "y", "1":
		return true, true
	case "false", "f", "no", "n", "0":
		return false, true
	}
	return false, false
}

func parseDate(text []byte) (arrow.Date32, bool) {
	if m, ok := isoTime(text); ok && len(text) == len(time.DateOnly) {
		return arrow.Date32(m.days()), true
	}
	t, err := time.Parse("2006-01-02", string(text))
	return arrow.Date32FromTime(t), err == nil
}

// Times as ISO 8601 and SQL write them; a fraction may follow the seconds.
var (
	zonedLayouts = []string{"2006-01-02T15:04:05Z07:00", "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05Z0700",
		"2006-01-02 15:04:05Z0700", "2006-01-02 15:04:05 Z07:00", "2006-01-02 15:04:05 Z0700",
		"2006-01-02 15:04:05 MST", "2006-01-02T15:04Z07:00"}
	localLayouts = []string{"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02"}
)

func timestampParser(loc *time.Location) func([]byte) (arrow.Timestamp, bool) {
	return func(text []byte) (arrow.Timestamp, bool) {
		if m, ok := isoTime(text); ok && m.year > 0 {
			return arrow.Timestamp(m.micros(loc)), true
		}
		t, ok := parseTime(string(text), loc)
		return arrow.Timestamp(t.UnixMicro()), ok && t.Year() >= 1 && t.Year() <= 9999
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
func decimalParser(precision, scale int) func([]byte) (decimal128.Num, bool) {
	return func(text []byte) (none decimal128.Num, ok bool) {
		if n, ok := plainNumber(text, precision, scale); ok {
			return decimal128.FromI64(n), true
		}
		s := string(text)
		sign := ""
		if s[0] == '-' || s[0] == '+' {
			sign, s = strings.TrimPrefix(s[:1], "+"), s[1:]
		}
		whole, fraction, _ := strings.Cut(s, ".")
		if whole == "" && fraction == "" || !digits(whole) || !digits(fraction) {
			return none, false
		}
		if len(fraction) > scale {
			if strings.Trim(fraction[scale:], "0") != "" {
				return none, false
			}
			fraction = fraction[:scale]
		}
		all := strings.TrimLeft(whole+fraction+strings.Repeat("0", scale-len(fraction)), "0")
		if len(all) > precision {
			return none, false
		}
		n, err := decimal128.FromString(sign+zeroIfEmpty(all), int32(max(precision, 1)), 0)
		return n, err == nil
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
