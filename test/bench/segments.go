package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/project"
	"github.com/weir-cdp/weir/stages"
)

// segmentArms are DuckDB's three forms.
var segmentArms = []string{"naive", "combined", "by_event"}

// segments: the kit's hundred segments over its profiles and events. Weir computes
// all of them anew, with traits and history, and commits; the time is that of plan,
// run and commit, and of starting the pipeline's process. DuckDB reads flat files
// and writes the members' ids. Sizes have to be equal. Beside it, a thousand
// segments: each in ten variants with other constants.
func (b *bench) segments(ctx context.Context) error {
	if b.kit == nil {
		return fmt.Errorf("events and segments are those of the bench kit")
	}
	rows := b.rows(20_000_000)
	data, filled, err := b.filled(ctx, rows)
	if err != nil {
		return err
	}
	for round := 1; round <= b.rounds; round++ {
		hundred, err := b.segmentRound(ctx, filled, "segments", 1, rows, round)
		if err != nil {
			return err
		}
		if b.alone {
			continue
		}
		for _, arm := range segmentArms {
			sizes, err := b.segmentPeer(ctx, data, arm, rows, round)
			if err != nil {
				return err
			}
			if err := equalSizes(hundred.sizes, sizes); err != nil {
				return fmt.Errorf("weir and duckdb %s: %w", arm, err)
			}
		}
		thousand, err := b.segmentRound(ctx, filled, "segments_1000", variants, rows, round)
		if err != nil {
			return err
		}
		b.report.notef("segments, round %d: all %d sizes are DuckDB's; a thousand segments take %.2f times the time of a hundred, %.2f times the processor time",
			round, len(hundred.sizes), thousand.WallS/hundred.WallS, thousand.CPUS/hundred.CPUS)
	}
	return nil
}

// filled makes the kit's events, twenty for each profile, and the lake of them that
// measures begin with, each once.
func (b *bench) filled(ctx context.Context, rows int) (data, lake string, err error) {
	data, lake = filepath.Join(b.work, fmt.Sprintf("events_%d", rows)), filepath.Join(b.work, fmt.Sprintf("filled_%d", rows))
	if _, err := os.Stat(filepath.Join(data, "done")); err != nil {
		if _, err := execute(ctx, nil, 0, b.kit.python, filepath.Join(b.kit.dir, "gen_events.py"), "--events", fmt.Sprint(rows), "--profiles", fmt.Sprint(rows/20), "--out", data); err != nil {
			return "", "", err
		}
		if err := os.WriteFile(filepath.Join(data, "done"), nil, 0o644); err != nil {
			return "", "", err
		}
	}
	if _, err := os.Stat(filepath.Join(lake, "done")); err == nil {
		return data, lake, nil
	}
	if err := os.RemoveAll(lake); err != nil {
		return "", "", err
	}
	h, closing, err := b.house(ctx, lake, slog.New(slog.DiscardHandler))
	if err != nil {
		return "", "", err
	}
	if err := errors.Join(fillKit(ctx, h, data), closing()); err != nil {
		return "", "", err
	}
	debug.FreeOSMemory() // what filling took is not the stage's
	return data, lake, os.WriteFile(filepath.Join(lake, "done"), nil, 0o644)
}

// kitLake is a lake of the kit's profiles and events with the kit's definitions applied.
type kitLake struct {
	*stages.House
	project *project.Project
	key     string // of the applied project
	close   func() error
}

// kitLake opens a copy of a filled lake in dir.
func (b *bench) kitLake(ctx context.Context, filled, dir string, variants int) (*kitLake, error) {
	if err := os.CopyFS(filepath.Join(dir, ".weir"), os.DirFS(filepath.Join(filled, ".weir"))); err != nil {
		return nil, err
	}
	if err := kitProject(b.kit.dir, dir, variants); err != nil {
		return nil, err
	}
	l := &kitLake{}
	var err error
	if l.House, l.close, err = b.house(ctx, dir, slog.New(slog.DiscardHandler)); err != nil {
		return nil, err
	}
	if l.project, err = project.Load(dir, l.Connectors); err == nil {
		l.key, err = l.Apply(ctx, l.project)
	}
	if err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

// segmented is a measure with what came of it.
type segmented struct {
	measure
	sizes map[string]int64
}

// segmentRound computes the kit's segments in a copy of the filled lake.
func (b *bench) segmentRound(ctx context.Context, filled, name string, variants, rows, round int) (out segmented, err error) {
	dir, err := os.MkdirTemp(b.work, "project")
	if err != nil {
		return out, err
	}
	defer os.RemoveAll(dir)
	h, err := b.kitLake(ctx, filled, dir, variants)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	run := weir.Run{Workspace: "bench", ID: weir.NewRunID(benchNow, "segments"), Now: benchNow, Project: h.key}
	var before, after sample
	watch, done := make(chan sample, 1), make(chan struct{})
	go func() { watch <- watchSelf(done) }()
	before.add(os.Getpid())
	started := time.Now()
	row, err := refreshStage(ctx, h.All()[weir.Segment], run)
	took := time.Since(started)
	after.add(os.Getpid())
	close(done)
	most := <-watch
	if err != nil {
		return out, err
	}
	out.measure = measure{Name: name, Peer: "weir", WallS: took.Seconds(), CPUS: float64(after.cpu-before.cpu) / 100, Rows: int64(rows), Round: round,
		StageS: row.EndedAt.Sub(row.StartedAt).Seconds(), RSSMB: most.largest >> 10, OwnMB: most.own >> 10, TreeMB: most.tree >> 10}
	counts, err := h.CountSegments(ctx, h.project)
	if err != nil {
		return out, err
	}
	out.sizes = map[string]int64{}
	for _, c := range counts {
		out.sizes[c.Segment] = c.Members
	}
	return out, b.report.add(out.measure)
}

// refreshStage plans, runs and commits a stage, as a workflow does.
func refreshStage(ctx context.Context, s stages.Stage, run weir.Run) (weir.StageRun, error) {
	plan, err := s.Plan(ctx, run, "")
	if err != nil {
		return weir.StageRun{}, err
	}
	if plan.Unchanged {
		return weir.StageRun{}, fmt.Errorf("there was nothing to compute")
	}
	manifest, err := s.Run(ctx, plan.Spec, func(weir.Progress) {})
	if err != nil {
		return weir.StageRun{}, err
	}
	return s.Commit(ctx, manifest)
}

// kitProject writes a project of the kit's definitions.
func kitProject(kit, dir string, variants int) error {
	files := map[string]string{
		"weir.yaml":     "name: bench\ntimezone: UTC\ndefault_region: FR\ncurrency: EUR\nlake: {}\ntemporal: {}\n",
		"identity.yaml": "person:\n  identifiers:\n    " + customerKind + ": {limit: 1}\n",
	}
	var mapped []string
	for _, name := range slices.Sorted(maps.Keys(kitAttributes)) {
		mapped = append(mapped, name+": "+name)
	}
	files["sources/kit.yaml"] = fmt.Sprintf("connector: files\nconfig: {path: .}\nstreams:\n  people:\n    path: people.parquet\n    key: [id]\n    as: person\n    map:\n"+
		"      identifiers: {%s: id}\n      attributes: {%s}\n", customerKind, strings.Join(mapped, ", "))
	for _, kind := range []string{"traits", "segments"} {
		found, err := fs.Glob(os.DirFS(kit), kind+"/*.yaml")
		if err != nil || len(found) == 0 {
			return fmt.Errorf("the kit has no %s: %w", kind, err)
		}
		for _, name := range found {
			text, err := os.ReadFile(filepath.Join(kit, name))
			if err != nil {
				return err
			}
			files[name] = string(text)
			for i := 1; i < variants && kind == "segments"; i++ {
				files[fmt.Sprintf("%s_variant_%d.yaml", strings.TrimSuffix(name, ".yaml"), i)] = variant(string(text), i)
			}
		}
	}
	for _, kind := range []string{"sources", "traits", "segments"} {
		if err := os.MkdirAll(filepath.Join(dir, kind), 0o755); err != nil {
			return err
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// segmentPeer measures one of DuckDB's forms and returns the sizes that it found.
func (b *bench) segmentPeer(ctx context.Context, data, arm string, rows, round int) (map[string]int64, error) {
	out := filepath.Join(b.work, "sizes-"+arm+".json")
	u, err := execute(ctx, nil, 0, b.kit.python, filepath.Join(b.kit.dir, "segments_duckdb.py"), "--data", data, "--arm", arm, "--sizes", out)
	if err != nil {
		return nil, err
	}
	var said struct {
		Peer  string  `json:"peer"`
		WallS float64 `json:"wall_s"`
	}
	lines := strings.Split(strings.TrimSpace(string(u.out)), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &said); err != nil {
		return nil, fmt.Errorf("segments_duckdb.py: %w", err)
	}
	m := u.measured("segments", said.Peer, int64(rows), round)
	m.WallS = said.WallS
	text, err := os.ReadFile(out)
	if err != nil {
		return nil, err
	}
	sizes := map[string]int64{}
	if err := json.Unmarshal(text, &sizes); err != nil {
		return nil, err
	}
	return sizes, b.report.add(m)
}

// equalSizes compares the sizes of segments.
func equalSizes(ours, theirs map[string]int64) error {
	var wrong []string
	for name, n := range theirs {
		if m, ok := ours[name]; !ok || m != n {
			wrong = append(wrong, fmt.Sprintf("%s has %d members and %d", name, m, n))
		}
	}
	if len(theirs) == 0 || len(ours) != len(theirs) {
		wrong = append(wrong, fmt.Sprintf("there are %d segments and %d", len(ours), len(theirs)))
	}
	if len(wrong) == 0 {
		return nil
	}
	slices.Sort(wrong)
	return fmt.Errorf("%d sizes differ: %s", len(wrong), strings.Join(wrong, "; "))
}
