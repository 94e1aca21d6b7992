package live_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/live"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
)

var (
	now   = time.Date(2026, 1, 15, 9, 30, 0, 0, time.UTC)
	names = []string{"Order", "View", "Open"}
	types = map[string]weir.AttributeType{"country": weir.Text, "points": weir.Number, "born": weir.Date}
)

// memory is a Source of people held in memory, cut in blocks of random sizes. It
// gives the columns that are asked for and no others.
type memory struct {
	people []live.Person
	cuts   []int
}

func (m *memory) Blocks() int     { return len(m.cuts) - 1 }
func (m *memory) Names() []string { return append([]string{"Never"}, names...) }

func (m *memory) Read(_ context.Context, n int, r live.Reads) (*live.Block, error) {
	b := &live.Block{Attributes: make([][]string, len(r.Attributes)), Properties: make([][]string, len(r.Properties))}
	if r.Events {
		b.First = []int64{0}
	}
	for _, p := range m.people[m.cuts[n]:m.cuts[n+1]] {
		b.IDs, b.Kinds = append(b.IDs, p.Profile.ID), append(b.Kinds, string(p.Profile.Kind))
		for i, name := range r.Attributes {
			b.Attributes[i] = append(b.Attributes[i], p.Profile.Attributes[name])
		}
		if !r.Events {
			continue
		}
		for _, e := range p.Events {
			b.At, b.Names = append(b.At, e.OccurredAt.UnixMicro()), append(b.Names, int32(slices.Index(m.Names(), e.Name)))
			for i, name := range r.Properties {
				b.Properties[i] = append(b.Properties[i], e.Properties[name])
			}
		}
		b.First = append(b.First, int64(len(b.At)))
	}
	return b, nil
}

type gen struct{ *rand.Rand }

func pick[T any](g gen, of ...T) T { return of[g.IntN(len(of))] }

func (g gen) people(n int) *memory {
	m := &memory{cuts: []int{0}}
	for i := range n {
		p := live.Person{Profile: weir.Profile{ID: fmt.Sprintf("p%03d", i), Kind: pick(g, weir.Person, weir.Person, weir.Person, weir.Account, weir.Anonymous), Attributes: map[string]string{}}}
		if g.IntN(4) > 0 {
			p.Profile.Attributes["country"] = pick(g, "FR", "DE", "BE")
		}
		if g.IntN(4) > 0 {
			p.Profile.Attributes["points"] = strconv.Itoa(g.IntN(5))
		}
		if g.IntN(4) > 0 {
			p.Profile.Attributes["born"] = pick(g, "1990-01-17", "2001-02-03")
		}
		for j := range g.IntN(9) * g.IntN(2) {
			e := weir.Event{ID: fmt.Sprintf("e%d-%d", g.IntN(9), j), Name: pick(g, names...), OccurredAt: now.Add(-time.Duration(g.IntN(40)-3) * 6 * time.Hour), Properties: map[string]string{}}
			if g.IntN(3) > 0 {
				e.Properties["revenue"] = pick(g, "1", "2.5", "-1", "n/a")
			}
			if g.IntN(3) > 0 {
				e.Properties["category"] = pick(g, "shoes", "bags")
			}
			p.Events = append(p.Events, e)
		}
		slices.SortFunc(p.Events, func(a, b weir.Event) int {
			if c := a.OccurredAt.Compare(b.OccurredAt); c != 0 {
				return c
			}
			return strings.Compare(a.ID, b.ID)
		})
		m.people = append(m.people, p)
	}
	for m.cuts[len(m.cuts)-1] < n {
		m.cuts = append(m.cuts, min(n, m.cuts[len(m.cuts)-1]+1+g.IntN(40)))
	}
	return m
}

func is(op string, values ...string) []weir.Comparison {
	return []weir.Comparison{{Op: op, Values: values}}
}

func (g gen) condition(depth int, before []string) weir.Condition {
	if depth > 0 && g.IntN(2) == 0 {
		list := []weir.Condition{g.condition(depth-1, before), g.condition(depth-1, before)}
		return pick(g, weir.Condition{All: list}, weir.Condition{Any: list}, weir.Condition{None: list})
	}
	within := time.Duration(g.IntN(6)*g.IntN(2)) * 24 * time.Hour
	event := weir.Condition{IsEvent: true, Event: pick(g, append(names, "")...), Within: within}
	switch g.IntN(12) {
	case 0:
		return weir.Condition{Attribute: "country", Compare: is("in", "FR", "BE")}
	case 1:
		return weir.Condition{Attribute: "points", Compare: is("at_least", strconv.Itoa(g.IntN(5)))}
	case 2:
		return weir.Condition{Attribute: "born", Compare: is("anniversary", "next", "7d")}
	case 3:
		return weir.Condition{Trait: pick(g, "spent", "days", "share", "favourite"), Compare: is("exists", pick(g, "true", "false"))}
	case 4:
		return weir.Condition{Trait: "spent", Compare: is("more_than", pick(g, "0", "2"))}
	case 5:
		return weir.Condition{Random: &weir.Random{Seed: "winter", To: "50"}}
	case 6:
		if len(before) > 0 {
			return weir.Condition{Segment: pick(g, before...)}
		}
	case 7:
		return weir.Condition{Sequence: &weir.Sequence{Steps: []weir.Step{{Event: pick(g, names...)}, {Event: pick(g, names...)}}, Strict: g.IntN(2) == 0}, Session: pick(g, "", "true", "12h"), Within: within}
	case 8:
		event.Which = pick(g, "first", "last")
		return event
	case 9:
		event.Measures = []weir.Measure{{How: pick(g, "sum", "max", "distinct", "first", "last"), Of: "properties.revenue", Compare: is("at_least", "1")}}
		return event
	case 10:
		event.Session, event.Count = pick(g, "", "true"), is("at_least", "2")
	}
	if g.IntN(2) == 0 {
		event.Where = map[string][]weir.Comparison{"category": is("is", "shoes")}
	}
	return event
}

func (g gen) definitions() (d tally.Definitions, segments []string) {
	d = tally.Definitions{AttributeTypes: types, Timezone: "UTC", Traits: []weir.TraitDef{
		{Name: "spent", Of: weir.Person, Aggregate: "sum", Field: "properties.revenue", Event: "Order"},
		{Name: "days", Of: weir.Person, Aggregate: "since", Field: "last"}, {Name: "n", Of: weir.Person, Aggregate: "count", Field: "events", Event: "View", Within: 48 * time.Hour},
		{Name: "share", Of: weir.Person, Aggregate: "ratio", Ratio: []string{"spent", "n"}}, {Name: "favourite", Of: weir.Person, Aggregate: "last", Field: "properties.category"}}}
	of := map[weir.Kind][]string{} // a segment may ask for those of its kind
	for i := range 6 {
		kind := pick(g, weir.Person, weir.Person, weir.Account)
		s := weir.SegmentDef{Name: fmt.Sprintf("s%d", i), Of: kind, Where: g.condition(3, of[kind])}
		d.Segments, segments, of[kind] = append(d.Segments, s), append(segments, s.Name), append(of[kind], s.Name)
	}
	return d, segments
}

// TestCountsAreThoseOfTheWholePlan holds counts, sets and groups against the plan of
// all definitions over all columns, profile after profile.
func TestCountsAreThoseOfTheWholePlan(t *testing.T) {
	g := gen{rand.New(rand.NewPCG(3, 5))}
	members := int64(0)
	for range 300 {
		m := g.people(60)
		d, segments := g.definitions()
		plan, broken, err := tally.New(d)
		if err != nil || len(broken) > 0 {
			t.Fatal(err, broken)
		}
		asked := []string{}
		for _, i := range g.Perm(len(segments))[:1+g.IntN(4)] {
			asked = append(asked, segments[i])
		}
		sizes, sets, by := map[string]int64{}, map[uint32]int64{}, map[string][]int64{}
		in := map[string]bool{} // the first segment
		for _, p := range m.people {
			state := plan.NewState()
			for _, i := range g.Perm(len(p.Events)) {
				if e := plan.Event(&p.Events[i]); plan.Wants(e.Name, e.At, now) {
					plan.Add(state, &e, now)
				}
			}
			out := plan.Outcome(&p.Profile, state, now)
			set := uint32(0)
			for i, name := range asked {
				if slices.Contains(out.Segments, name) {
					set |= 1 << i
				}
			}
			for i, name := range asked {
				sizes[name] += int64(set >> i & 1)
				if set != 0 {
					country := p.Profile.Attributes["country"]
					if by[country] == nil {
						by[country] = make([]int64, len(asked))
					}
					by[country][i] += int64(set >> i & 1)
				}
			}
			if set != 0 {
				sets[set]++
			}
			in[p.Profile.ID] = set&1 != 0
		}
		q := live.Question{Definitions: d, Segments: asked, Now: now, By: []string{"country"}, Sample: 5, Seed: "a", Workers: 1 + g.IntN(3)}
		a, err := live.Run(t.Context(), q, m)
		if err != nil {
			t.Fatal(err)
		}
		for what, pair := range map[string][2]any{"sizes": {sizes, a.Sizes}, "sets": {sets, a.Sets}, "groups": {by, a.By["country"]}} {
			if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
				t.Fatalf("%s of %v: -want +got\n%s\n%+v", what, asked, diff, d.Segments)
			}
		}
		members += sizes[asked[0]]
		if len(a.Sample) != int(min(5, sizes[asked[0]])) {
			t.Fatalf("%d of a sample of 5, of %d", len(a.Sample), sizes[asked[0]])
		}
		for _, s := range a.Sample {
			if !in[s.ID] {
				t.Fatalf("%s is no member", s.ID)
			}
			checkLook(t, q, m, s)
		}
	}
	if members == 0 {
		t.Error("nobody is in any segment: the test shows nothing")
	}
}

// checkLook wants the person of a sample to come to the same by what was read of it.
func checkLook(t *testing.T, q live.Question, m *memory, d live.Drawn) {
	t.Helper()
	who, err := live.Look(t.Context(), q, m, d)
	if err != nil {
		t.Fatal(err)
	}
	plan, _, err := tally.New(q.Definitions)
	if err != nil {
		t.Fatal(err)
	}
	state := plan.NewState()
	for i := range who.Events {
		e := plan.Event(&who.Events[i])
		plan.Add(state, &e, q.Now)
	}
	if out := plan.Outcome(&who.Profile, state, q.Now); !slices.Contains(out.Segments, q.Segments[0]) {
		t.Fatalf("%s is in %s, but not by %+v", d.ID, q.Segments[0], who)
	}
}

// The sample depends on the seed and who is a member, not on the cut nor the workers.
func TestTheSampleKnowsNoCut(t *testing.T) {
	g := gen{rand.New(rand.NewPCG(8, 1))}
	m := g.people(400)
	d := tally.Definitions{AttributeTypes: types, Segments: []weir.SegmentDef{{Name: "s", Of: weir.Person, Where: weir.Condition{Attribute: "points", Compare: is("at_least", "2")}}}}
	draw := func(seed string, workers int) (ids []string) {
		a, err := live.Run(t.Context(), live.Question{Definitions: d, Segments: []string{"s"}, Now: now, Sample: 7, Seed: seed, Workers: workers}, m)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range a.Sample {
			ids = append(ids, s.ID)
		}
		return ids
	}
	want := draw("a", 1)
	for cut := range 5 {
		m.cuts = []int{0, 1 + cut*60, 350, 400}
		if diff := cmp.Diff(want, draw("a", 1+cut)); diff != "" {
			t.Error(diff)
		}
	}
	if slices.Equal(want, draw("b", 2)) {
		t.Error("another seed draws the same")
	}
}

func TestScoresAreGiven(t *testing.T) {
	m := gen{rand.New(rand.NewPCG(8, 2))}.people(50)
	d := tally.Definitions{Traits: []weir.TraitDef{{Name: "risk", Of: weir.Person, Aggregate: weir.Score, Score: &weir.ScoreDef{Kind: "churn"}}},
		Segments: []weir.SegmentDef{{Name: "s", Of: weir.Person, Where: weir.Condition{Trait: "risk", Compare: is("at_least", "0.5")}}}}
	scores, want := map[string]string{}, int64(0)
	for i, p := range m.people {
		if p.Profile.Kind == weir.Person && i%3 == 0 {
			scores[p.Profile.ID] = "0.75"
			want++
		} else {
			scores[p.Profile.ID] = "0.25"
		}
	}
	a, err := live.Run(t.Context(), live.Question{Definitions: d, Segments: []string{"s"}, Now: now, Given: map[string]map[string]string{"risk": scores}}, m)
	if err != nil || a.Sizes["s"] != want || want == 0 {
		t.Errorf("%v, %v, want %d", a.Sizes, err, want)
	}
}

type failing struct{ *memory }

func (f failing) Read(ctx context.Context, n int, r live.Reads) (*live.Block, error) {
	if n == 1 {
		return nil, weir.Errorf(weir.Internal, "damaged")
	}
	return f.memory.Read(ctx, n, r)
}

func TestQuestionsThatCannotBeAnswered(t *testing.T) {
	m := gen{rand.New(rand.NewPCG(8, 3))}.people(200)
	d := tally.Definitions{AttributeTypes: types, Segments: []weir.SegmentDef{{Name: "s", Where: weir.Condition{Attribute: "points", Compare: is("at_least", "2")}},
		{Name: "bad", Where: weir.Condition{Attribute: "points", Compare: is("older_than", "2d")}}, {Name: "on_bad", Where: weir.Condition{Segment: "bad"}}}}
	for _, x := range []struct {
		segments []string
		code     weir.Code
		part     string
	}{{nil, weir.Invalid, "1 to 32"}, {[]string{"none"}, weir.NotFound, "there is no segment"}, {[]string{"bad"}, weir.Invalid, ""}, {[]string{"on_bad"}, weir.Invalid, "bad"}} {
		_, err := live.Run(t.Context(), live.Question{Definitions: d, Segments: x.segments, Now: now}, m)
		if weir.CodeOf(err) != x.code || !strings.Contains(fmt.Sprint(err), x.part) {
			t.Errorf("%v: %v", x.segments, err)
		}
	}
	if _, err := live.Run(t.Context(), live.Question{Definitions: d, Segments: []string{"s"}, Now: now, Workers: 2}, failing{m}); weir.CodeOf(err) != weir.Internal {
		t.Errorf("a source that fails: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := live.Run(ctx, live.Question{Definitions: d, Segments: []string{"s"}, Now: now}, m); err == nil {
		t.Error("a question that was called off is answered")
	}
}

func TestOnlyWhatIsNeededIsRead(t *testing.T) {
	d, _ := gen{rand.New(rand.NewPCG(1, 1))}.definitions()
	d.Segments = []weir.SegmentDef{{Name: "a", Where: weir.Condition{All: []weir.Condition{{Segment: "b"}, {Trait: "share", Compare: is("exists", "true")}}}},
		{Name: "b", Where: weir.Condition{Attribute: "country", Compare: is("is", "FR")}}, {Name: "c", Where: weir.Condition{Trait: "favourite", Compare: is("exists", "true")}}}
	got := live.Needed(d, "a")
	var left []string
	for _, s := range got.Segments {
		left = append(left, s.Name)
	}
	for _, x := range got.Traits {
		left = append(left, x.Name)
	}
	if diff := cmp.Diff([]string{"a", "b", "spent", "n", "share"}, left); diff != "" {
		t.Error(diff)
	}
}
