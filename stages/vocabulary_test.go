package stages_test

import (
	"slices"
	"testing"

	"github.com/weir-cdp/weir/pipelines/resolve/compare"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
	"github.com/weir-cdp/weir/project"
)

// TestTheModelKnowsWhatProjectsMaySay: what identity.yaml accepts, training
// understands, and the other way.
func TestTheModelKnowsWhatProjectsMaySay(t *testing.T) {
	same := func(what string, a, b []string) {
		a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
		if !slices.Equal(a, b) {
			t.Errorf("%s: projects may say %v, the model knows %v", what, a, b)
		}
	}
	same("comparisons", project.Comparisons, append(compare.Kinds(), "ignore"))
	same("transforms", project.Transforms, model.Transforms())
	if project.MostBlocks != model.MaxRules {
		t.Errorf("projects may have %d blocking rules, a model %d", project.MostBlocks, model.MaxRules)
	}
}
