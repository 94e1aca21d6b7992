package purchase_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/weir-cdp/weir/pipelines/segment/score/btyd"
	"github.com/weir-cdp/weir/pipelines/segment/score/purchase"
)

func say(s *purchase.State) string {
	if !s.Any() {
		return fmt.Sprint(s.Money(), s.Skipped())
	}
	return fmt.Sprint(s.Orders(), s.Money(), s.LastDay(), s.Skipped(), s.History(2000), s.RepeatValue())
}

func TestCutAndOrderDoNotMatter(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		var events []purchase.Event
		for range rng.IntN(12) {
			e := purchase.Event{Day: int32(1000 + rng.IntN(6)), Valued: true, Value: fmt.Sprintf("%d.%02d", rng.IntN(20), rng.IntN(100))}
			switch rng.IntN(8) {
			case 0:
				e.Value = "-" + e.Value
			case 1:
				e.Value = "none"
			}
			if rng.IntN(2) == 0 {
				e.Order = fmt.Sprint(rng.IntN(4))
			}
			events = append(events, e)
		}
		var one purchase.State
		parts := make([]purchase.State, 3)
		for _, i := range rng.Perm(len(events)) {
			parts[rng.IntN(3)].Add(events[i])
		}
		for _, e := range events {
			one.Add(e)
		}
		var merged purchase.State
		for _, i := range rng.Perm(3) {
			merged.Merge(&parts[i])
		}
		if say(&one) != say(&merged) {
			t.Fatalf("%v: %s, in parts %s", events, say(&one), say(&merged))
		}
	}
}

func TestRefundsLowerMoneyAndAreNoPurchases(t *testing.T) {
	var s purchase.State
	for _, e := range []purchase.Event{{Day: 10, Value: "20.10"}, {Day: 10, Value: "9.90"}, {Day: 17, Value: "50"}, {Day: 31, Value: "40"}, {Day: 40, Value: "-15"}, {Day: 5, Value: "x"}} {
		e.Valued = true
		s.Add(e)
	}
	if s.Money().String() != "105" || s.Orders() != 4 || s.LastDay() != 31 || s.Skipped() != 1 {
		t.Error(say(&s))
	}
	if got, want := s.History(38), (btyd.History{Repeats: 2, Last: 21, Age: 28}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := s.RepeatValue(); got != 37.5 { // (105 - 30) / 2
		t.Error(got)
	}
}
