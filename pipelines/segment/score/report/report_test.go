package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/score"
	"github.com/weir-cdp/weir/pipelines/segment/score/btyd"
	"github.com/weir-cdp/weir/pipelines/segment/score/lookalike"
	"github.com/weir-cdp/weir/pipelines/segment/score/propensity"
	"github.com/weir-cdp/weir/pipelines/segment/score/report"
	"github.com/weir-cdp/weir/pipelines/segment/score/rfm"
)

const evil = `<script>alert("x")</script>`

func samples() map[string]*score.Fitted {
	check := &score.CLVCheck{Until: time.Unix(0, 0), Days: 90, Customers: 12, Expected: 5, Actual: 6, By: []score.CLVGroup{{Customers: 4, Expected: 0.5, Actual: 0.25}, {Repeats: 1}}}
	model := &propensity.Model{Method: propensity.LogisticMethod, Logistic: &propensity.Logistic{}}
	lifts := []propensity.Lift{{Share: 0.1, Captured: 0.4, Lift: 4}}
	return map[string]*score.Fitted{
		"clv": {Trait: "clv", Kind: "clv", Model: score.Model{CLV: &score.CLV{NBD: btyd.NBD{R: 0.2, Alpha: 4, A: 0.8, B: 2.4}, Spending: &btyd.GammaGamma{P: 6, Q: 4, Gamma: 15}}},
			Quality: score.Quality{CLV: &score.CLVQuality{Spending: &btyd.Quality{Customers: 77}, Notes: []string{evil}, Check: check}}},
		"rfm": {Trait: "rfm", Kind: "rfm", Model: score.Model{RFM: &rfm.Cuts{Quantiles: 2, Recency: []int64{9}}},
			Quality: score.Quality{RFM: &score.RFMQuality{Customers: 1234, Table: [][]int64{{1000, 0}, {0, 234}}, Cells: []score.Sized{{Name: evil, Customers: 1234, Money: "5.10"}}, Money: "5.10"}}},
		"churn": {Trait: "churn", Kind: "churn", Model: score.Model{Propensity: model}, Quality: score.Quality{Propensity: &propensity.Quality{AUC: 0.81, Lift: lifts, Rate: 0.2,
			Calibration: []propensity.Bin{{Profiles: 3, Said: 0.1, Seen: 0.2}}, ROC: []propensity.Point{{}, {FalseAlarms: 1, Hits: 1}}, Top: []propensity.Feature{{Name: evil, Worth: 0.1, Direction: 1}, {Name: "b", Worth: -0.01}}}}},
		"alike": {Trait: "alike", Kind: "lookalike", Model: score.Model{Lookalike: &lookalike.Model{Centres: [][]float64{{1}}}}, Quality: score.Quality{Lookalike: &lookalike.Quality{AUC: 0.9, Lift: lifts, Features: []lookalike.Feature{{Name: evil, Difference: -2}}}}},
		"none":  {Trait: "none", Kind: "clv", Refused: evil, Quality: score.Quality{CLV: &score.CLVQuality{}}},
	}
}

// Each page is well formed, escapes what it is told, asks no network, and is the
// same each time.
func TestPages(t *testing.T) {
	for name, f := range samples() {
		d := report.Data{Score: f, Run: "r1", At: time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)}
		var one, two bytes.Buffer
		if err := report.Write(&one, d); err != nil {
			t.Fatal(name, err)
		}
		if err := report.Write(&two, d); err != nil || one.String() != two.String() {
			t.Errorf("%s: not the same twice: %v", name, err)
		}
		text := one.String()
		if strings.Contains(text, "<script") || !strings.Contains(text, "&lt;script&gt;") || strings.Contains(text, "http") || strings.Contains(text, "NaN") || strings.Contains(text, "%!") {
			t.Errorf("%s: %s", name, text)
		}
		wellFormed(t, name, strings.TrimPrefix(text, "<!DOCTYPE html>\n"))
		for _, chart := range report.Charts(f) {
			var svg bytes.Buffer
			if err := report.Chart(&svg, d, chart); err != nil || !strings.HasPrefix(svg.String(), `<svg xmlns="http://www.w3.org/2000/svg"`) {
				t.Errorf("%s, %s: %v", name, chart, err)
			}
			wellFormed(t, name+" "+chart, svg.String())
		}
		if err := report.Chart(io.Discard, d, "pie"); weir.CodeOf(err) != weir.Invalid {
			t.Errorf("%s has a pie: %v", name, err)
		}
	}
	want := map[string]string{"clv": "[check alive]", "rfm": "[table cells]", "churn": "[calibration roc lift features]", "alike": "[lift features]", "none": "[]"}
	for name, f := range samples() {
		if got := fmt.Sprint(report.Charts(f)); got != want[name] {
			t.Errorf("%s has charts %s, want %s", name, got, want[name])
		}
	}
}

func wellFormed(t *testing.T, name, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict = true
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
	}
}
