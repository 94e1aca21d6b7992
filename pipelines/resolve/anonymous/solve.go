package anonymous

import (
	"slices"

	"github.com/weir-cdp/weir"
)

// Node is an identifier value that no record holds.
type Node struct {
	Links    bool // false of an identifier with `link: false`
	Device   bool // of a device, of which a person has many
	SharedBy int  // beside more values of people than this it is a hub
}

// Attached says that a node was seen beside a value that a known profile owns.
type Attached struct{ Node, Owner int32 }

// deviceFactor is how many devices count as much as one other value.
const deviceFactor = 100

// The owners that are no profile's index.
const (
	Nobody    int32 = -1 // no known profile: the node's cluster is an anonymous profile
	Ambiguous int32 = -2
)

// Result says where each node belongs.
type Result struct {
	Owner   []int32 // index of the known profile, Nobody or Ambiguous
	Cluster []int32 // where Owner is Nobody the smallest node of the anonymous profile, else the node itself
	Hubs    int
}

// Solve places every node. Pairs are nodes seen together; both may come in any
// order and repeatedly.
func Solve(nodes []Node, pairs [][2]int32, attached []Attached) (Result, error) {
	if err := check(len(nodes), pairs, attached); err != nil {
		return Result{}, err
	}
	s := solver{nodes: nodes, pairs: unique(pairs), owner: make([]int32, len(nodes)), root: make([]int32, len(nodes))}
	for i := range nodes {
		s.owner[i], s.root[i] = Nobody, int32(i)
	}
	s.hubs()
	s.direct(attached)
	s.components()
	s.followers(attached)
	r := Result{Owner: s.owner, Cluster: s.root, Hubs: s.found}
	for i := range nodes {
		r.Cluster[i] = s.find(int32(i))
	}
	for i, o := range r.Owner {
		if o != Nobody {
			r.Cluster[i] = int32(i)
		}
	}
	return r, nil
}

type solver struct {
	nodes []Node
	pairs [][2]int32
	owner []int32
	root  []int32
	found int
}

func (s *solver) find(x int32) int32 {
	for s.root[x] != x {
		s.root[x] = s.root[s.root[x]]
		x = s.root[x]
	}
	return x
}

// hubs marks values seen beside too many others.
func (s *solver) hubs() {
	people := make([]int32, len(s.nodes))
	devices := make([]int32, len(s.nodes))
	for _, p := range s.pairs {
		for i := range p {
			if s.nodes[p[1-i]].Device {
				devices[p[i]]++
			} else {
				people[p[i]]++
			}
		}
	}
	for i, n := range s.nodes {
		if int(people[i]) > n.SharedBy || int(devices[i]) > n.SharedBy*deviceFactor {
			s.owner[i] = Ambiguous
			s.found++
		}
	}
}

// claim gives a node to a profile; a second profile makes it ambiguous.
func claim(owner *int32, by int32) {
	switch {
	case *owner == Nobody:
		*owner = by
	case *owner != by:
		*owner = Ambiguous
	}
}

// direct places the nodes that were seen beside a known profile's value.
func (s *solver) direct(attached []Attached) {
	for _, a := range attached {
		if s.nodes[a.Node].Links {
			claim(&s.owner[a.Node], a.Owner)
		}
	}
}

// components joins the nodes that nobody owns, and gives each component to the
// one profile that all its owned neighbours have.
func (s *solver) components() {
	links := func(n int32) bool { return s.nodes[n].Links && s.owner[n] == Nobody }
	for _, p := range s.pairs {
		if links(p[0]) && links(p[1]) {
			if a, b := s.find(p[0]), s.find(p[1]); a != b {
				s.root[max(a, b)] = min(a, b)
			}
		}
	}
	of := make([]int32, len(s.nodes))
	for i := range of {
		of[i] = Nobody
	}
	for _, p := range s.pairs {
		for i := range p {
			if n, o := p[i], s.owner[p[1-i]]; links(n) && o >= 0 && s.nodes[p[1-i]].Links {
				claim(&of[s.find(n)], o)
			}
		}
	}
	for i := range s.nodes {
		if links(int32(i)) {
			s.owner[i] = of[s.find(int32(i))]
		}
	}
}

// followers places the nodes that link nothing: with the one profile, known or
// anonymous, that they were seen with.
func (s *solver) followers(attached []Attached) {
	n := int32(len(s.nodes))
	// A place is a known profile's index shifted past the clusters, or a cluster.
	place := make([]int32, n)
	for i := range place {
		place[i] = Nobody
	}
	follows := func(i int32) bool { return !s.nodes[i].Links && s.owner[i] != Ambiguous }
	for _, a := range attached {
		if follows(a.Node) {
			claim(&place[a.Node], n+a.Owner)
		}
	}
	for _, p := range s.pairs {
		for i := range p {
			f, at := p[i], p[1-i]
			if !follows(f) || !s.nodes[at].Links || s.owner[at] == Ambiguous {
				continue
			}
			if s.owner[at] >= 0 {
				claim(&place[f], n+s.owner[at])
			} else {
				claim(&place[f], s.find(at))
			}
		}
	}
	for i, at := range place {
		switch {
		case !follows(int32(i)) || at == Nobody:
		case at == Ambiguous:
			s.owner[i] = Ambiguous
		case at >= n:
			s.owner[i] = at - n
		default: // the cluster's name stays its smallest linking node or follower
			if r := s.find(at); int32(i) < r {
				s.root[r] = int32(i)
			} else {
				s.root[i] = r
			}
		}
	}
}

func unique(pairs [][2]int32) [][2]int32 {
	out := make([][2]int32, 0, len(pairs))
	for _, p := range pairs {
		if p[0] > p[1] {
			p[0], p[1] = p[1], p[0]
		}
		if p[0] != p[1] {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b [2]int32) int {
		if a[0] != b[0] {
			return int(a[0] - b[0])
		}
		return int(a[1] - b[1])
	})
	return slices.Compact(out)
}

func check(n int, pairs [][2]int32, attached []Attached) error {
	for _, p := range pairs {
		if min(p[0], p[1]) < 0 || int(max(p[0], p[1])) >= n {
			return weir.Errorf(weir.Internal, "identifiers %v of %d were seen together", p, n)
		}
	}
	for _, a := range attached {
		if a.Node < 0 || int(a.Node) >= n || a.Owner < 0 {
			return weir.Errorf(weir.Internal, "identifier %d of %d is attached to profile %d", a.Node, n, a.Owner)
		}
	}
	return nil
}
