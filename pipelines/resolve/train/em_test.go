package train

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// mixture is a trainer with three columns, and pairs drawn from known chances.
func mixture(seed uint64) (*trainer, *seen, [3][]float64, float64) {
	r := rand.New(rand.NewPCG(seed, 4))
	truth := [3][]float64{{0.7, 0.1, 0.2}, {0.9, 0.05, 0.05}, {0.6, 0.2, 0.2}}
	u := [3][]float64{{0.02, 0.05, 0.93}, {0.1, 0.1, 0.8}, {0.01, 0.04, 0.95}}
	t := &trainer{features: make([]model.Features, 120), size: 120, everything: true, covered: 1, given: -1, family: -1}
	for c := range 3 {
		col := model.Column{Name: "c", Kind: "phone"}
		for l := range 3 {
			col.Levels = append(col.Levels, model.Level{U: u[c][l]})
		}
		startM(&col)
		t.cols = append(t.cols, col)
	}
	const share = 0.03
	n := len(t.features) * (len(t.features) - 1) / 2
	s := &seen{all: make([]observed, n)}
	for i := range s.all {
		of := u
		if r.Float64() < share {
			of = truth
		}
		for c := range 3 {
			x := r.Float64()
			for l, p := range of[c] {
				if x -= p; x < 0 || l == 2 {
					s.all[i].level[c] = uint8(l)
					break
				}
			}
		}
	}
	s.merge(len(t.cols))
	t.classes = []latent{
		{Class: model.Class{Name: "strangers", Prior: 0.99, Shared: []float64{0, 0, 0}}},
		{Class: model.Class{Name: "same", Match: true, Prior: 0.01, Shared: []float64{1, 1, 1}}},
	}
	return t, s, truth, share
}

// objective is what maximisation should raise: the likelihood, and the guess that
// each column's levels start from.
func objective(s *seen, u, m [3][]float64, prior float64) float64 {
	sum := 0.0
	for i := range s.of {
		pm, pu := prior, 1-prior
		for c := range 3 {
			l := s.of[i].level[c]
			pm *= m[c][l]
			pu *= u[c][l]
		}
		sum += s.times[i] * math.Log(pm+pu)
	}
	guess := []float64{0.8, 0.1, 0.1}
	for c := range 3 {
		for l := range 3 {
			sum += 8 * guess[l] * math.Log(m[c][l])
		}
	}
	return sum
}

// Expectation maximisation ends where a naive search of the likelihood ends.
func TestMaximisationAgainstDirectLikelihood(t *testing.T) {
	for seed := range uint64(3) {
		tr, s, truth, share := mixture(seed)
		for range 300 {
			tr.step(s, make([]bool, len(s.of)), true)
		}
		var u, m [3][]float64
		for c := range 3 {
			for l := range 3 {
				u[c] = append(u[c], tr.cols[c].Levels[l].U)
			}
			m[c] = []float64{0.8, 0.1, 0.1}
		}
		prior := 0.01
		best := objective(s, u, m, prior)
		for step := 0.1; step > 1e-5; step /= 2 { // compass search
			for moved := true; moved; {
				moved = false
				for c := range 3 {
					for from := range 3 {
						for to := range 3 {
							d := min(step, m[c][from]-1e-9)
							m[c][from] -= d
							m[c][to] += d
							if x := objective(s, u, m, prior); x > best+1e-9 {
								best, moved = x, true
							} else {
								m[c][from] += d
								m[c][to] -= d
							}
						}
					}
				}
				for _, f := range []float64{1 + step, 1 / (1 + step)} {
					if x := objective(s, u, m, prior*f); x > best+1e-9 {
						best, moved, prior = x, true, prior*f
					}
				}
			}
		}
		for c := range 3 {
			for l := range 3 {
				if got := tr.cols[c].Levels[l].M; math.Abs(got-m[c][l]) > 2e-3 {
					t.Errorf("seed %d column %d level %d: m %.4f, direct search %.4f", seed, c, l, got, m[c][l])
				}
				if got := tr.cols[c].Levels[l].M; math.Abs(got-truth[c][l]) > 0.15 {
					t.Errorf("seed %d column %d level %d: m %.4f, drawn with %.4f", seed, c, l, got, truth[c][l])
				}
			}
		}
		if got := tr.classes[1].Prior; math.Abs(math.Log(got/prior)) > 0.01 || math.Abs(math.Log(got/share)) > 0.3 {
			t.Errorf("seed %d: prior %.5f, direct search %.5f, drawn with %.5f", seed, got, prior, share)
		}
	}
}

// What is drawn at random inside blocks is uniform over their pairs.
func TestDrawnPairsAgree(t *testing.T) {
	tr := &trainer{features: make([]model.Features, 300), size: 300}
	m, err := model.New(model.Content{})
	if err != nil {
		t.Fatal(err)
	}
	tr.model = m
	hash := func(i int32) uint64 { return uint64(i % 7) } // 0: none
	s := tr.drawn(1, hash)
	all := map[pair]bool{}
	for _, p := range s.pairs {
		if p.a == p.b || hash(p.a) != hash(p.b) || hash(p.a) == 0 {
			t.Fatalf("pair %d, %d does not agree", p.a, p.b)
		}
		all[p] = true
	}
	want := 0
	for r := 1; r < 7; r++ {
		n := 0
		for i := range 300 {
			if i%7 == r {
				n++
			}
		}
		want += n * (n - 1) / 2
	}
	if len(all) != want {
		t.Fatalf("%d different pairs of %d: all are taken where there are few", len(all), want)
	}
}
