package resolve

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/cluster"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
	"github.com/weir-cdp/weir/pipelines/resolve/index"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// This file leaves the index of a run, from which the next one may go on: read
// writes the log as it goes, partition the state.

// chunkBytes is how much of the log a task holds before it writes it.
const chunkBytes = 8 << 20

// keeper writes the log of one task.
type keeper struct {
	task    *pipelines.Task
	prefix  string
	chunk   index.Chunk
	chunks  int64
	entries int64
	sent    bool
}

// chunkRow: a part of the log lies in the store. To partition.
type chunkRow struct {
	Task    int64
	Chunk   int64
	Entries int64
	Key     string
	Files   []string // from which the task reads
}

// newKeeper returns nil where no index is wanted.
func newKeeper(t *pipelines.Task, k *pipelines.Keep) *keeper {
	if k == nil {
		return nil
	}
	return &keeper{task: t, prefix: k.Prefix}
}

// add appends a record with index.Content of it. Features and blocking keys are those that the model made.
func (k *keeper) add(rec *weir.Record, content evidence.Hash, e *evidence.Evidence, bare bool, features []byte, blocking []model.Key) error {
	if k == nil {
		return nil
	}
	entry := index.Entry{Keys: e.Keys, Blocking: blocking, Features: features, Head: index.Head{ID: rec.ID, Content: content,
		Account: rec.Kind == weir.Account, Bare: bare, Limits: string(packLimited(e.Limited)), Contradicted: e.Contradicted}}
	for _, h := range e.Held {
		entry.Held = append(entry.Held, index.Held{Kind: h.Kind, Value: h.Value, Blocked: h.Blocked != "", Mailbox: h.Blocked == evidence.SharedMailbox})
	}
	k.chunk.Add(&entry)
	k.entries++
	if k.chunk.Size() < chunkBytes {
		return nil
	}
	return k.flush()
}

// flush writes what is held and tells partition of it.
func (k *keeper) flush() error {
	if k == nil || k.sent && k.chunk.Len() == 0 {
		return nil
	}
	k.sent = true
	row := chunkRow{Task: int64(k.task.Partition()), Chunk: k.chunks, Entries: int64(k.chunk.Len()),
		Key: fmt.Sprintf("%s%06d-%04d", k.prefix, k.task.Partition(), k.chunks)}
	if table, _, _ := k.task.Source(); table == records {
		for _, f := range k.task.Files() {
			row.Files = append(row.Files, f.Path)
		}
	}
	if row.Entries > 0 {
		for _, s := range index.Sections() {
			if err := pipelines.Leave(k.task, index.Part{Key: row.Key}.Object(s), k.chunk.Section(s)); err != nil {
				return err
			}
		}
	}
	k.chunk.Reset()
	k.chunks++
	return pipelines.Emit(k.task, "partition:chunk", 0, row)
}

// readFile reads an object.
type readFile func(ctx context.Context, key string) ([]byte, error)

// log is the part of an index's log that a run writes.
type log struct {
	parts   []index.Part
	origins [][]string
	origin  []uint32 // by version, from the first of this log
	tasks   map[int64]logged
}

// logged is where a task's entries begin, and which origin they have.
type logged struct {
	first   int
	entries int
	origin  uint32
}

// readLog puts the chunks of all tasks in their order. Versions begin with first,
// origins with firstOrigin.
func readLog(ctx context.Context, t *pipelines.Task, first int, firstOrigin uint32) (*log, error) {
	rows, err := pipelines.Read[chunkRow](ctx, t, "chunk")
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b chunkRow) int {
		if a.Task != b.Task {
			return int(a.Task - b.Task)
		}
		return int(a.Chunk - b.Chunk)
	})
	l := &log{tasks: map[int64]logged{}}
	for _, row := range rows {
		at, known := l.tasks[row.Task]
		if !known {
			at = logged{first: first + len(l.origin), origin: firstOrigin + uint32(len(l.origins))}
			if len(row.Files) > 0 {
				l.origins = append(l.origins, row.Files)
			}
		}
		at.entries += int(row.Entries)
		l.tasks[row.Task] = at
		if row.Entries == 0 {
			continue
		}
		l.parts = append(l.parts, index.Part{Key: row.Key, Entries: int(row.Entries)})
		for range row.Entries {
			l.origin = append(l.origin, at.origin)
		}
	}
	return l, nil
}

// version is the number of the entry at a place that recordRow told.
func (l *log) version(place int64) (uint32, error) {
	at, known := l.tasks[place>>32]
	i := int(place & math.MaxUint32)
	if !known || i >= at.entries {
		return 0, weir.Errorf(weir.Internal, "a record is not in the index's log")
	}
	return uint32(at.first + i), nil
}

// keeping is the writing of a full run's index, which goes on beside that of tables.
type keeping struct {
	done    sync.WaitGroup
	failed  error
	entries int // -1: none is kept
}

// keepWith begins to write the index once the edges are written.
func keepWith(ctx context.Context, t *pipelines.Task, g *graph, solved *cluster.Result, edges *edging, ids []string) *keeping {
	k := &keeping{}
	k.done.Go(func() {
		if k.failed = edges.Wait(); k.failed == nil {
			k.entries, k.failed = keepIndex(ctx, t, g, solved, edges.all, ids)
		}
	})
	return k
}

// Wait returns when the index is written.
func (k *keeping) Wait(t *pipelines.Task) error {
	k.done.Wait()
	switch {
	case k.failed != nil:
		return k.failed
	case k.entries < 0:
		t.Count("index_skipped", 1)
	case k.entries > 0:
		t.Count("index_entries", int64(k.entries))
	}
	return nil
}

// keepIndex writes the state and, last, the manifest of a full run's index, and
// returns how many entries it has. It counts and writes nothing of the task's, which
// goes on meanwhile.
func keepIndex(ctx context.Context, t *pipelines.Task, g *graph, solved *cluster.Result, edges []cluster.Edge, ids []string) (int, error) {
	p, err := pipelines.Params[Params](t)
	if err != nil || p.Keep == nil {
		return 0, err
	}
	l, err := readLog(ctx, t, 0, 0)
	if err != nil {
		return 0, err
	}
	if len(l.origin) != g.N { // a record id comes twice: no version is the record's
		return -1, nil
	}
	of := make([]uint32, g.N) // versions by record
	for i, place := range g.places {
		if of[i], err = l.version(place); err != nil {
			return 0, err
		}
	}
	s := &index.State{Origin: l.origin, Profile: make([]uint32, g.N), Order: of, Rules: g.rules}
	at := map[int32]uint32{}
	for m, c := range solved.Cluster {
		i, known := at[c]
		if !known {
			i = uint32(len(s.Profiles))
			at[c] = i
			s.Profiles = append(s.Profiles, ids[c])
		}
		s.Profile[of[m]] = i
	}
	g.keepEvidence(s, of)
	for _, e := range edges {
		s.Edges = append(s.Edges, index.Edge{Left: of[e.Left], Right: of[e.Right], Weight: e.Weight, Refused: int32(e.Refused), Against: e.Against, Rule: e.Rule})
	}
	for _, h := range solved.Hubs {
		s.Hubs = append(s.Hubs, index.Hub{Record: of[g.Suspects[h.Suspect].Records[0]], Profiles: int32(h.Profiles), Name: g.suspects[h.Suspect]})
	}
	for _, o := range solved.Over {
		s.Over = append(s.Over, index.Over{Record: of[o.Cluster], Values: int32(o.Values), Kind: o.Kind})
	}
	if err := keepNear(ctx, t, g, s, of); err != nil {
		return 0, err
	}
	return len(s.Origin), writeIndex(ctx, t, p.Keep, s, &index.Manifest{Chunks: l.parts, Origins: l.origins, Base: g.N, Began: t.Spec().Run.Now, Seen: seen(t)})
}

// keepEvidence takes the groups over, but those of people's decisions, which come
// with each run.
func (g *graph) keepEvidence(s *index.State, of []uint32) {
	versions := func(ms []int32) []uint32 {
		out := make([]uint32, len(ms))
		for i, m := range ms {
			out[i] = of[m]
		}
		return out
	}
	for i, gr := range g.Groups[:len(g.anchors)] {
		s.Groups = append(s.Groups, index.Group{Members: versions(g.Members[gr.Start:gr.End]), Anchor: g.anchors[i], Suspect: gr.Suspect, Weight: gr.Weight, Rule: gr.Rule})
	}
	for _, gr := range g.Groups[len(g.anchors) : len(g.anchors)+g.pairs] {
		s.Pairs = append(s.Pairs, index.Pair{Left: of[g.Members[gr.Start]], Right: of[g.Members[gr.Start+1]], Weight: gr.Weight})
	}
	for i, x := range g.Suspects {
		s.Suspects = append(s.Suspects, index.Suspect{Records: versions(x.Records), Anchor: g.suspectAnchors[i], Extra: int32(x.Extra),
			Allowed: int32(x.Allowed), Parent: x.Parent, Name: g.suspects[i]})
	}
}

// keepNear keeps more pairs than the table shows, so that some can go.
func keepNear(ctx context.Context, t *pipelines.Task, g *graph, s *index.State, of []uint32) error {
	if err := each(pipelines.Stream[boundRow](ctx, t, "bound"), func(b boundRow) error {
		if s.Bound == 0 || b.Off < s.Bound {
			s.Bound = b.Off
		}
		return nil
	}); err != nil {
		return err
	}
	return each(pipelines.Stream[uncertainRow](ctx, t, "uncertain"), func(u uncertainRow) error {
		if s.Bound > 0 && math.Abs(u.Off) >= s.Bound {
			return nil // others as near may be missing
		}
		left, right := g.byDigest(readDigest(u.Left)), g.byDigest(readDigest(u.Right))
		if left < 0 || right < 0 {
			return weir.Errorf(weir.Internal, "a score of a record that is not there")
		}
		s.Near = append(s.Near, index.Near{Left: of[left], Right: of[right], Weight: u.Weight, Off: u.Off})
		return nil
	})
}

// seen tells whether the run reads events or consents.
func seen(t *pipelines.Task) bool {
	in := t.Spec().Inputs
	return len(in[events])+len(in[consents]) > 0
}

// writeIndex writes the state, then the manifest.
func writeIndex(ctx context.Context, t *pipelines.Task, k *pipelines.Keep, s *index.State, m *index.Manifest) error {
	ms, err := models(ctx, t)
	if err != nil {
		return err
	}
	m.Partitions = t.Spec().Partitions
	m.Version, m.Run, m.Basis, m.State = index.Version, t.Spec().Run.ID, k.Basis, k.Prefix+"state"
	m.Models = map[string]string{}
	for kind, x := range ms {
		m.Models[string(kind)] = x.Version()
	}
	if err := pipelines.Leave(t, m.State, s.Marshal()); err != nil {
		return err
	}
	return k.Write(t, m)
}
