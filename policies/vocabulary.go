package policies

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
)

// vocabulary is what the gate itself reads from the policy's data files.
type vocabulary struct {
	purposes   []string          // sorted
	tcf        map[string][]int  // purpose → the purposes of TCF that it takes
	places     map[string]string // lower-case code, name or other writing → code; a state's as "us/california"
	regime     map[string]string // code → regime
	thresholds []int             // every number of days that the data files name, sorted: where made-up people differ
	limits     map[string]int    // purpose → days that consent to it holds; none where there is no limit
	unsure     bool              // the limits can't be read as they are meant
}

func vocabularyOf(f *files) (*vocabulary, error) {
	v := &vocabulary{places: map[string]string{}, regime: map[string]string{}}
	purposes, ok := f.data["purposes"].(map[string]any)
	if !ok || len(purposes) == 0 {
		return nil, weir.Errorf(weir.Invalid, "the policy lists no purposes").At("data/purposes.yaml").Then("start from a copy of the built-in policy")
	}
	v.purposes, v.tcf = sorted(purposes), map[string][]int{}
	for _, name := range v.purposes {
		about, _ := purposes[name].(map[string]any)
		list, _ := about["tcf"].([]any)
		for _, n := range list {
			number, ok := n.(float64)
			if !ok || number != float64(int(number)) || number < 1 || number > 11 {
				return nil, weir.Errorf(weir.Invalid, "%s: %v is no purpose of TCF", name, n).At("data/purposes.yaml").Then("list numbers from 1 to 11")
			}
			v.tcf[name] = append(v.tcf[name], int(number))
		}
	}
	v.limits = limitsOf(f.data["retention"])
	if err := v.readPlaces(f.data["jurisdictions"]); err != nil {
		return nil, err
	}
	if err := v.readThresholds("", f.data); err != nil {
		return nil, err
	}
	slices.Sort(v.thresholds)
	v.thresholds = slices.Compact(v.thresholds)
	return v, nil
}

// limitsOf reads how long consent holds, for cases that name the limit.
func limitsOf(retention any) map[string]int {
	out := map[string]int{}
	purposes, _ := retention.(map[string]any)
	for purpose, x := range purposes {
		numbers, _ := x.(map[string]any)
		if days, ok := numbers["consent_max_age_days"].(float64); ok {
			out[purpose] = int(days)
		}
	}
	return out
}

func (v *vocabulary) readPlaces(data any) error {
	text, _ := json.Marshal(data)
	var places map[string]struct {
		Name, Regime string
		Also         []string
	}
	if err := json.Unmarshal(text, &places); err != nil || len(places) == 0 {
		return weir.Errorf(weir.Invalid, "the policy lists no jurisdictions, each with a name and a regime").At("data/jurisdictions.yaml")
	}
	for _, code := range sorted(places) {
		p := places[code]
		if p.Regime == "" || strings.Contains(code, ",") {
			return weir.Errorf(weir.Invalid, "the jurisdiction %q has no regime, or a comma in its code", code).At("data/jurisdictions.yaml")
		}
		v.regime[code] = p.Regime
		prefix := ""
		if country, _, state := strings.Cut(code, "-"); state {
			prefix = strings.ToLower(country) + "/"
			v.places[prefix+strings.ToLower(code[len(country)+1:])] = code
		}
		v.places[strings.ToLower(code)] = code
		for _, name := range append([]string{p.Name}, p.Also...) {
			if name != "" {
				v.places[prefix+strings.ToLower(name)] = code
			}
		}
	}
	return nil
}

// readThresholds gathers every number whose name ends in _days.
func (v *vocabulary) readThresholds(name string, value any) error {
	switch x := value.(type) {
	case map[string]any:
		for _, k := range sorted(x) {
			if err := v.readThresholds(k, x[k]); err != nil {
				return err
			}
		}
	case []any:
		for _, e := range x {
			if err := v.readThresholds(name, e); err != nil {
				return err
			}
		}
	case float64:
		if strings.HasSuffix(name, "_days") {
			if x != float64(int(x)) || x < 0 || x > 1<<20 {
				return weir.Errorf(weir.Invalid, "%s: %v is not a number of whole days", name, x).At("data")
			}
			v.thresholds = append(v.thresholds, int(x))
		}
	}
	return nil
}

// place finds a jurisdiction's code; region is that of a country with states.
func (v *vocabulary) place(text, region string) (string, bool) {
	text, region = strings.ToLower(strings.TrimSpace(text)), strings.ToLower(strings.TrimSpace(region))
	code, ok := v.places[text]
	if !ok {
		return "", false
	}
	if region != "" {
		if state, ok := v.places[strings.ToLower(code)+"/"+region]; ok {
			return state, true
		}
		if state, ok := v.places[region]; ok && strings.HasPrefix(state, code+"-") {
			return state, true
		}
	}
	return code, true
}

// regimes gives the regimes of jurisdictions; "unknown" for one that is not listed.
func (v *vocabulary) regimes(jurisdictions List) List {
	var out []string
	for _, j := range jurisdictions.Items() {
		if r, ok := v.regime[j]; ok {
			out = append(out, r)
		} else {
			out = append(out, "unknown")
		}
	}
	return ListOf(out...)
}
