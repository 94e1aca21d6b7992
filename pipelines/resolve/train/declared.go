package train

import (
	"math"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/compare"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// file is where all of it is declared.
const file = "identity.yaml"

// threshold is the declared probability as log2 odds.
func threshold(def weir.IdentityDef) float64 {
	if def.Model == nil || def.Model.Threshold <= 0 || def.Model.Threshold >= 1 {
		return DefaultThreshold
	}
	p := def.Model.Threshold
	return math.Log2(p) - math.Log2(1-p)
}

// declared checks what identity.yaml says of the model against the data.
func declared(def weir.IdentityDef, ps []*Profile) error {
	if def.Model == nil {
		return nil
	}
	if p := def.Model.Threshold; math.IsNaN(p) || p < 0 || p >= 1 {
		return weir.Errorf(weir.Invalid, "model: threshold is %v", p).At(file).Then("give a probability, such as 0.95")
	}
	known := func(name string) bool {
		return slices.ContainsFunc(ps, func(p *Profile) bool { return p.Name == name })
	}
	names := slices.Clone(def.Model.Order)
	for name := range def.Model.Compare {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		kind := def.Model.Compare[name]
		if _, ok := compare.KindOf(kind); !ok && kind != "ignore" {
			return weir.Errorf(weir.Invalid, "model: %s has the unknown comparison %q", name, kind).At(file).
				Then("use one of " + strings.Join(compare.Kinds(), ", ") + ", ignore")
		}
		if len(ps) > 0 && !known(name) && kind != "ignore" {
			return weir.Errorf(weir.Invalid, "model: no record holds the attribute or identifier %s", name).At(file).Then("map it in a source, or leave it out")
		}
	}
	for _, rule := range def.Model.Block {
		if len(rule) == 0 {
			return weir.Errorf(weir.Invalid, "model: a blocking rule is empty").At(file).Then("name what records must share to be compared")
		}
		for _, part := range rule {
			name, transform, _ := strings.Cut(part, ":")
			if transform != "" && !slices.Contains(model.Transforms(), transform) {
				return weir.Errorf(weir.Invalid, "model: blocking rule %s has the unknown transform %q", strings.Join(rule, " + "), transform).At(file).
					Then("use one of " + strings.Join(model.Transforms(), ", "))
			}
			if len(ps) > 0 && !known(name) {
				return weir.Errorf(weir.Invalid, "model: blocking rule %s: no record holds %s", strings.Join(rule, " + "), name).At(file).Then("map it in a source, or leave it out")
			}
		}
	}
	return nil
}

// blocked says whether a declared blocking rule names a column.
func blocked(def weir.IdentityDef, name string) bool {
	if def.Model == nil {
		return false
	}
	return slices.ContainsFunc(def.Model.Block, func(rule []string) bool {
		return slices.ContainsFunc(rule, func(part string) bool {
			n, _, _ := strings.Cut(part, ":")
			return n == name
		})
	})
}

// declaredRules takes the rules of identity.yaml as they are.
func (t *trainer) declaredRules(as []atom, ts []trial, rules [][]string, matches []pair, weight []float64, report *Report) error {
	n := float64(t.size)
	scale := float64(t.total) * float64(t.total-1) / max(n*(n-1), 1)
	total := 0.0
	for _, w := range weight {
		total += w
	}
	for _, parts := range rules {
		r := model.Rule{Name: strings.Join(parts, " + ")}
		var used []int
		var own []atom
		for _, part := range parts {
			name, transform, _ := strings.Cut(part, ":")
			if transform == "" {
				transform = model.Whole
			}
			c := slices.IndexFunc(t.cols, func(c model.Column) bool { return c.Name == name })
			if c < 0 {
				return weir.Errorf(weir.Invalid, "model: blocking rule %s: %s is not compared", r.Name, name).At(file).Then("add it to compare")
			}
			r.Parts = append(r.Parts, model.Part{Column: c, Transform: transform})
			used = append(used, c)
			own = append(own, atom{column: c, transform: transform, hash: t.model.AtomHashes(r.Parts[len(r.Parts)-1], t.features)})
		}
		if slices.ContainsFunc(r.Parts, func(p model.Part) bool { return p.Transform == model.Both }) && (t.given < 0 || t.family < 0) {
			return weir.Errorf(weir.Invalid, "model: blocking rule %s needs a given and a family name", r.Name).At(file).
				Then("compare two columns as name, such as given_name and family_name")
		}
		r.Second = t.second(used)
		tr := trial{}
		for i := range own {
			tr.atoms = append(tr.atoms, i)
		}
		tr.hash = t.trialHash(own, &tr, nil)
		sorted := slices.Clone(tr.hash[:t.size])
		slices.Sort(sorted)
		pairs, _ := countPairs(sorted, 0)
		r.Pairs = pairs * scale
		found := 0.0
		for i, p := range matches {
			if h := tr.hash[p.a]; h != 0 && h == tr.hash[p.b] {
				found += weight[i]
			}
		}
		report.Rules = append(report.Rules, RuleReport{Name: r.Name, Pairs: r.Pairs, Matches: found / max(total, 1e-9)})
		t.content.Rules = append(t.content.Rules, r)
	}
	return nil
}
