package pipelines

import (
	"context"
	"encoding/json"
	"sort"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
)

// assemble makes the manifest from the results of all tasks. Its bytes depend on
// the results alone, not on their order or repetition.
func assemble(p Pipeline, spec *Spec, results []result) (weir.Manifest, error) {
	m := weir.Manifest{Run: spec.Run, Stage: spec.Stage, Counts: map[string]int64{}}
	sort.SliceStable(results, func(i, j int) bool { return results[i].Task < results[j].Task })
	tables := map[[2]string]*weir.TableFiles{}
	at := func(table, scope string) *weir.TableFiles {
		k := [2]string{table, scope}
		if tables[k] == nil {
			tables[k] = &weir.TableFiles{Table: table, Scope: scope, Files: []weir.DataFile{}}
		}
		return tables[k]
	}
	if p.Outputs != nil {
		declared, err := p.Outputs(spec)
		if err != nil {
			return m, err
		}
		for _, d := range declared {
			at(d.Table, d.Scope).Replace = d.Replace
		}
	}
	var in, out int64
	for i, r := range results {
		if i > 0 && r.Task == results[i-1].Task {
			continue // the same task, executed again
		}
		in, out = in+r.RowsIn, out+r.RowsOut
		for name, n := range r.Counts {
			m.Counts[name] += n
		}
		for _, tf := range r.Tables {
			t := at(tf.Table, tf.Scope)
			t.Files = append(t.Files, tf.Files...)
		}
	}
	for name, n := range map[string]int64{"rows_in": in, "rows_out": out} {
		if _, counted := m.Counts[name]; !counted {
			m.Counts[name] = n
		}
	}
	for _, t := range tables {
		t.Files = distinct(t.Files)
		m.Tables = append(m.Tables, *t)
	}
	sort.Slice(m.Tables, func(i, j int) bool {
		if m.Tables[i].Table != m.Tables[j].Table {
			return m.Tables[i].Table < m.Tables[j].Table
		}
		return m.Tables[i].Scope < m.Tables[j].Scope
	})
	return m, nil
}

// distinct sorts files by name and drops repeats: files are named by content, so
// two of one name are one file.
func distinct(files []weir.DataFile) []weir.DataFile {
	sort.Slice(files, func(i, j int) bool { return files[i].Path < files[j].Path })
	out := files[:0]
	for i, f := range files {
		if i == 0 || f.Path != files[i-1].Path {
			out = append(out, f)
		}
	}
	return out
}

// publish writes the manifest unless one is there. Where an earlier execution of
// the same spec was complete, its manifest stands.
func publish(ctx context.Context, s *object.Store, spec *Spec, m weir.Manifest) error {
	data, err := json.Marshal(m)
	if err != nil {
		return weir.Errorf(weir.Internal, "encode manifest: %w", err)
	}
	created, err := s.PutIfAbsent(ctx, spec.Manifest, data)
	if err != nil || created {
		return err
	}
	_, err = readManifest(ctx, s, spec)
	return err
}

// ReadManifest reads the manifest of a spec: NotFound where the run has not ended well.
func ReadManifest(ctx context.Context, s *object.Store, spec *Spec) (weir.Manifest, error) {
	return readManifest(ctx, s, spec)
}

// readManifest reads the manifest of a spec and checks that it is complete and
// belongs to it.
func readManifest(ctx context.Context, s *object.Store, spec *Spec) (weir.Manifest, error) {
	var m weir.Manifest
	data, err := s.ReadFile(ctx, spec.Manifest)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, weir.Errorf(weir.Internal, "the manifest is not complete: %w", err).At(spec.Manifest)
	}
	if m.Run.ID != spec.Run.ID || m.Run.Workspace != spec.Run.Workspace || m.Stage != spec.Stage {
		return m, weir.Errorf(weir.Conflict, "the manifest is of run %s, stage %s, not of run %s, stage %s",
			m.Run.ID, m.Stage, spec.Run.ID, spec.Stage).At(spec.Manifest)
	}
	return m, nil
}

// Sweep deletes a run's scratch files. Call it once the manifest is committed;
// calling it again does no harm.
func Sweep(ctx context.Context, s *object.Store, spec *Spec) error {
	var keys []string
	for info, err := range s.List(ctx, trimSlash(spec.Scratch)+"/") {
		if err != nil {
			return err
		}
		keys = append(keys, info.Key)
	}
	if len(keys) == 0 {
		return nil
	}
	return s.Delete(ctx, keys...)
}
