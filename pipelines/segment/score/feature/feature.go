// Package feature turns what is known of a profile into numbers that models
// take.
//
// A profile has Raw: numbers (NaN: unknown) and texts ("": unknown). An Encoder,
// fitted to the profiles that a model learns from, makes of them a row of columns
// of mean 0 and deviation 1:
//
//   - a number x becomes asinh(x), which is x near 0 and its logarithm far from
//     it, on both sides: counts and money have long tails. What is unknown takes
//     the mean, and a column of its own says so where that happens.
//   - a text becomes one column for each of its most frequent values, those
//     of equal frequency by their order; other values, and what fewer than ten
//     profiles hold, are in none.
//
// Columns that are the same for everybody are left out.
//
// Invariants: no clock, no random source; the same profiles in any order give
// the same columns up to the rounding of sums, and the caller sorts for more.
package feature

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// Raw is what is known of a profile, by the places of a Schema.
type Raw struct {
	Numbers []float64
	Texts   []string
}

// Schema names the places of a Raw.
type Schema struct {
	Numbers []string `json:"numbers"`
	Texts   []string `json:"texts,omitempty"`
}

// maxValues is how many values of a text have a column; fewest how many profiles
// have to hold one, so that a model names nothing that only few people have.
const (
	maxValues = 12
	fewest    = 10
)

// Column is one input of a model.
type Column struct {
	Name    string  `json:"name"`
	Source  int     `json:"source"` // place in Raw's numbers or texts
	Text    bool    `json:"text,omitempty"`
	Equals  string  `json:"equals,omitempty"`  // of a text
	Unknown bool    `json:"unknown,omitempty"` // 1 where the number is not known
	Mean    float64 `json:"mean"`
	Scale   float64 `json:"scale"` // standard deviation
}

// Encoder makes rows of columns.
type Encoder struct {
	Schema  Schema   `json:"schema"`
	Columns []Column `json:"columns"`
}

// Fit chooses and scales the columns.
func Fit(s Schema, rows []Raw) *Encoder {
	e := &Encoder{Schema: s}
	for i, name := range s.Numbers {
		unknown := false
		for _, r := range rows {
			unknown = unknown || math.IsNaN(r.Numbers[i])
		}
		e.keep(Column{Name: name, Source: i}, rows)
		if unknown {
			e.keep(Column{Name: name + " is unknown", Source: i, Unknown: true}, rows)
		}
	}
	for i, name := range s.Texts {
		for _, v := range frequent(i, rows) {
			e.keep(Column{Name: name + " is " + v, Source: i, Text: true, Equals: v}, rows)
		}
	}
	return e
}

// keep scales a column and takes it, unless it is the same for everybody.
func (e *Encoder) keep(c Column, rows []Raw) {
	var n, sum, squares float64
	for _, r := range rows {
		if v := c.value(r); !math.IsNaN(v) {
			n, sum = n+1, sum+v
		}
	}
	if n == 0 {
		return
	}
	c.Mean = sum / n
	for _, r := range rows {
		if v := c.value(r); !math.IsNaN(v) {
			squares += (v - c.Mean) * (v - c.Mean)
		}
	}
	c.Scale = math.Sqrt(squares / n)
	if c.Scale <= 1e-9*math.Max(1, math.Abs(c.Mean)) {
		return
	}
	e.Columns = append(e.Columns, c)
}

// value is the column's before scaling; NaN: unknown.
func (c *Column) value(r Raw) float64 {
	is := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	switch {
	case c.Text:
		return is(r.Texts[c.Source] == c.Equals)
	case c.Unknown:
		return is(math.IsNaN(r.Numbers[c.Source]))
	}
	v := r.Numbers[c.Source]
	if math.IsInf(v, 0) {
		return math.NaN()
	}
	return math.Asinh(v)
}

func frequent(i int, rows []Raw) []string {
	counts := map[string]int{}
	for _, r := range rows {
		if r.Texts[i] != "" {
			counts[r.Texts[i]]++
		}
	}
	maps.DeleteFunc(counts, func(_ string, n int) bool { return n < fewest })
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	return names[:min(len(names), maxValues)]
}

// Row encodes a profile into row, which has a place for each column.
func (e *Encoder) Row(r Raw, row []float64) {
	for i := range e.Columns {
		c := &e.Columns[i]
		v := c.value(r)
		if math.IsNaN(v) {
			row[i] = 0 // the mean
			continue
		}
		// Far outside of what was learned from, models only guess: hold it at 10.
		row[i] = math.Max(-10, math.Min(10, (v-c.Mean)/c.Scale))
	}
}

// Matrix encodes profiles, row by row.
func (e *Encoder) Matrix(rows []Raw) [][]float64 {
	out := make([][]float64, len(rows))
	all := make([]float64, len(rows)*len(e.Columns))
	for i, r := range rows {
		out[i], all = all[:len(e.Columns):len(e.Columns)], all[len(e.Columns):]
		e.Row(r, out[i])
	}
	return out
}

// Names returns the columns' names.
func (e *Encoder) Names() []string {
	out := make([]string, 0, len(e.Columns))
	for _, c := range e.Columns {
		out = append(out, c.Name)
	}
	return out
}

// Lot draws a number in [0, 1) for a profile: the same on any machine for the
// same seed, and unlike for another seed. Models are tested on those of a low lot.
func Lot(seed uint64, profile string) float64 {
	h := uint64(14695981039346656037) ^ seed*0x9e3779b97f4a7c15 // FNV-1a, mixed as murmur3 ends
	for i := 0; i < len(profile); i++ {
		h = (h ^ uint64(profile[i])) * 1099511628211
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return float64((h^h>>33)>>11) / (1 << 53)
}
