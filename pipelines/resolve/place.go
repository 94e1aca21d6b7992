package resolve

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/anonymous"
	"github.com/weir-cdp/weir/pipelines/resolve/cluster"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
	"github.com/weir-cdp/weir/pipelines/resolve/stableid"
)

// nodes are the values without a record, by hash.
type nodes []nodeRow

func (ns nodes) find(hi, lo uint64) (int32, bool) {
	i, ok := slices.BinarySearchFunc(ns, evidence.Hash{Hi: hi, Lo: lo}, func(n nodeRow, h evidence.Hash) int {
		return cmp.Or(cmp.Compare(n.Hi, h.Hi), cmp.Compare(n.Lo, h.Lo))
	})
	return int32(i), ok
}

// place gives the values that no record holds to profiles.
func place(ctx context.Context, t *pipelines.Task) error {
	rows, err := pipelines.Read[nodeRow](ctx, t, "node")
	if err != nil {
		return err
	}
	ns := nodes(rows)
	slices.SortFunc(ns, func(a, b nodeRow) int { return cmp.Or(cmp.Compare(a.Hi, b.Hi), cmp.Compare(a.Lo, b.Lo)) })
	owners, attached, err := loadAttached(ctx, t, ns)
	if err != nil {
		return err
	}
	pairs, err := loadTogether(ctx, t, ns)
	if err != nil {
		return err
	}
	in := make([]anonymous.Node, len(ns))
	for i, n := range ns {
		in[i] = anonymous.Node{Links: n.Links, Device: n.Device, SharedBy: int(n.SharedBy)}
	}
	placed, err := anonymous.Solve(in, pairs, attached)
	if err != nil {
		return err
	}
	t.Count("hubs_anonymous", int64(placed.Hubs))
	named, err := nameAnonymous(ctx, t, ns, placed, owners)
	if err != nil {
		return err
	}
	if err := writeMerges(t, named.Changes, nil); err != nil {
		return err
	}
	for i, n := range ns {
		row := placedRow{Hi: n.Hi, Lo: n.Lo}
		switch o := placed.Owner[i]; o {
		case anonymous.Ambiguous:
			row.Ambiguous = true
		case anonymous.Nobody:
			row.Profile = named.ID[placed.Cluster[i]]
			if placed.Cluster[i] == int32(i) {
				t.Count("profiles_anonymous", 1)
			}
		default:
			row.Profile = owners.At(o)
		}
		if err := pipelines.Emit(t, "placed", int(n.Partition), row); err != nil {
			return err
		}
	}
	return nil
}

// loadAttached reads which nodes were seen beside values of known profiles.
func loadAttached(ctx context.Context, t *pipelines.Task, ns nodes) (*cluster.Names, []anonymous.Attached, error) {
	var profiles []string
	if err := each(pipelines.Stream[attachedRow](ctx, t, "attached"), func(a attachedRow) error {
		if _, ok := ns.find(a.Hi, a.Lo); ok {
			profiles = append(profiles, a.Profile)
		}
		return nil
	}); err != nil {
		return nil, nil, err
	}
	owners, err := cluster.NewNames(profiles)
	if err != nil {
		return nil, nil, err
	}
	var out []anonymous.Attached
	err = each(pipelines.Stream[attachedRow](ctx, t, "attached"), func(a attachedRow) error {
		if n, ok := ns.find(a.Hi, a.Lo); ok {
			out = append(out, anonymous.Attached{Node: n, Owner: owners.Find(a.Profile)})
		}
		return nil
	})
	return owners, out, err
}

// loadTogether reads which nodes were seen together. Each pair comes from both
// sides; a pair with a value that is no node comes from one, and is left out.
func loadTogether(ctx context.Context, t *pipelines.Task, ns nodes) ([][2]int32, error) {
	var pairs [][2]int32
	err := each(pipelines.Stream[togetherRow](ctx, t, "together"), func(p togetherRow) error {
		a, ok := ns.find(p.Hi, p.Lo)
		b, both := ns.find(p.OtherHi, p.OtherLo)
		if ok && both && a < b {
			pairs = append(pairs, [2]int32{a, b})
		}
		return nil
	})
	return pairs, err
}

// nameAnonymous names the anonymous profiles. Its members are the nodes, then the
// values that left an anonymous profile for a known one; known profiles are
// clusters whose id is given.
func nameAnonymous(ctx context.Context, t *pipelines.Task, ns nodes, placed anonymous.Result, owners *cluster.Names) (stableid.Assignment, error) {
	moved, err := pipelines.Read[movedRow](ctx, t, "moved")
	if err != nil {
		return stableid.Assignment{}, err
	}
	slices.SortFunc(moved, func(a, b movedRow) int { return cmp.Or(cmp.Compare(a.Hi, b.Hi), cmp.Compare(a.Lo, b.Lo)) })
	var before []string
	for _, n := range ns {
		before = append(before, n.Before)
	}
	for _, m := range moved {
		before = append(before, m.Before)
	}
	members := slices.Clone(before)
	names, err := cluster.NewNames(slices.DeleteFunc(before, func(s string) bool { return s == "" }))
	if err != nil {
		return stableid.Assignment{}, err
	}
	in := stableid.Input{IDs: names.All(), Fixed: map[int32]string{}, Prior: make([]int32, len(members)), Cluster: make([]int32, len(members))}
	known := map[string]int32{} // profile to its first member
	for i := range members {
		in.Cluster[i], in.Prior[i] = int32(i), -1
		if members[i] != "" {
			in.Prior[i] = names.Find(members[i])
		}
		profile := ""
		switch {
		case i >= len(ns):
			profile = moved[i-len(ns)].Now
		case placed.Owner[i] >= 0:
			profile = owners.At(placed.Owner[i])
		case placed.Owner[i] == anonymous.Nobody:
			in.Cluster[i] = placed.Cluster[i]
			continue
		}
		if profile == "" { // ambiguous or gone: it is nobody's, and keeps no id
			in.Prior[i], in.Fixed[int32(i)] = -1, "-"
			continue
		}
		first, seen := known[profile]
		if !seen {
			first = int32(i)
			known[profile] = first
			in.Fixed[first] = profile
		}
		in.Cluster[i] = first
	}
	if in.Used, err = used(ctx, t); err != nil {
		return stableid.Assignment{}, err
	}
	workspace := t.Spec().Run.Workspace
	in.Derive = func(m int32, salt int) string {
		hi, lo := uint64(0), uint64(0)
		if int(m) < len(ns) {
			hi, lo = ns[m].Hi, ns[m].Lo
		} else {
			hi, lo = moved[int(m)-len(ns)].Hi, moved[int(m)-len(ns)].Lo
		}
		return stableid.Derive(workspace, weir.Anonymous, fmt.Sprintf("%016x%016x", hi, lo), salt)
	}
	return stableid.Assign(in)
}
