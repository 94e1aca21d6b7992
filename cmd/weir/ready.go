package main

import (
	"context"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/project"
	"github.com/weir-cdp/weir/stages"
)

// loadToRun reads a project that is about to run, or to be what schedules follow.
// Besides what load refuses, it refuses a policy that can't be loaded, and
// activations to which that policy would deny everybody: such a run would succeed,
// and empty their destinations.
func (a *app) loadToRun(ctx context.Context) (*project.Project, error) {
	p, err := a.load()
	if err != nil {
		return nil, err
	}
	return p, a.deliverable(ctx, p)
}

// deliverable checks a project against its policy. The error's code is Invalid.
func (a *app) deliverable(ctx context.Context, p *project.Project) error {
	gate, err := a.gate(ctx, p)
	if err != nil {
		return err
	}
	a.rules = gate.Rules()
	var problems project.Problems
	for _, u := range stages.Undeliverable(p, gate.Purposes()) {
		problems = append(problems, u.Problem)
	}
	return problems.Err()
}

// delivers tells whether a run of these stages (none: all) asks the policy.
func delivers(list []weir.Stage) bool {
	return len(list) == 0 || slices.Contains(list, weir.Decide) || slices.Contains(list, weir.Activate)
}
