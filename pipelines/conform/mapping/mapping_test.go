package mapping

import (
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/weir-cdp/weir"
)

// columns of the tests; rows are maps by name.
var columns = []Column{
	{"type", Text}, {"quantity", Int}, {"unit_price", Decimal}, {"rate", Double}, {"email", Text}, {"ok", Bool}, {"at", Instant},
	{"day", Day}, {"tags", List}, {"Customer ID", Text}, {"traits.email", Text}, {"traits.address.city", Text}, {"payload", Text},
	{"extra", Map}, {"x", Int}, {"amount", Text}, {"other", Text},
}

type testRow map[string]Value

func (r testRow) Value(i int) Value { return r[columns[i].Name] }

func text(s string) Value   { return Value{Kind: Text, Text: s} }
func integer(n int64) Value { return Value{Kind: Int, Int: n} }
func dec(s string) Value    { return Value{Kind: Decimal, Decimal: decimal.RequireFromString(s)} }

var someRow = testRow{
	"type": text("identify"), "quantity": integer(3), "unit_price": dec("1.10"), "rate": {Kind: Double, Double: 0.5}, "email": text(" Jane@X.org "),
	"ok": {Kind: Bool, Int: 1}, "at": {Kind: Instant, Time: time.Date(2024, 1, 31, 10, 0, 0, 0, time.UTC)}, "day": {Kind: Day, Text: "1990-05-06"},
	"tags": {Kind: List, List: []Value{text("a"), text("b")}}, "Customer ID": text("C1"), "traits.email": text("t@x.org"),
	"traits.address.city": text("Lyon"), "payload": text(`{"a":{"b":[1,2.50,"z"]},"n":7}`), "extra": {Kind: Map, Map: map[string]Value{"k": text("v")}},
	"x": integer(100), "amount": text("12.345"),
}

func testOptions() Options {
	return Options{
		Date: func(s string) (string, error) {
			if s != "6/5/1990" {
				return "", Fault("no date")
			}
			return "1990-05-06", nil
		},
		Time: func(s string) (time.Time, bool, error) {
			return time.Date(2024, 1, 31, 0, 0, 0, 0, time.UTC), s != "", nil
		},
	}
}

func expression(t *testing.T, source string) *Expression {
	t.Helper()
	n := newNames(columns)
	env, err := environment(columns, n, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	e, err := compile(env, n, columns, source)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	return e
}

func TestExpressions(t *testing.T) {
	for source, want := range map[string]string{
		// plain columns, by any name
		"Customer ID": "C1", "traits.email": "t@x.org", "type": "identify", "unit_price": "1.1",
		// columns whose names CEL has for itself, and names that are no identifiers
		"type == 'identify'": "true", `row["Customer ID"] + '!'`: "C1!", "'FR'": "FR",
		// exact decimals, mixed with int and double
		"quantity * unit_price": "3.3", "unit_price * quantity": "3.3", "2 * unit_price + quantity": "5.2", "unit_price * rate": "0.55",
		"decimal('0.1') + decimal('0.2') == decimal('0.3')": "true", "-unit_price": "-1.1", "unit_price / 3": "0.3666666666666667",
		"decimal('1.10') == 1.1": "true", "unit_price > 1": "true", "1 < unit_price": "true", "quantity == 3": "true", "quantity * rate": "1.5",
		"decimal(amount) * quantity": "37.035", "quantity / 2": "1", "string(unit_price)": "1.1", "int(unit_price * 10)": "11", "double(unit_price) < 1.2": "true",
		"quantity - unit_price": "1.9", "decimal(quantity) / 2": "1.5", "decimal(rate)": "0.5",
		// helpers
		"lower(trim(email))": "jane@x.org", "email.trim().upperAscii()": "JANE@X.ORG", "split('a,b,c', ',')[1]": "b", "replace('a-b', '-', '')": "ab",
		"coalesce(other, email)": " Jane@X.org ", "coalesce(other, 'none')": "none", "date('6/5/1990')": "1990-05-06", "datetime('x')": "2024-01-31T00:00:00Z",
		"hash('a')": "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb", "parse_json(payload).a.b[1]": "2.5", "parse_json(payload).n + 1": "8",
		"day < '2000-01-01'": "true", "at > timestamp('2024-01-01T00:00:00Z')": "true", "tags": `["a","b"]`, "tags.exists(t, t == 'b')": "true",
		"tags.map(x, x + '!')[0]": "a!", "extra.k": "v", "traits.address.city": "Lyon", "has(traits.email)": "true", "has(traits.name)": "false",
		"has(traits.address.city)": "true", "ok ? 'yes' : null": "yes", "email.contains('@') ? email.split('@')[1].trim() : ''": "X.org",
		// missing values
		"other": "", "lower(other)": "", "other + 'x'": "", "quantity * decimal(other)": "", "other == null": "true", "email == null": "false",
		"other == 'x'": "false", "other != 'x'": "true", "other.contains('x')": "", "traits.nothing": "", "traits.nothing.deeper": "", "parse_json(payload).zz": "",
		"extra.zz": "", "type == 'x' ? email : null": "", "size(other) > 3": "", "date('')": "",
	} {
		if source == "date('')" {
			continue // a Fault by the test's own Date
		}
		v, err := expression(t, source).Eval(someRow)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if got := v.String(); got != want {
			t.Errorf("%s: got %q, want %q", source, got, want)
		}
	}
}

func TestFaultsSayNoValue(t *testing.T) {
	for source, want := range map[string]string{
		"decimal(email)": "conversion", "int(email)": "conversion", "quantity / 0": "division by zero", "unit_price / 0": "division by zero",
		"tags[7]": "out of bounds", "9223372036854775807 + quantity": "overflow", "date('Jane')": "conversion", "parse_json(email)": "conversion",
		"timestamp(email) > at": "conversion",
		"[1,2,3,4,5,6,7,8,9,10].map(a, [1,2,3,4,5,6,7,8,9,10].map(b, [1,2,3,4,5,6,7,8,9,10].map(c, [1,2,3,4,5,6,7,8,9,10].map(d, [1,2,3,4,5,6,7,8,9,10].map(e, x)))))": "too much",
	} {
		v, err := expression(t, source).Eval(someRow)
		if err == nil {
			t.Errorf("%s gave %v", source, v)
			continue
		}
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "Jane") {
			t.Errorf("%s: %v", source, err)
		}
	}
}

func TestPlainColumnsBypassCEL(t *testing.T) {
	for _, name := range []string{"email", "traits.email", "Customer ID", "type"} {
		e := expression(t, name)
		if e.Plain() < 0 || e.eval != nil {
			t.Errorf("%s is evaluated", name)
		}
	}
	if expression(t, "'email'").Plain() >= 0 {
		t.Error("a text was taken for a column")
	}
}

func TestReadNamesTheColumnsThatAreNeeded(t *testing.T) {
	m := weir.Mapping{Source: "shop", Stream: "orders", As: Event, Key: []string{"x"}, Where: "type == 'a'",
		Fields:     map[string]string{"name": "'Order Completed'", "occurred_at": "at"},
		Properties: map[string]string{"revenue": "quantity * unit_price"}}
	p, err := Compile(m, columns, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range p.Read() {
		got = append(got, columns[i].Name)
	}
	if want := "type quantity unit_price at x"; strings.Join(got, " ") != want {
		t.Errorf("reads %v, want %s", got, want)
	}
}

func TestCheckSaysWhereAndWhatNext(t *testing.T) {
	good := weir.Mapping{Source: "crm", Stream: "contacts", As: Person, Key: []string{"x"}, Identifiers: map[string]string{"email": "email"}}
	if errs := Check(good, columns); len(errs) > 0 {
		t.Fatal(errs)
	}
	with := func(change func(*weir.Mapping)) weir.Mapping {
		m := good
		change(&m)
		return m
	}
	for name, e := range map[string]struct {
		m    weir.Mapping
		want []string
	}{
		"unknown column":   {with(func(m *weir.Mapping) { m.Attributes = map[string]string{"city": "emial"} }), []string{"crm/contacts: map.attributes.city", `no column "emial"`, "did you mean email?"}},
		"unknown in CEL":   {with(func(m *weir.Mapping) { m.Attributes = map[string]string{"city": "lower(emial)"} }), []string{`no column "emial" in lower(emial)`, "did you mean email?"}},
		"unknown function": {with(func(m *weir.Mapping) { m.Attributes = map[string]string{"city": "lowr(email)"} }), []string{`no function "lowr"`}},
		"syntax":           {with(func(m *weir.Mapping) { m.Where = "type ==" }), []string{"crm/contacts: where", "at 1:"}},
		"types":            {with(func(m *weir.Mapping) { m.Attributes = map[string]string{"n": "amount * quantity"} }), []string{"map.attributes.n", "at 1:8", "'*'", "(text, int)"}},
		"no condition":     {with(func(m *weir.Mapping) { m.Where = "email" }), []string{"no condition"}},
		"no condition 2":   {with(func(m *weir.Mapping) { m.Where = "lower(email)" }), []string{"no condition"}},
		"key column":       {with(func(m *weir.Mapping) { m.Key = []string{"id"} }), []string{"key", `no column "id"`}},
		"no key":           {with(func(m *weir.Mapping) { m.Key = nil }), []string{"no key"}},
		"as":               {with(func(m *weir.Mapping) { m.As = "people" }), []string{`"people"`, "person, account"}},
		"event fields":     {with(func(m *weir.Mapping) { m.As = Event }), []string{"needs name"}},
		"unknown field":    {with(func(m *weir.Mapping) { m.Fields = map[string]string{"seen": "at"} }), []string{`no field "seen"`, "observed_at"}},
		"consent time":     {with(func(m *weir.Mapping) { m.As = Consent; m.Fields = map[string]string{"action": "type"} }), []string{"needs occurred_at", "_weir_collected_at"}},
		"empty":            {with(func(m *weir.Mapping) { m.Attributes = map[string]string{"city": " "} }), []string{"empty"}},
		"duration":         {with(func(m *weir.Mapping) { m.Attributes = map[string]string{"d": "at - at"} }), []string{"no value"}},
	} {
		errs := Check(e.m, columns)
		if len(errs) == 0 {
			t.Errorf("%s: nothing found", name)
			continue
		}
		for _, want := range e.want {
			if !strings.Contains(errs[0].Error(), want) {
				t.Errorf("%s: %q lacks %q", name, errs[0], want)
			}
		}
		if weir.CodeOf(errs[0]) != weir.Invalid {
			t.Errorf("%s: code %s", name, weir.CodeOf(errs[0]))
		}
	}
}

func BenchmarkEval(b *testing.B) {
	n := newNames(columns)
	env, err := environment(columns, n, testOptions())
	if err != nil {
		b.Fatal(err)
	}
	for _, source := range []string{"email", "quantity * unit_price", "type == 'identify'", "lower(trim(email))"} {
		e, err := compile(env, n, columns, source)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(source, func(b *testing.B) {
			for b.Loop() {
				if _, err := e.Eval(someRow); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
