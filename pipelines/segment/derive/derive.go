package derive

import (
	"regexp"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/conform/mapping"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// Is says whether a definition is computed here, and not from events.
func Is(d weir.TraitDef) bool {
	switch d.Aggregate {
	case "ratio", "expression", "until":
		return true
	}
	return d.Aggregate == "since" && d.Field != "first" && d.Field != "last"
}

// Schema is what is declared beside the definition itself.
type Schema struct {
	Attributes map[string]weir.AttributeType
	Traits     map[string]weir.AttributeType
	Kinds      map[string]weir.Kind // of the traits
	Broken     map[string]string    // traits that are declared and can't be computed, and where
	Location   *time.Location
}

// Trait is one compiled definition.
type Trait struct {
	Name  string
	Of    weir.Kind
	Type  weir.AttributeType
	how   string
	names []name // what it reads
	expr  *mapping.Expression
	loc   *time.Location
}

// name is an attribute or trait that is read.
type name struct {
	trait bool
	name  string
	typ   weir.AttributeType
}

func (n name) column() string {
	if n.trait {
		return "trait." + n.name
	}
	return "attribute." + n.name
}

// Compile compiles a definition; the traits that it reads must be in the schema.
func Compile(d weir.TraitDef, s Schema) (*Trait, error) {
	t := &Trait{Name: d.Name, Of: d.Of, how: d.Aggregate, loc: s.Location}
	if t.Of == "" {
		t.Of = weir.Person
	}
	if err := t.check(d); err != nil {
		return nil, err
	}
	traits, attributes := d.Reads()
	for _, n := range traits {
		typ, ok := s.Traits[n]
		if !ok {
			return nil, rule.UnknownTrait(n, s.Traits, s.Broken)
		}
		if s.Kinds[n] != t.Of {
			return nil, weir.Errorf(weir.Invalid, "trait %s is of kind %s, and this one of kind %s", n, s.Kinds[n], t.Of)
		}
		t.names = append(t.names, name{true, n, typ})
	}
	for _, n := range attributes {
		typ, ok := s.Attributes[n]
		if !ok {
			return nil, unknownAttribute(n, s.Attributes)
		}
		if typ == "" {
			typ = weir.Text
		}
		t.names = append(t.names, name{false, n, typ})
	}
	return t, t.compile(d)
}

// one is the name of one trait or attribute.
var one = regexp.MustCompile(`^(trait|attribute)\.[a-zA-Z_][a-zA-Z0-9_]*$`)

// check finds what no other name has to be known for.
func (t *Trait) check(d weir.TraitDef) error {
	switch {
	case d.Event != "" || len(d.Where) > 0 || d.Within != 0 || d.Window != nil || d.Currency != "":
		return weir.Errorf(weir.Invalid, "%s looks at no events: it has no event, where, window or currency", d.Aggregate)
	case d.Aggregate == "ratio" && len(d.Ratio) != 2:
		return weir.Errorf(weir.Invalid, "a ratio is of two traits, not %d", len(d.Ratio)).Then("write ratio: [refunds, orders]")
	case d.Aggregate == "expression" && strings.TrimSpace(d.Expression) == "":
		return weir.Errorf(weir.Invalid, "the expression is empty")
	case (d.Aggregate == "since" || d.Aggregate == "until") && d.Field != "" && !one.MatchString(d.Field):
		return weir.Errorf(weir.Invalid, "%s of %q has no meaning", d.Aggregate, d.Field).Then("write first or last (of since), attribute.NAME or trait.NAME")
	}
	return nil
}

func unknownAttribute(name string, known map[string]weir.AttributeType) error {
	err := weir.Errorf(weir.Invalid, "there is no attribute %q", name)
	if near := rule.Nearest(name, known); near != "" {
		return err.Then("did you mean " + near + "?")
	}
	return err.Then("declare it first")
}

// compile checks the types, and finds the one of the result.
func (t *Trait) compile(d weir.TraitDef) error {
	t.Type = weir.Number
	switch t.how {
	case "ratio":
		for _, n := range t.names {
			if n.typ != weir.Number && n.typ != value.Dynamic {
				return weir.Errorf(weir.Invalid, "a ratio is of numbers, and %s is a %s", n.name, n.typ)
			}
		}
		if len(t.names) == 1 { // of a trait to itself
			t.names = append(t.names, t.names[0])
		}
		return nil
	case "since", "until":
		if n := t.names[0]; n.typ != weir.Date && n.typ != weir.Instant && n.typ != value.Dynamic {
			return weir.Errorf(weir.Invalid, "%s needs a date or time, and %s is a %s", t.how, n.column(), n.typ)
		}
		return nil
	}
	columns := make([]mapping.Column, len(t.names))
	for i, n := range t.names {
		columns[i] = mapping.Column{Name: n.column(), Kind: kindOf[n.typ]}
	}
	var err error
	if t.expr, err = mapping.CompileExpression(d.Expression, columns, mapping.Options{}); err != nil {
		return weir.Errorf(weir.Invalid, "expression: %w", err).Then("it may read trait.NAME and attribute.NAME")
	}
	switch t.expr.Result() {
	case mapping.Int, mapping.Double, mapping.Decimal:
	case mapping.Instant:
		t.Type = weir.Instant
	case mapping.List, mapping.Map:
		return weir.Errorf(weir.Invalid, "expression: it gives a %s, which is no value of a trait", t.expr.Result())
	case mapping.Bool:
		t.Type = weir.Boolean
	default:
		t.Type = value.Dynamic
	}
	return nil
}

var kindOf = map[weir.AttributeType]mapping.Kind{
	weir.Number: mapping.Decimal, weir.Instant: mapping.Instant, weir.Date: mapping.Instant, weir.Boolean: mapping.Bool,
	weir.Text: mapping.Text, value.Dynamic: mapping.Text, value.List: mapping.List,
}
