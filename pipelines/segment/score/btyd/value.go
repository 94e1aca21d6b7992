package btyd

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"

	"github.com/weir-cdp/weir"
)

// Spend is what the Gamma-Gamma model needs to know of a customer.
type Spend struct {
	Repeats   float64 // purchases that Mean is of
	Mean      float64 // value of a purchase; more than 0
	Customers float64 // who have these
}

// GammaGamma is a fitted Gamma-Gamma model. Gamma has the unit of the values.
type GammaGamma struct {
	P     float64 `json:"p"`
	Q     float64 `json:"q"`
	Gamma float64 `json:"gamma"`
	// Mean is the mean of the customers' means, for where the model's own has no
	// bound (q ≤ 1).
	Mean float64 `json:"mean"`
}

// logLikelihood of one customer (the note's (1a)).
func (m GammaGamma) logLikelihood(x, z float64) float64 {
	px := m.P * x
	return lgamma(px+m.Q) - lgamma(px) - lgamma(m.Q) + m.Q*math.Log(m.Gamma) - math.Log(z) + px*math.Log(x*z) - (px+m.Q)*math.Log(m.Gamma+x*z)
}

// Value returns the expected value of a purchase of a customer whose x purchases
// have a mean of z (the note's (5)); x = 0: of one of whom nothing is known.
func (m GammaGamma) Value(x, z float64) float64 {
	if x <= 0 || z <= 0 {
		x, z = 0, 0
		if m.Q <= 1 {
			return m.Mean
		}
	}
	if below := m.P*x + m.Q - 1; below > 0 {
		return m.P * (m.Gamma + x*z) / below
	}
	return z
}

// FitGammaGamma estimates a model by maximum likelihood from the customers with
// repeats and a positive mean; others are left out (Quality.Customers counts
// those used).
func FitGammaGamma(spends []Spend) (GammaGamma, Quality, error) {
	ss := groupSpends(spends)
	q := Quality{Histories: len(ss)}
	var mean float64
	for _, s := range ss {
		if !finite(s.Repeats, s.Mean, s.Customers) {
			return GammaGamma{}, q, weir.Errorf(weir.Invalid, "a customer's spending holds a number that is not finite")
		}
		q.Customers += s.Customers
		mean += s.Customers * s.Mean
	}
	if q.Customers < 3 || ss[0].Mean == ss[len(ss)-1].Mean && len(means(ss)) == 1 {
		return GammaGamma{}, q, weir.Errorf(weir.Invalid, "%g customers have repeat purchases of a value, of %d different means: nothing tells how values vary",
			q.Customers, len(means(ss))).Then("check the property that holds the value")
	}
	q.Repeaters = q.Customers
	mean /= q.Customers
	for i := range ss {
		ss[i].Mean /= mean
	}
	var starts [][]float64
	for _, s := range [][2]float64{{2, 3}, {6, 4}, {0.8, 1.5}, {20, 12}} { // γ so that pγ/(q−1) = 1
		starts = append(starts, []float64{math.Log(s[0]), math.Log(s[1]), math.Log((s[1] - 1) / s[0])})
	}
	theta, settled := minimize(func(theta, grad []float64) float64 { return spendObjective(ss, q.Customers, theta, grad) }, starts)
	if theta == nil {
		return GammaGamma{}, q, weir.Errorf(weir.Invalid, "the likelihood of the Gamma-Gamma model has no maximum in these data").
			Then("take a longer period, or more customers")
	}
	m := GammaGamma{P: math.Exp(theta[0]), Q: math.Exp(theta[1]), Gamma: math.Exp(theta[2]) * mean, Mean: mean}
	for _, s := range ss {
		q.LogLikelihood += s.Customers * m.logLikelihood(s.Repeats, s.Mean*mean)
	}
	if !settled {
		q.Notes = append(q.Notes, "the likelihood was still flat or rising where the search ended: single parameters are not to be relied on")
	}
	if m.Q <= 1 {
		q.Notes = append(q.Notes, "customers' means vary so widely that the model has no mean (q ≤ 1): new customers get the mean of the others")
	}
	return m, q, nil
}

func means(ss []Spend) map[float64]bool {
	out := map[float64]bool{}
	for _, s := range ss {
		out[s.Mean] = true
	}
	return out
}

func groupSpends(spends []Spend) []Spend {
	var out []Spend
	for _, s := range spends {
		if s.Repeats > 0 && s.Mean > 0 && s.Customers > 0 {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b Spend) int {
		return cmp.Or(cmp.Compare(a.Repeats, b.Repeats), cmp.Compare(a.Mean, b.Mean), cmp.Compare(a.Customers, b.Customers))
	})
	n := 0
	for _, s := range out {
		if n > 0 && out[n-1].Repeats == s.Repeats && out[n-1].Mean == s.Mean {
			out[n-1].Customers += s.Customers
			continue
		}
		out[n] = s
		n++
	}
	return out[:n]
}

// spendObjective is −ln L per customer and its gradient in the logs of p, q, γ.
func spendObjective(ss []Spend, customers float64, theta, grad []float64) float64 {
	m := GammaGamma{P: math.Exp(theta[0]), Q: math.Exp(theta[1]), Gamma: math.Exp(theta[2])}
	var sum, dp, dq, dg float64
	lq, psiq, lgam := lgamma(m.Q), mathext.Digamma(m.Q), math.Log(m.Gamma)
	var at, lx, psix, psip float64
	for _, s := range ss {
		x, w, total := s.Repeats, s.Customers, s.Repeats*s.Mean
		px := m.P * x
		if x != at {
			at = x
			lx = lgamma(px+m.Q) - lgamma(px) - lq
			psix, psip = mathext.Digamma(px+m.Q), mathext.Digamma(px)
		}
		whole, lt := math.Log(m.Gamma+total), math.Log(total)
		sum += w * (lx + m.Q*lgam - math.Log(s.Mean) + px*lt - (px+m.Q)*whole)
		dp += w * x * (psix - psip + lt - whole)
		dq += w * (psix - psiq + lgam - whole)
		dg += w * (m.Q/m.Gamma - (px+m.Q)/(m.Gamma+total))
	}
	if grad != nil {
		grad[0], grad[1], grad[2] = -dp*m.P/customers, -dq*m.Q/customers, -dg*m.Gamma/customers
	}
	return -sum / customers
}

// Lifetime is the value of a customer over a horizon: of each month the expected
// purchases times value, discounted by the month (discount 0.01: 1 % a month) at
// its end. month is the length of one in the unit of time; the last may be shorter.
func (m NBD) Lifetime(h History, value, horizon, month, discount float64) float64 {
	var sum, before float64
	for k := 1.0; (k-1)*month < horizon; k++ {
		until := m.Expected(min(k*month, horizon), h)
		sum += (until - before) * value * math.Pow(1+discount, -k)
		before = until
	}
	return sum
}
