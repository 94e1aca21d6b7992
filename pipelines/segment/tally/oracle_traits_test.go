package tally_test

import (
	"encoding/json"
	"math/big"
	"sort"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
)

// derived are the traits beyond plain aggregates.
func (w world) derived(d weir.TraitDef, events []weir.Event) (thing, bool) {
	switch d.Aggregate {
	case "since", "until":
		return w.days(d, events), true
	case "ratio":
		a, b := w.number(d.Ratio[0]), w.number(d.Ratio[1])
		if a == nil || b == nil || b.Sign() == 0 {
			return thing{}, true
		}
		return storable(new(big.Rat).Quo(a, b)), true
	case "expression":
		return w.expression(d.Expression), true
	case "most_frequent", "list":
		counts := map[string]int{}
		for _, e := range events {
			if s := e.Properties[strings.TrimPrefix(d.Field, "properties.")]; s != "" {
				counts[s]++
			}
		}
		var texts []string
		for s := range counts {
			texts = append(texts, s)
		}
		sort.Strings(texts)
		if len(texts) == 0 {
			return thing{}, true
		}
		if d.Aggregate == "list" {
			return thing{list: texts}, true
		}
		sort.SliceStable(texts, func(i, j int) bool { return counts[texts[i]] > counts[texts[j]] })
		return thing{text: &texts[0]}, true
	}
	return thing{}, false
}

// days counts midnights of the time zone.
func (w world) days(d weir.TraitDef, events []weir.Event) thing {
	var x thing
	switch kind, name, _ := strings.Cut(d.Field, "."); {
	case kind == "attribute":
		x = naiveAttribute(w.profile.Attributes[name], w.types[name], w.zone)
	case kind == "trait":
		x = w.trait(w.traits[name])
	case len(events) > 0 && d.Field == "first":
		x.at = &events[0].OccurredAt
	case len(events) > 0:
		x.at = &events[len(events)-1].OccurredAt
	}
	if x.text != nil {
		x.at = when(*x.text, w.zone)
	}
	if x.at == nil {
		return thing{}
	}
	from, to := x.at.In(w.zone).Format("2006-01-02"), w.now.In(w.zone).Format("2006-01-02")
	a, _ := time.Parse("2006-01-02", from)
	b, _ := time.Parse("2006-01-02", to)
	days := int64(b.Sub(a).Hours()) / 24
	if d.Aggregate == "until" {
		days = -days
	}
	return thing{num: big.NewRat(days, 1)}
}

// number is a trait's value, also of a text that is a number.
func (w world) number(trait string) *big.Rat {
	x := w.trait(w.traits[trait])
	if x.text != nil {
		return rat(*x.text)
	}
	return x.num
}

// expressions are those of the random cases over n, a count, and s, a sum.
var expressions = []string{"trait.n * 2 + 1", "trait.s / trait.n", "trait.n >= 2 ? 'many' : 'few'", "trait.s - attribute.points * 0.1"}

func (w world) expression(text string) thing {
	n, s := w.number("n"), w.number("s")
	switch text {
	case expressions[0]:
		return storable(new(big.Rat).Add(new(big.Rat).Mul(n, big.NewRat(2, 1)), big.NewRat(1, 1)))
	case expressions[1]:
		if n.Sign() == 0 || s == nil {
			return thing{}
		}
		return storable(new(big.Rat).Quo(s, n))
	case expressions[2]:
		out := "few"
		if n.Cmp(big.NewRat(2, 1)) >= 0 {
			out = "many"
		}
		return thing{text: &out}
	}
	points := naiveAttribute(w.profile.Attributes["points"], weir.Number, w.zone)
	if points.num == nil || s == nil {
		return thing{}
	}
	return storable(new(big.Rat).Sub(s, new(big.Rat).Mul(points.num, big.NewRat(1, 10))))
}

// inOneCurrency returns the amounts in the workspace's currency, or as they are if
// there are no rates and all are of one; false where they can't be added.
func (w world) inOneCurrency(d weir.TraitDef, events []weir.Event) (amounts []string, fine bool) {
	codes := map[string]bool{}
	for _, e := range events {
		amount := rat(e.Properties[strings.TrimPrefix(d.Field, "properties.")])
		if amount == nil {
			continue
		}
		code := strings.ToUpper(e.Properties["currency"])
		if code == "" {
			code = "EUR"
		}
		codes[code] = true
		if len(w.rates) > 0 && code != "EUR" {
			var rate *big.Rat
			day := e.OccurredAt.In(w.zone).Format("2006-01-02")
			for _, r := range w.rates { // by day
				if r.Currency == code && r.From <= day {
					rate = rat(r.Rate)
				}
			}
			if rate == nil {
				return nil, false
			}
			amount = new(big.Rat).Mul(amount, rate)
		}
		amounts = append(amounts, strings.TrimSuffix(strings.TrimRight(amount.FloatString(40), "0"), "."))
	}
	return amounts, len(w.rates) > 0 || len(codes) <= 1
}

// itemsOf reads a list's text.
func itemsOf(text string) []string {
	var out []string
	_ = json.Unmarshal([]byte(text), &out) // what is no list is no list
	return out
}

// storable is a number as the lake keeps it: unknown with 30 digits before the point.
func storable(r *big.Rat) thing {
	limit := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(29), nil))
	if r = nine(r); new(big.Rat).Abs(r).Cmp(limit) >= 0 {
		return thing{}
	}
	return thing{num: r}
}
