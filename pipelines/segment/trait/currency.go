package trait

import (
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// Rates says what other currencies are worth in the workspace's. A nil *Rates
// knows the workspace's alone, EUR.
type Rates struct {
	base   string
	byCode map[string][]rate // by day
}

type rate struct {
	from  time.Time // zero: ever
	worth value.Number
}

// NewRates compiles a table of rates; base is the workspace's currency. A day
// begins at midnight in loc.
func NewRates(base string, table []weir.Rate, loc *time.Location) (*Rates, error) {
	r := &Rates{base: base, byCode: map[string][]rate{}}
	for _, line := range table {
		one := rate{}
		var ok bool
		if one.worth, ok = value.ParseNumber(line.Rate); !ok || one.worth.Compare(value.Whole(0)) <= 0 {
			return nil, weir.Errorf(weir.Invalid, "the rate of %s is a number above 0, not %q", line.Currency, line.Rate)
		}
		if line.From != "" {
			at, date, ok := value.ParseMoment(line.From, loc)
			if !ok || !date {
				return nil, weir.Errorf(weir.Invalid, "the rate of %s begins on a day such as 2026-01-31, not %q", line.Currency, line.From)
			}
			one.from = at
		}
		if line.Currency == base {
			return nil, weir.Errorf(weir.Invalid, "%s is the workspace's own currency: it has no rate", base)
		}
		r.byCode[line.Currency] = append(r.byCode[line.Currency], one)
	}
	for _, list := range r.byCode {
		slices.SortFunc(list, func(a, b rate) int { return a.from.Compare(b.from) })
	}
	return r, nil
}

// known says whether there is any rate.
func (r *Rates) known() bool { return r != nil && len(r.byCode) > 0 }

func (r *Rates) own() string {
	if r == nil || r.base == "" {
		return "EUR"
	}
	return r.base
}

// at returns what a currency is worth at a moment.
func (r *Rates) at(code string, at time.Time) (value.Number, bool) {
	list := r.byCode[code]
	i := sort.Search(len(list), func(i int) bool { return list[i].from.After(at) })
	if i == 0 {
		return value.Number{}, false
	}
	return list[i-1].worth, true
}

// money reads the currency of a trait's amounts.
type money struct {
	field timeline.Field
	rates *Rates
}

// inCurrency compiles `currency:`.
func (t *Trait) inCurrency(d weir.TraitDef, rates *Rates, l *timeline.Layout) error {
	if d.Currency == "" || d.Currency == "none" {
		return nil
	}
	property, ok := strings.CutPrefix(d.Currency, "properties.")
	if !ok || property == "" {
		return weir.Errorf(weir.Invalid, "currency is properties.NAME or none, not %q", d.Currency)
	}
	if !slices.Contains([]string{"sum", "avg", "min", "max"}, d.Aggregate) || !strings.HasPrefix(d.Field, "properties.") {
		return weir.Errorf(weir.Invalid, "%s of %s has no currency", d.Aggregate, d.Field)
	}
	t.money = &money{field: l.Property(property), rates: rates}
	return nil
}

// of returns an event's amount in the workspace's currency by the rate of its
// moment. Without rates the amount stays, and false says that the profile's
// events are of several currencies. An event that names none is in the
// workspace's.
func (m *money) of(s *State, e *timeline.Event, amount value.Number) (value.Number, bool) {
	code := strings.ToUpper(m.field.Of(e).String())
	if code == "" {
		code = m.rates.own()
	}
	if !m.rates.known() {
		if s.code == "" {
			s.code = code
		}
		return amount, s.code == code
	}
	if code == m.rates.own() {
		return amount, true
	}
	worth, ok := m.rates.at(code, e.At)
	return amount.Times(worth), ok
}
