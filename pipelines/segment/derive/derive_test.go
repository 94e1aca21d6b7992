package derive_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/derive"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

var schema = derive.Schema{
	Attributes: map[string]weir.AttributeType{"birth_date": weir.Date, "country": "", "app": weir.Boolean},
	Traits:     map[string]weir.AttributeType{"spent": weir.Number, "orders": weir.Number, "last_at": weir.Instant, "seen": value.List, "firm": weir.Number},
	Kinds:      map[string]weir.Kind{"spent": weir.Person, "orders": weir.Person, "last_at": weir.Person, "seen": weir.Person, "firm": weir.Account},
	Location:   time.UTC,
}

type profile map[string]value.Value

func (p profile) Trait(name string) value.Value { return p[name] }
func (p profile) Attribute(name string) string {
	return map[string]string{"birth_date": "1990-05-10", "country": "FR", "app": "true"}[name]
}

func number(s string) value.Value { n, _ := value.ParseNumber(s); return value.OfNumber(n) }

// TestExpressions: exact decimals, unknowns, and what cannot be computed.
func TestExpressions(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	p := profile{"spent": number("0.3"), "orders": number("0"), "last_at": value.OfTime(now), "seen": value.OfList([]string{"a", "b"})}
	for _, c := range []struct {
		text, want string
		ok         bool
	}{
		{"trait.spent * 3 - 0.9", "0", true}, // in binary floating point it is not
		{"trait.spent + decimal('0.000000001')", "0.300000001", true},
		{"trait.spent / trait.orders", "", false},
		{"trait.orders == 0 ? decimal('0') : trait.spent / trait.orders", "0", true},
		{"attribute.country + '-' + upper('x')", "FR-X", true},
		{"attribute.app && trait.spent > 0", "true", true},
		{"trait.last_at", "2026-01-01T12:00:00Z", true},
		{"size(trait.seen)", "2", true},
	} {
		x, err := derive.Compile(weir.TraitDef{Name: "x", Aggregate: "expression", Expression: c.text}, schema)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got, ok := x.Value(p, now); got.String() != c.want || ok != c.ok {
			t.Errorf("%s is %q %v, want %q %v", c.text, got, ok, c.want, c.ok)
		}
		if got, ok := x.Value(profile{}, now); strings.Contains(c.text, "trait.spent *") && (got.Known() || !ok) {
			t.Errorf("%s of unknowns is %q %v", c.text, got, ok)
		}
	}
}

func TestRefused(t *testing.T) {
	for part, d := range map[string]weir.TraitDef{
		"did you mean spent?":              {Aggregate: "expression", Expression: "trait.spnt * 2"},
		`no attribute "contry"`:            {Aggregate: "expression", Expression: "attribute.contry"},
		"is of kind account":               {Aggregate: "expression", Expression: "trait.firm"},
		"expression:":                      {Aggregate: "expression", Expression: "trait.spent +"},
		"no value of a trait":              {Aggregate: "expression", Expression: "trait.seen"},
		"two traits, not 1":                {Aggregate: "ratio", Ratio: []string{"spent"}},
		"last_at is a time":                {Aggregate: "ratio", Ratio: []string{"spent", "last_at"}},
		"needs a date or time":             {Aggregate: "until", Field: "attribute.country"},
		`until of "first" has no meaning`:  {Aggregate: "until", Field: "first"},
		"looks at no events":               {Aggregate: "ratio", Ratio: []string{"spent", "orders"}, Event: "Order"},
		`since of "attribute.birth_date x`: {Aggregate: "since", Field: "attribute.birth_date x"},
	} {
		d.Name = "x"
		_, err := derive.Compile(d, schema)
		if err == nil || weir.CodeOf(err) != weir.Invalid || !strings.Contains(err.Error(), part) {
			t.Errorf("%+v: %v, want %q", d, err, part)
		}
	}
}

func TestOrder(t *testing.T) {
	expr := func(name, text string) weir.TraitDef {
		return weir.TraitDef{Name: name, Aggregate: "expression", Expression: text}
	}
	order, circles := derive.Order([]weir.TraitDef{expr("a", "trait.b + trait.c"), expr("b", "trait.c"), {Name: "c", Aggregate: "count", Field: "events"},
		expr("x", "trait.y"), expr("y", "trait.z"), expr("z", "trait.x"), expr("self", "trait.self"), expr("hangs", "trait.x")})
	var names []string
	for _, d := range order {
		names = append(names, d.Name)
	}
	if !slices.Equal(names, []string{"c", "b", "a", "hangs"}) {
		t.Errorf("order %v", names)
	}
	if got := strings.Join(circles["y"], " "); got != "y z x y" || len(circles) != 4 {
		t.Errorf("circles %v", circles)
	}
}
