package propensity_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/score/feature"
	"github.com/weir-cdp/weir/pipelines/segment/score/propensity"
)

var schema = feature.Schema{Numbers: []string{"orders", "days_since", "noise"}, Texts: []string{"country"}}

// world draws examples whose true probability is known.
func world(n int, seed uint64, odds func(orders, since float64, country string, noise float64) float64) ([]propensity.Example, []float64) {
	rng := rand.New(rand.NewPCG(seed, 9))
	var out []propensity.Example
	var truth []float64
	for i := range n {
		orders, since, noise := math.Floor(rng.ExpFloat64()*4), rng.Float64()*300, rng.NormFloat64()
		country := []string{"FR", "DE", ""}[rng.IntN(3)]
		p := 1 / (1 + math.Exp(-odds(orders, since, country, noise)))
		raw := feature.Raw{Numbers: []float64{orders, since, noise}, Texts: []string{country}}
		if rng.IntN(10) == 0 {
			raw.Numbers[1] = math.NaN()
		}
		out = append(out, propensity.Example{Profile: fmt.Sprintf("p%06d", i), Raw: raw, Did: rng.Float64() < p})
		truth = append(truth, p)
	}
	return out, truth
}

func smooth(orders, since float64, country string, _ float64) float64 {
	z := -2 + 1.2*math.Asinh(orders) - 0.004*since
	if country == "FR" {
		z++
	}
	return z
}

// steps is what no straight line can follow.
func steps(orders, since float64, _ string, _ float64) float64 {
	if (orders >= 3) != (since > 120) {
		return 2
	}
	return -2
}

func TestLearnsWhatIsThere(t *testing.T) {
	for _, c := range []struct {
		name string
		odds func(float64, float64, string, float64) float64
		want propensity.Method
		auc  float64
	}{{"smooth", smooth, propensity.LogisticMethod, 0.02}, {"steps", steps, propensity.TreesMethod, 0.1}} {
		xs, truth := world(20_000, 4, c.odds)
		m, q, err := propensity.Learn(schema, xs, propensity.Auto, 1)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %s auc %.4f log-loss %.4f (%.4f) calibration %.4f %+v", c.name, m.Method, q.AUC, q.LogLoss, q.BaseLogLoss, q.CalibrationError, q.Top)
		if m.Method != c.want {
			t.Errorf("%s: %s was chosen", c.name, m.Method)
		}
		// What the truth itself reaches is the most that can be had.
		labels := make([]bool, len(xs))
		for i, x := range xs {
			labels[i] = x.Did
		}
		if most := propensity.AUC(truth, labels); q.AUC < most-c.auc || q.AUC > most+0.03 {
			t.Errorf("%s: AUC %.4f, the truth has %.4f", c.name, q.AUC, most)
		}
		if q.CalibrationError > 0.03 || q.LogLoss > 0.97*q.BaseLogLoss {
			t.Errorf("%s: %+v", c.name, q)
		}
		if last := q.Top[len(q.Top)-1]; last.Name != "noise" && !(c.name == "steps" && last.Name == "country") {
			t.Errorf("%s: noise is worth more than %s", c.name, last.Name)
		}
	}
}

// The weights of a logistic truth are found.
func TestLogisticFindsItsWeights(t *testing.T) {
	xs, _ := world(40_000, 8, func(orders, _ float64, _ string, _ float64) float64 { return -1 + 0.8*math.Asinh(orders) })
	m, _, err := propensity.Learn(schema, xs, propensity.LogisticMethod, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range m.Encoder.Columns {
		want := 0.0
		if c.Name == "orders" {
			want = 0.8
		}
		if got := m.Logistic.Weights[i] / c.Scale; math.Abs(got-want) > 0.05*math.Max(1, 1/c.Scale) {
			t.Errorf("%s: %.3f, want %.3f", c.Name, got, want)
		}
	}
}

func TestSeedAndOrder(t *testing.T) {
	xs, _ := world(3000, 5, smooth)
	said := func(xs []propensity.Example, seed uint64) string {
		m, q, err := propensity.Learn(schema, xs, propensity.TreesMethod, seed)
		if err != nil {
			t.Fatal(err)
		}
		out, err := json.Marshal([]any{m, q})
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	want := said(xs, 1)
	shuffled := make([]propensity.Example, len(xs))
	for i, j := range rand.New(rand.NewPCG(1, 1)).Perm(len(xs)) {
		shuffled[i] = xs[j]
	}
	if said(shuffled, 1) != want {
		t.Error("another order gives another model")
	}
	if said(xs, 2) == want {
		t.Error("another seed gives the same model")
	}
}

func TestTooLittleIsRefused(t *testing.T) {
	never := func(float64, float64, string, float64) float64 { return -1000 }
	for name, xs := range map[string][]propensity.Example{"nobody": nil} {
		if _, _, err := propensity.Learn(schema, xs, propensity.Auto, 1); weir.CodeOf(err) != weir.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	few, _ := world(40, 1, smooth)
	none, _ := world(5000, 1, never)
	alike, _ := world(5000, 1, smooth)
	for i := range alike {
		alike[i].Raw = feature.Raw{Numbers: []float64{1, math.NaN(), math.Inf(1)}, Texts: []string{""}}
	}
	for name, xs := range map[string][]propensity.Example{"few": few, "nobody did it": none, "all alike": alike} {
		if _, _, err := propensity.Learn(schema, xs, propensity.Auto, 1); weir.CodeOf(err) != weir.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := propensity.Learn(schema, alike, "forest", 1); weir.CodeOf(err) != weir.Invalid {
		t.Error(err)
	}
}

// A feature that tells the outcome separates perfectly and must not run away.
func TestPerfectSeparation(t *testing.T) {
	xs, _ := world(2000, 3, smooth)
	for i := range xs {
		xs[i].Raw.Numbers[2] = 0
		if xs[i].Did {
			xs[i].Raw.Numbers[2] = 1
		}
	}
	for _, method := range []propensity.Method{propensity.LogisticMethod, propensity.TreesMethod} {
		m, q, err := propensity.Learn(schema, xs, method, 1)
		if err != nil {
			t.Fatal(err)
		}
		p := m.Probability(xs[0].Raw)
		if q.AUC != 1 || math.IsNaN(p) || q.Top[0].Name != "noise" {
			t.Errorf("%s: AUC %g, %g, %+v", method, q.AUC, p, q.Top[0])
		}
	}
}

// AUC by its definition: over all pairs.
func TestAUCCountsPairs(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for range 300 {
		n := 2 + rng.IntN(40)
		odds, labels := make([]float64, n), make([]bool, n)
		for i := range odds {
			odds[i], labels[i] = float64(rng.IntN(8)), rng.IntN(3) == 0
		}
		var pairs, wins float64
		for i := range odds {
			for j := range odds {
				if labels[i] && !labels[j] {
					pairs++
					switch {
					case odds[i] > odds[j]:
						wins++
					case odds[i] == odds[j]:
						wins += 0.5
					}
				}
			}
		}
		want := 0.5
		if pairs > 0 {
			want = wins / pairs
		}
		if got := propensity.AUC(odds, labels); math.Abs(got-want) > 1e-12 {
			t.Fatalf("%v %v: %g, want %g", odds, labels, got, want)
		}
	}
}
