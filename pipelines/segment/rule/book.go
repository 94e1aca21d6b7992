package rule

import (
	"encoding/json"
	"sort"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/journey"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
	"github.com/weir-cdp/weir/pipelines/segment/trait"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// Schema is what is declared: the types of attributes and traits, and the time
// zone that places dates and calendar spans (nil: UTC).
type Schema struct {
	Attributes map[string]weir.AttributeType
	Traits     map[string]weir.AttributeType
	Location   *time.Location
	Rates      *trait.Rates
	Broken     map[string]string // traits that are declared and can't be computed, and where
}

// Book compiles rules over one schema and holds what they share.
type Book struct {
	schema    Schema
	layout    timeline.Layout
	filters   []timeline.Filter
	measures  []trait.Trait
	edges     []timeline.Edge
	sequences []journey.Sequence
	busiest   []journey.Busiest
	relations []Relation
	inner     bool  // its rules are asked of people of accounts, or of accounts of people
	others    *Book // such a book; nil: not needed yet
	all       []weir.SegmentDef
	byKey     map[string]int
	traits    map[string]int
	segments  map[string]*declared
	defs      map[string]*weir.SegmentDef // of segments, by name
	cycles    map[string][]string         // ways of Cycle
	rules     int
	cells     cells
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
	ID         string
	Kind       weir.Kind
	Attributes map[string]string    // canonical text
	Traits     []value.Value        // by TraitSlot
	Counts     []int64              // by slot of Filters
	Measures   []value.Value        // by slot of Measures
	Edges      []timeline.EdgeState // by slot of Edges
	Sequences  []journey.Outcome    // by slot of Sequences
	Busiest    []int64              // by slot of Busiest
	Related    []Linked             // by slot of Relations
	Now        time.Time
	verdicts   []verdict // of the rules that others ask for
}

// Measures returns the aggregates that event conditions compare, by slot of
// Subject.Measures.
func (b *Book) Measures() []trait.Trait { return b.measures }

// Edges returns the first and last events that conditions look at, by slot of
// Subject.Edges.
func (b *Book) Edges() []timeline.Edge { return b.edges }

// Sequences returns the sequences of events that conditions ask for, by slot of
// Subject.Sequences.
func (b *Book) Sequences() []journey.Sequence { return b.sequences }

// Busiest returns the counts by session, by slot of Subject.Busiest.
func (b *Book) Busiest() []journey.Busiest { return b.busiest }

// once returns the slot of what a condition needs of the events: a new one from
// add, unless an equal condition of the same time zone has one already.
func (b *Book) once(what string, key any, loc *time.Location, add func() (int, error)) (int, error) {
	text, err := json.Marshal(key)
	if err != nil {
		return 0, weir.Errorf(weir.Internal, "%s: %w", what, err)
	}
	full := what + " " + loc.String() + " " + string(text)
	if slot, ok := b.byKey[full]; ok {
		return slot, nil
	}
	slot, err := add()
	if err == nil {
		b.byKey[full] = slot
	}
	return slot, err
}

// filter returns the slot of an event condition that is counted.
func (b *Book) filter(c *weir.Condition, loc *time.Location) (int, error) {
	key := weir.Condition{Event: c.Event, Where: c.Where, Within: c.Within, Window: c.Window}
	return b.once("count", key, loc, func() (int, error) {
		f, err := b.compileFilter(c, loc)
		b.filters = append(b.filters, f)
		return len(b.filters) - 1, err
	})
}

func (b *Book) compileFilter(c *weir.Condition, loc *time.Location) (timeline.Filter, error) {
	w, err := timeline.CompileWindow(c.Within, c.Window, loc)
	if err != nil {
		return timeline.Filter{}, err
	}
	return timeline.Compile(c.Event, c.Where, w, &b.layout, loc)
}

// measure returns the slot of an aggregate, and the type of its values.
func (b *Book) measure(c *weir.Condition, m weir.Measure, loc *time.Location) (int, weir.AttributeType, error) {
	def := weir.TraitDef{Aggregate: m.How, Field: m.Of, Event: c.Event, Where: c.Where, Within: c.Within, Window: c.Window, Currency: m.Currency}
	slot, err := b.once("measure", def, loc, func() (int, error) {
		t, err := trait.Compile(def, b.schema.Rates, &b.layout, loc)
		b.measures = append(b.measures, t)
		return len(b.measures) - 1, err
	})
	return slot, trait.TypeOf(def), err
}

// edge returns the slot of a first or last event.
func (b *Book) edge(c *weir.Condition, loc *time.Location) (int, error) {
	key := weir.Condition{Event: c.Event, Where: c.Where, Within: c.Within, Window: c.Window, Which: c.Which}
	return b.once("edge", key, loc, func() (int, error) {
		f, err := b.compileFilter(c, loc)
		b.edges = append(b.edges, timeline.Edge{Filter: f, Last: c.Which == "last"})
		return len(b.edges) - 1, err
	})
}

// sequence returns the slot of a sequence of events.
func (b *Book) sequence(c *weir.Condition, loc *time.Location) (int, error) {
	key := weir.Condition{Sequence: c.Sequence, Session: c.Session, Within: c.Within, Window: c.Window}
	return b.once("sequence", key, loc, func() (int, error) {
		w, err := timeline.CompileWindow(c.Within, c.Window, loc)
		if err != nil {
			return 0, err
		}
		s, err := journey.Compile(c.Sequence, w, c.Session, &b.layout, loc)
		b.sequences = append(b.sequences, s)
		return len(b.sequences) - 1, err
	})
}

// busiestSession returns the slot of an event condition counted by session.
func (b *Book) busiestSession(c *weir.Condition, loc *time.Location) (int, error) {
	key := weir.Condition{Event: c.Event, Where: c.Where, Within: c.Within, Window: c.Window, Session: c.Session}
	return b.once("session", key, loc, func() (int, error) {
		f, err := b.compileFilter(c, loc)
		if err != nil {
			return 0, err
		}
		session, err := journey.CompileSession(c.Session, &b.layout)
		b.busiest = append(b.busiest, journey.Busiest{Filter: f, Session: session})
		return len(b.busiest) - 1, err
	})
}
