package propensity

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/weir-cdp/weir/pipelines/segment/score/feature"
)

// Quality is how a model does on the held-out part.
type Quality struct {
	Learned     int     `json:"learned"` // examples
	Checked     int     `json:"checked"`
	Tested      int     `json:"tested"`
	Rate        float64 `json:"rate"` // share of those tested who did it
	AUC         float64 `json:"auc"`  // chance that one who did it is ahead of one who didn't
	LogLoss     float64 `json:"log_loss"`
	BaseLogLoss float64 `json:"base_log_loss"` // of who gives everybody the rate
	Brier       float64 `json:"brier"`
	// CalibrationError is the mean distance of said and seen over the bins, by size.
	CalibrationError float64   `json:"calibration_error"`
	Lift             []Lift    `json:"lift"`
	Calibration      []Bin     `json:"calibration"`
	ROC              []Point   `json:"roc"`
	Top              []Feature `json:"top_features"`
}

// Lift is how many of those who did it are among the first.
type Lift struct {
	Share    float64 `json:"share"`    // of all profiles, those of the highest probability
	Captured float64 `json:"captured"` // of those who did it
	Lift     float64 `json:"lift"`     // how many times as many as by chance
}

// Bin is the profiles of similar probability.
type Bin struct {
	Profiles int     `json:"profiles"`
	Said     float64 `json:"said"` // mean probability
	Seen     float64 `json:"seen"` // share that did it
}

// Point is one of the ROC curve.
type Point struct {
	FalseAlarms float64 `json:"false_alarms"`
	Hits        float64 `json:"hits"`
}

// Feature says what a feature is worth: by how much the log-loss rises when it is
// shuffled among the profiles. Direction is the sign of the correlation with the
// probability.
type Feature struct {
	Name      string  `json:"name"`
	Worth     float64 `json:"worth"`
	Direction int     `json:"direction"`
}

func (m *Model) quality(p part, seed uint64) *Quality {
	odds := make([]float64, len(p.rows))
	for i, row := range p.rows {
		odds[i] = m.logOdds(row)
	}
	q := &Quality{Tested: len(p.rows), LogLoss: logLoss(odds, p.labels)}
	yes := 0
	for i, y := range p.labels {
		d := logistic(odds[i])
		if y {
			yes++
			d--
		}
		q.Brier += d * d / float64(len(odds))
	}
	q.Rate = float64(yes) / float64(len(odds))
	q.BaseLogLoss = entropy(q.Rate)
	q.AUC = AUC(odds, p.labels)
	q.Lift, q.ROC = ranked(odds, p.labels)
	q.calibrate(byOdds(odds), odds, p.labels)
	q.Top = m.worth(p, odds, q.LogLoss, seed)
	return q
}

// byOdds orders the places of odds, the highest first.
func byOdds(odds []float64) []int {
	order := make([]int, len(odds))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(odds[b], odds[a]) })
	return order
}

// AUC is the chance that one of those labelled has higher odds than one of the
// others, ties counting half (Mann and Whitney); 0.5 where either is missing.
func AUC(odds []float64, labels []bool) float64 {
	order := byOdds(odds)
	var yes, no, wins float64
	for i := 0; i < len(order); {
		var y, n float64
		j := i
		for ; j < len(order) && odds[order[j]] == odds[order[i]]; j++ {
			if labels[order[j]] {
				y++
			} else {
				n++
			}
		}
		wins += n * (yes + y/2)
		yes, no, i = yes+y, no+n, j
	}
	if yes == 0 || no == 0 {
		return 0.5
	}
	return wins / yes / no
}

// Lifts at a few shares: of the places of highest odds, how many are labelled.
func Lifts(odds []float64, labels []bool) []Lift {
	lifts, _ := ranked(odds, labels)
	return lifts
}

// ranked walks down from the highest odds. Equal odds are taken together: a lift
// at a share in the midst of equals counts them in proportion.
func ranked(odds []float64, labels []bool) (lifts []Lift, roc []Point) {
	order := byOdds(odds)
	shares := []float64{0.01, 0.05, 0.1, 0.2, 0.3, 0.5}
	n, yes := float64(len(order)), 0.0
	for _, y := range labels {
		if y {
			yes++
		}
	}
	roc = []Point{{}}
	var seen, hits float64
	for i := 0; i < len(order); {
		var size, hit float64
		j := i
		for ; j < len(order) && odds[order[j]] == odds[order[i]]; j++ {
			size++
			if labels[order[j]] {
				hit++
			}
		}
		for len(shares) > 0 && shares[0]*n <= seen+size {
			captured := (hits + hit*(shares[0]*n-seen)/size) / yes
			lifts = append(lifts, Lift{shares[0], captured, captured / shares[0]})
			shares = shares[1:]
		}
		seen, hits, i = seen+size, hits+hit, j
		roc = append(roc, Point{(seen - hits) / (n - yes), hits / yes})
	}
	return lifts, thin(roc)
}

// thin leaves as many points as a picture needs.
func thin(points []Point) []Point {
	step := len(points)/200 + 1
	var out []Point
	for i, p := range points {
		if i%step == 0 || i == len(points)-1 {
			out = append(out, p)
		}
	}
	return out
}

// calibrate fills ten bins of as many profiles each.
func (q *Quality) calibrate(order []int, odds []float64, labels []bool) {
	const bins = 10
	for k := range bins {
		var b Bin
		for _, i := range order[(bins-1-k)*len(order)/bins : (bins-k)*len(order)/bins] {
			b.Profiles++
			b.Said += logistic(odds[i])
			if labels[i] {
				b.Seen++
			}
		}
		if b.Profiles > 0 {
			b.Said, b.Seen = b.Said/float64(b.Profiles), b.Seen/float64(b.Profiles)
			q.CalibrationError += math.Abs(b.Said-b.Seen) * float64(b.Profiles) / float64(len(order))
			q.Calibration = append(q.Calibration, b)
		}
	}
}

// worth shuffles the columns of one feature after the other (Breiman, Random
// Forests, 2001): all columns that come of one feature together.
func (m *Model) worth(p part, odds []float64, loss float64, seed uint64) []Feature {
	s := m.Encoder.Schema
	var out []Feature
	for k, name := range slices.Concat(s.Numbers, s.Texts) {
		text, source := k >= len(s.Numbers), k
		if text {
			source -= len(s.Numbers)
		}
		var columns []int
		for i, c := range m.Encoder.Columns {
			if c.Text == text && c.Source == source {
				columns = append(columns, i)
			}
		}
		if len(columns) == 0 {
			continue
		}
		f := Feature{Name: name, Direction: direction(p.rows, columns[0], odds)}
		const rounds = 3
		for round := range rounds {
			f.Worth += (m.shuffled(p, columns, seed+uint64(k*rounds+round)+2) - loss) / rounds
		}
		out = append(out, f)
	}
	slices.SortStableFunc(out, func(a, b Feature) int {
		return cmp.Or(cmp.Compare(b.Worth, a.Worth), strings.Compare(a.Name, b.Name))
	})
	return out
}

// shuffled is the log-loss where each profile has the columns of another one,
// drawn by lot.
func (m *Model) shuffled(p part, columns []int, seed uint64) float64 {
	other, lot := make([]int, len(p.rows)), make([]float64, len(p.rows))
	for i, x := range p.examples {
		other[i], lot[i] = i, feature.Lot(seed, x.Profile)
	}
	slices.SortStableFunc(other, func(a, b int) int { return cmp.Compare(lot[a], lot[b]) })
	row := make([]float64, len(m.Encoder.Columns))
	odds := make([]float64, len(p.rows))
	for i := range p.rows {
		copy(row, p.rows[i])
		for _, c := range columns {
			row[c] = p.rows[other[i]][c]
		}
		odds[i] = m.logOdds(row)
	}
	return logLoss(odds, p.labels)
}

// direction is the sign of the correlation of a column with the odds.
func direction(rows [][]float64, column int, odds []float64) int {
	var mean, meanOdds, both float64
	n := float64(len(rows))
	for i, row := range rows {
		mean, meanOdds = mean+row[column]/n, meanOdds+odds[i]/n
	}
	for i, row := range rows {
		both += (row[column] - mean) * (odds[i] - meanOdds)
	}
	return cmp.Compare(both, 0)
}
