package resolve

import (
	"math/rand/v2"
	"testing"

	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

func TestFilterForgetsNoKey(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	const partitions, partition = 16, 5 // keys of one partition share what hashes leave
	key := func() model.Key {
		h := r.Uint64()
		return model.Key{Rule: uint8(r.IntN(20)), Hash: h - h%partitions + partition}
	}
	for _, n := range []int{1, 2, 50, 3000, 100_000} {
		f := newFilter(n)
		keys := make([]model.Key, n)
		for i := range keys {
			keys[i] = key()
			f.add(person, keys[i])
		}
		for _, k := range keys {
			if !f.has(person, k) {
				t.Fatalf("%d keys: %v was forgotten", n, k)
			}
		}
		wrong := 0
		const asked = 20_000
		for range asked {
			if f.has(person, key()) {
				wrong++
			}
		}
		if wrong > asked*4/100 {
			t.Errorf("%d keys: %d of %d others were taken for them", n, wrong, asked)
		}
	}
	if newFilter(0).has(person, key()) {
		t.Error("an empty filter knows a key")
	}
}
