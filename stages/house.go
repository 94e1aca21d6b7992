package stages

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"maps"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/lakehouse"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/lakehouse/sql"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/project"
)

// House is what all stages share: the lake and the means to reach everything
// else. It holds no state of a run.
type House struct {
	Lake       *lakehouse.Lake
	Connectors map[string]connectors.Connector
	// Dir is the project's directory on this machine: relative paths of sources
	// and secrets start there.
	Dir     string
	Secrets project.Resolver
	// Pipeline runs one pipeline's spec to the end and leaves its manifest.
	Pipeline func(ctx context.Context, spec string, progress func(weir.Progress)) error
	// Session opens the platform's own SQL session over these tables.
	Session func(ctx context.Context) (*sql.Internal, error)
	// Analyst opens a session that can only read: queries of traits are asked in it.
	Analyst func(ctx context.Context) (*sql.Session, error)
	// Memory is the folder where this machine keeps what it saw of the published policies;
	// "": it keeps nothing, and does not notice an older log in the place of a newer.
	Memory string
	// Timelines is the folder where this machine keeps profiles and their events for
	// live counts; it may be lost.
	Timelines string
	// Gate loads the policies that rule for a project while nothing is published: see
	// Ruling.
	Gate func(ctx context.Context, p *project.Project) (*policies.Gate, error)
	// Rules packs the unsigned rules of a project's folder, where workers on other
	// machines follow it: Apply puts them beside the definitions. nil: workers read the
	// folder.
	Rules func(p *project.Project) ([]byte, error)
	// Clock tells when a step started and ended, and which policy rules by now: see
	// Enforced.
	Clock func() time.Time
	// Pause waits between the tries of a delivery; nil waits by a timer. It ends
	// early with ctx's error.
	Pause func(ctx context.Context, d time.Duration) error
	Log   *slog.Logger
}

// All returns the seven stages.
func (h *House) All() map[weir.Stage]Stage {
	return map[weir.Stage]Stage{
		weir.Collect:  &collect{h},
		weir.Conform:  conform(h),
		weir.Resolve:  resolve(h),
		weir.Unify:    unify(h),
		weir.Segment:  segment(h),
		weir.Decide:   &decide{h},
		weir.Activate: &activate{h},
	}
}

func (h *House) store() *object.Store { return h.Lake.Store() }

// Apply stores a project's definitions in the lake and returns their key: what
// a run follows, on whatever machine its steps execute.
func (h *House) Apply(ctx context.Context, p *project.Project) (string, error) {
	p, err := h.withRules(ctx, p)
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(p)
	if err != nil {
		return "", weir.Errorf(weir.Internal, "encode project: %w", err)
	}
	key := projectKey(b)
	_, err = h.store().PutIfAbsent(ctx, key, b)
	return key, err
}

// projectKey names a project's definitions by their digest, as project.Digest has it.
func projectKey(b []byte) string {
	sum := sha256.Sum256(b)
	return "projects/" + hex.EncodeToString(sum[:16]) + ".json"
}

// project reads the definitions that a run follows. Denied: the store holds others than
// those that were applied under the key.
func (h *House) project(ctx context.Context, key string) (*project.Project, error) {
	b, err := h.store().ReadFile(ctx, key)
	if err != nil {
		return nil, err
	}
	if projectKey(b) != key {
		return nil, weir.Errorf(weir.Denied, "the project's definitions are not those that were applied").At(key).
			Then("find out who changed them, restore the object from a backup or delete it, and apply the project anew: weir apply")
	}
	p := &project.Project{}
	if err := json.Unmarshal(b, p); err != nil {
		return nil, weir.Errorf(weir.Internal, "%s is damaged: %w", key, err)
	}
	return p, nil
}

func (h *House) readJSON(ctx context.Context, key string, into any) error {
	b, err := h.store().ReadFile(ctx, key)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return weir.Errorf(weir.Internal, "%s is damaged: %w", key, err)
	}
	return nil
}

func (h *House) writeJSON(ctx context.Context, key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return weir.Errorf(weir.Internal, "encode %s: %w", key, err)
	}
	return h.store().Put(ctx, key, strings.NewReader(string(b)), int64(len(b)))
}

// writeOnce is writeJSON of what is there once: a value that an earlier attempt has written
// stands. A worker that was held up and then goes on, long after its step was given to
// another, must not fix other inputs under a run that has begun.
func (h *House) writeOnce(ctx context.Context, key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return weir.Errorf(weir.Internal, "encode %s: %w", key, err)
	}
	_, err = h.store().PutIfAbsent(ctx, key, b)
	return err
}

// runPrefix is where a stage of a run keeps its spec, scratch and manifest.
func runPrefix(run weir.Run, stage weir.Stage, part string) string {
	p := "runs/" + string(run.ID) + "/" + string(stage) + "/"
	if part != "" {
		p += strings.ReplaceAll(part, "/", "__") + "/"
	}
	return p
}

// planned tells whether a run's spec is already written: a plan step that is
// repeated after a crash must not fix other inputs.
func (h *House) planned(ctx context.Context, key string) (bool, error) {
	_, err := h.store().Stat(ctx, key)
	if weir.CodeOf(err) == weir.NotFound {
		return false, nil
	}
	return err == nil, err
}

// digest names what a stage's result depends on.
func digest(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", weir.Errorf(weir.Internal, "digest: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16]), nil
}

// last returns the newest run of a stage and part that succeeded.
func (h *House) last(ctx context.Context, stage weir.Stage, part string) (weir.StageRun, bool, error) {
	runs, err := h.Lake.Runs(ctx)
	if err != nil {
		return weir.StageRun{}, false, err
	}
	var best weir.StageRun
	found := false
	for _, r := range runs {
		if r.Stage == stage && r.Part == part && r.Status != Failed && (!found || !r.EndedAt.Before(best.EndedAt)) {
			best, found = r, true
		}
	}
	return best, found, nil
}

// The statuses of a row of ops.runs.
const (
	Done      = "done"
	Unchanged = "unchanged" // nothing new in, nothing new out
	Partial   = "partial"   // done, but something was newly quarantined or not delivered
	Failed    = "failed"
)

// keep records that a run found nothing to do.
func (h *House) keep(ctx context.Context, run weir.Run, stage weir.Stage, part string) (weir.StageRun, error) {
	return h.keepCounting(ctx, run, stage, part, map[string]int64{}, "")
}

// keepCounting is keep, with counts of what was found meanwhile and what is to be
// told of it.
func (h *House) keepCounting(ctx context.Context, run weir.Run, stage weir.Stage, part string, found map[string]int64, told string) (weir.StageRun, error) {
	prior, ok, err := h.last(ctx, stage, part)
	if err != nil || (ok && prior.RunID == run.ID) {
		return prior, err // recorded before a crash that hid the answer
	}
	now := h.Clock()
	row := weir.StageRun{RunID: run.ID, Stage: stage, Part: part, StartedAt: now, EndedAt: now, Now: run.Now,
		Status: Unchanged, Snapshots: prior.Snapshots, SpecDigest: prior.SpecDigest, Error: told, Project: run.Project, Follows: prior.Follows}
	found["events_later"] = prior.Counts["events_later"] // still to come
	found[oldRows] = prior.Counts[newRows] + prior.Counts[oldRows]
	for name, n := range found {
		if n > 0 {
			if row.Counts == nil {
				row.Counts = map[string]int64{}
			}
			row.Counts[name] = n
		}
	}
	return row, h.Lake.RecordRun(ctx, row)
}

// fail records a failed run; a failed run pins nothing.
func (h *House) fail(ctx context.Context, run weir.Run, stage weir.Stage, part, cause string) error {
	runs, err := h.Lake.Runs(ctx)
	if err != nil {
		return err
	}
	for _, r := range runs {
		if r.RunID == run.ID && r.Stage == stage && r.Part == part && r.Status == Failed && r.Error == cause {
			return nil // recorded before a crash that hid the answer
		}
	}
	now := h.Clock()
	return h.Lake.RecordRun(ctx, weir.StageRun{RunID: run.ID, Stage: stage, Part: part, StartedAt: now, EndedAt: now,
		Now: run.Now, Status: Failed, Error: cause, Project: run.Project})
}

// result is what a stage's run leaves beside the pipelines' manifest: enough to
// commit without running again.
type result struct {
	weir.Manifest
	Part       string                       `json:"part"`
	SpecDigest string                       `json:"spec_digest"`
	StartedAt  time.Time                    `json:"started_at"`
	Status     string                       `json:"status"`
	Problem    string                       `json:"problem,omitempty"` // what of it could not be done
	Properties map[string]map[string]string `json:"properties"`        // by table
	// Follows is pinned with the snapshots: see weir.StageRun.
	Follows map[string]string `json:"follows,omitempty"`
}

// commit makes a result's tables current, one commit a table, then pins them all
// by one row of ops.runs (invariant 3).
func (h *House) commit(ctx context.Context, r result) (weir.StageRun, error) {
	row := weir.StageRun{RunID: r.Run.ID, Stage: r.Stage, Part: r.Part, StartedAt: r.StartedAt, Now: r.Run.Now,
		Status: r.Status, RowsIn: r.Counts["rows_in"], RowsOut: r.Counts["rows_out"], Counts: r.Counts,
		Snapshots: map[string]int64{}, SpecDigest: r.SpecDigest, Error: r.Problem, Project: r.Run.Project, Follows: r.Follows}
	if row.Status == "" {
		row.Status = Done
	}
	prior, ran, err := h.last(ctx, r.Stage, r.Part)
	if err != nil || (ran && prior.RunID == r.Run.ID) {
		return prior, err // committed before a crash that hid the answer
	}
	pins, err := h.Lake.Pins(ctx)
	if err != nil {
		return row, err
	}
	byTable := map[string][]weir.TableFiles{}
	var order []string
	for _, t := range r.Tables {
		if _, ok := byTable[t.Table]; !ok {
			order = append(order, t.Table)
		}
		byTable[t.Table] = append(byTable[t.Table], t)
	}
	for _, table := range order {
		id := r.Run.CommitID(r.Stage, strings.TrimPrefix(r.Part+"/"+table, "/"))
		c := lakehouse.Commit{ID: id, Table: table, Scopes: byTable[table], Properties: r.Properties[table]}
		if pinned := pins[table]; owns(r.Stage, table) {
			c.Since = &pinned
		}
		if table == consentsTable {
			c.Others = []string{recordedScope}
		}
		snap, err := h.Lake.Commit(ctx, c)
		if err != nil {
			return row, err
		}
		row.Snapshots[table] = snap.ID
	}
	if row.Status == Done && ran && sameTables(prior.Snapshots, row.Snapshots) {
		row.Status = Unchanged // what came out is what was there
	}
	row.EndedAt = h.Clock()
	return row, h.Lake.RecordRun(ctx, row)
}

// sameTables compares the snapshots of two runs, but for the figures that every run
// of resolve adds.
func sameTables(a, b map[string]int64) bool {
	a, b = maps.Clone(a), maps.Clone(b)
	delete(a, "identity.runs")
	delete(b, "identity.runs")
	return maps.Equal(a, b)
}

// owns tells whether a stage is a table's one writer. Then the table starts each
// commit as ops.runs pins it: a run that died between two commits leaves nothing
// behind. A raw table's truth is its cursor, which is committed with its rows;
// deliveries are made whole by their journal; the quarantine has many writers.
func owns(stage weir.Stage, table string) bool {
	return stage != weir.Collect && stage != weir.Activate && table != quarantineTable
}

// partitions is how many partitions a pipeline over these rows has.
func partitions(files map[string][]weir.DataFile) int {
	var rows int64
	for _, fs := range files {
		for _, f := range fs {
			rows += f.Rows
		}
	}
	return pipelines.Partitions(rows)
}
