package stableid

import (
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/weir-cdp/weir"
)

// foundingSalts is how many salts are tried to find an id's founding record.
const foundingSalts = 4

// Input is a partition to name, and the ids of before.
type Input struct {
	Cluster []int32          // for each member the smallest member of its cluster
	Prior   []int32          // for each member the index in IDs of its id before, or -1
	IDs     []string         // every id that lived before, with or without members now; distinct
	Fixed   map[int32]string // clusters (by smallest member) whose id is given; may be nil
	Used    func(id string) bool
	// Derive makes an id of a cluster's smallest member. It is called from several
	// goroutines.
	Derive func(member int32, salt int) string
	// Ended lists the ids that were merged away and lead to one of these prior ids,
	// those that ended last at the end. It is asked once at most, and only where
	// members of a prior id part. Nil: no id is given back.
	Ended func(priors []int32) ([]Ended, error)
}

// Change is what became of a prior id; see the package's doc.
type Change struct {
	Change string
	From   string
	To     string // "" with retire
	Shared int    // members of From that are in To
	Of     int    // members of From that still are
}

// Assignment is the names of all clusters.
type Assignment struct {
	ID      []string // by the cluster's smallest member; "" for other members
	Changes []Change // sorted by from, change, to
}

type pair struct {
	cluster, prior int32
	shared         int32
	founding       bool
}

// Assign names every cluster. An error is a defect of the caller.
func Assign(in Input) (Assignment, error) {
	if len(in.Prior) != len(in.Cluster) {
		return Assignment{}, weir.Errorf(weir.Internal, "%d members, %d prior ids", len(in.Cluster), len(in.Prior))
	}
	a := Assignment{ID: make([]string, len(in.Cluster))}
	for c, id := range in.Fixed {
		a.ID[c] = id
	}
	pairs := count(in)
	keeper := in.keep(pairs, a.ID)
	ended, homes, err := in.restore(pairs, a.ID)
	if err != nil {
		return Assignment{}, err
	}
	if err := in.invent(a.ID, keeper); err != nil {
		return Assignment{}, err
	}
	a.Changes = follow(in, ended, homes, a.ID, in.changes(pairs, keeper, a.ID))
	return a, nil
}

// count lists which clusters hold members of which prior ids, by cluster and
// prior.
func count(in Input) []pair {
	keys := make([]uint64, 0, len(in.Prior))
	for m, p := range in.Prior {
		if p >= 0 {
			keys = append(keys, uint64(in.Cluster[m])<<32|uint64(p))
		}
	}
	slices.Sort(keys)
	var pairs []pair
	for i, k := range keys {
		if i > 0 && k == keys[i-1] {
			pairs[len(pairs)-1].shared++
			continue
		}
		pairs = append(pairs, pair{cluster: int32(k >> 32), prior: int32(k), shared: 1})
	}
	return pairs
}

// keep gives prior ids to clusters; it returns each prior id's cluster or -1.
func (in Input) keep(pairs []pair, ids []string) []int32 {
	keeper := make([]int32, len(in.IDs))
	claims := make([]int32, len(in.IDs))
	for i := range keeper {
		keeper[i] = -1
	}
	for _, p := range pairs {
		claims[p.prior]++
	}
	var contested, disputed []int // positions in pairs
	for i, p := range pairs {
		alone := (i == 0 || pairs[i-1].cluster != p.cluster) && (i+1 == len(pairs) || pairs[i+1].cluster != p.cluster)
		if !alone || claims[p.prior] > 1 {
			disputed = append(disputed, i)
		}
		switch {
		case ids[p.cluster] != "": // fixed
		case alone && claims[p.prior] == 1:
			ids[p.cluster], keeper[p.prior] = in.IDs[p.prior], p.cluster
		default:
			contested = append(contested, i)
		}
	}
	in.findFounders(pairs, disputed)
	slices.SortFunc(contested, func(x, y int) int { return in.order(pairs[x], pairs[y]) })
	for _, i := range contested {
		p := pairs[i]
		if ids[p.cluster] == "" && keeper[p.prior] < 0 {
			ids[p.cluster], keeper[p.prior] = in.IDs[p.prior], p.cluster
		}
	}
	return keeper
}

// order puts the better claim first.
func (in Input) order(a, b pair) int {
	switch {
	case a.shared != b.shared:
		return int(b.shared) - int(a.shared)
	case a.founding != b.founding:
		if a.founding {
			return -1
		}
		return 1
	case a.prior != b.prior:
		return strings.Compare(in.IDs[a.prior], in.IDs[b.prior])
	}
	return int(a.cluster) - int(b.cluster)
}

// findFounders marks the pairs that share the record that the id was derived
// from. Only pairs in dispute are looked at: each look costs a hash a record.
func (in Input) findFounders(pairs []pair, disputed []int) {
	if len(disputed) == 0 {
		return
	}
	at := make(map[[2]int32]int, len(disputed))
	for _, i := range disputed {
		at[[2]int32{pairs[i].cluster, pairs[i].prior}] = i
	}
	for m, p := range in.Prior {
		if p < 0 {
			continue
		}
		i, look := at[[2]int32{in.Cluster[m], p}]
		for salt := 0; look && !pairs[i].founding && salt < foundingSalts; salt++ {
			pairs[i].founding = in.Derive(int32(m), salt) == in.IDs[p]
		}
	}
}

// invent names the clusters that kept no id.
func (in Input) invent(ids []string, keeper []int32) error {
	first := in.derived(ids)
	taken := make(map[string]bool, len(in.IDs)+len(first))
	for _, id := range in.IDs {
		taken[id] = true
	}
	for _, id := range in.Fixed {
		taken[id] = true
	}
	for m := range ids {
		if in.Cluster[m] != int32(m) || ids[m] != "" {
			continue
		}
		for salt := 0; ids[m] == ""; salt++ {
			if salt == 1000 {
				return weir.Errorf(weir.Internal, "no free profile id after %d salts", salt)
			}
			id := ""
			if salt == 0 {
				id, first = first[0], first[1:]
			} else {
				id = in.Derive(int32(m), salt)
			}
			if !taken[id] && (in.Used == nil || !in.Used(id)) {
				ids[m] = id
				taken[id] = true
			}
		}
	}
	return nil
}

// derived are the ids without salt of the clusters that have none, in their order.
// Each costs a hash, so they are made side by side.
func (in Input) derived(ids []string) []string {
	var members []int32
	for m := range ids {
		if in.Cluster[m] == int32(m) && ids[m] == "" {
			members = append(members, int32(m))
		}
	}
	out := make([]string, len(members))
	const piece = 1 << 12
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(members)/piece+1) {
		all.Go(func() {
			for start := int(next.Add(piece)) - piece; start < len(members); start = int(next.Add(piece)) - piece {
				for i := start; i < min(start+piece, len(members)); i++ {
					out[i] = in.Derive(members[i], 0)
				}
			}
		})
	}
	all.Wait()
	return out
}

// changes says what became of every prior id.
func (in Input) changes(pairs []pair, keeper []int32, ids []string) []Change {
	of := make([]int32, len(in.IDs))
	best := make([]int, len(in.IDs)) // position in pairs, -1 without
	parts := make([]int32, len(in.IDs))
	for i := range best {
		best[i] = -1
	}
	for i, p := range pairs {
		of[p.prior] += p.shared
		parts[p.prior]++
		if b := best[p.prior]; b < 0 || in.order(p, pairs[b]) < 0 {
			best[p.prior] = i
		}
	}
	var out []Change
	for i, p := range pairs {
		from := in.IDs[p.prior]
		if ids[p.cluster] == from {
			continue
		}
		c := Change{Change: "split", From: from, To: ids[p.cluster], Shared: int(p.shared), Of: int(of[p.prior])}
		if keeper[p.prior] < 0 && best[p.prior] == i {
			c.Change = "merge"
			if parts[p.prior] > 1 {
				c.Change = "redirect"
			}
		}
		out = append(out, c)
	}
	for p, id := range in.IDs {
		if parts[p] == 0 {
			out = append(out, Change{Change: "retire", From: id})
		}
	}
	slices.SortFunc(out, func(a, b Change) int {
		if c := strings.Compare(a.From, b.From); c != 0 {
			return c
		}
		if c := strings.Compare(a.Change, b.Change); c != 0 {
			return c
		}
		return strings.Compare(a.To, b.To)
	})
	return out
}
