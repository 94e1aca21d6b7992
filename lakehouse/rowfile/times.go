package rowfile

import (
	"reflect"
	"time"

	"github.com/weir-cdp/weir"
)

// parquet-go takes every time through nanoseconds of 64 bits: the zero time
// comes back as lostZero, and one outside 1677 to 2262 as any other. So scratch
// rows with times are checked when written, and the zero time is put back when
// read. Times of table files do not go through it.

// timePath leads from a row to a time.Time: indexes of struct fields; -1 steps
// into each element of a slice.
type timePath []int

var lostZero = time.Unix(0, time.Time{}.UnixNano()).UTC()

var earliest, latest = time.Unix(0, -1<<63).Add(time.Second), time.Unix(0, 1<<63-1).Add(-time.Second)

// timesOf lists the ways to the times in a type.
func timesOf(t reflect.Type) []timePath {
	var out []timePath
	below := func(step int, t reflect.Type) {
		for _, p := range timesOf(t) {
			out = append(out, append(timePath{step}, p...))
		}
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		return []timePath{{}}
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		below(-1, t.Elem())
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			if t.Field(i).IsExported() {
				below(i, t.Field(i).Type)
			}
		}
	}
	return out
}

func eachTime(v reflect.Value, path timePath, do func(*time.Time) bool) bool {
	for i, step := range path {
		if step >= 0 {
			v = v.Field(step)
			continue
		}
		for j := range v.Len() {
			if !eachTime(v.Index(j), path[i+1:], do) {
				return false
			}
		}
		return true
	}
	return do(v.Addr().Interface().(*time.Time))
}

func checkTimes[T any](rows []T, paths []timePath) error {
	var bad time.Time
	ok := func(t *time.Time) bool {
		if t.IsZero() || t.After(earliest) && t.Before(latest) {
			return true
		}
		bad = *t
		return false
	}
	for _, p := range paths {
		for i := range rows {
			if !eachTime(reflect.ValueOf(&rows[i]).Elem(), p, ok) {
				return weir.Errorf(weir.Invalid, "row %d of a group has a time in the year %d, which scratch rows can't hold", i+1, bad.Year()).
					Then("withhold times outside the years 1678 to 2261, or carry them as microseconds")
			}
		}
	}
	return nil
}

func restoreTimes[T any](rows []T, paths []timePath) {
	restore := func(t *time.Time) bool {
		if t.Equal(lostZero) {
			*t = time.Time{}
		}
		return true
	}
	for _, p := range paths {
		for i := range rows {
			eachTime(reflect.ValueOf(&rows[i]).Elem(), p, restore)
		}
	}
}
