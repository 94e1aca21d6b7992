package project

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
)

// withRule replaces the good project's segment by one of this rule.
func withRule(rule string) map[string]string {
	return map[string]string{"segments/sick.yaml": "of: person\nwhere:\n  " + rule + "\n"}
}

func TestRules(t *testing.T) {
	t.Parallel()
	for rule, want := range map[string]string{
		`{attribute: given_name, starts_with: An}`:           `{"attribute":"given_name","compare":[{"op":"starts_with","values":["An"]}]}`,
		`{attribute: given_name, contains: [a, b]}`:          `{"attribute":"given_name","compare":[{"op":"contains","values":["a","b"]}]}`,
		`{attribute: birth_date, anniversary: {within: 7d}}`: `{"attribute":"birth_date","compare":[{"op":"anniversary","values":["next","7d"]}]}`,
		`{attribute: birth_date, anniversary: {last: 2w}}`:   `{"attribute":"birth_date","compare":[{"op":"anniversary","values":["last","2w"]}]}`,
		`{attribute: birth_date, older_than: 1y6mo}`:         `{"attribute":"birth_date","compare":[{"op":"older_than","values":["1y6mo"]}]}`,
		`{event: Order, within: 6mo}`:                        `{"is_event":true,"event":"Order","window":{"within":"6mo"}}`,
		`{event: Order, between: [90d, 30d]}`:                `{"is_event":true,"event":"Order","window":{"between":["90d","30d"]}}`,
		`{event: Order, between: [2025-01-01, 2025-01-31]}`:  `{"is_event":true,"event":"Order","window":{"between":["2025-01-01","2025-01-31"]}}`,
		`{event: Order, during: last 4 full weeks}`:          `{"is_event":true,"event":"Order","window":{"during":"last 4 full weeks"}}`,
		`{during: today}`:                                                                `{"is_event":true,"window":{"during":"today"}}`,
		`{event: Order, first: true, within: 30d}`:                                       `{"is_event":true,"event":"Order","within":2592000000000000,"which":"first"}`,
		`{event: Order, last: {of: properties.category, is: shoes}}`:                     `{"is_event":true,"event":"Order","measures":[{"how":"last","of":"properties.category","compare":[{"op":"is","values":["shoes"]}]}]}`,
		`{event: Order, sum: {of: properties.revenue, between: [1, 2]}, count: {is: 2}}`: `{"is_event":true,"event":"Order","count":[{"op":"is","values":["2"]}],"measures":[{"how":"sum","of":"properties.revenue","compare":[{"op":"between","values":["1","2"]}]}]}`,
		`{sequence: [View, {event: Order, where: {category: shoes}}], span: 7d, strict: true, session: 45m, within: 90d}`: `{"within":7776000000000000,"sequence":{"steps":[{"event":"View"},{"event":"Order","where":{"category":[{"op":"is","values":["shoes"]}]}}],"span":"7d","strict":true},"session":"45m"}`,
		`{sequence: [View, Order], session: true, between: [90d, 30d]}`:                                                   `{"window":{"between":["90d","30d"]},"sequence":{"steps":[{"event":"View"},{"event":"Order"}]},"session":"true"}`,
		`{event: View, session: properties.visit, count: {at_least: 3}}`:                                                  `{"is_event":true,"event":"View","count":[{"op":"at_least","values":["3"]}],"session":"properties.visit"}`,
		`{random: {percent: 10, seed: winter}}`:                                                                           `{"random":{"to":"10","seed":"winter"}}`,
		`{holdout: {percent: [10, 12.5]}}`:                                                                                `{"random":{"from":"10","to":"12.5","holdout":true}}`,
		`{event: Order, recency: {older_than: 30d}}`:                                                                      `{"is_event":true,"event":"Order","measures":[{"how":"last","of":"occurred_at","compare":[{"op":"older_than","values":["30d"]}]}]}`,
		`{accounts: any, where: {attribute: country, is: FR}}`:                                                            `{"related":{"kind":"account","how":"any","where":{"attribute":"country","compare":[{"op":"is","values":["FR"]}],"at":"segments/sick.yaml:3:26"}}}`,
		`{where: {any: [{event: Order}]}, accounts: {at_least: 2, at_most: 5}}`:                                           `{"related":{"kind":"account","count":[{"op":"at_least","values":["2"]},{"op":"at_most","values":["5"]}],"where":{"any":[{"is_event":true,"event":"Order","at":"segments/sick.yaml:3:18"}],"at":"segments/sick.yaml:3:11"}}}`,
		`{accounts: none}`: `{"related":{"kind":"account","how":"none"}}`,
	} {
		p, err := Load(write(t, withRule(rule)), known)
		if err != nil {
			t.Errorf("%s: %v", rule, err)
			continue
		}
		s, _ := p.Segment("sick")
		s.Where.At = ""
		got, err := json.Marshal(s.Where)
		if err != nil || string(got) != want {
			t.Errorf("%s\ngot  %s %v\nwant %s", rule, got, err, want)
		}
	}
}

func TestRulesRefused(t *testing.T) {
	t.Parallel()
	for rule, part := range map[string]string{
		`{people: any, where: {event: Order}}`:                              `segments/sick.yaml:3:3: an account has people, and this segment is of kind person`,
		`{accounts: some, where: {event: Order}}`:                           `unknown value "some"`,
		`{accounts: {exists: true}}`:                                        `exists of a number of people or accounts`,
		`{accounts: {}}`:                                                    `nothing to compare with`,
		`{accounts: any, where: {}}`:                                        `exactly one of`,
		`{acounts: any, where: {event: Order}}`:                             `accounts`,
		`{accounts: any, attribute: country, is: FR}`:                       `exactly one of`,
		`{accounts: any, is: FR}`:                                           `what is asked of each of them goes below where`,
		`{accounts: any, count: {at_least: 3}}`:                             `what is asked of each of them goes below where`,
		`{accounts: any, where: {attribute: contry, is: FR}}`:               `segments/sick.yaml:3:26: no source maps an attribute "contry"`,
		`{accounts: any, where: {none: [{people: any}]}}`:                   `segments/sick.yaml:3:34: conditions about people and accounts don't nest`,
		`{accounts: any, where: {segment: sick}}`:                           `segments depend on each other: sick → sick`,
		`{attribute: given_name, contains: []}`:                             `contains needs at least one value`,
		`{attribute: birth_date, anniversary: 7d}`:                          `expected keys with values`,
		`{attribute: birth_date, anniversary: {next: 1mo}}`:                 `"1mo" is no number of days`,
		`{attribute: birth_date, anniversary: {nxt: 7d}}`:                   `did you mean "next"?`,
		`{attribute: birth_date, anniversary: {next: 7d, last: 7d}}`:        `an anniversary is next or last`,
		`{event: Order, within: 30d, during: today}`:                        `two windows`,
		`{event: Order, within: 1mo, between: [2d, 1d]}`:                    `two windows`,
		`{event: Order, during: next_month}`:                                `"next_month" is no calendar window`,
		`{event: Order, first: true, last: true}`:                           `both first and last`,
		`{event: Order, sum: {at_least: 5}}`:                                `sum of what?`,
		`{event: Order, sum: {of: properties.x}}`:                           `nothing to compare with`,
		`{event: Order, sum: {of: revenue, at_least: 5}}`:                   `can't compute from "revenue"`,
		`{event: Order, sum: {of: properties.x, atleast: 5}}`:               `did you mean "at_least"?`,
		`{event: Order, recency: {at_least: 5}}`:                            `recency is an age`,
		`{attribute: given_name, is: x, during: today}`:                     `belong to an event`,
		`{attribute: given_name, is: x, sum: {of: properties.x, is: 5}}`:    `belong to an event`,
		`{sequence: [View]}`:                                                `from 2 to 16 steps, found 1`,
		`{sequence: [View, {where: {}, evnt: x}]}`:                          `did you mean "event"?`,
		`{sequence: [View, Order], count: {is: 1}}`:                         `no where, count or aggregate`,
		`{sequence: [View, Order], span: 10000y}`:                           `longer than a hundred years`,
		`{sequence: [View, Order], session: often}`:                         `"often" is no session`,
		`{event: View, span: 3d}`:                                           `span and strict belong to a sequence`,
		`{span: 3d}`:                                                        `span and strict belong to a sequence`,
		`{event: Order Complted}`:                                           `no source maps an event "Order Complted"; did you mean "Order Completed"?`,
		`{event: Order Completed, where: {revenu: {is: 1}}}`:                `no source maps a property "revenu" of events; did you mean "revenue"?`,
		`{sequence: [Order Complete, Order Refunded]}`:                      `did you mean "Order Completed"?`,
		`{sum: {of: properties.revenues, at_least: 1}}`:                     `did you mean "revenue"?`,
		`{segment: sic}`:                                                    `there is no segment "sic"; did you mean "sick"?`,
		`{segment: sick}`:                                                   `segments depend on each other: sick → sick`,
		`{segment: sick, event: Order}`:                                     `exactly one of`,
		`{random: {percent: 101}}`:                                          `"101" is no percentage`,
		`{random: {percnt: 10}}`:                                            `did you mean "percent"?`,
		`{event: Order, within: 10000y}`:                                    `longer than a hundred years`,
		`{event: Order, within: 0y}`:                                        `no time at all`,
		`{event: Order, sum: {of: properties.revenue, older_than: 30days}}`: `is not a span of time`,
	} {
		_, err := Load(write(t, withRule(rule)), known)
		if err == nil || !strings.Contains(err.Error(), part) || !strings.Contains(err.Error(), "segments/sick.yaml:") || weir.CodeOf(err) != weir.Invalid {
			t.Errorf("%s: %v, want %q at its place", rule, err, part)
		}
	}
	if _, err := Load(write(t, map[string]string{"segments/sick.yaml": "timezone: Europe/Pari\nwhere: {event: x}\n"}), known); err == nil || !strings.Contains(err.Error(), "segments/sick.yaml:1:11: unknown time zone") {
		t.Errorf("time zone: %v", err)
	}
}

// TestCategoriesOfSegmentsBelow: an activation has the special categories of what
// the segments read that its own segment asks for, over any number of steps.
func TestCategoriesOfSegmentsBelow(t *testing.T) {
	t.Parallel()
	p, err := Load(write(t, map[string]string{
		"segments/sick.yaml":    "where: {none: [{segment: between}]}\n",
		"segments/between.yaml": "where: {segment: below}\n",
		"segments/below.yaml":   "categories: [religion]\nwhere: {attribute: diagnosis, exists: true}\n",
	}), known)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Activations[0].Categories; !slices.Equal(got, []string{"health", "religion"}) {
		t.Errorf("categories %v", got)
	}
}

func TestTraits(t *testing.T) {
	t.Parallel()
	with := func(compute string) map[string]string {
		return map[string]string{"traits/new.yaml": "of: person\ncompute: " + compute + "\n"}
	}
	for compute, want := range map[string]weir.TraitDef{
		`{most_frequent: properties.category}`:                                          {Aggregate: "most_frequent", Field: "properties.category"},
		`{list: name, during: last_month}`:                                              {Aggregate: "list", Field: "name", Window: &weir.Window{During: "last_month"}},
		`{since: last, event: Order Completed}`:                                         {Aggregate: "since", Field: "last", Event: "Order Completed"},
		`{until: attribute.birth_date}`:                                                 {Aggregate: "until", Field: "attribute.birth_date"},
		`{ratio: [lifetime_value, lifetime_value]}`:                                     {Aggregate: "ratio", Ratio: []string{"lifetime_value", "lifetime_value"}},
		`{expression: "trait.lifetime_value * 2"}`:                                      {Aggregate: "expression", Expression: "trait.lifetime_value * 2"},
		`{sum: properties.x, currency: none}`:                                           {Aggregate: "sum", Field: "properties.x", Currency: "none"},
		`{sum: properties.revenue, between: [2mo, 1mo], currency: properties.currency}`: {Aggregate: "sum", Field: "properties.revenue", Window: &weir.Window{Between: []string{"2mo", "1mo"}}, Currency: "properties.currency"},
	} {
		p, err := Load(write(t, with(compute)), known)
		if err != nil {
			t.Errorf("%s: %v", compute, err)
			continue
		}
		want.Name, want.Of, want.At = "new", weir.Person, "traits/new.yaml:2:10"
		if got, _ := p.Trait("new"); !reflect.DeepEqual(got, want) {
			t.Errorf("%s\ngot  %+v\nwant %+v", compute, got, want)
		}
	}
	for compute, part := range map[string]string{
		`{ratio: [lifetime_value]}`:                              `a ratio is of two traits, found 1`,
		`{ratio: [lifetime_value, lifetime_valeu]}`:              `did you mean "lifetime_value"?`,
		`{expression: "trait.new + 1"}`:                          `traits depend on each other: new → new`,
		`{expression: "attribute.birthdate"}`:                    `did you mean "birth_date"?`,
		`{since: yesterday}`:                                     `can't compute since "yesterday"`,
		`{until: first}`:                                         `can't compute until "first"`,
		`{ratio: [lifetime_value, lifetime_value], within: 30d}`: `ratio looks at no events`,
		`{list: occurred_at}`:                                    `can't compute list of "occurred_at"`,
		`{sum: properties.x, currency: EUR}`:                     `"EUR" names no currency`,
		`{sum: properties.x, between: [2025-01-01, 2025-1-2]}`:   `"2025-1-2" is neither an age nor a date`,
		`{sum: properties.x, between: [2025-01-01, 30d]}`:        `not one of each`,
		`{sum: properties.x, between: [2025-01-02, 2025-01-01]}`: `wrong order`,
		`{sum: properties.x, between: [10000y, 30d]}`:            `longer than a hundred years`,
		`{sum: properties.x, avg: properties.x}`:                 `make a second trait`,
	} {
		_, err := Load(write(t, with(compute)), known)
		if err == nil || !strings.Contains(err.Error(), part) || !strings.Contains(err.Error(), "traits/new.yaml:2") {
			t.Errorf("%s: %v, want %q", compute, err, part)
		}
	}
}

// TestUnsaidCurrency: where the sources map a currency, a sum of amounts has to say
// what it does with it.
func TestUnsaidCurrency(t *testing.T) {
	t.Parallel()
	source := strings.Replace(good["sources/crm.yaml"], "properties: {", "properties: {currency: currency, ", 1)
	if source == good["sources/crm.yaml"] {
		t.Fatal("no stream maps properties")
	}
	_, err := Load(write(t, map[string]string{"sources/crm.yaml": source}), known)
	if err == nil || !strings.Contains(err.Error(), "traits/lifetime_value.yaml:3:10: sum of properties.revenue adds amounts whatever their currency") {
		t.Errorf("%v", err)
	}
	for _, said := range []string{"none", "properties.currency"} {
		trait := strings.Replace(good["traits/lifetime_value.yaml"], "within: 365d", "within: 365d, currency: "+said, 1)
		if _, err := Load(write(t, map[string]string{"sources/crm.yaml": source, "traits/lifetime_value.yaml": trait}), known); err != nil {
			t.Errorf("%s: %v", said, err)
		}
	}
}

func TestRates(t *testing.T) {
	t.Parallel()
	p, err := Load(write(t, map[string]string{"rates.yaml": "USD: {2025-07-01: 0.85, 2025-01-01: 0.96}\nGBP: 1.17\n"}), known)
	want := []weir.Rate{{Currency: "GBP", Rate: "1.17"}, {Currency: "USD", From: "2025-01-01", Rate: "0.96"}, {Currency: "USD", From: "2025-07-01", Rate: "0.85"}}
	if err != nil || !slices.Equal(p.Rates, want) {
		t.Errorf("%v %v", p, err)
	}
	for text, part := range map[string]string{
		"USD: 0": `"0" is no rate`, "USD: -1": `"-1" is no rate`, "usd: 1": `"usd" is no currency`, "EUR: 1": "the workspace's own currency", "USD: {soon: 1}": `"soon" is no day`,
	} {
		if _, err := Load(write(t, map[string]string{"rates.yaml": text + "\n"}), known); err == nil || !strings.Contains(err.Error(), "rates.yaml:1:") || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
