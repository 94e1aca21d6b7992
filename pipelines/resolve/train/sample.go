package train

import (
	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// Budget is how many records a sample holds by default: enough for a few
// thousand matches where one record in ten has a duplicate.
const Budget = 100_000

// Sample is what a model is trained on: records drawn at random from a table of
// Total records of one kind.
type Sample struct {
	Records []weir.Record
	Total   int           // records of the table; 0: those of the sample
	Labels  []Label       // what people said of pairs
	Plan    *Plan         // of a table that is larger than Records; nil: there is none
	Blocks  []weir.Record // all that the plan keeps; they may be among Records too
}

// Label is a reviewer's answer about two records of the sample.
type Label struct {
	A, B string // record ids
	Same bool
}

// Sampler decides record by record what is in the sample of a table: by the hash
// of the record's id, so that order and cut do not matter.
type Sampler struct {
	seed  uint64
	below uint64
}

// NewSampler draws about budget of total records (0: Budget).
func NewSampler(total, budget int, seed uint64) Sampler {
	if budget <= 0 {
		budget = Budget
	}
	s := Sampler{seed: seed, below: ^uint64(0)}
	if total > budget {
		s.below = uint64(float64(1<<63) / float64(total) * float64(budget) * 2)
	}
	return s
}

// Keep says whether a record is in the sample.
func (s Sampler) Keep(recordID string) bool { return model.Hash(s.seed, recordID) <= s.below }
