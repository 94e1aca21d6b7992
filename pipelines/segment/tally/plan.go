package tally

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
	"github.com/weir-cdp/weir/pipelines/segment/trait"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// Definitions is what a project declares about segments.
type Definitions struct {
	Segments       []weir.SegmentDef
	Traits         []weir.TraitDef
	AttributeTypes map[string]weir.AttributeType
	Timezone       string // IANA name; "" is UTC
	Currency       string // the workspace's, of amounts that name none; "" is EUR
	Rates          []weir.Rate
	Unusable       map[string]string // traits that are declared and can't be computed, and where
}

// Broken is a definition that cannot be used.
type Broken struct {
	Name   string // of the segment or trait
	Trait  bool
	Errors []error
}

// Plan is a project's definitions, compiled.
type Plan struct {
	book    *rule.Book
	rules   []*rule.Rule
	traits  []trait.Trait
	slots   []int     // of each trait, in Subject.Traits
	derived []derived // each after those that it reads
	names   []named   // all traits, by name
	byName  map[string]*watch
	always  *watch // what looks at events of every name
	empty   *State
	related *Related // what rules ask about linked profiles; nil: nothing
}

// New compiles definitions. The error is of the time zone; broken definitions
// are returned beside the plan, which does without them.
func New(d Definitions) (*Plan, []Broken, error) {
	loc, err := value.Location(d.Timezone, time.UTC)
	if err != nil {
		return nil, nil, err
	}
	p := &Plan{byName: map[string]*watch{}, always: &watch{}}
	var broken []Broken
	rates, err := trait.NewRates(d.Currency, d.Rates, loc)
	if err != nil {
		return nil, nil, err
	}
	sorted := sortTraits(d, rates, loc)
	broken = append(broken, sorted.broken...)
	p.book = rule.NewBook(rule.Schema{Attributes: d.AttributeTypes, Traits: sorted.types, Location: loc, Rates: rates, Broken: sorted.unusable})
	if err := p.addTraits(sorted, rates, loc); err != nil {
		return nil, nil, err
	}
	p.book.Declare(d.Segments)
	times := map[string]int{}
	for _, def := range d.Segments {
		times[def.Name]++
	}
	for _, def := range d.Segments {
		r, errs := p.book.Compile(def)
		if times[def.Name] > 1 {
			errs = append(errs, weir.Errorf(weir.Invalid, "segment %s is defined twice", def.Name).At(def.Where.At))
		}
		if len(errs) > 0 {
			broken = append(broken, Broken{Name: def.Name, Errors: errs})
			continue
		}
		p.rules = append(p.rules, r)
	}
	slices.SortFunc(p.rules, func(a, b *rule.Rule) int { return strings.Compare(a.Name, b.Name) })
	p.watchAll()
	p.empty = p.NewState()
	return p, broken, p.relate(d)
}

// Properties returns the names of the events' properties that some definition
// reads, in the order of timeline.Event.Properties.
func (p *Plan) Properties() []string { return p.book.Layout().Names() }

// Segments returns the names of the segments that can be evaluated, sorted.
func (p *Plan) Segments() []string {
	out := make([]string, 0, len(p.rules))
	for _, r := range p.rules {
		out = append(out, r.Name)
	}
	return out
}

// Needs says whether some outcome may change with time alone, over the same
// data: a window, or an older_than or newer_than. Beside that, an event that
// lay later than the last run's now comes to count; the stage counts those.
func (p *Plan) Needs() bool {
	for _, r := range p.rules {
		if r.Now() {
			return true
		}
	}
	for i := range p.traits {
		if p.traits[i].Now() {
			return true
		}
	}
	for _, t := range p.derived {
		if t.Now() {
			return true
		}
	}
	return p.givenNow()
}

// Needs says whether some outcome of the definitions may change with time
// alone. Broken definitions have no outcome.
func Needs(d Definitions) (bool, error) {
	p, _, err := New(d)
	if err != nil {
		return false, err
	}
	return p.Needs(), nil
}

// Digests returns the digest of every segment: what a later run compares to
// tell a changed definition from changed data. A broken segment keeps its prior
// digest, since its members are still those of that definition.
func Digests(d Definitions, broken []Broken, prior map[string]string) map[string]string {
	out := make(map[string]string, len(d.Segments))
	surroundings := rule.NewSurroundings(d.Segments, d.Traits, d.AttributeTypes, d.Timezone)
	surroundings.Money = [2]any{d.Currency, d.Rates}
	for _, s := range d.Segments {
		out[s.Name] = surroundings.Digest(s)
	}
	for _, b := range broken {
		if b.Trait {
			continue
		}
		delete(out, b.Name)
		if before, ok := prior[b.Name]; ok {
			out[b.Name] = before
		}
	}
	return out
}

// Where is the place of the first error, file and line; "" if it is not known.
func (b Broken) Where() string {
	var e *weir.Error
	if len(b.Errors) > 0 && errors.As(b.Errors[0], &e) {
		return e.Where
	}
	return ""
}

// Reasons returns the errors of a broken definition as texts, sorted and
// without repeats.
func (b Broken) Reasons() []string {
	set := map[string]bool{}
	for _, err := range b.Errors {
		set[fmt.Sprint(err)] = true
	}
	return slices.Sorted(maps.Keys(set))
}
