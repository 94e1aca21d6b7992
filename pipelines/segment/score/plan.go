package score

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/score/feature"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
	"github.com/weir-cdp/weir/pipelines/segment/trait"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// Plan is a project's scores, compiled for one now.
type Plan struct {
	now        time.Time
	zone       *time.Location
	tally      *tally.Plan // of all features and of the segments to be like
	scores     []*score
	moments    []time.Time // at which features are evaluated; the first is now
	attributes map[string]bool
}

// score is one definition.
type score struct {
	def      *weir.ScoreDef
	of       weir.Kind
	picks    *trait.Trait // its filter: purchases, or what is foretold
	value    timeline.Field
	order    timeline.Field
	then     time.Time // the cut-off; zero: none
	moment   int       // of then, in Plan.moments
	schema   feature.Schema
	features []source // in the order of schema: numbers, then texts
	tallied  bool     // it has features
}

// source is where a feature comes from.
type source struct {
	slot      int    // of a trait
	attribute string // "": a trait
	instant   bool   // a time becomes the days since
}

// New compiles the scores of d. Broken ones are named by their trait; the plan
// does without them. The error is of the time zone.
func New(d tally.Definitions, now time.Time) (*Plan, []tally.Broken, error) {
	zone, err := value.Location(d.Timezone, time.UTC)
	if err != nil {
		return nil, nil, err
	}
	p := &Plan{now: now, zone: zone, moments: []time.Time{now}, attributes: map[string]bool{}}
	defs, plain := split(d.Traits)
	c := &compiler{plan: p, definitions: d, plain: plain, wanted: map[string]weir.TraitDef{}, segments: map[string]weir.SegmentDef{}}
	var broken []tally.Broken
	fail := func(def *weir.ScoreDef, err error) {
		err = weir.Errorf(weir.Invalid, "score %s: %w", def.Trait, err).At(def.At)
		for _, o := range weir.ScoreOutputs(def.Kind) {
			broken = append(broken, tally.Broken{Name: def.OutputTrait(o.Name), Trait: true, Errors: []error{err}})
		}
	}
	chosen := map[*score][]string{}
	for _, def := range defs {
		s := &score{def: def.Score, of: def.Of}
		names, err := c.features(s)
		if err != nil {
			fail(def.Score, err)
			continue
		}
		chosen[s] = names
		p.scores = append(p.scores, s)
	}
	if err := c.compileTally(); err != nil {
		return nil, nil, err
	}
	sound := p.scores[:0]
	for _, s := range p.scores {
		if err := c.compile(s, chosen[s]); err != nil {
			fail(s.def, err)
			continue
		}
		sound = append(sound, s)
	}
	p.scores = sound
	return p, broken, nil
}

// split parts the score definitions, one of each, from the traits of events.
func split(defs []weir.TraitDef) (scores []weir.TraitDef, plain map[string]weir.TraitDef) {
	plain = map[string]weir.TraitDef{}
	seen := map[string]bool{}
	for _, d := range defs {
		switch {
		case d.Aggregate == weir.Query: // what it was before a cut-off is not known
		case d.Aggregate != weir.Score || d.Score == nil:
			plain[d.Name] = d
		case !seen[d.Score.Trait]:
			seen[d.Score.Trait] = true
			if d.Of == "" {
				d.Of = weir.Person
			}
			scores = append(scores, d)
		}
	}
	slices.SortFunc(scores, func(a, b weir.TraitDef) int { return strings.Compare(a.Score.Trait, b.Score.Trait) })
	return scores, plain
}

// Any says whether there are scores.
func (p *Plan) Any() bool { return len(p.scores) > 0 }

// Len returns the number of scores; Row.Score counts from 0.
func (p *Plan) Len() int { return len(p.scores) }

// Definition returns a score's.
func (p *Plan) Definition(i int) *weir.ScoreDef { return p.scores[i].def }

// Attributes names the attributes that scores read.
func (p *Plan) Attributes() []string { return slices.Sorted(maps.Keys(p.attributes)) }

// Wants says whether an event of this name and time may matter to a score.
func (p *Plan) Wants(name string, at time.Time) bool {
	if at.After(p.now) {
		return false
	}
	for _, s := range p.scores {
		if s.picks != nil && (s.picks.Filter.Name == "" || s.picks.Filter.Name == name) {
			return true
		}
	}
	for _, m := range p.moments {
		if p.tally.Wants(name, at, m) {
			return true
		}
	}
	return false
}

// Event cuts an event down to what the scores read.
func (p *Plan) Event(e *weir.Event) timeline.Event { return p.tally.Event(e) }

// momentOf returns the place of a moment, a new one if there is none.
func (p *Plan) momentOf(at time.Time) int {
	for i, m := range p.moments {
		if m.Equal(at) {
			return i
		}
	}
	p.moments = append(p.moments, at)
	return len(p.moments) - 1
}

// day is a moment's day in the workspace's calendar, counted from 1970.
func (p *Plan) day(at time.Time) int32 {
	y, m, d := at.In(p.zone).Date()
	return int32(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}
