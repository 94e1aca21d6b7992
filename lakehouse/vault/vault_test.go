package vault_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/lakehouse/object/objecttest"
	"github.com/weir-cdp/weir/lakehouse/vault"
)

func index(i int) vault.Index { return vault.IndexOf("email", fmt.Sprintf("p%d@example.org", i)) }

func salts(t testing.TB, s *object.Store, persons ...int) map[int]vault.Salt {
	t.Helper()
	v := vault.Open(s, nil)
	out := map[int]vault.Salt{}
	for _, p := range persons {
		salt, ok, err := v.Salt(context.Background(), index(p))
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			out[p] = salt
		}
	}
	return out
}

func ensure(t testing.TB, s *object.Store, persons ...int) {
	t.Helper()
	m := map[vault.Index]struct{}{}
	for _, p := range persons {
		m[index(p)] = struct{}{}
	}
	if err := vault.Open(s, nil).Ensure(context.Background(), m); err != nil {
		t.Fatal(err)
	}
}

func upTo(n int) (out []int) {
	for i := range n {
		out = append(out, i)
	}
	return out
}

// The vault is a map: random histories of ensuring and destroying agree with one.
func TestVaultIsAMap(t *testing.T) {
	s := objecttest.Open(t)
	have := map[int]vault.Salt{}
	rapid.Check(t, func(r *rapid.T) {
		persons := rapid.SliceOfNDistinct(rapid.IntRange(0, 40), 1, 10, rapid.ID).Draw(r, "persons")
		if rapid.Bool().Draw(r, "destroy") {
			var list []vault.Index
			had := 0
			for _, p := range persons {
				list = append(list, index(p))
				if _, ok := have[p]; ok {
					had++
				}
				delete(have, p)
			}
			n, err := vault.Open(s, nil).Destroy(context.Background(), list)
			if err != nil || n != had {
				r.Fatal(n, had, err)
			}
		} else {
			ensure(t, s, persons...)
			for p, salt := range salts(t, s, persons...) {
				if old, ok := have[p]; ok && old != salt {
					r.Fatal("a salt changed")
				}
				have[p] = salt
			}
		}
		got := salts(t, s, upTo(41)...)
		if len(got) != len(have) {
			r.Fatal(len(got), len(have))
		}
		for p, salt := range have {
			if got[p] != salt {
				r.Fatal("another salt")
			}
		}
	})
}

// A destroyed salt is in no object of the store.
func TestDestroyedSaltIsNowhere(t *testing.T) {
	s := objecttest.Open(t)
	ensure(t, s, upTo(300)...)
	ensure(t, s, 1000)
	before := salts(t, s, upTo(300)...)
	gone := []vault.Index{index(7), index(8)}
	if n, err := vault.Open(s, nil).Destroy(t.Context(), gone); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	for o, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		b, err := s.ReadFile(t.Context(), o.Key)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []int{7, 8} {
			if salt := before[p]; strings.Contains(string(b), string(salt[:])) {
				t.Errorf("%s still holds the salt", o.Key)
			}
			if i := index(p); strings.Contains(string(b), string(i[:])) {
				t.Errorf("%s still holds the index", o.Key)
			}
		}
	}
	after := salts(t, s, upTo(300)...)
	if len(after) != 298 {
		t.Errorf("%d salts are left of 298", len(after))
	}
	ensure(t, s, 7)
	if again := salts(t, s, 7)[7]; again == before[7] {
		t.Error("the old salt came back")
	}
}

// Processes that change one shard at once lose nobody's salt.
func TestRacingWritersLoseNothing(t *testing.T) {
	s := objecttest.Open(t)
	var same []int // persons of one shard
	for i := 0; len(same) < 60; i++ {
		if index(i)[0] == 3 {
			same = append(same, i)
		}
	}
	var wg sync.WaitGroup
	seen := make([]map[int]vault.Salt, 6)
	for w := range seen {
		wg.Go(func() {
			for n := 0; n < 10; n += 2 {
				mine := same[w*10+n : w*10+n+2]
				m := map[vault.Index]struct{}{index(same[0]): {}}
				for _, p := range mine {
					m[index(p)] = struct{}{}
				}
				if err := vault.Open(s, nil).Ensure(context.Background(), m); err != nil {
					t.Error(err)
					return
				}
			}
			seen[w] = salts(t, s, append(same[w*10:w*10+10:w*10+10], same[0])...)
		})
	}
	wg.Wait()
	all := salts(t, s, same...)
	if len(all) != len(same) {
		t.Errorf("%d salts of %d persons", len(all), len(same))
	}
	for _, one := range seen {
		for p, salt := range one {
			if all[p] != salt {
				t.Error("a writer saw a salt that is not the one that stayed")
			}
		}
	}
}

// A crash at any request leaves every salt that was there, and what was ensured once
// Ensure is done again.
func TestCrashAtAnyRequest(t *testing.T) {
	var cut atomic.Int64
	var cancel atomic.Pointer[context.CancelFunc]
	c := objecttest.Config(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if cut.Add(-1) == 0 {
				(*cancel.Load())()
			}
			next.ServeHTTP(w, r)
		})
	})
	s, err := object.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for k := int64(1); k < 12; k++ {
		p, q := int(k)*10, int(k)*10+1
		ensure(t, s, p)
		kept := salts(t, s, p)[p]
		ctx, stop := context.WithCancel(t.Context())
		cancel.Store(&stop)
		cut.Store(k)
		failed := vault.Open(s, nil).Ensure(ctx, map[vault.Index]struct{}{index(p): {}, index(q): {}})
		cut.Store(0)
		stop()
		if got := salts(t, s, p)[p]; got != kept {
			t.Fatalf("cut at %d: a salt is lost or changed", k)
		}
		first, there := salts(t, s, q)[q]
		if failed == nil && !there {
			t.Fatalf("cut at %d: ensured, and not there", k)
		}
		ensure(t, s, q)
		if got := salts(t, s, q)[q]; there && got != first {
			t.Fatalf("cut at %d: a salt changed", k)
		}
		ctx, stop = context.WithCancel(t.Context())
		cancel.Store(&stop)
		cut.Store(k)
		_, _ = vault.Open(s, nil).Destroy(ctx, []vault.Index{index(p)})
		cut.Store(0)
		stop()
		if _, err := vault.Open(s, nil).Destroy(t.Context(), []vault.Index{index(p)}); err != nil {
			t.Fatal(err)
		}
		for o := range s.List(t.Context(), vault.Prefix) {
			b, err := s.ReadFile(t.Context(), o.Key)
			if err != nil || strings.Contains(string(b), string(kept[:])) {
				t.Fatalf("cut at %d: the destroyed salt is still there (%v)", k, err)
			}
		}
	}
}

func TestDamageIsTold(t *testing.T) {
	s := objecttest.Open(t)
	ensure(t, s, 1)
	for o := range s.List(t.Context(), vault.Prefix) {
		b, _ := s.ReadFile(t.Context(), o.Key)
		b[len(b)/2] ^= 1
		if err := s.PutChecked(t.Context(), o.Key, b); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := vault.Open(s, nil).Salt(t.Context(), index(1)); weir.CodeOf(err) != weir.Internal {
		t.Errorf("%v", err)
	}
}
