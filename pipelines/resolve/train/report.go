package train

import (
	"fmt"
	"math"

	"github.com/weir-cdp/weir/pipelines/resolve/compare"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// Report says what training saw and chose. Levels, weights and classes are in
// the model itself.
type Report struct {
	Columns       []*Profile   `json:"columns"`
	Rules         []RuleReport `json:"rules"`
	Iterations    int          `json:"iterations"` // of expectation maximisation
	Pairs         int          `json:"pairs"`      // that training looked at
	Matches       float64      `json:"matches"`    // expected in the table
	Prior         string       `json:"prior"`      // how it was found
	Notes         []string     `json:"notes"`
	Scores        []ScoreBin   `json:"scores"`         // of the pairs that training looked at
	SamplePairs   float64      `json:"sample_pairs"`   // all pairs of the sample: what Matches of the bins is a part of
	SampleMatches float64      `json:"sample_matches"` // expected among them
	Unlinkable    []RecordBin  `json:"unlinkable"`     // of the sample's records
	Labels        *LabelCheck  `json:"labels,omitempty"`
}

// few keeps the columns that tell most, where there are too many.
func few(cols []model.Column, report *Report) []model.Column {
	for len(cols) > model.MaxColumns {
		worst, least := 0, math.Inf(1)
		for i := range cols {
			for _, p := range report.Columns {
				if p.Name == cols[i].Name && p.IsIdentifier == cols[i].IsIdentifier {
					if told := cols[i].Complete * -math.Log2(p.Repeat+1e-9); told < least {
						worst, least = i, told
					}
				}
			}
		}
		for _, p := range report.Columns {
			if p.Name == cols[worst].Name && p.IsIdentifier == cols[worst].IsIdentifier {
				p.Chosen, p.Why = "", fmt.Sprintf("tells less than %d others", model.MaxColumns)
			}
		}
		report.Notes = append(report.Notes, "left out "+cols[worst].Name+": too many columns")
		cols = append(cols[:worst:worst], cols[worst+1:]...)
	}
	return cols
}

// missing is the level of a value that is not there.
const missing = uint8(compare.Missing)
