package anonymous_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/weir-cdp/weir/pipelines/resolve/anonymous"
)

const nobody, ambiguous = anonymous.Nobody, anonymous.Ambiguous

func TestSolve(t *testing.T) {
	link := anonymous.Node{Links: true, SharedBy: 10}
	device := anonymous.Node{Links: true, Device: true, SharedBy: 10}
	quiet := anonymous.Node{SharedBy: 10}
	crowd := func(n int, of anonymous.Node) (nodes []anonymous.Node, pairs [][2]int32) {
		nodes = append(nodes, link)
		for i := range n {
			nodes = append(nodes, of)
			pairs = append(pairs, [2]int32{0, int32(i + 1)})
		}
		return nodes, pairs
	}
	tooMany, manyPairs := crowd(11, link)
	devices, devicePairs := crowd(40, device)
	for name, c := range map[string]struct {
		nodes    []anonymous.Node
		pairs    [][2]int32
		attached []anonymous.Attached
		owner    []int32
		cluster  []int32
	}{
		"seen together is one anonymous profile": {
			nodes: []anonymous.Node{link, link, link}, pairs: [][2]int32{{2, 0}}, owner: []int32{nobody, nobody, nobody}, cluster: []int32{0, 1, 0}},
		"beside a known value it is the known profile's": {
			nodes: []anonymous.Node{link, link}, attached: []anonymous.Attached{{Node: 1, Owner: 7}, {Node: 1, Owner: 7}}, owner: []int32{nobody, 7}, cluster: []int32{0, 1}},
		"a shared device is ambiguous and joins nothing": {
			nodes: []anonymous.Node{device, link}, pairs: [][2]int32{{0, 1}}, attached: []anonymous.Attached{{0, 1}, {0, 2}}, owner: []int32{ambiguous, nobody}, cluster: []int32{0, 1}},
		"a chain leads to the known profile": {
			nodes: []anonymous.Node{link, link, link}, pairs: [][2]int32{{0, 1}, {1, 2}}, attached: []anonymous.Attached{{2, 3}}, owner: []int32{3, 3, 3}, cluster: []int32{0, 1, 2}},
		"a chain between two profiles is ambiguous, its ends are not": {
			nodes: []anonymous.Node{link, link, link}, pairs: [][2]int32{{0, 1}, {1, 2}}, attached: []anonymous.Attached{{0, 4}, {2, 3}}, owner: []int32{4, ambiguous, 3}, cluster: []int32{0, 1, 2}},
		"link false follows and does not join": {
			nodes: []anonymous.Node{quiet, link, link}, pairs: [][2]int32{{0, 1}}, owner: []int32{nobody, nobody, nobody}, cluster: []int32{0, 0, 2}},
		"link false between two is ambiguous": {
			nodes: []anonymous.Node{quiet, link, link}, pairs: [][2]int32{{0, 1}, {0, 2}}, owner: []int32{ambiguous, nobody, nobody}, cluster: []int32{0, 1, 2}},
		"link false alone is a profile": {nodes: []anonymous.Node{quiet}, owner: []int32{nobody}, cluster: []int32{0}},
		"a value beside many others is a hub": {
			nodes: tooMany, pairs: manyPairs,
			owner:   append([]int32{ambiguous}, slices.Repeat([]int32{nobody}, 11)...),
			cluster: []int32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
		"forty devices of one person are no hub": {
			nodes: devices, pairs: devicePairs, owner: slices.Repeat([]int32{nobody}, 41), cluster: slices.Repeat([]int32{0}, 41)},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := anonymous.Solve(c.nodes, c.pairs, c.attached)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(r.Owner, c.owner) || !slices.Equal(r.Cluster, c.cluster) {
				t.Fatalf("owner %v cluster %v, want %v %v", r.Owner, r.Cluster, c.owner, c.cluster)
			}
		})
	}
}

func TestSolveKnowsNoOrder(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		nodes := make([]anonymous.Node, 1+r.IntN(12))
		for i := range nodes {
			nodes[i] = anonymous.Node{Links: r.IntN(4) > 0, Device: r.IntN(2) == 0, SharedBy: 2 + r.IntN(3)}
		}
		node := func() int32 { return int32(r.IntN(len(nodes))) }
		var pairs [][2]int32
		for range r.IntN(14) {
			pairs = append(pairs, [2]int32{node(), node()})
		}
		var attached []anonymous.Attached
		for range r.IntN(5) {
			attached = append(attached, anonymous.Attached{Node: node(), Owner: int32(r.IntN(3))})
		}
		want, err := anonymous.Solve(nodes, pairs, attached)
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range want.Cluster {
			if c > int32(i) || want.Cluster[c] != c || (want.Owner[i] == nobody && want.Owner[c] != nobody) {
				t.Fatalf("seed %d: node %d is in cluster %d: %+v", seed, i, c, want)
			}
		}
		r.Shuffle(len(pairs), func(a, b int) { pairs[a], pairs[b] = [2]int32{pairs[b][1], pairs[b][0]}, pairs[a] })
		r.Shuffle(len(attached), func(a, b int) { attached[a], attached[b] = attached[b], attached[a] })
		got, err := anonymous.Solve(nodes, pairs, attached)
		if err != nil || !slices.Equal(got.Owner, want.Owner) || !slices.Equal(got.Cluster, want.Cluster) {
			t.Fatalf("seed %d: %+v and, in another order, %+v", seed, want, got)
		}
	}
}
