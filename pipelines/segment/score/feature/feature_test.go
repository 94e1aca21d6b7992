package feature_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/weir-cdp/weir/pipelines/segment/score/feature"
)

func TestColumns(t *testing.T) {
	nan := math.NaN()
	rows := []feature.Raw{
		{Numbers: []float64{1, 7, nan}, Texts: []string{"b"}}, {Numbers: []float64{100, 7, 2}, Texts: []string{"a"}},
		{Numbers: []float64{-5, 7, 3}, Texts: []string{""}}, {Numbers: []float64{1e300, 7, math.Inf(1)}, Texts: []string{"b"}},
	}
	for range 9 {
		rows = append(rows, rows[:4]...)
	}
	e := feature.Fit(feature.Schema{Numbers: []string{"x", "same", "gappy"}, Texts: []string{"t"}}, rows)
	if got, want := fmt.Sprint(e.Names()), "[x gappy gappy is unknown t is b t is a]"; got != want {
		t.Fatalf("%s, want %s", got, want)
	}
	m := e.Matrix(rows)
	for c := range e.Columns {
		var mean, square float64
		for _, row := range m {
			mean += row[c] / 40
			square += row[c] * row[c] / 40
		}
		gaps := 1.0
		if e.Columns[c].Name == "gappy" {
			gaps = 0.5 // two are known
		}
		if math.Abs(mean) > 1e-9 || math.Abs(square-gaps) > 1e-9 {
			t.Errorf("%s: mean %g, mean square %g", e.Columns[c].Name, mean, square)
		}
	}
	row := make([]float64, len(e.Columns))
	e.Row(feature.Raw{Numbers: []float64{nan, 0, -1e300}, Texts: []string{"never seen"}}, row)
	if row[0] != 0 || row[1] != -10 { // far off is held at 10
		t.Error(row)
	}
}

func TestFrequentValuesOnly(t *testing.T) {
	var rows []feature.Raw
	for i := range 60 {
		for range i + 1 {
			rows = append(rows, feature.Raw{Texts: []string{fmt.Sprintf("v%02d", i)}})
		}
	}
	e := feature.Fit(feature.Schema{Texts: []string{"t"}}, rows)
	if names := e.Names(); len(names) != 12 || names[0] != "t is v59" || names[11] != "t is v48" {
		t.Error(names)
	}
}

func TestLotsAreEven(t *testing.T) {
	const n = 50_000
	var bins [10]int
	both := 0
	for i := range n {
		id := fmt.Sprintf("profile-%d", i)
		lot := feature.Lot(1, id)
		bins[int(lot*10)]++
		if lot < 0.2 && feature.Lot(2, id) < 0.2 {
			both++
		}
	}
	for k, b := range bins {
		if math.Abs(float64(b)-n/10) > 5*math.Sqrt(n/10) {
			t.Errorf("bin %d: %d", k, b)
		}
	}
	if math.Abs(float64(both)-n*0.04) > 5*math.Sqrt(n*0.04) {
		t.Errorf("lots of two seeds go together: %d", both)
	}
}
