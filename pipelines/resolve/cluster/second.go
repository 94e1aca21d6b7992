package cluster

import (
	"cmp"
	"maps"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// Second looks again at the records of one component: it returns what the pair
// of its i-th and j-th record says, in log2 odds. Only what speaks against counts.
// It is asked about pairs that no score links, i < j; about several components at a
// time.
type Second func(component []int32) func(i, j int) float32

// askedPairs bounds how many pairs of one component are looked at again. A
// component of so many more is a failure of the evidence; there the pairs that
// share a neighbour are looked at, until the bound is reached.
const askedPairs = 1 << 20

// link is a scored pair of an open component.
type link struct {
	root int32
	a, b int32
}

// findOpen lists the scored pairs of the components that a second look may take
// apart: of three records or more, and with a pair that no score links.
func (c *Components) findOpen() {
	g, f := c.graph, c.forest
	size := make([]int32, g.N)
	for _, r := range f {
		size[r]++
	}
	var all []link
	for _, gr := range g.Groups {
		if !gr.Scored || !c.counts(gr) {
			continue
		}
		if m := g.members(gr); size[f[m[0]]] > 2 {
			all = append(all, link{f[m[0]], m[0], m[1]})
		}
	}
	slices.SortFunc(all, compareLinks)
	all = slices.Compact(all)
	c.open = map[int32][]link{}
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].root == all[0].root {
			n++
		}
		if k := int(size[all[0].root]); n < k*(k-1)/2 {
			c.open[all[0].root] = all[:n]
		}
		all = all[n:]
	}
}

func compareLinks(a, b link) int {
	return cmp.Or(cmp.Compare(a.root, b.root), cmp.Compare(a.a, b.a), cmp.Compare(a.b, b.b))
}

// Open says whether Solve will ask its Second about a record.
func (c *Components) Open(record int32) bool {
	_, open := c.open[c.forest[record]]
	return open
}

// doubt is a pair that speaks against two records being the same.
type doubt struct {
	a, b   int32
	weight int64 // fixed point, below 0
}

// look asks about all open components. It returns the doubts by component, and
// how many pairs were asked about.
func (c *Components) look(second Second) (map[int32][]doubt, int) {
	if second == nil || len(c.open) == 0 {
		return nil, 0
	}
	records := make(map[int32][]int32, len(c.open))
	for i, root := range c.forest {
		if _, open := c.open[root]; open {
			records[root] = append(records[root], int32(i))
		}
	}
	vouched := c.vouched()
	roots := slices.Collect(maps.Keys(c.open)) // each by itself: no order matters
	found, asked := make([][]doubt, len(roots)), make([]int, len(roots))
	const piece = 64
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(roots)/piece+1) {
		all.Go(func() {
			for start := int(next.Add(piece)) - piece; start < len(roots); start = int(next.Add(piece)) - piece {
				for i := start; i < min(start+piece, len(roots)); i++ {
					found[i], asked[i] = c.ask(second, records[roots[i]], c.open[roots[i]], vouched)
				}
			}
		})
	}
	all.Wait()
	doubts, sum := map[int32][]doubt{}, 0
	for i, root := range roots {
		sum += asked[i]
		if len(found[i]) > 0 {
			doubts[root] = found[i]
		}
	}
	return doubts, sum
}

// ask asks about one component, of which scores link some records. It returns the
// doubts and how many pairs it asked about.
func (c *Components) ask(second Second, component []int32, links []link, vouched forest) (doubts []doubt, asked int) {
	say := second(component)
	if say == nil {
		return nil, 0
	}
	linked := make(map[[2]int32]bool, len(links))
	for _, l := range links {
		linked[sorted(vouched[l.a], vouched[l.b])] = true
	}
	pairsToAsk(component, links, askedPairs, func(i, j int) {
		x, y := vouched[component[i]], vouched[component[j]]
		if x == y || linked[sorted(x, y)] {
			return
		}
		asked++
		if w := fixed(say(i, j)); w < 0 {
			doubts = append(doubts, doubt{component[i], component[j], w})
		}
	})
	return doubts, asked
}

// vouched puts together what force-links join, whatever refuses it later: who said
// that two records are one knew how they differ. So between two such sets of which
// records are linked by a score, no other pair is asked about.
func (c *Components) vouched() forest {
	f := newForest(c.graph.N)
	for _, gr := range c.graph.Groups {
		if gr.Weight >= Linked && !gr.Scored && c.counts(gr) {
			c.graph.join(f, gr)
		}
	}
	f.flatten()
	return f
}

func sorted(x, y int32) [2]int32 { return [2]int32{min(x, y), max(x, y)} }

// pairsToAsk yields the pairs of a component that no score links, by their place
// in it: all of them, or where they are more than most, up to so many of those
// that share a neighbour.
func pairsToAsk(component []int32, links []link, most int, ask func(i, j int)) {
	k := len(component)
	if k*(k-1)/2 <= most {
		for i, a := range component {
			for j := i + 1; j < k; j++ {
				for len(links) > 0 && compareLinks(links[0], link{links[0].root, a, component[j]}) < 0 {
					links = links[1:]
				}
				if len(links) == 0 || links[0].a != a || links[0].b != component[j] {
					ask(i, j)
				}
			}
		}
		return
	}
	place := make(map[int32]int, k)
	for i, r := range component {
		place[r] = i
	}
	near := make([][]int, k)
	seen := make(map[[2]int]bool, len(links))
	for _, l := range links {
		a, b := place[l.a], place[l.b]
		near[a], near[b] = append(near[a], b), append(near[b], a)
		seen[[2]int{a, b}] = true
	}
	for _, around := range near {
		slices.Sort(around)
		for x, i := range around {
			for _, j := range around[x+1:] {
				if seen[[2]int{i, j}] {
					continue
				}
				if most--; most < 0 {
					return
				}
				seen[[2]int{i, j}] = true
				ask(i, j)
			}
		}
	}
}

// fixed turns log2 odds into fixed point, so that sums don't depend on the order
// of their terms.
func fixed(w float32) int64 {
	if w != w { // not a number: says nothing
		return 0
	}
	return int64(math.Round(min(max(float64(w), -float64(Linked)), float64(Linked)) * fixedOne))
}

const fixedOne = 1 << 16

// balance is the sum of what scored pairs say, for and against, between clusters
// that grow.
type balance map[int32]map[int32]int64

func (b balance) add(x, y int32, w int64) {
	for _, p := range [2][2]int32{{x, y}, {y, x}} {
		if b[p[0]] == nil {
			b[p[0]] = map[int32]int64{}
		}
		b[p[0]][p[1]] += w
	}
}

// joined folds the cluster that was joined into the one that it is now.
func (b balance) joined(now, was int32) {
	for other, w := range b[was] {
		delete(b[other], was)
		if other != now {
			b.add(now, other, w)
		}
	}
	delete(b, was)
}
