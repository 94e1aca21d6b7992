package trait

import (
	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// givenType is the type of an output of a score.
func givenType(d weir.TraitDef) weir.AttributeType {
	if d.Score == nil {
		return value.Dynamic
	}
	return d.Score.OutputType(d.Field)
}

// compileGiven makes a trait that reads no events: package score gives its value.
func compileGiven(t Trait, d weir.TraitDef) (Trait, error) {
	if d.Score == nil || d.Score.OutputType(d.Field) == "" {
		return t, weir.Errorf(weir.Invalid, "a score has no output %q", d.Field)
	}
	return t, nil
}

// Given says whether the trait's value is given to it and not computed of events.
func (t *Trait) Given() bool { return t.how == weir.Score }

// Give sets the value of such a trait; the unknown value takes it away.
func (s *State) Give(v value.Value) { s.best = v }
