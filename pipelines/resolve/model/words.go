package model

import (
	"math"

	"github.com/weir-cdp/weir/pipelines/resolve/compare"
)

// Words says how frequent the words of a column of company names are among
// companies: that two names share "transport" says less than that they share
// "zwingmann".
type Words struct {
	Table Table   `json:"table"` // share of the names that hold a word, by its hash
	Mean  float64 `json:"mean"`  // of the rarest words of all names
}

// NewWords measures the mean over names, as they are prepared.
func NewWords(t Table, names []string) (*Words, error) {
	l, err := (&Words{Table: t, Mean: 1}).lookup()
	if err != nil {
		return nil, err
	}
	sum := 0.0
	for _, n := range names {
		sum += Frequency(uint8(l.rarity(n)))
	}
	return &Words{Table: t, Mean: max(sum/float64(max(len(names), 1)), 1e-9)}, nil
}

// words is Words for speed. The zero value knows no word: all are as rare.
type words struct {
	lookup
	mean float64
}

func (w *Words) lookup() (words, error) {
	if w == nil {
		return words{mean: 1}, nil
	}
	if !share(w.Mean) || w.Mean == 0 || math.IsNaN(w.Mean) {
		return words{}, invalid("the mean frequency of words is %v", w.Mean)
	}
	l, err := w.Table.lookup()
	return words{l, w.Mean}, err
}

// rarest finds the word of a name that the fewest names hold.
func (w *words) rarest(name string) (word string, frequency float64) {
	return compare.Rarest(name, func(word string) float64 { return -float64(w.get(ValueHash(word))) })
}

// rarity is the frequency of the rarest word, as Quantise gives it.
func (w *words) rarity(name string) uint16 {
	_, f := w.rarest(name)
	return uint16(-f)
}

func (w *words) cut(_ *Model, _ *Features, v *compare.Value) string {
	word, _ := w.rarest(v.Text)
	return word
}
