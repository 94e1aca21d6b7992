package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/weir-cdp/weir"
)

// increment: the people of identity, of whom 0.1, 1 or 10 % come later: what resolve
// takes for them, beside what it took for the others, without training.
func (b *bench) increment(ctx context.Context) error {
	if b.kit == nil {
		return fmt.Errorf("the people are made by the bench kit")
	}
	rows := b.rows(1_000_000)
	data, err := b.people(ctx, rows)
	if err != nil {
		return err
	}
	for round := 1; round <= b.rounds; round++ {
		for _, later := range []int{1, 10, 100} {
			if err := b.resolveLater(ctx, data, rows, later, round); err != nil {
				return err
			}
		}
	}
	return nil
}

// resolveLater resolves all but the last people, all of them again in full under the
// same model, and then the last in an increment.
func (b *bench) resolveLater(ctx context.Context, data string, rows, later, round int) error {
	dir, err := os.MkdirTemp(b.work, "project")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := b.peopleProject(ctx, data, dir, later); err != nil {
		return err
	}
	upTo := []string{string(weir.Collect), string(weir.Conform)}
	if _, _, err := b.refresh(ctx, dir, append(upTo, string(weir.Resolve))...); err != nil { // trains
		return err
	}
	// Under another identity.yaml all is computed again; the model knows nothing of it.
	if err := edit(filepath.Join(dir, "identity.yaml"), "  model: auto\n", "  model: auto\n  survivorship: {default: [latest]}\n"); err != nil {
		return err
	}
	full, err := b.resolveOnce(ctx, dir, fmt.Sprintf("full before %.1f %%", float64(later)/10), rows, round)
	if err != nil {
		return err
	}
	sources, err := filepath.Glob(filepath.Join(dir, "sources", "*.yaml"))
	if err != nil {
		return err
	}
	for _, s := range sources {
		if err := edit(s, ".first.parquet", ".*.parquet"); err != nil {
			return err
		}
	}
	if _, _, err := b.refresh(ctx, dir, upTo...); err != nil {
		return err
	}
	increment, err := b.resolveOnce(ctx, dir, fmt.Sprintf("%.1f %% new", float64(later)/10), rows*later/1000, round)
	if err != nil {
		return err
	}
	b.report.notef("increment: %.1f %% new records take %.0f %% of the stage's time for all, %.0f %% of the process's processor time", float64(later)/10,
		100*increment.StageS/full.StageS, 100*increment.CPUS/full.CPUS)
	return nil
}

func (b *bench) resolveOnce(ctx context.Context, dir, arm string, rows, round int) (measure, error) {
	u, s, err := b.refresh(ctx, dir, string(weir.Resolve))
	if err != nil {
		return measure{}, err
	}
	m := u.measured("increment", arm, int64(rows), round)
	for _, g := range groups(s) {
		m.WallS = g.to.Sub(g.from).Seconds()
		m.StageS = m.WallS
	}
	return m, b.report.add(m)
}

// edit replaces a text of a file, which must be there.
func edit(path, from, to string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !strings.Contains(string(data), from) {
		return fmt.Errorf("%s does not hold %q", path, from)
	}
	return os.WriteFile(path, []byte(strings.ReplaceAll(string(data), from, to)), 0o644)
}
