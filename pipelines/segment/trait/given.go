package trait

import (
	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// givenType is the type of an output of a score, or of a column of a query.
func givenType(d weir.TraitDef) weir.AttributeType {
	switch {
	case d.Score != nil:
		return d.Score.OutputType(d.Field)
	case d.Query != nil:
		return d.Query.ColumnType(d.Field)
	}
	return value.Dynamic
}

// isGiven says whether a definition's values come from elsewhere than from events.
func isGiven(d weir.TraitDef) bool { return d.Aggregate == weir.Score || d.Aggregate == weir.Query }

// compileGiven makes a trait that reads no events: package score, or the answer to
// a query, gives its value.
func compileGiven(t Trait, d weir.TraitDef) (Trait, error) {
	switch typ := givenType(d); {
	case typ != "" && typ != value.Dynamic:
		return t, nil
	case d.Query != nil:
		return t, weir.Errorf(weir.Invalid, "the query has no column %q", d.Field)
	}
	return t, weir.Errorf(weir.Invalid, "a score has no output %q", d.Field)
}

// Given says whether the trait's value is given to it and not computed of events.
func (t *Trait) Given() bool { return t.how == weir.Score || t.how == weir.Query }

// Learned says whether a score gives the value: it may change with time alone.
func (t *Trait) Learned() bool { return t.how == weir.Score }

// Give sets the value of such a trait; the unknown value takes it away.
func (s *State) Give(v value.Value) { s.best = v }
