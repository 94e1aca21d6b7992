package segment

import (
	"context"
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/segment/derive"
	"github.com/weir-cdp/weir/pipelines/segment/membership"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
	"github.com/weir-cdp/weir/pipelines/segment/score"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
)

// askRow has the task of a score run, whether there is a lesson for it or not.
type askRow struct{ Score int32 }

// fittedRow is what was learned for a score: a score.Fitted as JSON.
type fittedRow struct{ Fitted string }

// askScores has each score learned, in a task of its own.
func (s *setup) askScores(t *pipelines.Task) error {
	for i := range s.scores.Len() {
		if err := pipelines.Emit(t, "learn:asked", i, askRow{int32(i)}); err != nil {
			return err
		}
	}
	return nil
}

// studyProfile sends a profile, with the attributes that scores read, to be studied.
func (s *setup) studyProfile(t *pipelines.Task, p *weir.Profile) error {
	if !s.scores.Any() || p.Kind == weir.Anonymous {
		return nil
	}
	row := profileRow{ID: p.ID, Kind: string(p.Kind)}
	for _, name := range s.scores.Attributes() {
		if v := p.Attributes[name]; v != "" {
			row.Names, row.Values = append(row.Names, name), append(row.Values, v)
		}
	}
	return emit(t, "study:profiles", p.ID, row)
}

// studied reads the profiles that were sent to be studied.
func studied(ctx context.Context, t *pipelines.Task) (map[string]*weir.Profile, error) {
	members := map[string]*weir.Profile{}
	for row, err := range pipelines.Stream[profileRow](ctx, t, "profiles") {
		if err != nil {
			return nil, err
		}
		p := &weir.Profile{ID: row.ID, Kind: weir.Kind(row.Kind), Attributes: make(map[string]string, len(row.Names))}
		for i, name := range row.Names {
			p.Attributes[name] = row.Values[i]
		}
		members[row.ID] = p
	}
	return members, nil
}

// study makes of a partition's profiles what scores learn from and go by.
func study(ctx context.Context, t *pipelines.Task) error {
	s, err := prepared(t)
	if err != nil {
		return err
	}
	members, err := studied(ctx, t)
	if err != nil {
		return err
	}
	states := make(map[string]*score.State, len(members))
	for row, err := range pipelines.Stream[eventRow](ctx, t, "events") {
		if err != nil {
			return err
		}
		if members[row.Profile] == nil { // anonymous, or not made by unify; compute counts it
			continue
		}
		state := states[row.Profile]
		if state == nil {
			state = s.scores.NewState()
			states[row.Profile] = state
		}
		s.scores.Add(state, &timeline.Event{ID: row.ID, Name: row.Name, At: time.UnixMicro(row.At).UTC(), Properties: row.Properties})
	}
	for _, id := range slices.Sorted(maps.Keys(states)) {
		out := s.scores.Result(members[id], states[id])
		for _, row := range out.Lessons {
			if err := pipelines.Emit(t, "learn:lessons", int(row.Score), row); err != nil {
				return err
			}
		}
		for _, row := range out.Standings {
			if err := emit(t, "compute:standings", id, row); err != nil {
				return err
			}
			if s.related != nil {
				if err := emit(t, "relate:standings", id, row); err != nil {
					return err
				}
			}
		}
		if out.Skipped > 0 {
			t.Count("values_not_numbers", out.Skipped)
		}
	}
	return nil
}

// learn fits one score, writes what it learned, and tells it to all partitions.
func learn(ctx context.Context, t *pipelines.Task) error {
	s, err := prepared(t)
	if err != nil {
		return err
	}
	fitted, err := s.scores.Fit(t.Partition(), func() iter.Seq2[score.Row, error] { return pipelines.Stream[score.Row](ctx, t, "lessons") })
	if err != nil {
		return err
	}
	if fitted.Refused != "" {
		t.Count("scores_refused", 1)
		q := weir.Quarantined{Source: BrokenSource, Stream: BrokenStream, Field: "trait " + fitted.Trait, Reason: fitted.Refused, Withheld: true,
			Origin: s.scores.Definition(t.Partition()).At}
		if err := pipelines.Quarantine(t, q); err != nil {
			return err
		}
	}
	if err := writeFitted(t, fitted); err != nil {
		return err
	}
	text, err := json.Marshal(fitted)
	if err != nil {
		return weir.Errorf(weir.Internal, "score %s: %w", fitted.Trait, err)
	}
	for i := range max(1, t.Spec().Partitions) {
		if err := pipelines.Emit(t, "compute:fitted", i, fittedRow{string(text)}); err != nil {
			return err
		}
		if s.related != nil {
			if err := pipelines.Emit(t, "relate:fitted", i, fittedRow{string(text)}); err != nil {
				return err
			}
		}
	}
	return nil
}

func writeFitted(t *pipelines.Task, f *score.Fitted) error {
	w, err := pipelines.Output[weir.FittedScore](t, "segment.scores", "")
	if err != nil {
		return err
	}
	row := weir.FittedScore{Trait: f.Trait, Kind: f.Kind, Refused: f.Refused}
	for _, part := range []struct {
		into *string
		of   any
	}{{&row.Model, f.Model}, {&row.Quality, f.Quality}} {
		text, err := json.Marshal(part.of)
		if err != nil {
			return weir.Errorf(weir.Internal, "score %s: %w", f.Trait, err)
		}
		*part.into = string(text)
	}
	return w.Write(row)
}

// giveScores gives the partition's profiles the values of their scores. Segments
// that go by a score which was refused count as broken, so that they keep their
// members.
func (p *partition) giveScores(ctx context.Context) (map[string]membership.Status, error) {
	s, t := p.setup, p.t
	if !s.scores.Any() {
		return s.status, nil
	}
	scorers := map[string]*score.Scorer{} // by trait
	status := maps.Clone(s.status)
	for row, err := range pipelines.Stream[fittedRow](ctx, t, "fitted") {
		if err != nil {
			return nil, err
		}
		f := &score.Fitted{}
		if err := json.Unmarshal([]byte(row.Fitted), f); err != nil {
			return nil, weir.Errorf(weir.Internal, "a fitted score cannot be read: %w", err)
		}
		if scorers[f.Trait], err = s.scores.Scorer(f); err != nil {
			return nil, err
		}
		if f.Refused != "" {
			s.withhold(f, status)
		}
	}
	places := map[string]int{} // of traits
	for row, err := range pipelines.Stream[score.Row](ctx, t, "standings") {
		if err != nil {
			return nil, err
		}
		scorer, profile := scorers[s.scores.Definition(int(row.Score)).Trait], p.place(row.Profile)
		if scorer == nil || profile < 0 {
			continue
		}
		for _, v := range scorer.Values(&row) {
			place, known := places[v.Trait]
			if !known {
				place = s.plan.Given(v.Trait)
				places[v.Trait] = place
			}
			p.cohort.Give(profile, place, v.Value)
		}
	}
	return status, nil
}

// withhold marks the segments that go by a refused score.
func (s *setup) withhold(f *score.Fitted, status map[string]membership.Status) {
	def := weir.ScoreDef{Trait: f.Trait}
	var outputs []string
	for _, o := range weir.ScoreOutputs(f.Kind) {
		outputs = append(outputs, def.OutputTrait(o.Name))
	}
	defs := map[string]*weir.SegmentDef{}
	for i := range s.params.Segments {
		defs[s.params.Segments[i].Name] = &s.params.Segments[i]
	}
	order, _ := derive.Order(s.params.Traits) // each after those that it reads
	for _, t := range order {
		reads, _ := t.Reads()
		if slices.ContainsFunc(reads, func(name string) bool { return slices.Contains(outputs, name) }) {
			outputs = append(outputs, t.Name)
		}
	}
	for _, def := range s.params.Segments {
		_, used := rule.Reach(def.Name, defs)
		if slices.ContainsFunc(outputs, func(name string) bool { return used[name] }) {
			status[def.Name] = membership.Status{Broken: true}
		}
	}
}
