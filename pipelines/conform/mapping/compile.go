package mapping

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/google/cel-go/common/types"

	"github.com/weir-cdp/weir"
)

// The values of weir.Mapping.As.
const (
	Person  = string(weir.Person)
	Account = string(weir.Account)
	Event   = "event"
	Consent = "consent"
)

// fields are the keys of weir.Mapping.Fields by As; those with true must be
// mapped.
var fields = map[string]map[string]bool{
	Person:  {"observed_at": false},
	Account: {"observed_at": false},
	Event:   {"name": true, "occurred_at": true, "received_at": false},
	Consent: {"purpose": false, "channel": false, "action": true, "basis": false, "explicit": false, "jurisdiction": false,
		"occurred_at": true, "recorded_at": false, "expires_at": false, "proof": false, "method": false, "actor": false,
		"notice": false, "notice_hash": false, "raw_signal": false},
}

// Named is one target of a mapping.
type Named struct {
	Name string
	Expression
}

// Program is a compiled mapping. It is safe for concurrent use.
type Program struct {
	Where       *Expression // nil keeps all rows
	Key         []int       // column indexes
	Identifiers []Named     // each sorted by name
	Attributes  []Named
	Properties  []Named
	Fields      []Named
	read        []int
}

// Read returns the indexes of the columns that the mapping reads, in order.
func (p *Program) Read() []int { return p.read }

// Check finds what is wrong with a mapping over a stream's columns: one
// weir.Invalid for each key, saying where and what to do.
func Check(m weir.Mapping, columns []Column) []error {
	_, errs := build(m, columns, Options{})
	return errs
}

// Compile compiles a mapping over the columns of a stream's raw table, which Row
// then numbers alike. The error is the first of Check.
func Compile(m weir.Mapping, columns []Column, o Options) (*Program, error) {
	p, errs := build(m, columns, o)
	if len(errs) > 0 {
		return nil, errs[0]
	}
	return p, nil
}

// builder collects a program and what is wrong with its mapping.
type builder struct {
	m       weir.Mapping
	columns []Column
	names   *names
	compile func(text string) (*Expression, error)
	errs    []error
}

func build(m weir.Mapping, columns []Column, o Options) (*Program, []error) {
	b := &builder{m: m, columns: columns, names: newNames(columns)}
	env, err := environment(columns, b.names, o)
	if err != nil {
		return nil, []error{weir.Errorf(weir.Internal, "prepare expressions: %w", err).At(b.at(""))}
	}
	b.compile = func(text string) (*Expression, error) { return compile(env, b.names, columns, text) }
	b.shape()
	p := &Program{Key: b.key(), Identifiers: b.targets("identifiers", m.Identifiers), Attributes: b.targets("attributes", m.Attributes),
		Properties: b.targets("properties", m.Properties), Fields: b.targets("", m.Fields)}
	if strings.TrimSpace(m.Where) != "" {
		p.Where = b.where()
	}
	if len(b.errs) > 0 {
		return nil, b.errs
	}
	all := []*Expression{p.Where}
	for _, group := range [][]Named{p.Identifiers, p.Attributes, p.Properties, p.Fields} {
		for i := range group {
			all = append(all, &group[i].Expression)
		}
	}
	p.read = append(columnsOf(all...), p.Key...)
	slices.Sort(p.read)
	p.read = slices.Compact(p.read)
	return p, nil
}

func (b *builder) at(key string) string {
	at := b.m.Source + "/" + b.m.Stream
	if key != "" {
		at += ": " + key
	}
	return at
}

func (b *builder) bad(key, next, format string, args ...any) {
	b.errs = append(b.errs, weir.Errorf(weir.Invalid, format, args...).At(b.at(key)).Then(next))
}

// shape checks what each kind of stream must and may map.
func (b *builder) shape() {
	known, ok := fields[b.m.As]
	if !ok {
		b.bad("as", "use person, account, event or consent", "a stream can't be read as %q", b.m.As)
		return
	}
	for _, name := range sorted(b.m.Fields) {
		if _, is := known[name]; !is {
			b.bad("map."+name, "the keys of a stream of "+b.m.As+" are "+strings.Join(sorted(known), ", "), "%s has no field %q", b.m.As, name)
		}
	}
	for _, name := range sorted(known) {
		if known[name] && b.m.Fields[name] == "" {
			b.bad("map."+name, "map it to a column, or to an expression as \"'Order Completed'\" or _weir_collected_at",
				"a stream of %s needs %s", b.m.As, name)
		}
	}
	if b.m.As == Consent && len(b.m.Identifiers) == 0 {
		b.bad("map.identifiers", "map the address that the consent is about", "a consent needs an identifier")
	}
	if b.m.As == Event && len(b.m.Attributes) > 0 || b.m.As == Consent && len(b.m.Attributes)+len(b.m.Properties) > 0 {
		b.bad("map", "use properties for events, and fields for consents", "a stream of %s has no attributes", b.m.As)
	}
}

func (b *builder) key() []int {
	if len(b.m.Key) == 0 {
		b.bad("key", "name the columns that tell the stream's rows apart", "the stream has no key")
	}
	var key []int
	for _, name := range b.m.Key {
		i, ok := b.names.columns[name]
		if !ok {
			b.bad("key", b.suggest(name), "there is no column %q", name)
			continue
		}
		key = append(key, i)
	}
	for _, name := range b.m.PersonalKey {
		if !slices.Contains(b.m.Key, name) {
			b.bad("key", "", "the personal key column %q is not in the key", name)
		}
	}
	return key
}

func (b *builder) targets(section string, m map[string]string) []Named {
	out := make([]Named, 0, len(m))
	for _, name := range sorted(m) {
		where := "map." + name
		if section != "" {
			where = "map." + section + "." + name
		}
		if e := b.expression(where, m[name]); e != nil {
			out = append(out, Named{name, *e})
		}
	}
	return out
}

func (b *builder) where() *Expression {
	e := b.expression("where", b.m.Where)
	if e == nil || e.column < 0 {
		return b.boolean(e)
	}
	if b.columns[e.column].Kind != Bool {
		b.bad("where", "compare it with something", "the column %q is no condition", e.text)
		return nil
	}
	return e
}

func (b *builder) boolean(e *Expression) *Expression {
	if e == nil {
		return nil
	}
	if e.kind != types.BoolKind && e.kind != types.DynKind {
		b.bad("where", "compare it with something", "the expression is no condition")
		return nil
	}
	return e
}

func (b *builder) expression(key, text string) *Expression {
	if strings.TrimSpace(text) == "" {
		b.bad(key, "name a column, or write an expression", "the value is empty")
		return nil
	}
	e, err := b.compile(text)
	if err == nil {
		return e
	}
	next := ""
	if name, ok := undeclared(err); ok && strings.Contains(text, name+"(") {
		err = fmt.Errorf("there is no function %q in %s", name, text)
	} else if ok {
		next = b.suggest(name)
		err = fmt.Errorf("there is no column %q", name)
		if name != text {
			err = fmt.Errorf("%w in %s", err, text)
		}
	}
	b.bad(key, next, "%s", err.Error())
	return nil
}

// undeclared returns the name that the checker did not know.
func undeclared(err error) (string, bool) {
	_, rest, ok := strings.Cut(err.Error(), "undeclared reference to '")
	if !ok {
		return "", false
	}
	name, _, ok := strings.Cut(rest, "'")
	return name, ok
}

// suggest names the column that was probably meant.
func (b *builder) suggest(name string) string {
	best, distance := "", max(3, len(name)/2)
	var all []string
	for _, c := range b.columns {
		if strings.HasPrefix(c.Name, "_weir_") {
			continue
		}
		all = append(all, c.Name)
		if d := levenshtein.ComputeDistance(strings.ToLower(name), strings.ToLower(c.Name)); d < distance {
			best, distance = c.Name, d
		}
	}
	const most = 30
	if len(all) > most {
		all = append(all[:most:most], "…")
	}
	hint := "the columns are " + strings.Join(all, ", ")
	if len(all) == 0 {
		hint = "the stream has no columns yet"
	}
	if best != "" {
		hint = "did you mean " + best + "? " + hint
	}
	return hint
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
