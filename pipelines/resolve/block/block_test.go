package block_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/weir-cdp/weir/pipelines/resolve/block"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// fixed gives records keys by their source number.
type fixed struct {
	keys   [][]model.Key
	second [][]uint64 // by record and rule
	max    int
}

func (f fixed) AppendKeys(out []model.Key, r *model.Features) []model.Key {
	return append(out, f.keys[r.Source]...)
}
func (f fixed) Second(rule uint8, r *model.Features) uint64 { return f.second[r.Source][rule] }
func (f fixed) MaxBlock() int                               { return f.max }

func count(keys [][]model.Key) map[model.Key][]int {
	out := map[model.Key][]int{}
	for i, ks := range keys {
		for _, k := range ks {
			out[k] = append(out[k], i)
		}
	}
	return out
}

func big(keys [][]model.Key, limit int) (out []block.Big) {
	for k, ms := range count(keys) {
		if len(ms) > limit {
			out = append(out, block.Big{Key: k, Records: len(ms)})
		}
	}
	return out
}

// Every pair that shares a key which is not lost is found, once; nothing else is,
// and the pairs of dropped blocks are counted.
func TestPairsAgainstBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 14).Draw(t, "records")
		f := fixed{max: rapid.IntRange(2, 6).Draw(t, "max")}
		const rules = 3
		for range n {
			var ks []model.Key
			var second []uint64
			for rule := range uint8(rules) {
				if h := rapid.Uint64Range(0, 3).Draw(t, "hash"); h > 0 {
					ks = append(ks, model.Key{Rule: rule, Hash: h<<8 | uint64(rule)})
				}
				second = append(second, rapid.Uint64Range(0, 2).Draw(t, "second"))
			}
			f.keys, f.second = append(f.keys, ks), append(f.second, second)
		}
		var plan block.Plan
		under := func() (out [][]model.Key) {
			for i := range n {
				out = append(out, plan.Keys(nil, f, &model.Features{Source: uint32(i)}))
			}
			return out
		}
		first := count(under())
		plan.Split(big(under(), f.max))
		split := count(under())
		lost := plan.Drop(big(under(), f.max))
		keys := under()

		found := map[[2]int]int{}
		for k, ms := range count(keys) {
			var members []block.Member
			for _, i := range ms {
				members = append(members, block.Member{Record: uint32(i), Keys: keys[i]})
			}
			if over := block.Pairs(k, members, f.max, func(i, j int) bool {
				found[[2]int{ms[i], ms[j]}]++
				return true
			}); over != 0 {
				t.Fatalf("a block of %d is over %d after the plan", len(ms), f.max)
			}
		}
		for i := range n {
			for j := i + 1; j < n; j++ {
				want := 0
				for _, a := range f.keys[i] {
					for _, b := range f.keys[j] {
						if a != b {
							continue
						}
						s := f.second[i][a.Rule]
						part := model.Key{Rule: a.Rule, Hash: model.Mix(a.Hash, s)}
						if len(first[a]) <= f.max || s != 0 && s == f.second[j][a.Rule] && len(split[part]) <= f.max {
							want = 1
						}
					}
				}
				if found[[2]int{i, j}] != want {
					t.Fatalf("pair %d, %d found %d times, want %d", i, j, found[[2]int{i, j}], want)
				}
			}
		}
		for rule := range uint8(rules) {
			want := int64(0)
			for k, ms := range split {
				if k.Rule == rule && len(ms) > f.max {
					want += int64(len(ms) * (len(ms) - 1) / 2)
				}
			}
			if lost[rule] != want {
				t.Fatalf("rule %d lost %d pairs, want %d", rule, lost[rule], want)
			}
		}
	})
}

func TestABlockOverItsLimitIsLostWhole(t *testing.T) {
	k := model.Key{Hash: 1}
	ms := make([]block.Member, 5)
	for i := range ms {
		ms[i].Keys = []model.Key{k}
	}
	if lost := block.Pairs(k, ms, 4, func(int, int) bool { t.Error("a pair of a lost block"); return true }); lost != 10 {
		t.Fatalf("lost %d of 10 pairs", lost)
	}
}
