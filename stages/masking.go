package stages

import (
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/explain"
	"github.com/weir-cdp/weir/pipelines/segment/live"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// masking hides what tells who somebody is: texts but for their first letter, dates
// of attributes but for the year. What the rule itself says stays, and so do
// numbers, and times of what happened.
type masking struct{ literals map[string]bool }

// literalsOf are the texts that a question's rules compare with.
func literalsOf(q live.Question) map[string]bool {
	out := map[string]bool{"true": true, "false": true}
	note := func(all []weir.Comparison) {
		for _, c := range all {
			for _, v := range c.Values {
				out[v] = true
			}
		}
	}
	for _, s := range live.Needed(q.Definitions, q.Segments...).Segments {
		for c := range s.Where.Tree() {
			note(c.Compare)
			for _, list := range c.Where {
				note(list)
			}
			for _, m := range c.Measures {
				note(m.Compare)
			}
		}
	}
	return out
}

// value masks an attribute's value.
func (m masking) value(v string, t weir.AttributeType) string {
	switch {
	case m.literals[v] || t == weir.Number || t == weir.Boolean:
		return v
	case (t == weir.Date || t == weir.Instant) && len(v) > 4:
		return v[:4] + "-**-**"
	}
	return Masked(v)
}

// verdict masks what a verdict tells of a profile with these attributes.
func (m masking) verdict(v *explain.Verdict, attributes map[string]string, types map[string]weir.AttributeType) {
	if v.Linked == nil { // of linked profiles there are but numbers
		v.Value = m.told(v.Value, attributes, types)
	}
	for i := range v.Events {
		v.Events[i].ID = "" // says an order alone
	}
	for i := range v.Children {
		m.verdict(&v.Children[i], attributes, types)
	}
}

func (m masking) told(v string, attributes map[string]string, types map[string]weir.AttributeType) string {
	if v == "" || m.literals[v] {
		return v
	}
	for name, held := range attributes {
		if held == v && types[name] != weir.Number && types[name] != weir.Boolean {
			return m.value(v, types[name])
		}
	}
	if _, ok := value.ParseNumber(v); ok {
		return v
	}
	if _, err := time.Parse(time.RFC3339, v); err == nil {
		return v
	}
	if v == string(weir.Person) || v == string(weir.Account) {
		return v // the kind of the profile
	}
	return Masked(v)
}
