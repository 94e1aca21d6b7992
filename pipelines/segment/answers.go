package segment

import (
	"context"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// scatterAnswers sends what queries gave to the profiles.
func (s *setup) scatterAnswers(ctx context.Context, t *pipelines.Task) error {
	for row, err := range pipelines.Rows[weir.TraitValue](ctx, t) {
		if err != nil {
			return err
		}
		if err := emit(t, "compute:answers", row.ProfileID, row); err != nil {
			return err
		}
		if s.related != nil {
			if err := emit(t, "relate:answers", row.ProfileID, row); err != nil {
				return err
			}
		}
	}
	return nil
}

// giveAnswers gives the partition's profiles what queries found about them. Rows
// of profiles that are none any more count for nobody.
func (p *partition) giveAnswers(ctx context.Context) error {
	places := map[string]int{} // of traits
	for row, err := range pipelines.Stream[weir.TraitValue](ctx, p.t, "answers") {
		if err != nil {
			return err
		}
		profile := p.place(row.ProfileID)
		if profile < 0 {
			p.count("answers_unowned", 1)
			continue
		}
		place, known := places[row.Trait]
		if !known {
			place = p.plan.Given(row.Trait)
			places[row.Trait] = place
		}
		v := value.OfText(strings.Clone(row.Text))
		if n, ok := value.ParseNumber(row.Number); ok && row.Number != "" {
			v = value.OfNumber(n)
		} else if !row.Time.IsZero() {
			v = value.OfTime(row.Time)
		}
		p.cohort.Give(profile, place, v)
	}
	return nil
}
