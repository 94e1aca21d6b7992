package resolve

import (
	"math/bits"

	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// filter is a Bloom filter of blocking keys (Bloom 1970): it may take a key that
// nobody added for one that was, never the other way. With ten bits a key and
// three probes it is wrong for two keys in a hundred.
type filter []byte

const (
	filterBits   = 10
	filterProbes = 3
)

// newFilter has room for so many keys.
func newFilter(keys int) filter {
	if keys == 0 {
		return nil
	}
	return make(filter, (keys*filterBits+7)/8)
}

func (f filter) add(of recordKind, k model.Key) {
	at, step := f.probe(of, k)
	for range filterProbes {
		n, _ := bits.Mul64(at, uint64(len(f))*8)
		f[n/8] |= 1 << (n % 8)
		at += step
	}
}

func (f filter) has(of recordKind, k model.Key) bool {
	if len(f) == 0 {
		return false
	}
	at, step := f.probe(of, k)
	for range filterProbes {
		n, _ := bits.Mul64(at, uint64(len(f))*8)
		if f[n/8]&(1<<(n%8)) == 0 {
			return false
		}
		at += step
	}
	return true
}

// probe spreads a key: its hash chose the partition already, so that its low
// bits tell little here.
func (f filter) probe(of recordKind, k model.Key) (at, step uint64) {
	h := model.Mix(k.Hash, uint64(of)<<8|uint64(k.Rule)+1)
	return h, h*0x9e3779b97f4a7c15 | 1
}
