package trait

import (
	"time"

	"github.com/weir-cdp/weir/pipelines/segment/timeline"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// Values is one value for each of many profiles. Exactly one of Any, Numbers, Times
// and Codes is set.
type Values struct {
	Known   []bool          // of Numbers and Times
	Numbers []int64         // billionths
	Times   []int64         // microseconds since 1970
	Codes   []uint32        // of Texts; 0 is unknown
	Texts   *timeline.Texts // of Codes
	Any     []value.Value   // of any form
}

// At returns the value of a profile.
func (v *Values) At(i int) value.Value {
	switch {
	case v.Any != nil:
		return v.Any[i]
	case v.Codes != nil:
		return value.OfText(v.Texts.Text(v.Codes[i]))
	case !v.Known[i]:
		return value.Value{}
	case v.Numbers != nil:
		return value.OfNumber(value.Billionths(v.Numbers[i]))
	}
	return value.OfTime(time.UnixMicro(v.Times[i]).UTC())
}

// Only makes the value unknown of those that it is not for.
func (v *Values) Only(is func(i int) bool) {
	for i := range max(len(v.Any), len(v.Codes), len(v.Known)) {
		switch {
		case is(i):
		case v.Any != nil:
			v.Any[i] = value.Value{}
		case v.Codes != nil:
			v.Codes[i] = 0
		default:
			v.Known[i] = false
		}
	}
}

// Holds sets, for each profile, whether its value passes all tests.
func (v *Values) Holds(tests []value.Test, now time.Time, set func(i int)) {
	if v.Codes != nil {
		v.holdCodes(tests, now, set)
		return
	}
	var low, high int64
	var ok bool
	list := v.Numbers
	if v.Numbers != nil {
		low, high, ok = value.Bounds(tests, (*value.Test).Numbers)
	} else if v.Times != nil {
		list = v.Times
		low, high, ok = value.Bounds(tests, func(t *value.Test) (int64, int64, bool) { return t.Moments(now) })
	}
	if ok {
		for i, x := range list {
			if low <= x && x <= high && v.Known[i] {
				set(i)
			}
		}
		return
	}
	for i := range max(len(v.Any), len(v.Known)) {
		if value.HoldsAll(tests, v.At(i), now) {
			set(i)
		}
	}
}

func (v *Values) holdCodes(tests []value.Test, now time.Time, set func(i int)) {
	HoldCodes(v.Codes, v.Texts, func(text string) bool { return value.HoldsAll(tests, value.OfText(text), now) }, set)
}

// HoldCodes sets those whose text passes a test, which it asks once about each text.
func HoldCodes(codes []uint32, texts *timeline.Texts, test func(text string) bool, set func(i int)) {
	verdicts := make([]int8, texts.Len())
	for i, code := range codes {
		if verdicts[code] == 0 {
			verdicts[code] = -1
			if test(texts.Text(code)) {
				verdicts[code] = 1
			}
		}
		if verdicts[code] > 0 {
			set(i)
		}
	}
}
