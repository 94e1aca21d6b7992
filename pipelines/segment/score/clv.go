package score

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/score/btyd"
)

// CLVQuality is how a clv was fitted, and how well one fitted at the cut-off
// foretells what was bought since.
type CLVQuality struct {
	NBD      btyd.Quality  `json:"bgnbd"`
	Spending *btyd.Quality `json:"gamma_gamma,omitempty"`
	Notes    []string      `json:"notes,omitempty"`
	Check    *CLVCheck     `json:"check,omitempty"` // nil: too little was known at the cut-off
}

// CLVCheck compares what a model of the time before the cut-off expects with what
// came. A purchase is a day with one.
type CLVCheck struct {
	Until     time.Time  `json:"until"` // the cut-off
	Days      float64    `json:"days"`  // since
	NBD       btyd.NBD   `json:"bgnbd"` // of then
	Customers float64    `json:"customers"`
	Expected  float64    `json:"expected"` // purchases
	Actual    float64    `json:"actual"`
	MAE       float64    `json:"mae"` // by customer
	RMSE      float64    `json:"rmse"`
	NaiveMAE  float64    `json:"naive_mae"` // of who lets everybody go on at their own rate
	By        []CLVGroup `json:"by"`        // purchases before the cut-off
}

// CLVGroup is the customers with as many repeat purchases at the cut-off.
type CLVGroup struct {
	Repeats   int     `json:"repeats"` // of the last group: or more
	Customers float64 `json:"customers"`
	Expected  float64 `json:"expected"` // purchases by customer
	Actual    float64 `json:"actual"`
}

const (
	week   = 7.0 // days
	month  = 365.25 / 12 / week
	groups = 8
)

func inWeeks(days []float64) btyd.History {
	return btyd.History{Repeats: days[0], Last: days[1] / week, Age: days[2] / week}
}

// outcome is a history at the cut-off and what was bought since.
type outcome struct {
	btyd.History
	after float64
}

func fitCLV(s *score, lessons Lessons, f *Fitted) error {
	now := map[btyd.History]float64{}
	then := map[outcome]float64{}
	spends := map[[2]float64]float64{}
	for row, err := range lessons() {
		if err != nil {
			return err
		}
		if len(row.Numbers) < 4 {
			return weir.Errorf(weir.Internal, "a lesson of clv cannot be read")
		}
		now[inWeeks(row.Numbers)]++
		if mean := row.Numbers[3]; row.Numbers[0] > 0 && mean > 0 {
			spends[[2]float64{row.Numbers[0], mean}]++
		}
		if len(row.Numbers) == 8 {
			then[outcome{inWeeks(row.Numbers[4:]), row.Numbers[7]}]++
		}
	}
	q := &CLVQuality{}
	f.Quality.CLV = q
	m, nq, err := btyd.FitNBD(counted(now))
	q.NBD = nq
	if err != nil {
		return err
	}
	f.Model.CLV = &CLV{NBD: m}
	var ss []btyd.Spend
	for k, n := range spends {
		ss = append(ss, btyd.Spend{Repeats: k[0], Mean: k[1], Customers: n})
	}
	switch g, gq, err := btyd.FitGammaGamma(ss); {
	case weir.CodeOf(err) == weir.Invalid:
		q.Notes = append(q.Notes, "no value is expected: "+err.Error())
	case err != nil:
		return err
	default:
		f.Model.CLV.Spending, q.Spending = &g, &gq
	}
	q.Notes = append(q.Notes, correlated(ss)...)
	q.Check = check(s, then)
	return nil
}

func counted(hs map[btyd.History]float64) []btyd.Counted {
	out := make([]btyd.Counted, 0, len(hs))
	for h, n := range hs {
		out = append(out, btyd.Counted{History: h, Customers: n})
	}
	return btyd.Group(out)
}

// correlated warns where value and frequency go together, which the Gamma-Gamma
// model takes them not to.
func correlated(ss []btyd.Spend) []string {
	slices.SortFunc(ss, func(a, b btyd.Spend) int {
		return cmp.Or(cmp.Compare(a.Repeats, b.Repeats), cmp.Compare(a.Mean, b.Mean))
	})
	var n, mx, mz, xx, zz, xz float64
	for _, s := range ss {
		n, mx, mz = n+s.Customers, mx+s.Customers*s.Repeats, mz+s.Customers*s.Mean
	}
	for _, s := range ss {
		dx, dz := s.Repeats-mx/n, s.Mean-mz/n
		xx, zz, xz = xx+s.Customers*dx*dx, zz+s.Customers*dz*dz, xz+s.Customers*dx*dz
	}
	if xx > 0 && zz > 0 && math.Abs(xz)/math.Sqrt(xx*zz) > 0.3 {
		return []string{"frequent customers spend unlike others (correlation above 0.3): expected values are less sure"}
	}
	return nil
}

func check(s *score, then map[outcome]float64) *CLVCheck {
	os := make([]outcome, 0, len(then))
	hs := map[btyd.History]float64{}
	for o, n := range then {
		os = append(os, o)
		hs[o.History] += n
	}
	slices.SortFunc(os, func(a, b outcome) int {
		return cmp.Or(cmp.Compare(a.Repeats, b.Repeats), cmp.Compare(a.Last, b.Last), cmp.Compare(a.Age, b.Age), cmp.Compare(a.after, b.after))
	})
	m, _, err := btyd.FitNBD(counted(hs))
	if err != nil {
		return nil // too little was known then: there is nothing to compare
	}
	c := &CLVCheck{Until: s.then, Days: s.def.Horizon.Hours() / 24, NBD: m, By: make([]CLVGroup, groups)}
	expected := map[btyd.History]float64{}
	for _, o := range os {
		n := then[o]
		e, ok := expected[o.History]
		if !ok {
			e = m.Expected(c.Days/week, o.History)
			expected[o.History] = e
		}
		naive := 0.0
		if o.Age > 0 {
			naive = o.Repeats / o.Age * c.Days / week
		}
		c.Customers, c.Expected, c.Actual = c.Customers+n, c.Expected+n*e, c.Actual+n*o.after
		c.MAE, c.RMSE, c.NaiveMAE = c.MAE+n*math.Abs(e-o.after), c.RMSE+n*(e-o.after)*(e-o.after), c.NaiveMAE+n*math.Abs(naive-o.after)
		g := &c.By[min(int(o.Repeats), groups-1)]
		g.Customers, g.Expected, g.Actual = g.Customers+n, g.Expected+n*e, g.Actual+n*o.after
	}
	c.MAE, c.RMSE, c.NaiveMAE = c.MAE/c.Customers, math.Sqrt(c.RMSE/c.Customers), c.NaiveMAE/c.Customers
	for i := range c.By {
		g := &c.By[i]
		g.Repeats = i
		if g.Customers > 0 {
			g.Expected, g.Actual = g.Expected/g.Customers, g.Actual/g.Customers
		}
	}
	return c
}
