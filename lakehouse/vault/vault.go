package vault

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
)

// Prefix is where the salts lie in the object store.
const Prefix = "ledger/salts/"

// Shards is how many shards there are.
const Shards = 256

// attempts of a change that others make at the same time.
const attempts = 20

// Vault reads and changes salts. It keeps the shards that it has read, until Load is
// asked for others. It is used by one goroutine.
type Vault struct {
	store  *object.Store
	random io.Reader
	shards map[byte]*shard
}

// Open prepares to read a store's salts; random is where new ones come from, nil: the
// system's.
func Open(store *object.Store, random io.Reader) *Vault {
	if random == nil {
		random = rand.Reader
	}
	return &Vault{store: store, random: random, shards: map[byte]*shard{}}
}

func folder(n byte) string { return fmt.Sprintf("%s%02x/", Prefix, n) }

func key(n byte, version int64) string { return fmt.Sprintf("%s%012d", folder(n), version) }

// versions lists the objects of shards, by shard; older ones first.
func (v *Vault) versions(ctx context.Context, prefix string) (map[byte][]int64, error) {
	out := map[byte][]int64{}
	for o, err := range v.store.List(ctx, prefix) {
		if err != nil {
			return nil, err
		}
		dir, name, _ := strings.Cut(strings.TrimPrefix(o.Key, Prefix), "/")
		n, err := strconv.ParseUint(dir, 16, 8)
		version, err2 := strconv.ParseInt(name, 10, 64)
		if err != nil || err2 != nil || version < 1 {
			continue // not ours
		}
		out[byte(n)] = append(out[byte(n)], version)
	}
	for _, list := range out {
		slices.Sort(list)
	}
	return out, nil
}

// Load reads the shards from..to-1 and forgets all others.
func (v *Vault) Load(ctx context.Context, from, to int) error {
	v.shards = map[byte]*shard{}
	have, err := v.versions(ctx, Prefix)
	if err != nil {
		return err
	}
	found := make([]*shard, Shards)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for n := from; n < to; n++ {
		if len(have[byte(n)]) == 0 {
			found[n] = &shard{}
			continue
		}
		g.Go(func() (err error) {
			found[n], err = v.read(gctx, byte(n))
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for n := from; n < to; n++ {
		v.shards[byte(n)] = found[n]
	}
	return nil
}

// read gets a shard's newest version. One that is replaced meanwhile is read anew.
func (v *Vault) read(ctx context.Context, n byte) (*shard, error) {
	for range attempts {
		have, err := v.versions(ctx, folder(n))
		if err != nil {
			return nil, err
		}
		list := have[n]
		if len(list) == 0 {
			return &shard{}, nil
		}
		version := list[len(list)-1]
		b, err := v.store.ReadFile(ctx, key(n, version))
		if weir.CodeOf(err) == weir.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		data, err := decode(key(n, version), b)
		return &shard{version: version, data: data}, err
	}
	return nil, weir.Errorf(weir.Conflict, "the salts of consents change all the time").At(folder(n)).Then("try again")
}

func (v *Vault) shard(ctx context.Context, n byte) (*shard, error) {
	if s, ok := v.shards[n]; ok {
		return s, nil
	}
	s, err := v.read(ctx, n)
	if err == nil {
		v.shards[n] = s
	}
	return s, err
}

// Salt returns a person's salt; ok is false for one who has none, or has no more.
func (v *Vault) Salt(ctx context.Context, i Index) (salt Salt, ok bool, err error) {
	s, err := v.shard(ctx, i[0])
	if err != nil {
		return salt, false, err
	}
	salt, ok = s.salt(i)
	return salt, ok, nil
}

// Each yields the salts of the shards that were loaded, in the order of indexes.
func (v *Vault) Each(f func(Salt) error) error {
	for _, n := range slices.Sorted(maps.Keys(v.shards)) {
		s := v.shards[n]
		for k := range s.len() {
			if err := f(Salt(s.at(k)[len(Index{}):])); err != nil {
				return err
			}
		}
	}
	return nil
}

// Ensure gives a new salt to each of these persons who has none. When it returns,
// the salts are in the store.
func (v *Vault) Ensure(ctx context.Context, persons map[Index]struct{}) error {
	by := map[byte][]Index{}
	for i := range persons {
		by[i[0]] = append(by[i[0]], i)
	}
	added := map[byte]map[Index]Salt{}
	for _, n := range slices.Sorted(maps.Keys(by)) { // random bytes are drawn in one order
		list := by[n]
		slices.SortFunc(list, func(a, b Index) int { return slices.Compare(a[:], b[:]) })
		added[n] = map[Index]Salt{}
		for _, i := range list {
			var salt Salt
			if _, err := io.ReadFull(v.random, salt[:]); err != nil {
				return weir.Errorf(weir.Internal, "draw a salt: %w", err)
			}
			added[n][i] = salt
		}
	}
	return v.change(ctx, slices.Sorted(maps.Keys(by)), func(n byte, s *shard) ([]byte, bool) {
		lack := map[Index]Salt{}
		for i, salt := range added[n] {
			if _, has := s.find(i); !has {
				lack[i] = salt
			}
		}
		return s.with(lack), len(lack) > 0
	})
}

// Destroy destroys the salts of these persons, and says how many had one. What was
// sealed under them can't be read by anybody any more.
func (v *Vault) Destroy(ctx context.Context, persons []Index) (destroyed int, err error) {
	gone, by := map[Index]bool{}, map[byte]int{}
	for _, i := range persons {
		gone[i], by[i[0]] = true, 0
	}
	shards := slices.Sorted(maps.Keys(by))
	for _, n := range shards { // one after the other: by is not locked
		if err := v.change(ctx, []byte{n}, func(n byte, s *shard) ([]byte, bool) {
			data, count := s.without(gone)
			by[n] = count
			return data, count > 0
		}); err != nil {
			return destroyed, err
		}
		destroyed += by[n]
	}
	return destroyed, v.sweep(ctx, shards)
}

// change makes the next version of shards from their newest. make says whether
// there is anything to change.
func (v *Vault) change(ctx context.Context, shards []byte, change func(n byte, s *shard) (data []byte, changed bool)) error {
	results := make([]*shard, len(shards))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	for k, n := range shards {
		known := v.shards[n]
		g.Go(func() (err error) {
			results[k], err = v.changeOne(gctx, n, known, change)
			return err
		})
	}
	err := g.Wait()
	for k, n := range shards {
		if delete(v.shards, n); results[k] != nil {
			v.shards[n] = results[k]
		}
	}
	return err
}

func (v *Vault) changeOne(ctx context.Context, n byte, s *shard, change func(n byte, s *shard) ([]byte, bool)) (*shard, error) {
	for range attempts {
		newest, err := v.versions(ctx, folder(n))
		if err != nil {
			return nil, err
		}
		list := newest[n]
		if s == nil || len(list) > 0 && list[len(list)-1] != s.version || len(list) == 0 && s.version != 0 {
			if s, err = v.read(ctx, n); err != nil {
				return nil, err
			}
		}
		data, changed := change(n, s)
		if !changed {
			return s, nil
		}
		next := &shard{version: s.version + 1, data: data}
		created, err := v.store.PutIfAbsent(ctx, key(n, next.version), encode(data))
		if err != nil {
			return nil, err
		}
		if created {
			if ok, err := v.settled(ctx, n, next.version); ok || err != nil {
				return next, err
			}
		}
		s = nil // somebody else changed it
	}
	return nil, weir.Errorf(weir.Conflict, "the salts of consents change all the time").At(folder(n)).Then("try again")
}

// settled deletes the versions before the one that was written. If there is a later
// one, the writer had read a version that was no longer the newest: then its own goes,
// and it begins again.
func (v *Vault) settled(ctx context.Context, n byte, version int64) (bool, error) {
	have, err := v.versions(ctx, folder(n))
	if err != nil {
		return false, err
	}
	list := have[n]
	if len(list) > 0 && list[len(list)-1] > version {
		return false, v.store.Delete(ctx, key(n, version))
	}
	var old []string
	for _, o := range list {
		if o < version {
			old = append(old, key(n, o))
		}
	}
	if len(old) > 0 {
		err = v.store.Delete(ctx, old...)
	}
	return true, err
}

// sweep deletes all versions of shards but the newest, which a crash may have left:
// salts that were destroyed are in them.
func (v *Vault) sweep(ctx context.Context, shards []byte) error {
	for _, n := range shards {
		have, err := v.versions(ctx, folder(n))
		if err != nil {
			return err
		}
		list := have[n]
		var old []string
		for _, o := range list[:max(0, len(list)-1)] {
			old = append(old, key(n, o))
		}
		if len(old) > 0 {
			if err := v.store.Delete(ctx, old...); err != nil {
				return err
			}
		}
	}
	return nil
}

// Sweep deletes what a crash may have left of older versions, of all shards.
func (v *Vault) Sweep(ctx context.Context) error {
	have, err := v.versions(ctx, Prefix)
	if err != nil {
		return err
	}
	var shards []byte
	for _, n := range slices.Sorted(maps.Keys(have)) {
		if len(have[n]) > 1 {
			shards = append(shards, n)
		}
	}
	return v.sweep(ctx, shards)
}
