package stages

import (
	"context"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse"
	"github.com/weir-cdp/weir/project"
)

// Maintenance says what was done to a lake, or would be.
type Maintenance struct {
	DryRun bool               `json:"dry_run"`
	Tables []TableMaintenance `json:"tables"`
	Runs   int                `json:"runs"`  // of which specs, manifests and scratch files were swept
	Files  int                `json:"files"` // objects deleted, of tables and runs
	Bytes  int64              `json:"bytes"`
}

// TableMaintenance is what was done to one table.
type TableMaintenance struct {
	Table   string `json:"table"`
	Merged  int    `json:"merged"`  // small files made into fewer
	Expired int    `json:"expired"` // snapshots
	Orphans int    `json:"orphans"` // files that nothing refers to
	Bytes   int64  `json:"bytes"`   // of the orphans
}

const (
	// keepSnapshots is how many of a table stay, however old.
	keepSnapshots = 10
	// orphanAge outlasts any stage, whose files no commit names yet.
	orphanAge = 3 * 24 * time.Hour
	// runAge is how long a run's own files stay, to look at and to resume.
	runAge = 7 * 24 * time.Hour
)

// Maintain merges small files, lets snapshots beyond the project's retention
// expire, and deletes what nothing refers to: files of tables, and what old runs
// left. The last run and runs with deliveries under way keep everything. With
// dry it only says what it would do.
func (h *House) Maintain(ctx context.Context, p *project.Project, now time.Time, dry bool) (Maintenance, error) {
	out := Maintenance{DryRun: dry, Tables: []TableMaintenance{}}
	tables, err := h.Lake.Tables(ctx)
	if err != nil {
		return out, err
	}
	for _, name := range tables {
		t, err := h.maintainTable(ctx, name, p.Retention.Snapshots, now, dry)
		if err != nil {
			return out, err
		}
		out.Tables = append(out.Tables, t)
		out.Files += t.Orphans
		out.Bytes += t.Bytes
	}
	return out, h.sweepRuns(ctx, &out, now, dry)
}

// Upkeep is Maintain for a stored project: what the nightly schedule does.
func (h *House) Upkeep(ctx context.Context, key string, now time.Time) error {
	p, err := h.project(ctx, key)
	if err != nil {
		return err
	}
	_, err = h.Maintain(ctx, p, now, false)
	return err
}

func (h *House) maintainTable(ctx context.Context, name string, keep time.Duration, now time.Time, dry bool) (TableMaintenance, error) {
	t := TableMaintenance{Table: name}
	if name != runsTable { // which keeps itself short
		compacted, err := h.Lake.Compact(ctx, name, dry)
		if err != nil {
			return t, err
		}
		t.Merged = compacted.Before
		expired, err := h.Lake.Expire(ctx, name, lakehouse.ExpirePolicy{Now: now, KeepLast: keepSnapshots, OlderThan: max(keep, lakehouse.MinAge), DryRun: dry})
		if err != nil {
			return t, err
		}
		t.Expired = len(expired.Expired)
	}
	orphans, err := h.Lake.Orphans(ctx, name, now, orphanAge, dry)
	t.Orphans, t.Bytes = len(orphans.Files), orphans.Bytes
	return t, err
}

// sweepRuns deletes what old runs left below runs/.
func (h *House) sweepRuns(ctx context.Context, out *Maintenance, now time.Time, dry bool) error {
	keep, err := h.busyRuns(ctx)
	if err != nil {
		return err
	}
	var runs []string
	for o, err := range h.store().List(ctx, "runs/") {
		if err != nil {
			return err
		}
		run, _, _ := strings.Cut(strings.TrimPrefix(o.Key, "runs/"), "/")
		if !keep[run] && (len(runs) == 0 || runs[len(runs)-1] != run) {
			runs = append(runs, run)
		}
	}
	for _, run := range runs {
		swept, err := h.Lake.Sweep(ctx, "runs/"+run, now, runAge, dry)
		if err != nil {
			return err
		}
		if len(swept.Files) > 0 {
			out.Runs++
			out.Files += len(swept.Files)
			out.Bytes += swept.Bytes
		}
	}
	return nil
}

// busyRuns are the runs whose files must stay: the last one of each stage, and
// those with an open journal.
func (h *House) busyRuns(ctx context.Context) (map[string]bool, error) {
	keep := map[string]bool{}
	runs, err := h.Lake.Runs(ctx)
	if err != nil {
		return nil, err
	}
	last := map[weir.Stage]weir.RunID{}
	for _, r := range runs { // in the order in which they ended
		last[r.Stage] = r.RunID
	}
	for _, id := range last {
		keep[string(id)] = true
	}
	for o, err := range h.store().List(ctx, "journal/") {
		if err != nil {
			return nil, err
		}
		if parts := strings.Split(o.Key, "/"); len(parts) > 3 { // journal/DESTINATION/RUN/…
			keep[parts[2]] = true
		}
	}
	return keep, nil
}
