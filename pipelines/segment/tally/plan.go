package tally

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
	"github.com/weir-cdp/weir/pipelines/segment/trait"
)

// Definitions is what a project declares about segments.
type Definitions struct {
	Segments       []weir.SegmentDef
	Traits         []weir.TraitDef
	AttributeTypes map[string]weir.AttributeType
	Timezone       string // IANA name; "" is UTC
}

// Broken is a definition that cannot be used.
type Broken struct {
	Name   string // of the segment or trait
	Trait  bool
	Errors []error
}

// Plan is a project's definitions, compiled.
type Plan struct {
	book   *rule.Book
	rules  []*rule.Rule
	traits []trait.Trait
	slots  []int // of each trait, in Subject.Traits
	byName map[string]*watch
	always *watch // what looks at events of every name
	empty  *State
}

// watch is what wants the events of one name.
type watch struct {
	filters []int
	traits  []int
	ever    bool          // something of it has no window
	longest time.Duration // of the windows
}

// New compiles definitions. The error is of the time zone; broken definitions
// are returned beside the plan, which does without them.
func New(d Definitions) (*Plan, []Broken, error) {
	loc, err := Location(d.Timezone)
	if err != nil {
		return nil, nil, err
	}
	p := &Plan{byName: map[string]*watch{}, always: &watch{}}
	var broken []Broken
	good, bad := sound(d.Traits, loc)
	broken = append(broken, bad...)
	p.book = rule.NewBook(rule.Schema{Attributes: d.AttributeTypes, Traits: trait.Types(good), Location: loc})
	for _, def := range good {
		t, err := trait.Compile(def, p.book.Layout(), loc)
		if err != nil {
			return nil, nil, err // sound has compiled it already
		}
		slot, _ := p.book.TraitSlot(def.Name)
		p.traits, p.slots = append(p.traits, t), append(p.slots, slot)
	}
	named := map[string]int{}
	for _, def := range d.Segments {
		named[def.Name]++
	}
	for _, def := range d.Segments {
		r, errs := p.book.Compile(def)
		if named[def.Name] > 1 {
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
	return p, broken, nil
}

// Location returns the time zone of a name; the machine's own ("Local") is
// refused, because another machine has another.
func Location(name string) (*time.Location, error) {
	if name == "Local" {
		return nil, weir.Errorf(weir.Invalid, "the time zone must be named").Then("write one such as Europe/Paris")
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, weir.Errorf(weir.Invalid, "there is no time zone %q: %w", name, err).Then("write one such as Europe/Paris")
	}
	return loc, nil
}

// sound compiles each trait by itself and returns those without error.
func sound(defs []weir.TraitDef, loc *time.Location) (good []weir.TraitDef, broken []Broken) {
	named := map[string]int{}
	for _, def := range defs {
		named[def.Name]++
	}
	scrap := rule.NewBook(rule.Schema{Location: loc})
	for _, def := range defs {
		_, err := trait.Compile(def, scrap.Layout(), loc)
		if named[def.Name] > 1 {
			err = weir.Errorf(weir.Invalid, "trait %s is defined twice", def.Name)
		}
		if err != nil {
			broken = append(broken, Broken{Name: def.Name, Trait: true, Errors: []error{err}})
			continue
		}
		good = append(good, def)
	}
	slices.SortFunc(good, func(a, b weir.TraitDef) int { return strings.Compare(a.Name, b.Name) })
	return good, broken
}

func (p *Plan) watchAll() {
	at := func(name string, within time.Duration) *watch {
		w := p.always
		if name != "" {
			if w = p.byName[name]; w == nil {
				w = &watch{}
				p.byName[name] = w
			}
		}
		w.ever = w.ever || within == 0
		w.longest = max(w.longest, within)
		return w
	}
	for i, f := range p.book.Filters() {
		w := at(f.Name, f.Within)
		w.filters = append(w.filters, i)
	}
	for i := range p.traits {
		f := &p.traits[i].Filter
		w := at(f.Name, f.Within)
		w.traits = append(w.traits, i)
	}
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

// Wants says whether some definition may count an event of this name and time.
func (p *Plan) Wants(name string, at, now time.Time) bool {
	if at.After(now) {
		return false
	}
	return p.always.wants(at, now) || p.byName[name].wants(at, now)
}

func (w *watch) wants(at, now time.Time) bool {
	return w != nil && (w.ever || w.longest > 0 && at.After(now.Add(-w.longest)))
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
		if p.traits[i].Filter.Now() {
			return true
		}
	}
	return false
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
	for _, s := range d.Segments {
		out[s.Name] = rule.Digest(s, d.Traits, d.AttributeTypes, d.Timezone)
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

// Reasons returns the errors of a broken definition as texts, sorted and
// without repeats.
func (b Broken) Reasons() []string {
	set := map[string]bool{}
	for _, err := range b.Errors {
		set[fmt.Sprint(err)] = true
	}
	return slices.Sorted(maps.Keys(set))
}
