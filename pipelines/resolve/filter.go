package resolve

import (
	"math/bits"

	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// filter is a Bloom filter of blocking keys (Bloom 1970): it may take a key that
// nobody added for one that was, never the other way. All bits of a key are in one
// line of a processor's cache (Putze, Sanders and Singler 2007), since a key is looked
// up for each record that holds it. With ten bits a key and three probes it is wrong
// for two or three keys in a hundred.
type filter []byte

const (
	filterBits   = 10
	filterProbes = 3
	filterLine   = 64 // bytes
)

// newFilter has room for so many keys.
func newFilter(keys int) filter {
	if keys == 0 {
		return nil
	}
	lines := (keys*filterBits + 8*filterLine - 1) / (8 * filterLine)
	return make(filter, lines*filterLine)
}

func (f filter) add(of recordKind, k model.Key) {
	line, probes := f.probe(of, k)
	for range filterProbes {
		line[probes/8%filterLine] |= 1 << (probes % 8)
		probes >>= 9
	}
}

func (f filter) has(of recordKind, k model.Key) bool {
	if len(f) == 0 {
		return false
	}
	line, probes := f.probe(of, k)
	for range filterProbes {
		if line[probes/8%filterLine]&(1<<(probes%8)) == 0 {
			return false
		}
		probes >>= 9
	}
	return true
}

// probe spreads a key: its hash chose the partition already, so that its low
// bits tell little here. It gives the key's line, and nine bits for each probe.
func (f filter) probe(of recordKind, k model.Key) (line []byte, probes uint64) {
	h := model.Mix(k.Hash, uint64(of)<<8|uint64(k.Rule)+1)
	at, _ := bits.Mul64(h, uint64(len(f)/filterLine))
	return f[at*filterLine:][:filterLine], h * 0x9e3779b97f4a7c15 >> 32
}
