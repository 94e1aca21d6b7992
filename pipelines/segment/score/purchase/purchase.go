// Package purchase keeps what scores need to know of a customer's purchases.
//
//   - A purchase is an event of a value of 0 or more. One of less than 0 is a
//     refund or cancellation: it lowers the money and is no purchase, so it makes
//     nobody recent or frequent.
//   - An event without a value that is a plain decimal is neither, and counted.
//     Where no value is asked for, every event is a purchase.
//   - Purchases of one calendar day are one visit; events of one order are one
//     order where a property says which order an event is of, else each is one.
//
// Invariants: the outcome does not depend on the order of Add; two States of
// disjoint events can be merged; sums are exact decimals. A State grows with the
// days and orders of a customer, not with the events.
//
// Neighbours: btyd takes visits, rfm takes orders.
package purchase

import (
	"strconv"

	"github.com/weir-cdp/weir/pipelines/segment/score/btyd"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// Event is one event that may be a purchase.
type Event struct {
	Day    int32  // since 1970, in the workspace's calendar
	Value  string // a plain decimal
	Valued bool   // a value is asked for
	Order  string // "": an order of its own
}

// State is what a customer's events have come to. The zero State is of none.
type State struct {
	days       map[int32]struct{}
	orders     map[string]struct{}
	unnamed    int64 // orders without a name
	first      int32
	last       int32
	money      value.Number // purchases less refunds
	firstMoney value.Number // purchases of the first day
	skipped    int64
}

// Add takes an event into account.
func (s *State) Add(e Event) {
	var v value.Number
	if e.Valued {
		var ok bool
		if v, ok = value.ParseNumber(e.Value); !ok {
			s.skipped++
			return
		}
		s.money = s.money.Add(v)
		if v.Compare(value.Number{}) < 0 {
			return
		}
	}
	switch {
	case len(s.days) == 0:
		s.days = map[int32]struct{}{}
		s.first, s.last, s.firstMoney = e.Day, e.Day, v
	case e.Day < s.first:
		s.first, s.firstMoney = e.Day, v
	case e.Day == s.first:
		s.firstMoney = s.firstMoney.Add(v)
	}
	s.last = max(s.last, e.Day)
	s.days[e.Day] = struct{}{}
	if e.Order == "" {
		s.unnamed++
		return
	}
	if s.orders == nil {
		s.orders = map[string]struct{}{}
	}
	s.orders[e.Order] = struct{}{}
}

// Merge adds the events of another State, none in common.
func (s *State) Merge(o *State) {
	s.money, s.skipped = s.money.Add(o.money), s.skipped+o.skipped
	if len(o.days) == 0 {
		return
	}
	switch {
	case len(s.days) == 0:
		s.days = map[int32]struct{}{}
		s.first, s.last, s.firstMoney = o.first, o.last, o.firstMoney
	case o.first < s.first:
		s.first, s.firstMoney = o.first, o.firstMoney
	case o.first == s.first:
		s.firstMoney = s.firstMoney.Add(o.firstMoney)
	}
	s.last = max(s.last, o.last)
	for d := range o.days {
		s.days[d] = struct{}{}
	}
	s.unnamed += o.unnamed
	for name := range o.orders {
		if s.orders == nil {
			s.orders = map[string]struct{}{}
		}
		s.orders[name] = struct{}{}
	}
}

// Any says whether there was a purchase.
func (s *State) Any() bool { return len(s.days) > 0 }

// Orders returns the number of orders.
func (s *State) Orders() int64 { return int64(len(s.orders)) + s.unnamed }

// Money returns purchases less refunds.
func (s *State) Money() value.Number { return s.money }

// LastDay returns the day of the last purchase; there must be one.
func (s *State) LastDay() int32 { return s.last }

// Skipped returns how many events had no value that is a number.
func (s *State) Skipped() int64 { return s.skipped }

// History returns the days on which the customer bought again, in days, as of
// the day today; there must have been a purchase, and none after it.
func (s *State) History(today int32) btyd.History {
	return btyd.History{Repeats: float64(len(s.days) - 1), Last: float64(s.last - s.first), Age: float64(today - s.first)}
}

// RepeatValue returns the mean value of a day of purchases after the first day,
// refunds of all days taken off; 0 without such days, or if refunds eat it up.
func (s *State) RepeatValue() float64 {
	n := int64(len(s.days) - 1)
	if n <= 0 {
		return 0
	}
	return max(float(s.money)-float(s.firstMoney), 0) / float64(n)
}

// float is the nearest binary number: money leaves the exact only for a model.
func float(n value.Number) float64 {
	f, err := strconv.ParseFloat(n.String(), 64)
	if err != nil { // a decimal's text is always a float's; only a huge one has no finite float
		return 0
	}
	return f
}
