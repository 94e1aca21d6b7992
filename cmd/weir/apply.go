package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weir-cdp/weir/project"
	"github.com/weir-cdp/weir/stages"
	"github.com/weir-cdp/weir/workflows"
)

// schedules lists what weir.yaml's sources ask for.
func schedules(p *project.Project, key string) []workflows.ScheduleSpec {
	var out []workflows.ScheduleSpec
	all := parts(p)
	for i, s := range p.Sources {
		if s.Schedule == (project.Schedule{}) {
			continue
		}
		one := workflows.RefreshPlan{Sources: all.Sources[i : i+1], Destinations: all.Destinations}
		out = append(out, workflows.ScheduleSpec{Source: s.Name, Every: s.Schedule.Every, Cron: s.Schedule.Cron, Timezone: p.Timezone,
			Input: workflows.ScheduledInput{Workspace: p.Name, Project: key, Source: s.Name, Parts: one}})
	}
	return append(out, workflows.ScheduleSpec{Source: workflows.MaintenanceSchedule, Cron: upkeepTime, Timezone: p.Timezone,
		Input: workflows.ScheduledInput{Workspace: p.Name, Project: key, Source: workflows.MaintenanceSchedule}})
}

// upkeepTime is when the lake is kept in shape: at night, off the full hour.
const upkeepTime = "17 3 * * *"

func (a *app) planCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "plan",
		Short: "What the files change: of what ran last, and of the schedules",
		Long: `Compares the files with what each stage followed when it last ran (weir run brings
the tables up to them), and with what the schedules follow (weir apply, or weir dev,
brings those up to them). Changes nothing.`,
		Example: "  weir plan\n  weir plan --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := a.loadToRun(cmd.Context()); err != nil {
				return err
			}
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				return a.applied(ctx, pl, true)
			})
		},
	}
}

func (a *app) applyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "apply",
		Short: "Make schedules, and what they start, follow the files",
		Long: `Creates, updates and deletes schedules so that they are as the files say and start
runs that follow these files. It runs nothing itself: what is not in the tables yet
comes with the next run.`,
		Example: "  weir plan\n  weir apply",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := a.loadToRun(cmd.Context()); err != nil {
				return err
			}
			return a.opened(cmd, func(ctx context.Context, pl *platform) error {
				return a.applied(ctx, pl, false)
			})
		},
	}
}

func (a *app) applied(ctx context.Context, pl *platform, dry bool) error {
	p := pl.project
	c, err := pl.dial(ctx)
	if err != nil {
		return err
	}
	difference, err := pl.house.Difference(ctx, p)
	if err != nil {
		return err
	}
	key, err := pl.house.Apply(ctx, p)
	if err != nil {
		return err
	}
	var changes []workflows.Change
	if dry {
		have, err := workflows.Schedules(ctx, c, p.Name)
		if err != nil {
			return err
		}
		changes = workflows.Diff(have, schedules(p, key))
	} else {
		if changes, err = workflows.Apply(ctx, c, p.Name, schedules(p, key)); err != nil {
			return err
		}
		if err := pl.house.MarkApplied(ctx, p); err != nil {
			return err
		}
	}
	warnings := []string{}
	gate, err := a.gate(ctx, p)
	if err != nil {
		return err
	}
	for _, u := range pl.house.Unobliging(ctx, p, gate) {
		warnings = append(warnings, u.Problem.String())
	}
	broken, err := pl.house.Broken(ctx, p)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(map[string]any{"definitions": difference, "schedules": changes, "applied": !dry, "warnings": warnings, "broken": append([]stages.BrokenDefinition{}, broken...)})
	}
	a.showDifference(difference, changes, dry)
	a.showBroken(broken)
	for _, w := range warnings {
		a.printf("warning: %s\n", w)
	}
	return nil
}

// scheduleOf is what a schedule collects; that of the lake's upkeep is every
// project's.
func scheduleOf(source string) string {
	if source == workflows.MaintenanceSchedule {
		return "maintenance"
	}
	return source
}

// showDifference says what differs and from what. After apply the schedules
// follow the files.
func (a *app) showDifference(difference []stages.Definition, changes []workflows.Change, dry bool) {
	unrun := 0
	for _, d := range difference {
		var why []string
		if d.NotApplied && dry {
			why = append(why, "schedules follow other definitions")
		}
		if d.NotRun {
			unrun++
			why = append(why, "not run yet")
		}
		if len(why) > 0 {
			a.printf("%-7s %-40s %s\n", d.Action, d.Name, strings.Join(why, "; "))
		}
	}
	for _, s := range changes {
		why := ""
		if dry {
			why = "weir apply does it, or weir dev"
		}
		a.printf("%-7s %-40s %s\n", s.Action, "schedule of "+scheduleOf(s.Source), why)
	}
	switch {
	case len(difference)+len(changes) == 0:
		a.printf("nothing to change\n")
	case unrun > 0:
		a.printf("%s not in the tables yet: weir run\n", count(int64(unrun)))
	}
}
