package block

import (
	"slices"

	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// Blocker is what a model says of a record's blocks.
type Blocker interface {
	AppendKeys(out []model.Key, f *model.Features) []model.Key
	Second(rule uint8, f *model.Features) uint64
	MaxBlock() int
}

// Plan knows which keys are big. The zero Plan knows none.
type Plan struct {
	split   keySet // taken apart by the second key
	dropped keySet // not compared: a big key without, or a split one
}

// keySet holds keys by rule: few rules have big keys.
type keySet [256]map[uint64]struct{}

func (s *keySet) add(k model.Key) {
	if s[k.Rule] == nil {
		s[k.Rule] = map[uint64]struct{}{}
	}
	s[k.Rule][k.Hash] = struct{}{}
}

func (s *keySet) has(k model.Key) bool {
	_, ok := s[k.Rule][k.Hash]
	return ok
}

// Member is one record of a block: its own keys after the plan, sorted.
type Member struct {
	Record uint32
	Keys   []model.Key
}

// Big lists the keys that are held by more than max records, and how many hold
// each. Counting is the caller's: a sort, a map or a shuffle by key.
type Big struct {
	Key     model.Key
	Records int
}

// Split notes the big keys of the first count.
func (p *Plan) Split(big []Big) {
	for _, b := range big {
		p.split.add(b.Key)
	}
}

// Drop notes the keys that are still big when counted with the plan's keys, and
// returns the pairs lost, by rule.
func (p *Plan) Drop(big []Big) map[uint8]int64 {
	lost := map[uint8]int64{}
	for _, b := range big {
		if p.dropped.has(b.Key) {
			continue
		}
		p.dropped.add(b.Key)
		lost[b.Key.Rule] += pairs(b.Records)
	}
	return lost
}

func pairs(n int) int64 { return int64(n) * int64(n-1) / 2 }

// Keys appends the keys of a record under the plan: a big key is replaced by
// that of its part, and what was dropped is left out.
func (p *Plan) Keys(out []model.Key, b Blocker, f *model.Features) []model.Key {
	start := len(out)
	out = b.AppendKeys(out, f)
	tail := out[start:]
	n, moved := 0, false
	for _, k := range tail {
		if p.split.has(k) {
			second := b.Second(k.Rule, f)
			if second == 0 {
				continue
			}
			k.Hash, moved = model.Mix(k.Hash, second), true
		}
		if p.dropped.has(k) {
			continue
		}
		tail[n] = k
		n++
	}
	if moved {
		slices.SortFunc(tail[:n], model.Key.Compare)
	}
	return out[:start+n]
}

// Pairs yields the pairs of the block of one key that have no earlier key in
// common, by their place in ms, i < j. It stops when yield says so. A block of
// more than max members, which a Plan would have taken apart, yields none;
// their number is returned as lost.
func Pairs(key model.Key, ms []Member, limit int, yield func(i, j int) bool) (lost int64) {
	if len(ms) > limit {
		return pairs(len(ms))
	}
	for i := range ms {
		for j := i + 1; j < len(ms); j++ {
			if earlier(key, ms[i].Keys, ms[j].Keys) {
				continue
			}
			if !yield(i, j) {
				return 0
			}
		}
	}
	return 0
}

// earlier says whether two sorted lists share a key before this one.
func earlier(key model.Key, a, b []model.Key) bool {
	for len(a) > 0 && len(b) > 0 {
		c := a[0].Compare(b[0])
		switch {
		case c == 0:
			return a[0].Compare(key) < 0
		case c < 0:
			a = a[1:]
		default:
			b = b[1:]
		}
	}
	return false
}
