package weir

import (
	"slices"
	"time"
)

// ScoreDef is `score:` of traits/<name>.yaml: a trait that is learned from all
// profiles. One definition gives several traits, its outputs.
type ScoreDef struct {
	Kind  string `json:"kind"` // clv, rfm, churn, propensity, lookalike
	Trait string `json:"trait"`
	At    string `json:"at,omitempty"` // file:line

	// What is a purchase; of churn and propensity, what is foretold.
	Event string                  `json:"event,omitempty"`
	Where map[string][]Comparison `json:"where,omitempty"`
	Value string                  `json:"value,omitempty"` // properties.<name>: its worth
	Order string                  `json:"order,omitempty"` // properties.<name>: events of one value are one order; "": each is one

	Within    time.Duration `json:"within,omitempty"`    // of rfm: only purchases since; 0: ever
	Horizon   time.Duration `json:"horizon,omitempty"`   // how far is looked ahead
	Discount  float64       `json:"discount,omitempty"`  // of clv: by the month, 0.01 is 1 %
	Quantiles int           `json:"quantiles,omitempty"` // of rfm
	Cells     []ScoreCell   `json:"cells,omitempty"`     // of rfm, the first that fits; none: the usual ones of 5 quantiles
	Features  []string      `json:"features,omitempty"`  // names of traits; of lookalike also attributes; none: chosen
	Method    string        `json:"method,omitempty"`    // of churn and propensity: auto, logistic, trees
	Seed      uint64        `json:"seed,omitempty"`
	Segment   string        `json:"segment,omitempty"` // of lookalike: whom others are like
}

// ScoreCell names combinations of RFM scores: from and to, both included; 0, 0 is any.
type ScoreCell struct {
	Name string `json:"name"`
	R    [2]int `json:"r"`
	F    [2]int `json:"f"`
	M    [2]int `json:"m"`
}

// ScoreOutput is one trait that a score gives. The trait's name is the score's
// for an output without a name, else that, an underscore and the output's.
type ScoreOutput struct {
	Name string
	Type AttributeType
}

// Score is the aggregate of a trait that a score gives; its Field is the output.
const Score = "score"

var scoreOutputs = map[string][]ScoreOutput{
	"clv":        {{"", Number}, {"probability_alive", Number}, {"expected_orders", Number}, {"expected_value", Number}},
	"rfm":        {{"", Text}, {"cell", Text}, {"recency_days", Number}, {"frequency", Number}, {"monetary", Number}, {"r", Number}, {"f", Number}, {"m", Number}},
	"churn":      {{"", Number}, {"percentile", Number}},
	"propensity": {{"", Number}, {"percentile", Number}},
	"lookalike":  {{"", Number}, {"percentile", Number}},
}

// ScoreKinds lists what a score may be.
func ScoreKinds() []string { return []string{"clv", "rfm", "churn", "propensity", "lookalike"} }

// ScoreOutputs returns what a kind of score gives.
func ScoreOutputs(kind string) []ScoreOutput { return slices.Clone(scoreOutputs[kind]) }

// OutputTrait is the name of the trait of an output.
func (d *ScoreDef) OutputTrait(output string) string {
	if output == "" {
		return d.Trait
	}
	return d.Trait + "_" + output
}

// Traits returns the traits that the score gives.
func (d *ScoreDef) Traits(of Kind, categories []string) []TraitDef {
	var out []TraitDef
	for _, o := range scoreOutputs[d.Kind] {
		out = append(out, TraitDef{Name: d.OutputTrait(o.Name), Of: of, Aggregate: Score, Field: o.Name, Categories: categories, Score: d, At: d.At})
	}
	return out
}

// OutputType is the type of an output, "" where the score has none of the name.
func (d *ScoreDef) OutputType(output string) AttributeType {
	for _, o := range scoreOutputs[d.Kind] {
		if o.Name == output {
			return o.Type
		}
	}
	return ""
}

// FittedScore is a row of segment.scores: what a run learned for a score.
type FittedScore struct {
	Trait   string `parquet:"trait" json:"trait"`
	Kind    string `parquet:"kind" json:"kind"`
	Refused string `parquet:"refused" json:"refused"` // why there is no score; "": there is one
	Model   string `parquet:"model" json:"model"`     // JSON
	Quality string `parquet:"quality" json:"quality"` // JSON
}
