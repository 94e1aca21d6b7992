package cluster

// forest is a union-find whose root is always the smallest record of its tree,
// so that a cluster's name depends on its records alone. Path halving keeps it
// near linear without ranks (Tarjan and van Leeuwen 1984).
type forest []int32

func newForest(n int) forest {
	f := make(forest, n)
	for i := range f {
		f[i] = int32(i)
	}
	return f
}

func (f forest) find(x int32) int32 {
	for f[x] != x {
		f[x] = f[f[x]]
		x = f[x]
	}
	return x
}

// union joins two trees and says whether they were apart.
func (f forest) union(a, b int32) bool {
	a, b = f.find(a), f.find(b)
	if a == b {
		return false
	}
	if a > b {
		a, b = b, a
	}
	f[b] = a
	return true
}

// flatten points every record at its root.
func (f forest) flatten() {
	for i := range f {
		f[i] = f.find(int32(i))
	}
}
