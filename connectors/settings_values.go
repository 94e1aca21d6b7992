package connectors

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// This file turns one raw value into the Go type of its field.

func anys(s []string) []any {
	out := make([]any, len(s))
	for i := range s {
		out[i] = s[i]
	}
	return out
}

func asMap(v any) (map[string]any, bool) {
	switch m := v.(type) {
	case map[string]any:
		return m, true
	case Settings:
		return m, true
	case map[any]any:
		out := make(map[string]any, len(m))
		for k, v := range m {
			s, ok := k.(string)
			if !ok {
				return nil, false
			}
			out[s] = v
		}
		return out, true
	}
	return nil, false
}

func asInt(v any) (int64, bool) {
	switch n := v.(type) {
	case int:
		return int64(n), true
	case int64:
		return n, true
	case uint64:
		return int64(n), n <= math.MaxInt64
	case float64:
		return int64(n), n == math.Trunc(n) && math.Abs(n) < 1<<53
	case string:
		i, err := strconv.ParseInt(strings.TrimSpace(n), 10, 64)
		return i, err == nil
	}
	return 0, false
}

func asFloat(v any) (float64, bool) {
	switch n := v.(type) {
	case float64:
		return n, !math.IsNaN(n) && !math.IsInf(n, 0)
	case string:
		x, err := strconv.ParseFloat(strings.TrimSpace(n), 64)
		return x, err == nil && !math.IsNaN(x) && !math.IsInf(x, 0)
	}
	i, ok := asInt(v)
	return float64(i), ok
}

func asBool(v any) (bool, bool) {
	switch b := v.(type) {
	case bool:
		return b, true
	case string:
		switch strings.TrimSpace(b) {
		case "true":
			return true, true
		case "false":
			return false, true
		}
	}
	return false, false
}

// asSpan reads Go's durations and whole days ("30d"), which Go lacks.
func asSpan(v any) (time.Duration, bool) {
	switch d := v.(type) {
	case time.Duration:
		return d, true
	case string:
		s := strings.TrimSpace(d)
		if days, ok := strings.CutSuffix(s, "d"); ok {
			n, err := strconv.ParseInt(days, 10, 64)
			return time.Duration(n) * 24 * time.Hour, err == nil && n >= 0 && n < 100_000
		}
		span, err := time.ParseDuration(s)
		return span, err == nil && span >= 0
	}
	return 0, false
}

func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "nothing"
	case string:
		return "this string"
	case bool:
		return "a boolean"
	case int, int64, uint64:
		return "a whole number"
	case float64:
		return "a number"
	case time.Time:
		return "a date"
	case []any, []string:
		return "a list"
	}
	if _, ok := asMap(v); ok {
		return "a mapping"
	}
	return fmt.Sprintf("%T", v)
}
