package btyd

import (
	"math"

	"gonum.org/v1/gonum/mathext"

	"github.com/weir-cdp/weir"
)

// NBD is a fitted BG/NBD model. Alpha has the unit of time of the histories.
type NBD struct {
	R     float64 `json:"r"`
	Alpha float64 `json:"alpha"`
	A     float64 `json:"a"`
	B     float64 `json:"b"`
}

// Quality is how a fit went.
type Quality struct {
	LogLikelihood float64  `json:"log_likelihood"` // at the optimum, in the caller's units
	Customers     float64  `json:"customers"`
	Repeaters     float64  `json:"repeaters"`
	Histories     int      `json:"histories"` // that differ
	Notes         []string `json:"notes,omitempty"`
}

// logOdds returns, of a customer who bought at least once more, the log of the
// odds that they have dropped out (at their last purchase) rather than stayed:
// ln a/(b+x−1) + (r+x) ln (α+T)/(α+t_x), the ratio of A4 to A3 of the paper's (7).
func (m NBD) logOdds(h History) float64 {
	return math.Log(m.A/(m.B+h.Repeats-1)) + (m.R+h.Repeats)*math.Log((m.Alpha+h.Age)/(m.Alpha+h.Last))
}

// logLikelihood of one history (the paper's (6)), with A3 taken out:
// ln Γ(r+x)/Γ(r) + ln B(a,b+x)/B(a,b) − x ln(α+T) − r ln(1+T/α) + ln(1+A4/A3).
func (m NBD) logLikelihood(h History) float64 {
	x := h.Repeats
	l := rising(m.R, x) + rising(m.B, x) - rising(m.A+m.B, x) - x*math.Log(m.Alpha+h.Age) - m.R*math.Log1p(h.Age/m.Alpha)
	if x > 0 {
		l += softplus(m.logOdds(h))
	}
	return l
}

// LogLikelihood of counted histories.
func (m NBD) LogLikelihood(hs []Counted) float64 {
	var sum float64
	for _, h := range hs {
		sum += h.Customers * m.logLikelihood(h.History)
	}
	return sum
}

// rising is ln Γ(z+n)/Γ(z), for a whole n: of few factors their sum, which keeps
// its digits where Γ of a large z would lose them.
func rising(z, n float64) float64 {
	if n <= 24 {
		var s float64
		for i := 0.0; i < n; i++ {
			s += math.Log(z + i)
		}
		return s
	}
	return lgamma(z+n) - lgamma(z)
}

// risingSlope is the derivative of rising by z.
func risingSlope(z, n float64) float64 {
	if n <= 24 {
		var s float64
		for i := 0.0; i < n; i++ {
			s += 1 / (z + i)
		}
		return s
	}
	return mathext.Digamma(z+n) - mathext.Digamma(z)
}

func lgamma(x float64) float64 {
	l, _ := math.Lgamma(x)
	return l
}

// softplus is ln(1+eˣ).
func softplus(x float64) float64 {
	if x > 0 {
		return x + math.Log1p(math.Exp(-x))
	}
	return math.Log1p(math.Exp(x))
}

// logistic is 1/(1+e⁻ˣ).
func logistic(x float64) float64 {
	if x < 0 {
		e := math.Exp(x)
		return e / (1 + e)
	}
	return 1 / (1 + math.Exp(-x))
}

// byRepeats is what the likelihood and its gradient need of one x: so that no
// gamma function is computed for each history.
type byRepeats struct{ l, dr, da, db float64 }

// objective is −ln L per customer and its gradient in the logs of r, α, a, b.
// The histories must be grouped: equal x lie together.
func objective(hs []Counted, customers float64, theta, grad []float64) float64 {
	m := NBD{math.Exp(theta[0]), math.Exp(theta[1]), math.Exp(theta[2]), math.Exp(theta[3])}
	var sum float64
	var g [4]float64 // of r, α, a, b
	var c byRepeats
	at := -1.0
	for i := range hs {
		h, w := hs[i].History, hs[i].Customers
		x := h.Repeats
		if x != at {
			at = x
			c.l = rising(m.R, x) + rising(m.B, x) - rising(m.A+m.B, x)
			ab := risingSlope(m.A+m.B, x)
			c.dr, c.da, c.db = risingSlope(m.R, x), -ab, risingSlope(m.B, x)-ab
		}
		fromAge, share := math.Log1p(h.Age/m.Alpha), m.Alpha+h.Age
		l := c.l - x*math.Log(share) - m.R*fromAge
		dr, dalpha, da, db := c.dr-fromAge, -x/share+m.R*h.Age/m.Alpha/share, c.da, c.db
		if x > 0 {
			since := math.Log(share / (m.Alpha + h.Last))
			odds := math.Log(m.A/(m.B+x-1)) + (m.R+x)*since
			l += softplus(odds)
			p := logistic(odds)
			dr += p * since
			dalpha += p * (m.R + x) * (1/share - 1/(m.Alpha+h.Last))
			da += p / m.A
			db -= p / (m.B + x - 1)
		}
		sum += w * l
		g[0], g[1], g[2], g[3] = g[0]+w*dr, g[1]+w*dalpha, g[2]+w*da, g[3]+w*db
	}
	if grad != nil {
		for i, v := range [4]float64{m.R, m.Alpha, m.A, m.B} {
			grad[i] = -g[i] * v / customers
		}
	}
	return -sum / customers
}

// FitNBD estimates a model by maximum likelihood. Histories need not be grouped.
// It refuses (weir.Invalid) data that hold no answer: nobody who came back, no
// time that passed, or histories that can't be.
func FitNBD(histories []Counted) (NBD, Quality, error) {
	hs := Group(histories)
	q := Quality{Histories: len(hs)}
	var age, repeats float64
	for _, h := range hs {
		if err := h.check(); err != nil {
			return NBD{}, q, err
		}
		if !finite(h.Customers) || h.Customers <= 0 {
			return NBD{}, q, weir.Errorf(weir.Invalid, "a history is of %g customers", h.Customers)
		}
		q.Customers += h.Customers
		if h.Repeats > 0 {
			q.Repeaters += h.Customers
		}
		age, repeats = age+h.Customers*h.Age, repeats+h.Customers*h.Repeats
	}
	if err := q.enough(age); err != nil {
		return NBD{}, q, err
	}
	unit := age / q.Customers
	rate := repeats / q.Customers // per unit, the mean age being 1
	scaled := make([]Counted, len(hs))
	for i, h := range hs {
		scaled[i] = Counted{History{h.Repeats, h.Last / unit, h.Age / unit}, h.Customers}
	}
	var starts [][]float64
	for _, r := range []float64{0.3, 1.5} {
		for _, ab := range [][2]float64{{0.8, 2.5}, {0.2, 4}, {2, 2}} {
			starts = append(starts, []float64{math.Log(r), math.Log(r / rate), math.Log(ab[0]), math.Log(ab[1])})
		}
	}
	theta, settled := minimize(func(theta, grad []float64) float64 { return objective(scaled, q.Customers, theta, grad) }, starts)
	if theta == nil {
		return NBD{}, q, weir.Errorf(weir.Invalid, "the likelihood of the BG/NBD model has no maximum in these data").
			Then("take a longer period, or more customers")
	}
	m := NBD{R: math.Exp(theta[0]), Alpha: math.Exp(theta[1]) * unit, A: math.Exp(theta[2]), B: math.Exp(theta[3])}
	q.LogLikelihood = m.LogLikelihood(hs)
	q.Notes = m.notes(settled, rate)
	return m, q, nil
}

// enough says why too little is known for a fit.
func (q Quality) enough(age float64) error {
	switch {
	case q.Customers == 0:
		return weir.Errorf(weir.Invalid, "no customer has bought anything").Then("check the event's name and its properties")
	case q.Repeaters < 2:
		return weir.Errorf(weir.Invalid, "%g of %g customers bought a second time: nothing tells how often customers come back, or when they stop",
			q.Repeaters, q.Customers).Then("wait for repeat purchases, or collect a longer period")
	case age <= 0:
		return weir.Errorf(weir.Invalid, "no time has passed since the first purchases").Then("take a later now")
	}
	return nil
}

// notes says what a reader must know of a fit at the edge of what the data tell.
func (m NBD) notes(settled bool, rate float64) []string {
	var out []string
	if !settled {
		out = append(out, "the likelihood was still flat or rising where the search ended: single parameters are not to be relied on")
	}
	if m.A/(m.A+m.B) < 1e-4 {
		out = append(out, "no dropping out is seen: everybody counts as active")
	}
	if m.R > 100 {
		out = append(out, "customers hardly differ in how often they buy")
	}
	return out
}
