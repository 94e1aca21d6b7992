package btyd

import (
	"math"

	"gonum.org/v1/gonum/optimize"
)

// edge bounds the logs of the parameters: beyond e^±14 of the scaled problem
// nothing can be told apart.
const edge = 14.0

// minimize finds the least of f over logs of parameters, from several starts, by
// BFGS and, where that ends before the ground is flat, Nelder-Mead and BFGS
// again. It returns nil where no start leads anywhere, and whether the gradient
// vanishes where it ended, within the edges. f fills grad if it is not nil.
func minimize(f func(theta, grad []float64) float64, starts [][]float64) (best []float64, settled bool) {
	problem := optimize.Problem{
		Func: func(theta []float64) float64 { return f(theta, nil) + beyond(theta, nil) },
		Grad: func(grad, theta []float64) {
			f(theta, grad)
			beyond(theta, grad)
		},
	}
	least := math.Inf(1)
	for _, start := range starts {
		at, value := descend(problem, start)
		// A start that ends as low as an earlier one says the same: keep the first.
		if at != nil && (best == nil || value < least-1e-10*(1+math.Abs(least))) {
			best, least = at, value
		}
	}
	if best == nil {
		return nil, false
	}
	return best, steep(problem, best) < 1e-5 && inside(best)
}

func descend(p optimize.Problem, start []float64) ([]float64, float64) {
	settings := &optimize.Settings{GradientThreshold: 1e-9, MajorIterations: 500, Concurrent: 1,
		Converger: &optimize.FunctionConverge{Absolute: 1e-14, Relative: 1e-14, Iterations: 20}}
	at := start
	var value float64
	for i := range 2 {
		// An error of the line search leaves the best place found so far.
		r, _ := optimize.Minimize(p, at, settings, &optimize.BFGS{})
		if r == nil || !finite(r.F) || !finite(r.X...) {
			return nil, 0
		}
		at, value = r.X, r.F
		if i == 1 || steep(p, at) < 1e-7 {
			break
		}
		r, _ = optimize.Minimize(p, at, &optimize.Settings{FuncEvaluations: 600, Concurrent: 1}, &optimize.NelderMead{})
		if r != nil && finite(r.F) && r.F < value {
			at = r.X
		}
	}
	return at, value
}

// steep is the largest slope.
func steep(p optimize.Problem, at []float64) float64 {
	grad := make([]float64, len(at))
	p.Grad(grad, at)
	var most float64
	for _, g := range grad {
		most = max(most, math.Abs(g))
	}
	return most
}

func inside(at []float64) bool {
	for _, v := range at {
		if math.Abs(v) >= edge {
			return false
		}
	}
	return true
}

// beyond is a wall around the edges, 0 within them.
func beyond(theta, grad []float64) float64 {
	var sum float64
	for i, v := range theta {
		if d := math.Abs(v) - edge; d > 0 {
			sum += d * d
			if grad != nil {
				grad[i] += 2 * d * math.Copysign(1, v)
			}
		}
	}
	return sum
}
