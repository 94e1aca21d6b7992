package live

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
	"github.com/weir-cdp/weir/pipelines/segment/trait"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// Question is what is asked of all profiles.
type Question struct {
	Definitions tally.Definitions
	Segments    []string // at most Most
	Now         time.Time
	By          []string // attributes by whose values sizes are told
	Sample      int      // how many members of the first segment are named
	Seed        string   // chooses which
	Workers     int      // 0: one
	// Given are the values of scores and of queries as texts, by trait and profile:
	// they don't follow from a profile's events, and are those of the last run.
	Given map[string]map[string]string
	// Links are who belongs to which account, for rules that ask about that.
	Links []Link
}

// Most is how many segments one question may ask about.
const Most = 32

// Answer is what comes of it.
type Answer struct {
	Profiles int64            `json:"profiles"` // that were evaluated
	Sizes    map[string]int64 `json:"sizes"`
	// Sets are how many profiles are in exactly these segments: bit i is
	// Question.Segments[i].
	Sets map[uint32]int64 `json:"-"`
	// By holds the sizes of each segment by an attribute's value, "" the unknown.
	By     map[string]map[string][]int64 `json:"by,omitempty"`
	Sample []Drawn                       `json:"-"` // in the order of the draw
}

// Run answers. Errors: Invalid for a segment that can't be computed, NotFound for
// one that is not defined.
func Run(ctx context.Context, q Question, src Source) (Answer, error) {
	e, err := prepare(q)
	if err != nil {
		return Answer{}, err
	}
	e.look(src)
	if err := e.relate(ctx, src); err != nil {
		return Answer{}, err
	}
	parts := make([]*part, e.workers(src))
	for w := range parts {
		parts[w] = e.newPart()
	}
	if err := e.share(ctx, src, e.reads, func(w, n int, b *Block) { parts[w].block(n, b) }); err != nil {
		return Answer{}, err
	}
	return e.merge(parts), nil
}

// look notes which events of the source it looks at.
func (e *evaluation) look(src Source) {
	e.names = src.Names()
	e.want = make([]bool, len(e.names))
	for i, n := range e.names {
		e.want[i] = e.reads.Names == nil || e.reads.Names[n]
	}
}

func (e *evaluation) workers(src Source) int {
	return min(max(e.Workers, 1), max(src.Blocks(), 1))
}

// share gives the blocks out to the workers. The first failure ends all.
func (e *evaluation) share(ctx context.Context, src Source, reads Reads, do func(worker, n int, b *Block)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var wait sync.WaitGroup
	for w := range e.workers(src) {
		wait.Go(func() {
			for ctx.Err() == nil {
				n := int(next.Add(1) - 1)
				if n >= src.Blocks() {
					return
				}
				b, err := src.Read(ctx, n, reads)
				if err != nil {
					cancel(err)
					return
				}
				do(w, n, b)
			}
		})
	}
	wait.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// evaluation is a question, compiled.
type evaluation struct {
	Question
	plan   *tally.Plan
	rules  []*rule.Rule // of Question.Segments
	reads  Reads
	kinds  map[string]bool
	names  []string // of events
	want   []bool   // by name
	groups []int    // places in Reads.Attributes of By
	given  []given
	linked *linked // nil: nobody is, or nothing is asked of linked profiles
}

// given is a trait's values by profile.
type given struct {
	place int
	typ   weir.AttributeType
	of    map[string]string
}

func prepare(q Question) (*evaluation, error) {
	if len(q.Segments) == 0 || len(q.Segments) > Most {
		return nil, weir.Errorf(weir.Invalid, "a question is about 1 to %d segments, not %d", Most, len(q.Segments))
	}
	d := Needed(q.Definitions, q.Segments...)
	plan, broken, err := tally.New(d)
	if err != nil {
		return nil, err
	}
	e := &evaluation{Question: q, plan: plan, kinds: map[string]bool{}}
	for _, name := range q.Segments {
		r := plan.Rule(name)
		for _, b := range broken {
			if r == nil && !b.Trait && b.Name == name {
				return nil, b.Errors[0]
			}
		}
		if r == nil {
			return nil, weir.Errorf(weir.NotFound, "there is no segment %q", name)
		}
		e.rules = append(e.rules, r)
		e.kinds[string(r.Of)] = true
	}
	e.reads = readsOf(d, plan, q.By)
	for _, a := range q.By {
		e.groups = append(e.groups, slices.Index(e.reads.Attributes, a))
	}
	e.give(d)
	return e, nil
}

// give finds the places of the traits that are given.
func (e *evaluation) give(d tally.Definitions) {
	types := trait.Types(d.Traits)
	for _, name := range slices.Sorted(maps.Keys(e.Given)) {
		typ := types[name]
		if typ == weir.Date { // kept as its first moment
			typ = weir.Instant
		}
		if place := e.plan.Given(name); place >= 0 {
			e.given = append(e.given, given{place, typ, e.Given[name]})
		}
	}
}

// Drawn is a member of the sample.
type Drawn struct {
	ID    string
	place int64 // by the seed: those of the lowest places are drawn
	block int
	row   int
	// linked is how many profiles are linked to it and fit.
	linked []rule.Linked
}

func (d Drawn) compare(o Drawn) int {
	return cmp.Or(cmp.Compare(d.place, o.place), strings.Compare(d.ID, o.ID))
}

// part is what one worker found.
type part struct {
	*evaluation
	profiles int64
	sets     map[uint32]int64
	by       []map[string][]int64
	sample   []Drawn // sorted
}

func (e *evaluation) newPart() *part {
	p := &part{evaluation: e, sets: map[uint32]int64{}}
	for range e.By {
		p.by = append(p.by, map[string][]int64{})
	}
	return p
}

// block evaluates a block as one cohort.
func (p *part) block(n int, b *Block) {
	people, rows := p.people(b, func(string, weir.Kind) bool { return true })
	if len(rows) == 0 {
		return
	}
	p.profiles += int64(len(rows))
	c := p.cohort(people, b, rows)
	p.giveLinked(c, people)
	sets := make([]uint32, len(rows))
	for _, s := range c.Outcome().Segments {
		if at := slices.Index(p.Segments, s.Name); at >= 0 {
			for place := range s.All {
				sets[place] |= 1 << at
			}
		}
	}
	for place, set := range sets {
		if set != 0 {
			p.sets[set]++
			p.tell(n, b, rows[place], set)
		}
	}
}

// cohort is the block's profiles with their events and what is given of them.
func (p *part) cohort(people *tally.Profiles, b *Block, rows []int) *tally.Cohort {
	c := p.plan.Cohort(people, p.Now)
	if b.First != nil {
		c.Add(p.events(c.Texts(), b, rows))
	}
	for _, g := range p.given {
		for place, id := range people.IDs {
			if text, ok := g.of[id]; ok {
				c.Give(place, g.place, value.Read(text, g.typ, time.UTC))
			}
		}
	}
	return c
}

// people are the profiles of the block that matter, of kinds that do, and their rows.
func (p *part) people(b *Block, matters func(id string, kind weir.Kind) bool) (*tally.Profiles, []int) {
	out, rows := &tally.Profiles{Attributes: map[string]*tally.Attribute{}}, []int{}
	for i, kind := range b.Kinds {
		if p.kinds[kind] && matters(b.IDs[i], weir.Kind(kind)) {
			rows = append(rows, i)
			out.IDs, out.Kinds = append(out.IDs, b.IDs[i]), append(out.Kinds, weir.Kind(kind))
		}
	}
	for a, name := range p.reads.Attributes {
		column := &tally.Attribute{Codes: make([]uint32, len(rows))}
		for place, row := range rows {
			column.Codes[place] = column.Texts.Code(b.Attributes[a][row])
		}
		out.Attributes[name] = column
	}
	return out, rows
}

// events are those of the rows that the question looks at, up to now.
func (p *part) events(texts *timeline.Dictionary, b *Block, rows []int) *timeline.Block {
	out := &timeline.Block{Properties: make([][]uint32, len(b.Properties))}
	names, now := make([]uint32, len(p.names)), p.Now.UnixMicro()
	for i, name := range p.names {
		if p.want[i] {
			names[i] = texts.Names.Code(name)
		}
	}
	var ids strings.Builder
	for place, row := range rows {
		first := b.First[row]
		for j := first; j < b.First[row+1] && b.At[j] <= now; j++ {
			if !p.want[b.Names[j]] {
				continue
			}
			out.Profiles, out.At, out.Names = append(out.Profiles, int32(place)), append(out.At, b.At[j]), append(out.Names, names[b.Names[j]])
			ids.WriteString(idOf(j - first))
			out.IDEnds = append(out.IDEnds, uint32(ids.Len()))
			for slot := range b.Properties {
				out.Properties[slot] = append(out.Properties[slot], texts.Properties[slot].Code(b.Properties[slot][j]))
			}
		}
	}
	out.IDs = ids.String()
	return out
}

// tell notes a member's values and perhaps the member.
func (p *part) tell(n int, b *Block, i int, set uint32) {
	for g, column := range p.groups {
		v := b.Attributes[column][i]
		sizes := p.by[g][v]
		if sizes == nil {
			sizes = make([]int64, len(p.rules))
			p.by[g][strings.Clone(v)] = sizes
		}
		for s := range p.rules {
			if set&(1<<s) != 0 {
				sizes[s]++
			}
		}
	}
	if p.Sample == 0 || set&1 == 0 {
		return
	}
	d := Drawn{b.IDs[i], rule.Position(p.Seed, b.IDs[i]), n, i, nil}
	if len(p.sample) == p.Sample && d.compare(p.sample[p.Sample-1]) > 0 {
		return
	}
	d.ID, d.linked = strings.Clone(d.ID), p.linked.told(b.IDs[i], weir.Kind(b.Kinds[i]))
	at, _ := slices.BinarySearchFunc(p.sample, d, Drawn.compare)
	p.sample = slices.Insert(p.sample, at, d)
	p.sample = p.sample[:min(len(p.sample), p.Sample)]
}

func (e *evaluation) merge(parts []*part) Answer {
	out := Answer{Sizes: map[string]int64{}, Sets: map[uint32]int64{}}
	if len(e.By) > 0 {
		out.By = map[string]map[string][]int64{}
	}
	var sample []Drawn
	for _, p := range parts {
		out.Profiles += p.profiles
		for set, n := range p.sets {
			out.Sets[set] += n
		}
		for g, name := range e.By {
			into := out.By[name]
			if into == nil {
				into = map[string][]int64{}
				out.By[name] = into
			}
			for v, sizes := range p.by[g] {
				if into[v] == nil {
					into[v] = make([]int64, len(e.rules))
				}
				for n := range sizes {
					into[v][n] += sizes[n]
				}
			}
		}
		sample = append(sample, p.sample...)
	}
	for n, name := range e.Segments {
		out.Sizes[name] = 0
		for set, size := range out.Sets {
			if set&(1<<n) != 0 {
				out.Sizes[name] += size
			}
		}
	}
	slices.SortFunc(sample, Drawn.compare)
	out.Sample = sample[:min(len(sample), e.Sample)]
	return out
}
