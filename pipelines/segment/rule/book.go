package rule

import (
	"encoding/json"
	"sort"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// Schema is what is declared: the types of attributes and traits, and the time
// zone that places dates and calendar spans (nil: UTC).
type Schema struct {
	Attributes map[string]weir.AttributeType
	Traits     map[string]weir.AttributeType
	Location   *time.Location
}

// Book compiles rules over one schema and holds what they share.
type Book struct {
	schema  Schema
	layout  timeline.Layout
	filters []timeline.Filter
	byKey   map[string]int
	traits  map[string]int
}

// NewBook returns an empty book.
func NewBook(s Schema) *Book {
	if s.Location == nil {
		s.Location = time.UTC
	}
	b := &Book{schema: s, byKey: map[string]int{}, traits: map[string]int{}}
	names := make([]string, 0, len(s.Traits))
	for name := range s.Traits {
		names = append(names, name)
	}
	sort.Strings(names)
	for i, name := range names {
		b.traits[name] = i
	}
	return b
}

// Layout returns the properties that the book's rules read; traits that are
// computed beside them share it.
func (b *Book) Layout() *timeline.Layout { return &b.layout }

// Filters returns the event conditions to count, by slot of Subject.Counts.
func (b *Book) Filters() []timeline.Filter { return b.filters }

// TraitSlot returns a trait's place in Subject.Traits.
func (b *Book) TraitSlot(name string) (int, bool) { i, ok := b.traits[name]; return i, ok }

// Location returns the schema's time zone.
func (b *Book) Location() *time.Location { return b.schema.Location }

// Subject is what rules see of one profile at the moment Now.
type Subject struct {
	Kind       weir.Kind
	Attributes map[string]string // canonical text
	Traits     []value.Value     // by TraitSlot
	Counts     []int64           // by slot of Filters
	Now        time.Time
}

// filter returns the slot of an event condition, a new one unless an equal
// condition has one already.
func (b *Book) filter(c *weir.Condition) (int, error) {
	key, err := json.Marshal(weir.Condition{Event: c.Event, Where: c.Where, Within: c.Within})
	if err != nil {
		return 0, weir.Errorf(weir.Internal, "event condition: %w", err)
	}
	if slot, ok := b.byKey[string(key)]; ok {
		return slot, nil
	}
	f, err := timeline.Compile(c.Event, c.Where, c.Within, &b.layout, b.schema.Location)
	if err != nil {
		return 0, err
	}
	b.filters = append(b.filters, f)
	b.byKey[string(key)] = len(b.filters) - 1
	return len(b.filters) - 1, nil
}
