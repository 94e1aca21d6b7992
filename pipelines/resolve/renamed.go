package resolve

import (
	"context"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/index"
	"github.com/weir-cdp/weir/pipelines/resolve/stableid"
)

// This file names the profiles of an increment's touched components. The others keep
// theirs: of a component that is as it was, each cluster has one prior id, and that
// has no other.

// naming is the input of stableid.Assign for the touched records.
type naming struct {
	stableid.Input
	was []uint32 // by prior id: its index in State.Profiles
}

// name gives the touched clusters their ids, and tells what became of those of
// before.
func (x *increment) name(ctx context.Context, s *touched) error {
	n := x.naming(s)
	workspace := x.task.Spec().Run.Workspace
	n.Derive = func(m int32, salt int) string {
		v := s.versions[m]
		return stableid.Derive(workspace, x.shelf.kinds[v].kind(), x.shelf.ids[v], salt)
	}
	merged, err := used(ctx, x.task)
	if err != nil {
		return err
	}
	n.Used = func(id string) bool { return merged(id) || x.livingProfiles()[id] }
	elsewhere := int32(s.N)
	n.Ended = func(priors []int32) ([]stableid.Ended, error) {
		return ended(ctx, x.task, func(record string) int32 {
			v, there := x.living(record)
			switch {
			case !there:
				return -1
			case !s.is[v]:
				return elsewhere // it counts, and nothing leads there
			}
			return s.record[v]
		}, n.IDs, priors)
	}
	named, err := stableid.Assign(n.Input)
	if err != nil {
		return err
	}
	if err := writeMerges(x.task, named.Changes, nil); err != nil {
		return err
	}
	x.carry(s, n, named.ID)
	return x.moves(s)
}

func (x *increment) naming(s *touched) naming {
	n := naming{}
	prior := map[uint32]int32{} // index in Profiles to index in IDs
	for v := range x.known {
		if x.was[v] && s.is[v] {
			if p := x.old.Profile[v]; !contains(prior, p) {
				prior[p] = 0
				n.was = append(n.was, p)
			}
		}
	}
	slices.SortFunc(n.was, func(a, b uint32) int {
		if x.old.Profiles[a] < x.old.Profiles[b] {
			return -1
		}
		return 1
	})
	for i, p := range n.was {
		prior[p] = int32(i)
		n.IDs = append(n.IDs, x.old.Profiles[p])
	}
	// The last member stands for all records that no touched profile holds.
	n.Cluster, n.Prior = make([]int32, s.N+1), make([]int32, s.N+1)
	copy(n.Cluster, s.Cluster)
	n.Cluster[s.N], n.Prior[s.N] = int32(s.N), -1
	n.Fixed = map[int32]string{int32(s.N): "-"}
	for i, v := range s.versions {
		n.Prior[i] = -1
		if b, lived := x.earlier(v); lived {
			n.Prior[i] = prior[x.old.Profile[b]]
		}
	}
	return n
}

func contains[K comparable, V any](m map[K]V, k K) bool {
	_, yes := m[k]
	return yes
}

// earlier is the version of before of a living version's record.
func (x *increment) earlier(v uint32) (uint32, bool) {
	if int(v) < x.known {
		return v, true
	}
	b, lived := x.before[v]
	return b, lived
}

// livingProfiles are the ids that lived before, asked for where a new one is
// derived.
func (x *increment) livingProfiles() map[string]bool {
	if x.profiles == nil {
		x.profiles = make(map[string]bool, len(x.old.Profiles))
		for _, v := range x.old.Order {
			x.profiles[x.old.Profiles[x.old.Profile[v]]] = true
		}
	}
	return x.profiles
}

// carry writes the profiles of all living versions into the next state.
func (x *increment) carry(s *touched, n naming, ids []string) {
	x.next.Profiles = slices.Clone(x.old.Profiles)
	x.next.Profile = append(slices.Clone(x.old.Profile), make([]uint32, len(x.fresh))...)
	at := make(map[string]uint32, len(n.IDs))
	for i, id := range n.IDs {
		at[id] = n.was[i]
	}
	for i, c := range s.Cluster {
		id := ids[c]
		p, known := at[id]
		if !known {
			p = uint32(len(x.next.Profiles))
			at[id] = p
			x.next.Profiles = append(x.next.Profiles, id)
		}
		x.next.Profile[s.versions[i]] = p
	}
}

// moves appends the records that changed profiles to identity.moves.
func (x *increment) moves(s *touched) error {
	for _, v := range s.versions {
		b, lived := x.earlier(v)
		if !lived || x.old.Profile[b] == x.next.Profile[v] {
			continue
		}
		w, err := pipelines.Output[weir.RecordMove](x.task, moves, "")
		if err != nil {
			return err
		}
		run := x.task.Spec().Run
		x.task.Count("records_moved", 1)
		if err := w.Write(weir.RecordMove{RunID: run.ID, At: run.Now, RecordID: x.shelf.ids[v],
			From: x.old.Profiles[x.old.Profile[b]], To: x.profile(v)}); err != nil {
			return err
		}
	}
	return nil
}

// profile is the id of a living version's profile.
func (x *increment) profile(v uint32) string { return x.next.Profiles[x.next.Profile[v]] }

// keepIndex leaves the index for the run after this one.
func (x *increment) keepIndex(ctx context.Context) error {
	m := x.shelf.manifest
	origins := append(slices.Clone(m.Origins), x.log.origins...)
	for _, o := range x.params.Lost {
		origins[o] = nil
	}
	return writeIndex(ctx, x.task, x.params.Keep, x.next, &index.Manifest{Parent: m.Run, Chunks: x.shelf.parts, Origins: origins,
		Base: m.Base, Began: m.Began, Seen: seen(x.task)})
}
