package report

import (
	"math"
	"time"

	"github.com/weir-cdp/weir/pipelines/resolve/model"
	"github.com/weir-cdp/weir/pipelines/resolve/train"
)

// Data is all that the page shows.
type Data struct {
	Kind    string
	Version string
	Run     string // the first that used the model
	At      time.Time
	Model   model.Content
	Trained *train.Report // nil: the report of its training is not there
	Blocks  []Block
	Notes   []string // what the reader should know first
}

// Block is one blocking rule: what training expected of it, and what the last run
// found.
type Block struct {
	Rule     string   `json:"rule"`
	Second   []string `json:"second,omitempty"` // what takes a big block apart
	Expected float64  `json:"expected"`         // pairs, at training
	Counted  int64    `json:"counted"`          // pairs of its blocks in the last run
	Lost     int64    `json:"lost"`             // pairs of blocks that were too big
	Matches  float64  `json:"matches"`          // share of the matches that it finds, at training
	Added    float64  `json:"added"`            // share that the rules before it did not find
}

// Weight is the match weight of a level, log2(m/u), for a value of average
// frequency (Fellegi and Sunter 1969).
func Weight(l model.Level) float64 { return math.Log2(l.M / l.U) }

// Prior is the log2 odds that two records drawn at random are the same.
func Prior(c model.Content) float64 {
	match, other := 0.0, 0.0
	for _, k := range c.Classes {
		if k.Match {
			match += k.Prior
		} else {
			other += k.Prior
		}
	}
	if match == 0 || other == 0 {
		return math.Inf(-1)
	}
	return math.Log2(match / other)
}

// Point is what a threshold would give, as the model itself expects.
type Point struct {
	Threshold   float64 `json:"threshold"`   // log2 odds
	Probability float64 `json:"probability"` // the same as a probability
	Links       float64 `json:"links"`       // pairs at least there, in the whole table
	Precision   float64 `json:"precision"`   // share of the links that are right
	Recall      float64 `json:"recall"`      // share of the expected matches that are links
	Unlinkable  float64 `json:"unlinkable"`  // share of records that no link can reach
}

// Curve gives, for each bin of the training's scores, what a threshold there would
// link: precision and recall from the model's own probabilities, not from labels.
func Curve(c model.Content, r *train.Report) []Point {
	if r == nil || len(r.Scores) == 0 || r.SamplePairs == 0 {
		return nil
	}
	n := float64(c.Trained.Total)
	scale := max(n*(n-1)/2/r.SamplePairs, 1)
	pairs, matches := 0.0, 0.0
	for _, b := range r.Scores {
		matches += b.Matches
	}
	all := max(matches, r.SampleMatches)
	out := make([]Point, len(r.Scores))
	matches = 0
	for i := len(r.Scores) - 1; i >= 0; i-- {
		b := r.Scores[i]
		pairs += b.Pairs
		matches += b.Matches
		p := Point{Threshold: b.From, Probability: 1 / (1 + math.Exp2(-b.From)), Links: pairs * scale, Unlinkable: Unlinkable(r, b.From)}
		if pairs > 0 {
			p.Precision = matches / pairs
		}
		if all > 0 {
			p.Recall = matches / all
		}
		out[i] = p
	}
	return out
}

// Unlinkable is the share of records whose own best possible score is below a
// threshold, to half a bit.
func Unlinkable(r *train.Report, threshold float64) float64 {
	below, all := 0, 0
	for _, b := range r.Unlinkable {
		all += b.Records
		if b.From < threshold {
			below += b.Records
		}
	}
	if all == 0 {
		return 0
	}
	return float64(below) / float64(all)
}

// Reached says whether any pair that training looked at reaches the threshold.
func Reached(c model.Content, r *train.Report) bool {
	for _, b := range r.Scores {
		if b.From+0.5 > c.Threshold && b.Pairs > 0 {
			return true
		}
	}
	return false
}
