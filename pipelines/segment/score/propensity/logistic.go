package propensity

import (
	"math"

	"gonum.org/v1/gonum/optimize"

	"github.com/weir-cdp/weir"
)

// Logistic is a logistic regression on standardised columns.
type Logistic struct {
	Intercept float64   `json:"intercept"`
	Weights   []float64 `json:"weights"` // log odds per standard deviation
}

// LogOdds of a row.
func (m *Logistic) LogOdds(row []float64) float64 {
	s := m.Intercept
	for i, w := range m.Weights {
		s += w * row[i]
	}
	return s
}

// ridge is the penalty on the sum of squared weights: as of a normal prior of
// variance 1/ridge, which also holds perfectly separable data together.
const ridge = 1.0

func fitLogistic(rows [][]float64, labels []bool) (*Logistic, error) {
	k := len(rows[0])
	n := float64(len(rows))
	f := func(theta, grad []float64) float64 {
		var sum float64
		if grad != nil {
			clear(grad)
		}
		m := Logistic{theta[k], theta[:k]}
		for i, row := range rows {
			z := m.LogOdds(row)
			y := 0.0
			if labels[i] {
				y = 1
			}
			sum += softplus(z) - y*z
			if grad != nil {
				d := logistic(z) - y
				for j, v := range row {
					grad[j] += d * v
				}
				grad[k] += d
			}
		}
		for j := range k {
			sum += ridge / 2 * theta[j] * theta[j]
			if grad != nil {
				grad[j] += ridge * theta[j]
			}
		}
		for j := range grad {
			grad[j] /= n
		}
		return sum / n
	}
	p := optimize.Problem{
		Func: func(theta []float64) float64 { return f(theta, nil) },
		Grad: func(grad, theta []float64) { f(theta, grad) },
	}
	start := make([]float64, k+1)
	start[k] = prior(labels)
	// The line search may end with an error where no digit is left to win.
	r, err := optimize.Minimize(p, start, &optimize.Settings{GradientThreshold: 1e-8, MajorIterations: 300, Concurrent: 1}, &optimize.LBFGS{})
	if r == nil || math.IsNaN(r.F) {
		return nil, weir.Errorf(weir.Internal, "the logistic regression found no optimum: %w", err)
	}
	return &Logistic{Intercept: r.X[k], Weights: r.X[:k]}, nil
}

// prior is the log odds of the labels; both kinds must occur.
func prior(labels []bool) float64 {
	var yes float64
	for _, y := range labels {
		if y {
			yes++
		}
	}
	return math.Log(yes / (float64(len(labels)) - yes))
}

func softplus(x float64) float64 {
	if x > 0 {
		return x + math.Log1p(math.Exp(-x))
	}
	return math.Log1p(math.Exp(x))
}

func logistic(x float64) float64 {
	if x < 0 {
		e := math.Exp(x)
		return e / (1 + e)
	}
	return 1 / (1 + math.Exp(-x))
}
