package resolve

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/train"
)

// planKey is where the plan of one kind's sample lies, beside the scratch of the
// run, for gather and learn.
func planKey(t *pipelines.Task, kind weir.Kind) string {
	return fmt.Sprintf("%s/plan/%s.json", strings.TrimRight(t.Spec().Scratch, "/"), kind)
}

// planBlocks decides which whole blocks of a large table the sample holds.
func planBlocks(ctx context.Context, t *pipelines.Task) error {
	p, err := pipelines.Params[TrainParams](t)
	if err != nil {
		return err
	}
	kind := recordKind(t.Partition()).kind()
	def := slices.IndexFunc(p.Identity, func(d weir.IdentityDef) bool { return d.Kind == kind })
	if def < 0 || !slices.ContainsFunc(p.Models, func(r ModelRef) bool { return r.Kind == kind }) {
		return nil
	}
	var s train.Sample
	if s.Records, err = sampled(ctx, t, "record", kind); err != nil {
		return err
	}
	if s.Total, err = ofKind(ctx, t); err != nil {
		return err
	}
	_, budget := p.budgets()
	plan := train.NewPlan(&s, p.Identity[def], budget, train.Options{Seed: p.Seed})
	if plan == nil {
		return nil
	}
	data, err := json.Marshal(plan)
	if err != nil {
		return weir.Errorf(weir.Internal, "encode the plan of a sample: %w", err)
	}
	return t.Store().Put(ctx, planKey(t, kind), bytes.NewReader(data), int64(len(data)))
}

// readPlan loads a kind's plan; nil: it has none.
func readPlan(ctx context.Context, t *pipelines.Task, kind weir.Kind) (*train.Plan, error) {
	data, err := t.Store().ReadFile(ctx, planKey(t, kind))
	if weir.CodeOf(err) == weir.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var plan train.Plan
	if err := json.Unmarshal(data, &plan); err != nil {
		return nil, weir.Errorf(weir.Internal, "the plan of a sample is damaged: %w", err).At(planKey(t, kind))
	}
	return &plan, nil
}
