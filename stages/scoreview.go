package stages

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/score"
	"github.com/weir-cdp/weir/pipelines/segment/score/report"
	"github.com/weir-cdp/weir/project"
)

// ScoreView is what a person sees of a score: what the last run that computed
// segments learned, and how good it is.
type ScoreView struct {
	score.Fitted
	Run weir.RunID `json:"run_id"`
	At  time.Time  `json:"at"` // that run's now
}

// HTML writes the score as a page.
func (v *ScoreView) HTML(w io.Writer) error { return report.Write(w, v.data()) }

// Chart writes one chart of the page as an SVG file.
func (v *ScoreView) Chart(w io.Writer, name string) error { return report.Chart(w, v.data(), name) }

func (v *ScoreView) data() report.Data {
	return report.Data{Score: &v.Fitted, Run: v.Run, At: v.At}
}

// Scores shows the named scores, all if none is named. NotFound: the project has
// no such score, or no run has learned it.
func (h *House) Scores(ctx context.Context, p *project.Project, names ...string) ([]ScoreView, error) {
	var have []string
	for _, t := range p.Traits {
		if t.Score != nil && t.Name == t.Score.Trait {
			have = append(have, t.Name)
		}
	}
	slices.Sort(have)
	for _, name := range names {
		if !slices.Contains(have, name) {
			return nil, weir.Errorf(weir.NotFound, "there is no score %q", name).Then(otherwise(have))
		}
	}
	if len(names) == 0 {
		names = have
	}
	q, err := h.ask(ctx, "segment.scores")
	if err != nil {
		return nil, err
	}
	defer q.close()
	rows, err := list[weir.FittedScore](ctx, q, "segment.scores", "order by trait")
	if err != nil {
		return nil, err
	}
	last, _, err := h.last(ctx, weir.Segment, "")
	if err != nil {
		return nil, err
	}
	out := []ScoreView{}
	for _, name := range names {
		i := slices.IndexFunc(rows, func(r weir.FittedScore) bool { return r.Trait == name })
		if i < 0 {
			return nil, weir.Errorf(weir.NotFound, "score %s is not learned yet", name).Then("weir run; weir doctor tells if its definition is wrong")
		}
		v := ScoreView{Fitted: score.Fitted{Trait: name, Kind: rows[i].Kind, Refused: rows[i].Refused}, Run: last.RunID, At: last.Now}
		for _, part := range []struct {
			text string
			into any
		}{{rows[i].Model, &v.Model}, {rows[i].Quality, &v.Quality}} {
			if err := json.Unmarshal([]byte(part.text), part.into); err != nil {
				return nil, weir.Errorf(weir.Internal, "score %s cannot be read: %w", name, err)
			}
		}
		out = append(out, v)
	}
	return out, nil
}

func otherwise(have []string) string {
	if len(have) == 0 {
		return "the project has none: write traits/NAME.yaml with score: {clv: {…}}"
	}
	return "the project has: " + strings.Join(have, ", ")
}

// scoresOf reads a profile's scores, and what queries gave, as texts by trait.
func (q *asking) scoresOf(ctx context.Context, p *project.Project, profile string) (map[string]string, error) {
	held := map[string]bool{}
	for _, t := range p.Traits {
		if t.Score != nil || t.Query != nil {
			held[t.Name] = true
		}
	}
	if len(held) == 0 {
		return nil, nil
	}
	have, err := q.traits(ctx, profile)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, t := range have {
		if held[t.Name] {
			out[t.Name] = t.Value
		}
	}
	return out, nil
}
