package stages

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse"
	"github.com/weir-cdp/weir/lakehouse/vault"
	"github.com/weir-cdp/weir/project"
)

// Maintenance says what was done to a lake, or would be.
type Maintenance struct {
	DryRun bool               `json:"dry_run"`
	Tables []TableMaintenance `json:"tables"`
	Rows   int                `json:"rows"`   // of ops.runs that nobody needs any more
	Values int                `json:"values"` // excerpts of bad values that were dropped
	Runs   int                `json:"runs"`   // of which specs, manifests and scratch files were swept
	Files  int                `json:"files"`  // objects deleted, of tables and runs
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
	// quarantineHistory is how far time travel reaches in ops.quarantine: what older
	// snapshots hold are values whose time may be over.
	quarantineHistory = 24 * time.Hour
	// orphanAge outlasts any stage, whose files no commit names yet.
	orphanAge = 3 * 24 * time.Hour
	// runAge is how long a run's own files stay, to look at and to resume.
	runAge = 7 * 24 * time.Hour
)

// Maintain merges small files, lets snapshots beyond the project's retention
// expire, and deletes what nothing refers to: files of tables, and what old runs
// left, indexes among it. With dry it only says what it would do.
//
// What stays, however old: what is pinned now, and a table's last snapshots; the
// files of the last run of each stage, of deliveries under way, and of syncs that
// are paused, with what they have landed so far; of ops.runs what lakehouse.TrimRuns
// says. The projects that runs followed are kept for good: one small object for each
// change of the files.
func (h *House) Maintain(ctx context.Context, p *project.Project, now time.Time, dry bool) (Maintenance, error) {
	out := Maintenance{DryRun: dry, Tables: []TableMaintenance{}}
	// A batch that is half visible is finished before files are merged: afterwards
	// nobody could tell which of its rows are there.
	if !dry {
		if _, err := h.ledgerState(ctx); err != nil {
			return out, err
		}
		if err := vault.Open(h.store(), nil).Sweep(ctx); err != nil {
			return out, err
		}
	}
	tables, err := h.Lake.Tables(ctx)
	if err != nil {
		return out, err
	}
	if out.Values, err = h.dropExcerpts(ctx, p.Retention.QuarantineValues, now, dry); err != nil {
		return out, err
	}
	paused, err := h.openSyncs(ctx)
	if err != nil {
		return out, err
	}
	for _, name := range tables {
		t, err := h.maintainTable(ctx, name, upkeep{keep: p.Retention.Snapshots, now: now, dry: dry, landed: paused.files, shows: p.Retention.QuarantineValues > 0})
		if err != nil {
			return out, err
		}
		out.Tables = append(out.Tables, t)
		out.Files += t.Orphans
		out.Bytes += t.Bytes
	}
	if out.Rows, err = h.Lake.TrimRuns(ctx, now.Add(-max(p.Retention.Snapshots, lakehouse.MinAge)), dry); err != nil {
		return out, err
	}
	if err := h.sweepDefinitions(ctx, &out, now, dry); err != nil {
		return out, err
	}
	if err := h.sweepRuns(ctx, &out, paused.runs, now, dry); err != nil {
		return out, err
	}
	return out, h.sweepIndexes(ctx, &out, p.Retention.Snapshots, now, dry)
}

// sweepIndexes deletes indexes that no run would go on from any more, because they hold
// what the snapshots do not: of a workspace that runs, the next run does so.
func (h *House) sweepIndexes(ctx context.Context, out *Maintenance, keep time.Duration, now time.Time, dry bool) error {
	for _, where := range []string{resolveIndexes, segmentIndexes} {
		swept, err := h.Lake.Sweep(ctx, where, now, max(keep, lakehouse.MinAge, runAge), dry)
		if err != nil {
			return err
		}
		out.Files += len(swept.Files)
		out.Bytes += swept.Bytes
	}
	return nil
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

// upkeep is what each table's maintenance is told.
type upkeep struct {
	keep   time.Duration // of snapshots
	now    time.Time
	dry    bool
	landed map[string]bool // files that paused syncs have not committed yet
	shows  bool            // excerpts for a time only: not in older snapshots for longer
}

// uncompacted are tables whose writers bound their files, and which files there were
// decides how much the next run does: conform keeps those of earlier events, and segment
// writes one for each partition of profiles and copies rows by it.
var uncompacted = []string{"core.events", traitsTable, "segment.memberships"}

func (h *House) maintainTable(ctx context.Context, name string, u upkeep) (TableMaintenance, error) {
	t := TableMaintenance{Table: name}
	if name != runsTable { // which keeps itself short
		if !slices.Contains(uncompacted, name) {
			compacted, err := h.Lake.Compact(ctx, name, u.dry)
			if err != nil {
				return t, err
			}
			t.Merged = compacted.Before
		}
		policy := lakehouse.ExpirePolicy{Now: u.now, KeepLast: keepSnapshots, OlderThan: max(u.keep, lakehouse.MinAge), DryRun: u.dry}
		if name == quarantineTable && u.shows {
			policy.KeepLast, policy.OlderThan = 1, quarantineHistory
		}
		expired, err := h.Lake.Expire(ctx, name, policy)
		if err != nil {
			return t, err
		}
		t.Expired = len(expired.Expired)
	}
	orphans, err := h.Lake.Orphans(ctx, name, u.now, orphanAge, u.landed, u.dry)
	t.Orphans, t.Bytes = len(orphans.Files), orphans.Bytes
	return t, err
}

// sweepRuns deletes what old runs left below runs/.
func (h *House) sweepRuns(ctx context.Context, out *Maintenance, paused map[string]bool, now time.Time, dry bool) error {
	keep, err := h.busyRuns(ctx)
	if err != nil {
		return err
	}
	maps.Copy(keep, paused)
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
