package cluster

import (
	"hash/maphash"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/sorting"
)

// Names numbers texts in ascending order, so that the order of numbers is the
// order of the texts. It holds each text once, in one block of memory, with 16
// bytes beside it.
type Names struct {
	text  string
	ends  []uint64
	table []int32 // open addressing; -1 is free
	seed  maphash.Seed
}

// NewNames numbers texts, which it sorts in place; repeats count once.
func NewNames(texts []string) (*Names, error) {
	sorting.Texts(texts)
	texts = slices.Compact(texts)
	if len(texts) >= 1<<30 {
		return nil, weir.Errorf(weir.Internal, "%d records are more than one run can cluster", len(texts))
	}
	n := &Names{seed: maphash.MakeSeed(), ends: make([]uint64, len(texts))}
	total := 0
	for _, t := range texts {
		total += len(t)
	}
	var text strings.Builder
	text.Grow(total)
	size := 8
	for size < 2*len(texts) {
		size *= 2
	}
	n.table = make([]int32, size)
	for i := range n.table {
		n.table[i] = -1
	}
	for i, t := range texts {
		text.WriteString(t)
		n.ends[i] = uint64(text.Len())
		at := n.slot(t)
		for n.table[at] >= 0 {
			at = (at + 1) & (len(n.table) - 1)
		}
		n.table[at] = int32(i)
	}
	n.text = text.String()
	return n, nil
}

func (n *Names) slot(t string) int {
	return int(maphash.String(n.seed, t)) & (len(n.table) - 1)
}

// Len is how many texts there are.
func (n *Names) Len() int { return len(n.ends) }

// At returns a text by its number.
func (n *Names) At(i int32) string {
	start := uint64(0)
	if i > 0 {
		start = n.ends[i-1]
	}
	return n.text[start:n.ends[i]]
}

// Find returns a text's number, or -1.
func (n *Names) Find(t string) int32 {
	for at := n.slot(t); ; at = (at + 1) & (len(n.table) - 1) {
		i := n.table[at]
		if i < 0 || n.At(i) == t {
			return i
		}
	}
}

// All returns the texts in order.
func (n *Names) All() []string {
	out := make([]string, n.Len())
	start := uint64(0)
	for i, end := range n.ends {
		out[i] = n.text[start:end]
		start = end
	}
	return out
}
