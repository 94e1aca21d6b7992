package segment

import (
	"context"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// scatterAnswers sends what queries gave to the profiles.
func scatterAnswers(ctx context.Context, t *pipelines.Task) error {
	for row, err := range pipelines.Rows[weir.TraitValue](ctx, t) {
		if err != nil {
			return err
		}
		if err := emit(t, "compute:answers", row.ProfileID, row); err != nil {
			return err
		}
	}
	return nil
}

// giveAnswers gives the partition's members what queries found about them. Rows
// of profiles that are none any more count for nobody.
func (s *setup) giveAnswers(ctx context.Context, t *pipelines.Task, members map[string]*member) error {
	places := map[string]int{} // of traits
	for row, err := range pipelines.Stream[weir.TraitValue](ctx, t, "answers") {
		if err != nil {
			return err
		}
		m := members[row.ProfileID]
		if m == nil {
			t.Count("answers_unowned", 1)
			continue
		}
		if m.state == nil {
			m.state = s.plan.NewState()
		}
		place, known := places[row.Trait]
		if !known {
			place = s.plan.Given(row.Trait)
			places[row.Trait] = place
		}
		v := value.OfText(row.Text)
		if n, ok := value.ParseNumber(row.Number); ok && row.Number != "" {
			v = value.OfNumber(n)
		} else if !row.Time.IsZero() {
			v = value.OfTime(row.Time)
		}
		s.plan.Give(m.state, place, v)
	}
	return nil
}
