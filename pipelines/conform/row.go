package conform

import (
	"errors"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/conform/mapping"
	"github.com/weir-cdp/weir/pipelines/conform/standard"
)

// mapper maps the rows of one stream, one after the other.
type mapper struct {
	*stream
	row     mapping.Row
	context standard.Context // with the row's country
	phones  standard.Phones  // of a batch: its texts are the batch's
	faults  []fault

	lastOrigin string
}

// report notes what is wrong with a value of the present row.
func (m *mapper) report(field string, err error, value string, withheld bool) {
	reason := "the value can't be used"
	var standardFault standard.Fault
	var mappingFault mapping.Fault
	if errors.As(err, &standardFault) || errors.As(err, &mappingFault) {
		reason = err.Error() // both never hold a value
	}
	m.faults = append(m.faults, fault{Field: field, Reason: reason, Excerpt: excerpt(value), Withheld: withheld})
}

// withhold says that the present row can't go on. What was reported of the field
// already is the reason then.
func (m *mapper) withhold(field, reason, value string) {
	for i := range m.faults {
		if m.faults[i].Field == field {
			m.faults[i].Withheld = true
			return
		}
	}
	m.faults = append(m.faults, fault{Field: field, Reason: reason, Excerpt: excerpt(value), Withheld: true})
}

// value evaluates a target; ok is false where that failed and was reported.
func (m *mapper) value(section string, n *mapping.Named) (v mapping.Value, ok bool) {
	v, err := n.Eval(m.row)
	if err != nil {
		m.report(section+n.Name, err, "", false)
		return mapping.Value{}, false
	}
	return v, true
}

// standardised evaluates a target and standardises it; "" where there is
// nothing. raw is the value as it was, ok false where it is unusable.
func (m *mapper) standardised(section string, n *mapping.Named, f standard.Func) (text, raw string, ok bool) {
	v, ok := m.value(section, n)
	if !ok || v.IsNull() {
		return "", "", ok
	}
	raw = v.String()
	text, err := f(raw, &m.context)
	if err != nil {
		m.report(section+n.Name, err, raw, false)
		return "", raw, false
	}
	return text, raw, true
}

// instant evaluates a field as an instant; zero where there is none.
func (m *mapper) instant(n *mapping.Named) (at time.Time, ok bool) {
	if n == nil {
		return time.Time{}, true
	}
	v, ok := m.value("", n)
	switch {
	case !ok || v.IsNull():
		return time.Time{}, ok
	case v.Kind == mapping.Instant:
		return v.Time.UTC().Truncate(time.Microsecond), true
	}
	at, _, err := standard.Instant(v.String(), &m.context)
	if err != nil {
		m.report(n.Name, err, v.String(), false)
		return time.Time{}, false
	}
	return at, true
}

// field finds a mapped field; nil: it is not mapped.
func (m *mapper) field(name string) *mapping.Named {
	for i := range m.program.Fields {
		if m.program.Fields[i].Name == name {
			return &m.program.Fields[i]
		}
	}
	return nil
}

// allIdentifiers evaluates the identifiers. loose, if not nil, gets what can't be
// standardised, by kind.
func (m *mapper) allIdentifiers(loose weir.Identifiers) weir.Identifiers {
	ids := weir.Identifiers{}
	for i := range m.program.Identifiers {
		n := &m.program.Identifiers[i]
		v, ok := m.value("identifiers.", n)
		if !ok || v.IsNull() {
			continue
		}
		values := []mapping.Value{v}
		if v.Kind == mapping.List {
			values = v.List
		}
		for _, one := range values {
			if one.IsNull() {
				continue
			}
			raw := one.String()
			id, err := m.identifiers[i](raw, &m.context)
			if err != nil {
				m.report("identifiers."+n.Name, err, raw, false)
				if loose != nil {
					text, _ := standard.Token(raw, &m.context)
					loose.Add(n.Name, text)
				}
				continue
			}
			ids.Add(n.Name, id)
		}
	}
	return ids
}

// allAttributes evaluates the attributes in the order of the program's, the
// country first: phones and postcodes are read by it.
func (m *mapper) allAttributes() []string {
	out := make([]string, len(m.attributes))
	m.context.Country = ""
	if m.country >= 0 {
		out[m.country] = m.attribute(m.country)
		m.context.Country = out[m.country]
	}
	for i := range out {
		if i != m.country {
			out[i] = m.attribute(i)
		}
	}
	return out
}

func (m *mapper) attribute(i int) string {
	n := &m.program.Attributes[i]
	v, ok := m.value("attributes.", n)
	if !ok || v.IsNull() {
		return ""
	}
	raw := v.String()
	if m.dates[i] && v.Kind == mapping.Instant {
		raw = dayOf(v.Time, m.context.Location)
	}
	text, err := m.attributes[i](raw, &m.context)
	if err != nil {
		if m.Mapping.Identifiers[n.Name] != m.Mapping.Attributes[n.Name] { // else it was told as the identifier
			m.report("attributes."+n.Name, err, raw, false)
		}
		return ""
	}
	return text
}

// dayOf is the calendar day that an instant stands for: midnight in UTC is how
// many systems write a day, else it is the day in the stream's zone.
func dayOf(t time.Time, loc *time.Location) string {
	if utc := t.UTC(); utc.Equal(utc.Truncate(24 * time.Hour)) {
		return utc.Format(time.DateOnly)
	}
	return t.In(loc).Format(time.DateOnly)
}

// allProperties evaluates an event's properties to canonical texts; a map's
// entries get dotted names.
func (m *mapper) allProperties() map[string]string {
	out := make(map[string]string, len(m.program.Properties))
	for i := range m.program.Properties {
		n := &m.program.Properties[i]
		if v, ok := m.value("properties.", n); ok {
			m.property(n.Name, v, out)
		}
	}
	return out
}

func (m *mapper) property(name string, v mapping.Value, out map[string]string) {
	var text string
	var err error
	switch v.Kind {
	case mapping.Map:
		for _, k := range v.Keys() {
			m.property(name+"."+k, v.Map[k], out)
		}
		return
	case mapping.Decimal:
		text, err = standard.Decimal(v.Decimal)
	case mapping.Double:
		text, err = standard.Number(v.String(), &m.context)
	case mapping.Text:
		text, err = standard.Text(v.Text, &m.context)
	default:
		text = v.String()
	}
	if err != nil {
		m.report("properties."+name, err, v.String(), false)
		return
	}
	if text != "" {
		out[name] = text
	}
}
