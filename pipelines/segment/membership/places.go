package membership

import (
	"encoding/binary"
	"slices"
	"strings"
)

// places finds ids among sorted ones. Nearly all comparisons are of the eight bytes after
// what all ids begin with, which lie beside each other: the texts do not.
type places struct {
	ids    []string
	prefix string
	heads  []uint64 // in the order of ids
}

func newPlaces(ids []string) *places {
	p := &places{ids: ids, heads: make([]uint64, len(ids))}
	if len(ids) > 0 {
		first, last := ids[0], ids[len(ids)-1]
		n := 0
		for n < min(len(first), len(last)) && first[n] == last[n] {
			n++
		}
		p.prefix = first[:n]
	}
	for i, id := range ids {
		p.heads[i] = head(id[len(p.prefix):])
	}
	return p
}

// head is a text's first eight bytes as a number, of the same order as the texts.
func head(text string) (h uint64) {
	if len(text) >= 8 {
		return binary.BigEndian.Uint64([]byte(text[:8]))
	}
	for i := range 8 {
		h <<= 8
		if i < len(text) {
			h |= uint64(text[i])
		}
	}
	return h
}

// find gives the place of an id, or of the first one after it; the search begins at
// near, which is best the place of one shortly before.
func (p *places) find(near int, id string) int {
	if !strings.HasPrefix(id, p.prefix) {
		place, _ := slices.BinarySearch(p.ids, id)
		return place
	}
	h := head(id[len(p.prefix):])
	if near > 0 && (p.heads[near-1] > h || p.heads[near-1] == h && p.ids[near-1] >= id) {
		near, _ = slices.BinarySearch(p.ids, id)
	}
	for near < len(p.heads) && p.heads[near] < h {
		near++
	}
	for near < len(p.heads) && p.heads[near] == h && p.ids[near] < id {
		near++
	}
	return near
}
