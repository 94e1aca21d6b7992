package lookalike

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/score/feature"
	"github.com/weir-cdp/weir/pipelines/segment/score/propensity"
)

// Profile is one to learn from.
type Profile struct {
	ID     string
	Raw    feature.Raw
	Member bool
}

// Model knows what members are like.
type Model struct {
	Encoder *feature.Encoder `json:"encoder"`
	Weights []float64        `json:"weights"` // by column
	Centres [][]float64      `json:"centres"` // weighted
	Spread  float64          `json:"spread"`  // s²
}

// Quality is how the held-out members did.
type Quality struct {
	Members  int               `json:"members"`
	Others   int               `json:"others"`
	HeldOut  int               `json:"held_out"`
	AUC      float64           `json:"auc"`
	Lift     []propensity.Lift `json:"lift"`
	Features []Feature         `json:"features"`
}

// Feature says how members differ in a column.
type Feature struct {
	Name       string  `json:"name"`
	Difference float64 `json:"difference"` // of means, in deviations; more than 0: members have more
}

const (
	fewest     = 25 // members to learn from
	maxCentres = 8
	maxRounds  = 50
	heldOut    = 0.2
	mostWeight = 2.0
	least      = 0.05   // a difference below tells nothing
	sampled    = 200000 // profiles learned from, by lot
)

// Similarity of a profile to the members, from 0 to 1.
func (m *Model) Similarity(r feature.Raw) float64 {
	row := make([]float64, len(m.Encoder.Columns))
	m.Encoder.Row(r, row)
	m.weigh(row)
	_, d := nearest(m.Centres, row)
	return math.Exp(-d / (2 * m.Spread))
}

func (m *Model) weigh(row []float64) {
	for i, w := range m.Weights {
		row[i] *= w
	}
}

// Learn makes a model of the members among profiles, whose ids must differ.
func Learn(s feature.Schema, profiles []Profile, seed uint64) (*Model, *Quality, error) {
	ps := drawn(profiles, seed)
	var known []feature.Raw
	var members, testing []int // places in ps
	q := &Quality{}
	for i, p := range ps {
		switch {
		case !p.Member:
			q.Others++
			known = append(known, p.Raw)
		case feature.Lot(seed, p.ID) < heldOut:
			testing = append(testing, i)
		default:
			members = append(members, i)
			known = append(known, p.Raw)
		}
	}
	q.Members, q.HeldOut = len(members)+len(testing), len(testing)
	if len(members) < fewest || len(testing) == 0 || q.Others < fewest {
		return nil, nil, weir.Errorf(weir.Invalid, "%d members and %d others are too few to say what members are like", q.Members, q.Others).
			Then("each needs about 40")
	}
	m := &Model{Encoder: feature.Fit(s, known)}
	rows := make([][]float64, len(ps))
	for i, p := range ps {
		rows[i] = make([]float64, len(m.Encoder.Columns))
		m.Encoder.Row(p.Raw, rows[i])
	}
	if err := m.compare(ps, rows, members, q); err != nil {
		return nil, nil, err
	}
	own := make([][]float64, 0, len(members))
	for i := range rows {
		m.weigh(rows[i])
	}
	for _, i := range members {
		own = append(own, rows[i])
	}
	m.gather(own)
	m.test(ps, rows, testing, q)
	return m, q, nil
}

// drawn sorts profiles by id, and bounds them by lot; members go first.
func drawn(profiles []Profile, seed uint64) []Profile {
	ps := slices.Clone(profiles)
	if len(ps) > sampled {
		place := func(p Profile) float64 {
			lot := feature.Lot(seed+1, p.ID)
			if !p.Member {
				lot++
			}
			return lot
		}
		slices.SortFunc(ps, func(a, b Profile) int {
			return cmp.Or(cmp.Compare(place(a), place(b)), strings.Compare(a.ID, b.ID))
		})
		members := 0
		for members < len(ps) && ps[members].Member {
			members++
		}
		half := min(members, sampled/2)
		ps = append(ps[:half:half], ps[members:min(members+sampled-half, len(ps))]...)
	}
	slices.SortFunc(ps, func(a, b Profile) int { return strings.Compare(a.ID, b.ID) })
	return ps
}

// compare weighs the columns by how members differ from the others.
func (m *Model) compare(ps []Profile, rows [][]float64, members []int, q *Quality) error {
	k := len(m.Encoder.Columns)
	mean, others := make([]float64, k), make([]float64, k)
	for _, i := range members {
		for j, v := range rows[i] {
			mean[j] += v / float64(len(members))
		}
	}
	for i := range ps {
		if !ps[i].Member {
			for j, v := range rows[i] {
				others[j] += v / float64(q.Others)
			}
		}
	}
	m.Weights = make([]float64, k)
	any := false
	for j, c := range m.Encoder.Columns {
		d := mean[j] - others[j]
		q.Features = append(q.Features, Feature{c.Name, d})
		if math.Abs(d) >= least {
			m.Weights[j], any = math.Min(math.Abs(d), mostWeight), true
		}
	}
	slices.SortStableFunc(q.Features, func(a, b Feature) int {
		return cmp.Or(cmp.Compare(math.Abs(b.Difference), math.Abs(a.Difference)), strings.Compare(a.Name, b.Name))
	})
	if !any {
		return weir.Errorf(weir.Invalid, "members differ from the others in no feature").Then("name features in which they might")
	}
	return nil
}

// gather finds the centres and the spread.
func (m *Model) gather(rows [][]float64) {
	most := min(maxCentres, max(1, len(rows)/fewest))
	centres := [][]float64{centre(rows, nil, 0)}
	spread := settle(rows, centres)
	for len(centres) < most {
		far, at := -1.0, 0
		for i, row := range rows {
			if _, d := nearest(centres, row); d > far {
				far, at = d, i
			}
		}
		more := append(cloned(centres), slices.Clone(rows[at]))
		closer := settle(rows, more)
		if closer > 0.8*spread { // one more kind of member must be worth it
			break
		}
		centres, spread = more, closer
	}
	m.Centres, m.Spread = centres, math.Max(spread, 1e-6)
}

// settle moves centres to the middle of the rows nearest to them until none
// changes its centre, and returns the mean square distance.
func settle(rows [][]float64, centres [][]float64) float64 {
	of := make([]int, len(rows))
	var sum float64
	for round := range maxRounds {
		moved := false
		sum = 0
		for i, row := range rows {
			k, d := nearest(centres, row)
			moved = moved || k != of[i]
			of[i], sum = k, sum+d
		}
		if round > 0 && !moved {
			break
		}
		for k := range centres {
			if c := centre(rows, of, k); c != nil {
				centres[k] = c
			}
		}
	}
	return sum / float64(len(rows))
}

// centre is the mean of the rows of centre k, of all if of is nil; nil of none.
func centre(rows [][]float64, of []int, k int) []float64 {
	out := make([]float64, len(rows[0]))
	n := 0.0
	for i, row := range rows {
		if of == nil || of[i] == k {
			n++
			for j, v := range row {
				out[j] += v
			}
		}
	}
	if n == 0 {
		return nil
	}
	for j := range out {
		out[j] /= n
	}
	return out
}

func nearest(centres [][]float64, row []float64) (at int, square float64) {
	square = math.Inf(1)
	for k, c := range centres {
		var d float64
		for j, v := range row {
			d += (v - c[j]) * (v - c[j])
		}
		if d < square {
			at, square = k, d
		}
	}
	return at, square
}

func cloned(rows [][]float64) [][]float64 {
	out := make([][]float64, len(rows))
	for i, r := range rows {
		out[i] = slices.Clone(r)
	}
	return out
}

// test ranks the held-out members among the others.
func (m *Model) test(ps []Profile, rows [][]float64, testing []int, q *Quality) {
	var near []float64
	var labels []bool
	add := func(i int, member bool) {
		_, d := nearest(m.Centres, rows[i])
		near, labels = append(near, -d), append(labels, member)
	}
	for _, i := range testing {
		add(i, true)
	}
	for i := range ps {
		if !ps[i].Member {
			add(i, false)
		}
	}
	q.AUC = propensity.AUC(near, labels)
	q.Lift = propensity.Lifts(near, labels)
}
