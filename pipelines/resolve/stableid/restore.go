package stableid

import (
	"slices"
	"strings"
)

// Ended is an id that was merged away.
type Ended struct {
	ID      string
	Into    int32   // index in Input.IDs of the id that it leads to
	Members []int32 // what it held when it ended, as far as it still is; distinct
}

// home is where most of an ended id's members are.
type home struct {
	ended   int
	cluster int32 // -1: nowhere more than half of them
	shared  int32
}

// restore gives ids back that a merge ended: to clusters that come out of the
// profile into which they were merged, with no id of their own, and with more than
// half of what the id held. The one with most such members counts, of those the one
// that ended last.
func (in Input) restore(pairs []pair, ids []string) ([]Ended, []home, error) {
	if in.Ended == nil {
		return nil, nil, nil
	}
	var parted []int32
	left := map[[2]int32]bool{} // cluster without an id, and a prior of its members
	for _, p := range pairs {
		if ids[p.cluster] == "" {
			parted = append(parted, p.prior)
			left[[2]int32{p.cluster, p.prior}] = true
		}
	}
	if len(parted) == 0 {
		return nil, nil, nil
	}
	slices.Sort(parted)
	ended, err := in.Ended(slices.Compact(parted))
	if err != nil {
		return nil, nil, err
	}
	homes := make([]home, len(ended))
	var claims []home
	for i, e := range ended {
		homes[i] = in.home(i, e)
		if h := homes[i]; h.cluster >= 0 && left[[2]int32{h.cluster, e.Into}] {
			claims = append(claims, h)
		}
	}
	slices.SortFunc(claims, func(a, b home) int {
		if a.shared != b.shared {
			return int(b.shared) - int(a.shared)
		}
		return b.ended - a.ended
	})
	for _, c := range claims {
		if ids[c.cluster] == "" {
			ids[c.cluster] = ended[c.ended].ID
		}
	}
	return ended, homes, nil
}

func (in Input) home(i int, e Ended) home {
	shared := map[int32]int32{}
	for _, m := range e.Members {
		c := in.Cluster[m]
		if shared[c]++; 2*int(shared[c]) > len(e.Members) {
			return home{i, c, in.shares(e, c)}
		}
	}
	return home{ended: i, cluster: -1}
}

func (in Input) shares(e Ended, cluster int32) (n int32) {
	for _, m := range e.Members {
		if in.Cluster[m] == cluster {
			n++
		}
	}
	return n
}

// follow redirects the ended ids that were not given back, and whose members left
// the profile that they lead to.
func follow(in Input, ended []Ended, homes []home, ids []string, changes []Change) []Change {
	split := map[[2]string]bool{}
	for _, c := range changes {
		if c.Change == "split" {
			split[[2]string{c.From, c.To}] = true
		}
	}
	for i, e := range ended {
		h := homes[i]
		if h.cluster < 0 || ids[h.cluster] == e.ID || !split[[2]string{in.IDs[e.Into], ids[h.cluster]}] {
			continue
		}
		changes = append(changes, Change{Change: "redirect", From: e.ID, To: ids[h.cluster], Shared: int(h.shared), Of: len(e.Members)})
	}
	slices.SortFunc(changes, func(a, b Change) int {
		return strings.Compare(a.From+"\x00"+a.Change+"\x00"+a.To, b.From+"\x00"+b.Change+"\x00"+b.To)
	})
	return changes
}
