package stages

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/lakehouse/sql"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/project"
)

// rehearsal runs stages on the tables that are current and commits nothing: what
// if? Its files lie where the tables' files do, under names of their content, and
// are orphans until a run makes the same or maintenance takes them.
type rehearsal struct {
	*inputs
	project *project.Project
	// before are the files that count as those of now in ask: another rehearsal's.
	before map[string][]weir.DataFile
}

// rehearse begins one, as of the last run, so that nothing changes by the passing
// of time. Pending says that the stage
// resolve would change something even as things are.
func (h *House) rehearse(ctx context.Context, p *project.Project, run weir.Run) (r *rehearsal, pending bool, err error) {
	pins, err := h.Lake.Pins(ctx)
	if err != nil {
		return nil, false, err
	}
	last, ran, err := h.last(ctx, weir.Resolve, "")
	if err != nil {
		return nil, false, err
	}
	if !ran || pins["identity.links"] == 0 {
		return nil, false, weir.Errorf(weir.NotFound, "no records are resolved yet").Then("weir run")
	}
	run.Now = last.Now
	if segmented, ran, err := h.last(ctx, weir.Segment, ""); err != nil {
		return nil, false, err
	} else if ran {
		run.Now = segmented.Now
	}
	r = &rehearsal{project: p, inputs: &inputs{house: h, pins: pins, run: run, files: map[string][]weir.DataFile{}}}
	s := resolve(h).(*resolving)
	o, err := s.plan(ctx, p, r.inputs)
	if err != nil {
		return nil, false, err
	}
	sp, err := s.spec(ctx, o, r.inputs)
	return r, sp.Digest != last.SpecDigest, err
}

// begin writes a stage's spec, and trains a model of settings that no run has
// followed yet.
func (r *rehearsal) begin(ctx context.Context, stage weir.Stage, progress func(weir.Progress)) (key string, sp spec, err error) {
	h := r.house
	var s *pipeline
	train := func(context.Context, string, func(weir.Progress)) error { return nil }
	switch x := h.All()[stage].(type) {
	case *resolving:
		s, train = x.pipeline, x.train
	case *segmenting:
		s = x.pipeline
	case *pipeline:
		s = x
	default:
		return "", sp, weir.Errorf(weir.Internal, "stage %s can't be rehearsed", stage)
	}
	o, err := s.plan(ctx, r.project, r.inputs)
	if err != nil {
		return "", sp, err
	}
	if sp, err = s.spec(ctx, o, r.inputs); err != nil {
		return "", sp, err
	}
	key = runPrefix(r.run, stage, "") + "spec.json"
	if err := h.writeJSON(ctx, key, sp); err != nil {
		return "", sp, err
	}
	return key, sp, train(ctx, key, progress)
}

// play runs one stage on what the stages before left.
func (r *rehearsal) play(ctx context.Context, stage weir.Stage, progress func(weir.Progress)) error {
	h := r.house
	key, sp, err := r.begin(ctx, stage, progress)
	if err != nil {
		return err
	}
	if err := h.Pipeline(ctx, key, progress); err != nil {
		return err
	}
	var m weir.Manifest
	if err := h.readJSON(ctx, sp.Manifest, &m); err != nil {
		return err
	}
	if err := r.take(ctx, m); err != nil {
		return err
	}
	return pipelines.Sweep(ctx, h.store(), &sp.Spec)
}

// playAll runs stages one after the other, up to the first that never ran; progress
// may be nil.
func (r *rehearsal) playAll(ctx context.Context, progress func(weir.Stage, weir.Progress), stages ...weir.Stage) error {
	for _, stage := range stages {
		if _, ran, err := r.house.last(ctx, stage, ""); err != nil || !ran {
			return err
		}
		if err := r.play(ctx, stage, told(stage, progress)); err != nil {
			return err
		}
	}
	return nil
}

// told gives a stage's progress its name; progress may be nil.
func told(s weir.Stage, progress func(weir.Stage, weir.Progress)) func(weir.Progress) {
	return func(n weir.Progress) {
		if progress != nil {
			progress(s, n)
		}
	}
}

// take makes a manifest's files the tables', scope by scope, as a commit would.
func (r *rehearsal) take(ctx context.Context, m weir.Manifest) error {
	scopes := map[string]map[string][]weir.DataFile{}
	for _, t := range m.Tables {
		of, known := scopes[t.Table]
		if !known {
			var err error
			if of, err = r.house.Lake.ByScope(ctx, t.Table, r.pins[t.Table]); err != nil {
				return err
			}
			scopes[t.Table] = of
		}
		if t.Replace {
			of[t.Scope] = t.Files
		} else {
			of[t.Scope] = slices.Concat(of[t.Scope], t.Files)
		}
	}
	for table, of := range scopes {
		r.files[table] = []weir.DataFile{}
		for _, scope := range slices.Sorted(maps.Keys(of)) {
			r.files[table] = append(r.files[table], of[scope]...)
		}
	}
	return nil
}

// end removes what only the rehearsal needs.
func (r *rehearsal) end(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	var keys []string // the digests of definitions are named by their content, and swept with others
	for info, err := range r.house.store().List(ctx, "runs/"+string(r.run.ID)+"/") {
		if err != nil {
			return err
		}
		keys = append(keys, info.Key)
	}
	return r.house.store().Delete(ctx, keys...)
}

// ask opens these tables as the rehearsal leaves them. Tables of which there is a
// pair are there as they are now too, with "was." before their second name.
func (r *rehearsal) ask(ctx context.Context, pairs []string, tables ...string) (*asking, error) {
	sess, err := r.house.Session(ctx)
	if err != nil {
		return nil, err
	}
	q := &asking{House: r.house, sess: sess, pins: r.pins, have: map[string]schema.Table{}}
	for _, name := range slices.Concat(pairs, tables) {
		if err := r.attach(ctx, q, sess, name, slices.Contains(pairs, name)); err != nil {
			q.close()
			return nil, err
		}
	}
	return q, nil
}

func (r *rehearsal) attach(ctx context.Context, q *asking, sess *sql.Internal, name string, pair bool) error {
	t, files, err := r.house.pinned(ctx, name, r.pins[name])
	if err != nil {
		return err
	}
	if pair {
		was, had := t, files
		if before, played := r.before[name]; played {
			if was, err = r.house.Lake.Describe(ctx, name); err != nil {
				return err
			}
			had = before
		}
		was.Name = wasName(name)
		if err := sess.Attach(ctx, was, had); err != nil {
			return err
		}
	}
	if now, played := r.files[name]; played {
		if t, err = r.house.Lake.Describe(ctx, name); err != nil {
			return err
		}
		files = now
	}
	q.have[name] = t
	return sess.Attach(ctx, t, files)
}

// wasName is a table before the rehearsal.
func wasName(table string) string {
	return "was." + strings.ReplaceAll(table, ".", "_")
}
