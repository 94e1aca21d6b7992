package timeline

import (
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// Layout gives each property that a definition reads a slot. Compile all
// definitions first, then read events.
type Layout struct {
	names []string
	slots map[string]int
}

// Slot returns the property's slot, a new one if it has none.
func (l *Layout) Slot(property string) int {
	if i, ok := l.slots[property]; ok {
		return i
	}
	if l.slots == nil {
		l.slots = map[string]int{}
	}
	l.slots[property] = len(l.names)
	l.names = append(l.names, property)
	return len(l.names) - 1
}

// Names returns the properties by slot.
func (l *Layout) Names() []string { return l.names }

// Event is one event, with the properties of a Layout by slot; "" is a property
// that the event does not have.
type Event struct {
	ID         string
	Name       string
	At         time.Time
	Properties []string
}

// Event cuts an event down to the layout.
func (l *Layout) Event(e *weir.Event) Event {
	out := Event{ID: e.ID, Name: e.Name, At: e.OccurredAt}
	if len(l.names) > 0 {
		out.Properties = make([]string, len(l.names))
		for i, n := range l.names {
			out.Properties[i] = e.Properties[n]
		}
	}
	return out
}

// property returns a slot's value; events cut by a smaller layout lack the rest.
func (e *Event) property(slot int) string {
	if slot >= len(e.Properties) {
		return ""
	}
	return e.Properties[slot]
}

// Field is what a trait reads of an event.
type Field struct {
	OccurredAt bool
	Name       bool // of the event
	slot       int
}

// Property returns the field of a property.
func (l *Layout) Property(name string) Field { return Field{slot: l.Slot(name)} }

// Of returns the field's value; a property is a text of no declared type.
func (f Field) Of(e *Event) value.Value {
	switch {
	case f.OccurredAt:
		return value.OfTime(e.At)
	case f.Name:
		return value.OfText(e.Name)
	}
	return value.OfText(e.property(f.slot))
}

// Slot is the field's slot in the layout; false if it is no property.
func (f Field) Slot() (int, bool) { return f.slot, !f.OccurredAt && !f.Name }
