package stages

import (
	"cmp"
	"context"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/explain"
	"github.com/weir-cdp/weir/pipelines/segment/live"
	"github.com/weir-cdp/weir/project"
)

// LiveOrder asks who would be in segments, without a run.
type LiveOrder struct {
	Segments []string
	Unsaved  *weir.SegmentDef // a definition that is in no file, one of Segments by its name
	By       []string         // attributes by whose values sizes are told
	Sample   int              // how many members of the first segment are shown
	Seed     string           // draws them
	Now      time.Time
}

// LiveCount is what a run at the same now would find.
type LiveCount struct {
	Now      time.Time     `json:"now"`
	Profiles int64         `json:"profiles"` // of the segments' kind
	Segments []LiveSize    `json:"segments"`
	By       []LiveGroup   `json:"by,omitempty"`
	Sets     []LiveSet     `json:"sets,omitempty"` // of two and more segments
	Sample   []LiveMember  `json:"sample,omitempty"`
	Notes    []string      `json:"notes,omitempty"`    // what is not of now
	Warnings []string      `json:"warnings,omitempty"` // what the segments ask about and nothing tells of
	Took     time.Duration `json:"-"`                  // of the evaluation alone
}

// LiveSize is how many are in a segment.
type LiveSize struct {
	Segment string `json:"segment"`
	Members int64  `json:"members"`
}

// LiveGroup is the members with one value of an attribute; "" is unknown.
type LiveGroup struct {
	Attribute string  `json:"attribute"`
	Value     string  `json:"value"`
	Members   []int64 `json:"members"` // of each segment
}

// LiveSet is how many are in all of these segments, and how many in no other of
// those asked about.
type LiveSet struct {
	Segments []string `json:"segments"`
	Members  int64    `json:"members"`
	Only     int64    `json:"only"`
}

// LiveMember is a member with what the rule reads of it, masked, and why it is in.
type LiveMember struct {
	ProfileID string            `json:"profile_id"`
	Values    map[string]string `json:"values"`
	Why       explain.Verdict   `json:"why"`
}

// mostSets is of how many segments all intersections are told.
const mostSets = 6

// CountLive evaluates segments over all profiles, exactly. It reads the timelines
// of this machine; progress is told while these have to be built. NotFound: no such
// segment or attribute, or no profiles. Invalid: a definition can't be computed.
func (h *House) CountLive(ctx context.Context, p *project.Project, o LiveOrder, progress func(weir.Progress)) (LiveCount, error) {
	v := LiveCount{Now: o.Now}
	with := *p
	if o.Unsaved != nil {
		with.Segments = slices.DeleteFunc(slices.Clone(p.Segments), func(s weir.SegmentDef) bool { return s.Name == o.Unsaved.Name })
		with.Segments = append(with.Segments, *o.Unsaved)
	}
	if err := known(&with, o.Segments...); err != nil {
		return v, err
	}
	params, err := (&inputs{house: h}).segments(ctx, &with)
	if err != nil {
		return v, err
	}
	for _, name := range o.By {
		if _, ok := params.AttributeTypes[name]; !ok {
			return v, weir.Errorf(weir.NotFound, "there is no attribute %q", name).Then("there are: " + strings.Join(slices.Sorted(maps.Keys(params.AttributeTypes)), ", "))
		}
	}
	if v.Warnings, err = h.unseenEvents(ctx, &with, o.Segments); err != nil {
		return v, err
	}
	src, err := h.timelines(ctx, &with, progress)
	if err != nil {
		return v, err
	}
	q := live.Question{Definitions: params.Definitions(), Segments: o.Segments, Now: o.Now, By: o.By, Sample: o.Sample, Seed: o.Seed, Workers: runtime.GOMAXPROCS(0)}
	if q.Given, v.Notes, err = h.liveGiven(ctx, q); err != nil {
		return v, err
	}
	if q.Links, err = h.liveLinks(ctx, q); err != nil {
		return v, err
	}
	started := h.Clock()
	a, err := runAll(ctx, q, src)
	v.Took = h.Clock().Sub(started)
	if err != nil {
		return v, err
	}
	v.Profiles = a.Profiles
	for _, name := range o.Segments {
		v.Segments = append(v.Segments, LiveSize{name, a.Sizes[name]})
	}
	v.groups(o, a)
	v.sets(o, a)
	return v, v.members(ctx, q, src, a)
}

// runAll answers of any number of segments, as many at once as one question may be
// about. Of more, there are no sets.
func runAll(ctx context.Context, q live.Question, src live.Source) (live.Answer, error) {
	if len(q.Segments) <= live.Most {
		return live.Run(ctx, q, src)
	}
	var all live.Answer
	done := 0
	for names := range slices.Chunk(q.Segments, live.Most) {
		part := q
		part.Segments = names
		a, err := live.Run(ctx, part, src)
		if err != nil {
			return a, err
		}
		if done == 0 {
			all = a
			all.Sets, all.By = nil, map[string]map[string][]int64{}
		}
		all.Profiles = max(all.Profiles, a.Profiles)
		maps.Copy(all.Sizes, a.Sizes)
		for attribute, values := range a.By {
			if all.By[attribute] == nil {
				all.By[attribute] = map[string][]int64{}
			}
			for v, sizes := range values {
				if all.By[attribute][v] == nil {
					all.By[attribute][v] = make([]int64, len(q.Segments))
				}
				copy(all.By[attribute][v][done:], sizes)
			}
		}
		done += len(names)
	}
	return all, nil
}

// liveGiven reads the scores, and what queries gave, that a question needs, as the
// last run left them.
func (h *House) liveGiven(ctx context.Context, q live.Question) (given map[string]map[string]string, notes []string, err error) {
	var names []string
	for _, t := range live.Needed(q.Definitions, q.Segments...).Traits {
		if t.Score != nil || t.Query != nil {
			names = append(names, t.Name)
		}
	}
	if len(names) == 0 {
		return nil, nil, nil
	}
	ask, err := h.ask(ctx, "core.traits")
	if err != nil {
		return nil, nil, err
	}
	defer ask.close()
	rows, err := list[weir.TraitValue](ctx, ask, "core.traits", "where trait in ("+literals(names)+")")
	if err != nil {
		return nil, nil, err
	}
	given = map[string]map[string]string{}
	for _, name := range names {
		given[name] = map[string]string{}
	}
	for _, r := range rows {
		text := cmp.Or(r.Text, r.Number)
		if !r.Time.IsZero() {
			text = r.Time.UTC().Format(time.RFC3339Nano)
		}
		given[r.Trait][r.ProfileID] = text
	}
	last, ran, err := h.last(ctx, weir.Segment, "")
	if ran {
		notes = append(notes, "scores and answers of queries ("+strings.Join(names, ", ")+") are those of the run at "+last.Now.UTC().Format(time.RFC3339))
	}
	return given, notes, err
}

// groups tells sizes by value, the largest of the first segment first.
func (v *LiveCount) groups(o LiveOrder, a live.Answer) {
	for _, name := range o.By {
		var groups []LiveGroup
		for value, sizes := range a.By[name] {
			groups = append(groups, LiveGroup{name, value, sizes})
		}
		slices.SortFunc(groups, func(a, b LiveGroup) int {
			return cmp.Or(slices.Compare(b.Members, a.Members), strings.Compare(a.Value, b.Value))
		})
		v.By = append(v.By, groups...)
	}
}

// sets tells of each choice of segments how many are in all of it: of all choices
// where segments are few, else of those that somebody is in exactly.
func (v *LiveCount) sets(o LiveOrder, a live.Answer) {
	n := len(o.Segments)
	if n < 2 || n > live.Most {
		return
	}
	choices := slices.Collect(maps.Keys(a.Sets))
	if n <= mostSets {
		choices = nil
		for set := uint32(1); set < 1<<n; set++ {
			choices = append(choices, set)
		}
	}
	slices.Sort(choices)
	for _, choice := range choices {
		s := LiveSet{Only: a.Sets[choice]}
		for i, name := range o.Segments {
			if choice&(1<<i) != 0 {
				s.Segments = append(s.Segments, name)
			}
		}
		for set, members := range a.Sets {
			if set&choice == choice {
				s.Members += members
			}
		}
		v.Sets = append(v.Sets, s)
	}
}

func (v *LiveCount) members(ctx context.Context, q live.Question, src live.Source, a live.Answer) error {
	for _, d := range a.Sample {
		who, err := live.Look(ctx, q, src, d)
		if err != nil {
			return err
		}
		scores := map[string]string{}
		for trait, of := range q.Given {
			if text, ok := of[d.ID]; ok {
				scores[trait] = text
			}
		}
		subject := &explain.Subject{Profile: who.Profile, Events: who.Events, Scores: scores, Counts: who.Linked}
		why, err := explain.With(live.Needed(q.Definitions, q.Segments...), q.Segments[0], subject, q.Now)
		if err != nil {
			return err
		}
		m := masking{literals: literalsOf(q)}
		out := LiveMember{ProfileID: d.ID, Values: map[string]string{}}
		for name, value := range who.Profile.Attributes {
			out.Values[name] = m.value(value, q.Definitions.AttributeTypes[name])
		}
		m.verdict(&why, who.Profile.Attributes, q.Definitions.AttributeTypes)
		out.Why = why
		v.Sample = append(v.Sample, out)
	}
	return nil
}
