package btyd

import "math"

// Alive returns the probability that a customer is still active (Fader, Hardie
// and Lee 2008, "Computing P(alive) using the BG/NBD model", brucehardie.com/notes/021).
// Who bought once is active: dropping out takes a repeat purchase in this model.
func (m NBD) Alive(h History) float64 {
	if h.Repeats == 0 {
		return 1
	}
	return logistic(-m.logOdds(h))
}

// Expected returns how many purchases a customer makes in the time t to come (the
// paper's (10)): the chance that they are active times
//
//	γ/ε [1 − (1−z)^(r+x) ₂F₁(r+x, b+x; γ; z)],  ε = a−1, γ = a+b+x−1, z = t/(α+T+t)
//
// Written so, ₂F₁ overflows for frequent buyers and a = 1 and γ = 0 divide by
// nothing. By Euler's transformation (1−z)^(r+x) ₂F₁ = (1−z)^ε ₂F₁(ε, β; γ; z) with
// β = a+b−1−r; taking the first term out of the series and γ/ε into the rest
// leaves, with L = ln(1−z),
//
//	−γ (e^εL − 1)/ε − e^εL Σ_{n≥1} (ε+1)_{n−1} (β)_n / ((γ+1)_{n−1} n!) zⁿ
//
// which has no singular case. Where its terms cancel or converge too slowly (a
// horizon far longer than the history), the integral that it stands for is
// computed instead.
func (m NBD) Expected(t float64, h History) float64 {
	if t <= 0 {
		return 0
	}
	v, ok := m.series(t, h)
	if !ok {
		v = m.integral(t, h)
	}
	return m.Alive(h) * max(v, 0)
}

// New returns how many repeat purchases a new customer makes in the time t after
// the first (the paper's (9)).
func (m NBD) New(t float64) float64 { return m.Expected(t, History{}) }

func (m NBD) series(t float64, h History) (float64, bool) {
	const enough, lost = 4000, 1e7
	x := h.Repeats
	eps, beta, gamma := m.A-1, m.A+m.B-1-m.R, m.A+m.B+x-1
	z := t / (m.Alpha + h.Age + t)
	l := math.Log1p(-z)
	first := -gamma * l
	if eps != 0 {
		first = -gamma * math.Expm1(eps*l) / eps
	}
	scale := math.Exp(eps * l)
	term := beta * z // n = 1
	sum, most := term, math.Abs(term)
	for n := 2.0; ; n++ {
		term *= (eps + n - 1) * (beta + n - 1) / ((gamma + n - 1) * n) * z
		sum += term
		most = max(most, math.Abs(term))
		ratio := math.Abs((eps + n) * (beta + n) / ((gamma + n) * (n + 1)) * z)
		if term == 0 || ratio < 1 && math.Abs(term)*ratio/(1-ratio) < 1e-13*math.Abs(sum) {
			break
		}
		if n > enough || math.IsInf(sum, 0) || math.IsNaN(sum) {
			return 0, false
		}
	}
	v := first - scale*sum
	size := max(math.Abs(first), scale*most)
	return v, finite(v) && v > 0 && size < lost*v
}

// integral is the mean of (1 − (1 + pt/(α+T))^−(r+x)) / p over p, beta(a, b+x)
// given that the customer is active: the expectation before it became ₂F₁. In the
// logit of p the density has one peak and falls off exponentially, so that the
// trapezium rule converges fast.
func (m NBD) integral(t float64, h History) float64 {
	a, b, n, tau := m.A, m.B+h.Repeats, m.R+h.Repeats, t/(m.Alpha+h.Age)
	log := func(u float64) float64 { return -a*softplus(-u) - b*softplus(u) } // + const.
	mode := math.Log(a / b)
	peak := log(mode)
	reach := func(direction float64) float64 { // where the density has gone
		d := 1.0
		for log(mode+direction*d) > peak-45 {
			d *= 1.5
		}
		return mode + direction*d
	}
	from, to := reach(-1), reach(1)
	step := min(0.05, math.Sqrt(1/a+1/b)/8)
	steps := min(math.Ceil((to-from)/step), 200_000)
	step = (to - from) / steps
	var mass, sum float64
	for i := 0.0; i <= steps; i++ {
		u := from + i*step
		w := math.Exp(log(u) - peak)
		p := logistic(u)
		value := n * tau
		if p > 0 {
			value = -math.Expm1(-n*math.Log1p(p*tau)) / p
		}
		mass, sum = mass+w, sum+w*value
	}
	return sum / mass
}
