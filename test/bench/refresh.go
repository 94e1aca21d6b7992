package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/workflows"
)

// refresh is `weir run` of stages, all if none; partly done is done.
func (b *bench) refresh(ctx context.Context, dir string, stages ...string) (usage, workflows.Snapshot, error) {
	const partial = 3
	var s workflows.Snapshot
	u, err := execute(ctx, nil, partial, append([]string{b.weir, "run", "--project", dir, "--json"}, stages...)...)
	if jerr := json.Unmarshal(u.out, &s); err == nil && jerr != nil {
		err = fmt.Errorf("weir run --json: %w", jerr)
	}
	for _, p := range s.Parts {
		if p.Outcome == workflows.Failed {
			return u, s, fmt.Errorf("weir run: %s %s failed: %s", p.Stage, p.Part, p.Error)
		}
	}
	return u, s, err
}

// collect measures `weir run collect` of a fresh project with one stream. Round 0
// is of a quarter of the rows, and tells whether memory grows with the input.
func (b *bench) collect(ctx context.Context, name, sourceFile string, rows, round int) error {
	dir, err := os.MkdirTemp(b.work, "project")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Mkdir(filepath.Join(dir, "sources"), 0o755); err != nil {
		return err
	}
	for path, text := range map[string]string{
		"weir.yaml":        "name: bench\ntimezone: UTC\ndefault_region: FR\ncurrency: EUR\nlake: {}\ntemporal: {}\n",
		"identity.yaml":    "person:\n  identifiers:\n    customer_id: {limit: 1}\n    email: {limit: 5}\n",
		"sources/crm.yaml": sourceFile,
	} {
		if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o644); err != nil {
			return err
		}
	}
	u, s, err := b.refresh(ctx, dir, string(weir.Collect))
	if err != nil {
		return err
	}
	if len(s.Parts) != 1 || s.Parts[0].RowsOut != int64(rows) {
		return fmt.Errorf("%d rows were wanted: %+v", rows, s.Parts)
	}
	m := u.measured(name, "weir", int64(rows), round)
	m.StageS = s.Parts[0].EndedAt.Sub(s.Parts[0].StartedAt).Seconds()
	if round == 0 {
		b.quarter = m
		return nil
	}
	if round == 1 && b.quarter.Name == name {
		b.report.notef("%s: weir's own memory peaks at %d MB with %d rows and at %d MB with %d", name, b.quarter.OwnMB, b.quarter.Rows, m.OwnMB, m.Rows)
	}
	return b.report.add(m)
}

// customersSource writes the file of a source with one stream of customers.
func customersSource(connector, config, stream string) string {
	return fmt.Sprintf(`connector: %s
config: %s
streams:
  customers:
    %s
    key: [id]
    as: person
    map:
      identifiers: {customer_id: id, email: email}
      attributes: {given_name: given_name, family_name: family_name}
      observed_at: updated_at
`, connector, config, stream)
}
