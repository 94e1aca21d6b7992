package drift

import (
	"fmt"
	"math"

	"github.com/weir-cdp/weir/pipelines/resolve/compare"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// Sample is how many records a run draws, Pairs how many pairs of them are
// compared: enough to see a level twice as often that 1 pair in 1,000 shows.
const (
	Sample = 3000
	Pairs  = 60_000
)

// Seen is what a run found of the records of one kind.
type Seen struct {
	Records int64
	Filled  []int64          // records that hold a value, by column of the model
	Drawn   []model.Features // a random sample, in an order that depends on it alone
}

// Figure is one thing then, at training, and now, as shares.
type Figure struct {
	Column string  `json:"column"`
	Level  string  `json:"level,omitempty"` // "": how many records hold a value
	Then   float64 `json:"then"`
	Now    float64 `json:"now"`
}

// Measure gives how full each column is, and the levels whose frequency among
// random pairs is half or twice what it was.
func Measure(m *model.Model, s Seen) []Figure {
	if s.Records == 0 {
		return nil
	}
	n := levels(m, s.Drawn)
	var out []Figure
	for c := range m.Columns {
		col := &m.Columns[c]
		out = append(out, Figure{Column: col.Name, Then: col.Complete, Now: float64(s.Filled[c]) / float64(s.Records)})
		sum := 0.0
		for l := range col.Levels {
			sum += n[c][l]
		}
		for l, x := range col.Levels {
			// Fewer than 30 pairs tell nothing.
			if expected := x.Seen * sum; max(n[c][l], expected) < 30 || math.Abs(math.Log2((n[c][l]+0.5)/(expected+0.5))) < 1 {
				continue
			}
			out = append(out, Figure{Column: col.Name, Level: x.Name, Then: x.Seen, Now: n[c][l] / sum})
		}
	}
	return out
}

// levels counts the levels of random pairs, each by the chance that it is no
// match: as training counted u.
func levels(m *model.Model, fs []model.Features) [][16]float64 {
	out := make([][16]float64, len(m.Columns))
	add := func(i, j int) {
		var l model.Levels
		m.Compare(&fs[i], &fs[j], &l)
		w := 1 / (1 + math.Exp2(m.Odds(&l)))
		for c := range out {
			if l.Of[c] != compare.Missing {
				out[c][l.Of[c]] += w
			}
		}
	}
	n := len(fs)
	if n*(n-1)/2 <= Pairs {
		for i := range n {
			for j := range i {
				add(i, j)
			}
		}
		return out
	}
	for k := range Pairs {
		h := model.Mix(0xd81f7, uint64(k))
		i, j := int(h%uint64(n)), int(model.Mix(h, 1)%uint64(n-1))
		if j >= i {
			j++
		}
		add(i, j)
	}
	return out
}

// Large says whether a person should be told. A column's share has to change by a
// tenth of all records, or by half of itself where a record in twenty held it.
func (f Figure) Large() bool {
	if f.Level != "" {
		return true // only those are measured
	}
	return math.Abs(f.Now-f.Then) >= 0.1 || f.Then >= 0.05 && f.Now <= f.Then/2
}

// String says it in words.
func (f Figure) String() string {
	if f.Level != "" {
		return fmt.Sprintf("%s: %s of random pairs showed %q at training, now %s", f.Column, share(f.Then), f.Level, share(f.Now))
	}
	return fmt.Sprintf("%s was filled in %s of records at training, now in %s", f.Column, share(f.Then), share(f.Now))
}

func share(x float64) string {
	if x > 0 && x < 0.01 {
		return fmt.Sprintf("%.2g %%", 100*x)
	}
	return fmt.Sprintf("%.0f %%", 100*x)
}
