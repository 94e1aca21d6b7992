package project

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
)

func withScore(score string) map[string]string {
	return map[string]string{"traits/worth.yaml": "of: person\nscore:\n  " + score + "\n"}
}

func TestScores(t *testing.T) {
	t.Parallel()
	for score, want := range map[string]string{
		`clv: {event: Order, value: properties.revenue, horizon: 365d, discount: 0.01}`: `{"kind":"clv","trait":"worth","event":"Order","value":"properties.revenue","horizon":31536000000000000,"discount":0.01}`,
		`rfm: {event: Order, value: properties.revenue, order: properties.invoice, within: 30d, quantiles: 4, cells: {best: {r: 4, f: [3, 4]}, rest: {}}}`: `{"kind":"rfm","trait":"worth","event":"Order","value":"properties.revenue","order":"properties.invoice","within":2592000000000000,"quantiles":4,` +
			`"cells":[{"name":"best","r":[4,4],"f":[3,4],"m":[0,0]},{"name":"rest","r":[0,0],"f":[0,0],"m":[0,0]}]}`,
		`churn: {event: Order, where: {kind: {is: gift}}, horizon: 90d, method: trees, seed: 7}`: `{"kind":"churn","trait":"worth","event":"Order","where":{"kind":[{"op":"is","values":["gift"]}]},"horizon":7776000000000000,"method":"trees","seed":7}`,
		`lookalike: {segment: sick, features: [given_name]}`:                                     `{"kind":"lookalike","trait":"worth","features":["given_name"],"segment":"sick"}`,
	} {
		p, err := Load(write(t, withScore(score)), known)
		if err != nil {
			t.Errorf("%s: %v", score, err)
			continue
		}
		outputs := 0
		for _, d := range p.Traits {
			if d.Score == nil {
				continue
			}
			outputs++
			bare := *d.Score
			bare.At = ""
			if got, err := json.Marshal(bare); err != nil || string(got) != want || d.Of != weir.Person {
				t.Errorf("%s\ngot  %s %v\nwant %s", score, got, err, want)
			}
		}
		if outputs < 2 {
			t.Errorf("%s gives %d traits", score, outputs)
		}
	}
}

func TestScoresRefused(t *testing.T) {
	t.Parallel()
	for score, part := range map[string]string{
		`clv: {event: Order, horizon: 365d}`:                                          `clv needs value`,
		`clv: {event: Order, value: revenue, horizon: 365d}`:                          `"revenue" is no property`,
		`clv: {event: Order, value: properties.revenue, horizon: 365d, discount: 12}`: `discount is no number`,
		`churn: {event: Order}`:                                                       `churn needs horizon`,
		`churn: {horizon: 30d}`:                                                       `churn needs event`,
		`churn: {event: Order, horizon: 30d, cells: {}}`:                              `unknown key "cells"`,
		`churn: {event: Order, horizon: 30d, method: forest}`:                         `forest`,
		`churn: {event: Order, horizon: 30d, features: [given_name]}`:                 `is an attribute`,
		`churn: {event: Order, horizon: 30d, features: [worth_percentile]}`:           `is a score`,
		`churn: {event: Order, horizon: 30d, features: [nothing]}`:                    `there is no trait "nothing"`,
		`{}`:                                 `says no score`,
		`chrn: {event: Order, horizon: 30d}`: `did you mean "churn"?`,
		`rfm: {event: Order, value: properties.revenue, quantiles: 10}`:                         `at most 9`,
		`rfm: {event: Order, value: properties.revenue, quantiles: 3, cells: {a: {r: [2, 5]}}}`: `not from 1 to 3`,
		`rfm: {event: Order, value: properties.revenue, cells: {a: {r: [5, 4]}}}`:               `not from 1 to 5`,
		`rfm: {event: Order, value: properties.revenue, cells: {a: {r: high}}}`:                 `"high" is no score`,
		`lookalike: {features: [given_name]}`:                                                   `lookalike needs segment`,
		`lookalike: {segment: sik}`:                                                             `did you mean "sick"?`,
	} {
		_, err := Load(write(t, withScore(score)), known)
		if err == nil || !strings.Contains(err.Error(), part) || !strings.Contains(err.Error(), "traits/worth.yaml") {
			t.Errorf("%s: %v, want %s", score, err, part)
		}
	}
	files := withScore(`rfm: {event: Order, value: properties.revenue}`)
	files["traits/worth_cell.yaml"] = "of: person\ncompute: {count: events}\n"
	if _, err := Load(write(t, files), known); err == nil || !strings.Contains(err.Error(), `gives a trait "worth_cell"`) {
		t.Error(err)
	}
}
