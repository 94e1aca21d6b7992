package tally_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/weir-cdp/weir"
)

var (
	caseTypes = map[string]weir.AttributeType{"country": weir.Text, "points": weir.Number, "born": weir.Date, "joined": weir.Instant, "app": weir.Boolean}
	names     = []string{"Order", "View", "Open"}
	numbers   = []string{"0", "1", "-3", "12.5", "12.50", "100", "0.1", "0.000000001", "99999999999999999999.25", "12345678901.5", "3"}
	texts     = []string{"shoes", "bags", "kids", "01000", "FR", "DE"}
	dates     = []string{"2024-02-29", "2004-02-29", "2025-01-14", "2025-12-31", "2025-12-01", "2007-12-31", "1990-05-10", "2026-01-01", "2030-06-01"}
)

type gen struct {
	*rand.Rand
	now time.Time
}

func pick[T any](g gen, of []T) T { return of[g.IntN(len(of))] }

func (g gen) moment() time.Time {
	if g.IntN(6) == 0 { // of another season
		return g.now.Add(-time.Duration(g.IntN(1600)-100) * 12 * time.Hour)
	}
	if g.IntN(3) == 0 { // in one evening, some at one moment
		return g.now.Add(-time.Duration(g.IntN(16)) * 10 * time.Minute)
	}
	// Many on the very edge of a window, some in the future.
	at := g.now.Add(-time.Duration(g.IntN(40)-2) * 12 * time.Hour)
	return at.Add(time.Duration(g.IntN(3)-1) * time.Microsecond * time.Duration(g.IntN(2)))
}

func (g gen) event(i int) weir.Event {
	e := weir.Event{ID: fmt.Sprintf("e%03d", i), Name: pick(g, names), OccurredAt: g.moment(), Properties: map[string]string{}}
	if g.IntN(4) > 0 {
		e.Properties["revenue"] = pick(g, append([]string{"", "n/a", "1e5", "007"}, numbers...))
	}
	if g.IntN(4) > 0 {
		e.Properties["category"] = pick(g, texts)
	}
	if g.IntN(3) == 0 {
		e.Properties["currency"] = pick(g, []string{"EUR", "eur", "USD"})
	}
	if g.IntN(3) > 0 {
		e.Properties["visit"] = pick(g, []string{"v1", "v2"})
	}
	if g.IntN(6) == 0 {
		e.Properties["due"] = pick(g, dates)
	}
	return e
}

func (g gen) profile() weir.Profile {
	p := weir.Profile{ID: fmt.Sprintf("p%d", g.IntN(1000)), Kind: weir.Person, Attributes: map[string]string{}}
	for name, values := range map[string][]string{
		"country": texts, "points": append([]string{"many"}, numbers...), "born": append([]string{"soon"}, dates...), "app": {"true", "false", "yes"},
	} {
		if g.IntN(4) > 0 {
			p.Attributes[name] = pick(g, values)
		}
	}
	if g.IntN(4) > 0 {
		p.Attributes["joined"] = g.moment().Format(time.RFC3339Nano)
	}
	return p
}

func compare(op string, values ...string) weir.Comparison {
	return weir.Comparison{Op: op, Values: values}
}

// comparison draws an operator with operands that the type admits.
func (g gen) comparison(pool []string, ordered, moments bool) weir.Comparison {
	ops := []string{"is", "is_not", "in", "exists"}
	if ordered {
		ops = append(ops, "at_least", "at_most", "more_than", "less_than", "between")
	}
	if moments {
		ops = append(ops, "older_than", "newer_than", "anniversary")
	} else if _, err := strconv.ParseFloat(pool[0], 64); err != nil && pool[0] != "true" {
		ops = append(ops, "contains", "starts_with", "ends_with")
	}
	switch op := pick(g, ops); op {
	case "exists":
		return compare(op, strconv.FormatBool(g.IntN(2) == 0))
	case "in":
		return compare(op, pick(g, pool), pick(g, pool), pick(g, pool))
	case "between":
		return compare(op, pick(g, pool), pick(g, pool))
	case "contains", "starts_with", "ends_with":
		pieces := []string{"s", "sh", "ids", "R", "FR", "0", "kids", "ag"}
		return compare(op, pick(g, pieces), pick(g, pieces))
	case "anniversary":
		return compare(op, pick(g, []string{"next", "last"}), pick(g, []string{"1d", "7d", "2w", "45d", "364d"}))
	case "older_than", "newer_than":
		return compare(op, pick(g, []string{"1d", "3d", "7d", "36h", "1mo", "18y", "35y"}))
	default:
		return compare(op, pick(g, pool))
	}
}

func (g gen) where() map[string][]weir.Comparison {
	out := map[string][]weir.Comparison{}
	if g.IntN(3) == 0 {
		out["revenue"] = []weir.Comparison{g.comparison(numbers, true, false)}
	}
	if g.IntN(4) == 0 {
		out["category"] = []weir.Comparison{g.comparison(texts, true, false)}
	}
	if g.IntN(8) == 0 {
		out["due"] = []weir.Comparison{g.comparison(dates, true, true)}
	}
	return out
}

// window draws the other kinds of window, often none.
func (g gen) window(within time.Duration) (time.Duration, *weir.Window) {
	switch g.IntN(8) {
	case 0:
		return 0, &weir.Window{Within: pick(g, []string{"1mo", "2mo", "1y", "10d"})}
	case 1:
		return 0, &weir.Window{Between: pick(g, [][]string{{"10d", "2d"}, {"1mo", "1d"}, {"1y", "1mo"}, {"72h", "36h"},
			{"2025-12-01", "2025-12-31"}, {"2025-12-31", "2026-01-10"}, {"2026-01-14", "2030-01-01"},
			{"2025-12-31T23:00:00Z", "2026-01-10T09:30:00Z"}})}
	case 2:
		return 0, &weir.Window{During: pick(g, []string{"today", "yesterday", "this_week", "this_month", "this_quarter", "this_year",
			"last_week", "last_month", "last_quarter", "last_year", "last 3 days", "last 2 full weeks", "last 2 months", "last 5 quarters", "last 1 year"})}
	}
	return within, nil
}

func (g gen) within() time.Duration { return time.Duration(g.IntN(8)*g.IntN(2)) * 24 * time.Hour }

func (g gen) trait(name string) weir.TraitDef {
	d := weir.TraitDef{Name: name, Event: pick(g, append(names, "")), Where: g.where(), Within: g.within()}
	d.Within, d.Window = g.window(d.Within)
	d.Aggregate = pick(g, []string{"sum", "avg", "min", "max", "count", "distinct", "first", "last"})
	d.Field = pick(g, []string{"properties.revenue", "properties.category"})
	switch {
	case d.Aggregate == "count" && g.IntN(2) == 0:
		d.Field = "events"
	case (d.Aggregate == "sum" || d.Aggregate == "avg" || d.Aggregate == "min" || d.Aggregate == "max") && d.Field == "properties.revenue" && g.IntN(3) == 0:
		d.Currency = "properties.currency"
	case (d.Aggregate == "first" || d.Aggregate == "max" || d.Aggregate == "last" || d.Aggregate == "min") && g.IntN(2) == 0:
		d.Field = "occurred_at"
	}
	return d
}

// wide draws a trait beyond the plain aggregates; before are those that it may read.
func (g gen) wide(name string, before []weir.TraitDef) weir.TraitDef {
	d := g.trait(name)
	switch kind := g.IntN(24); {
	case kind < 4:
		d.Aggregate, d.Field, d.Currency = "most_frequent", "properties.category", ""
		return d
	case kind < 8:
		d.Aggregate, d.Field, d.Currency = "list", pick(g, []string{"properties.category", "properties.revenue"}), ""
		return d
	case kind < 12:
		d.Aggregate, d.Field, d.Currency = "since", pick(g, []string{"first", "last"}), ""
		return d
	}
	d = weir.TraitDef{Name: name}
	dated := []string{"attribute.born", "attribute.joined"}
	var numbers []string
	for _, b := range before {
		switch {
		case b.Aggregate == "list" || b.Aggregate == "expression":
		case b.Field == "occurred_at" && b.Aggregate != "count" && b.Aggregate != "distinct":
			dated = append(dated, "trait."+b.Name)
		case b.Aggregate == "first" || b.Aggregate == "last":
			dated, numbers = append(dated, "trait."+b.Name), append(numbers, b.Name)
		default:
			numbers = append(numbers, b.Name)
		}
	}
	switch kind := g.IntN(12); {
	case kind < 5:
		d.Aggregate, d.Ratio = "ratio", []string{pick(g, numbers), pick(g, numbers)}
	case kind < 11:
		d.Aggregate, d.Field = pick(g, []string{"since", "until"}), pick(g, dated)
	default:
		d.Aggregate, d.Expression = "expression", pick(g, expressions)
	}
	return d
}

// condition draws a rule; before are segments that it may ask for.
func (g gen) condition(depth int, traits []weir.TraitDef, before ...string) weir.Condition {
	var c weir.Condition
	if depth > 0 && g.IntN(2) == 0 {
		var list []weir.Condition
		for range 1 + g.IntN(3) {
			list = append(list, g.condition(depth-1, traits, before...))
		}
		switch g.IntN(3) {
		case 0:
			c.All = list
		case 1:
			c.Any = list
		default:
			c.None = list
		}
		return c
	}
	switch kind := g.IntN(12); {
	case kind == 0 && len(before) > 0:
		c.Segment = pick(g, before)
		return c
	case kind == 1:
		c.Random = &weir.Random{Seed: pick(g, []string{"winter", "summer"}), To: pick(g, []string{"50", "99.5", "33.3"}),
			From: pick(g, []string{"", "10", "33.299999999"}), Holdout: g.IntN(2) == 0}
		return c
	case kind <= 3:
		return g.sequence()
	}
	switch g.IntN(3) {
	case 0:
		c.Attribute = pick(g, []string{"country", "points", "born", "joined", "app"})
		switch caseTypes[c.Attribute] {
		case weir.Text:
			c.Compare = []weir.Comparison{g.comparison([]string{"FR", "DE", "01000", "kids"}, true, false)}
		case weir.Number:
			c.Compare = []weir.Comparison{g.comparison(numbers, true, false), g.comparison(numbers, true, false)}
		case weir.Boolean:
			c.Compare = []weir.Comparison{g.comparison([]string{"true", "false"}, false, false)}
		default:
			c.Compare = []weir.Comparison{g.comparison(dates, true, true)}
		}
	case 1:
		d := pick(g, traits)
		c.Trait, c.Compare = d.Name, []weir.Comparison{g.compareTrait(d)}
	default:
		c.IsEvent, c.Event, c.Where, c.Within = true, pick(g, append(names, "")), g.where(), g.within()
		c.Within, c.Window = g.window(c.Within)
		switch g.IntN(5) {
		case 4:
			c.Session = pick(g, sessions)
		case 0:
			c.Which = pick(g, []string{"first", "last"})
			return c
		case 1:
			for range 1 + g.IntN(2) {
				d := g.trait("")
				if d.Field == "events" {
					continue
				}
				c.Measures = append(c.Measures, weir.Measure{How: d.Aggregate, Of: d.Field, Currency: d.Currency, Compare: []weir.Comparison{g.compareTrait(d)}})
			}
		}
		if g.IntN(2) == 0 {
			c.Count = []weir.Comparison{compare(pick(g, []string{"at_least", "at_most", "is", "is_not", "more_than", "less_than"}), strconv.Itoa(g.IntN(5)))}
		}
	}
	return c
}

var sessions = []string{"true", "15m", "12h", "properties.visit"}

func (g gen) sequence() weir.Condition {
	c := weir.Condition{Sequence: &weir.Sequence{Strict: g.IntN(2) == 0}, Within: g.within()}
	c.Within, c.Window = g.window(c.Within)
	for range 2 + g.IntN(2) {
		c.Sequence.Steps = append(c.Sequence.Steps, weir.Step{Event: pick(g, append(names, "")), Where: g.where()})
	}
	if g.IntN(2) == 0 {
		c.Sequence.Span = pick(g, []string{"12h", "1d", "3d", "40d", "1mo"})
	}
	if g.IntN(2) == 0 {
		c.Session = pick(g, sessions)
	}
	return c
}
