package resolve

import (
	"context"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/index"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// This file finds the pairs of an increment that have to be compared.

// blockKey is a blocking key of one kind of records.
type blockKey struct {
	of  recordKind
	key model.Key
}

// crowd is who has a key: before, and now.
type crowd struct {
	was, is []uint32
	// Of a crowd that is or was too big, by version, its second key: 0 without.
	seconds map[uint32]uint64
}

// blocks are the crowds that are looked at.
type blocks map[blockKey]*crowd

// compare scores the pairs of records that changed, and of those that meet others
// now because a block came over its limit or under it.
func (x *increment) compare(ctx context.Context) error {
	if len(x.models) == 0 {
		return nil
	}
	moved := append(slices.Clone(x.dead), x.fresh...)
	all := blocks{}
	if err := x.meet(ctx, all, moved); err != nil {
		return err
	}
	if err := x.second(ctx, all); err != nil {
		return err
	}
	crossed := x.crossed(all)
	if len(crossed) > 0 {
		if err := x.meet(ctx, all, crossed); err != nil {
			return err
		}
		if err := x.second(ctx, all); err != nil {
			return err
		}
	}
	x.task.Count("blocks_touched", int64(len(all)))
	x.task.Count("records_compared_again", int64(len(crossed)))
	anew := make([]bool, len(x.is))
	for _, v := range append(slices.Clone(x.fresh), crossed...) {
		anew[v] = true
	}
	x.keepPairs(anew)
	return x.score(ctx, x.candidates(all, anew), anew)
}

// limit is how many records a block of a kind may hold; 0: the kind has no model.
func (x *increment) limit(of recordKind) int {
	if m := x.models[of.kind()]; m != nil {
		return m.MaxBlock()
	}
	return 0
}

// meet adds the crowds of all keys of some versions, which ascend.
func (x *increment) meet(ctx context.Context, all blocks, versions []uint32) error {
	asked := make([]bool, len(x.is))
	for _, v := range versions {
		asked[v] = true
	}
	own, err := scanLog(ctx, x.shelf, index.Blocking, x.shelf.holding(versions), func(first uint32, n int, text string) (keys []blockKey, _ error) {
		err := index.EachBlocking(text, n, func(i int, k model.Key) {
			if v := first + uint32(i); asked[v] {
				keys = append(keys, blockKey{x.shelf.kinds[v], k})
			}
		})
		return keys, err
	})
	if err != nil {
		return err
	}
	added := blocks{}
	for _, list := range own {
		for _, k := range list {
			if all[k] == nil && x.limit(k.of) > 0 {
				c := &crowd{}
				all[k], added[k] = c, c
			}
		}
	}
	return x.crowds(ctx, added)
}

// probeBits is the size of a table that tells most keys from those that are asked
// for, without looking them up.
const probeBits = 22

// crowds fills in who has the keys.
func (x *increment) crowds(ctx context.Context, asked blocks) error {
	if len(asked) == 0 {
		return nil
	}
	probe := make([]uint64, 1<<probeBits/64)
	for k := range asked {
		h := k.key.Hash >> (64 - probeBits)
		probe[h/64] |= 1 << (h % 64)
	}
	type member struct {
		key     *crowd
		version uint32
	}
	found, err := scanLog(ctx, x.shelf, index.Blocking, nil, func(first uint32, n int, text string) (out []member, _ error) {
		err := index.EachBlocking(text, n, func(i int, k model.Key) {
			h := k.Hash >> (64 - probeBits)
			if probe[h/64]&(1<<(h%64)) == 0 {
				return
			}
			v := first + uint32(i)
			if !x.was[v] && !x.is[v] {
				return
			}
			if c := asked[blockKey{x.shelf.kinds[v], k}]; c != nil {
				out = append(out, member{c, v})
			}
		})
		return out, err
	})
	for _, list := range found {
		for _, m := range list {
			if x.was[m.version] {
				m.key.was = append(m.key.was, m.version)
			}
			if x.is[m.version] {
				m.key.is = append(m.key.is, m.version)
			}
		}
	}
	return err
}

// second finds the second keys in crowds that are or were too big.
func (x *increment) second(ctx context.Context, all blocks) error {
	var big []blockKey
	members := map[uint32]model.Features{}
	for k, c := range all {
		if c.seconds != nil || max(len(c.was), len(c.is)) <= x.limit(k.of) {
			continue
		}
		big = append(big, k)
		for _, v := range slices.Concat(c.was, c.is) {
			members[v] = model.Features{}
		}
	}
	if len(big) == 0 {
		return nil
	}
	versions := make([]uint32, 0, len(members))
	for v := range members {
		versions = append(versions, v)
	}
	texts, err := x.features(ctx, versions)
	if err != nil {
		return err
	}
	for v := range members {
		if members[v], err = new(model.Decoder).Decode(texts[v]); err != nil {
			return err
		}
	}
	for _, k := range big {
		c := all[k]
		c.seconds = map[uint32]uint64{}
		for _, v := range slices.Concat(c.was, c.is) {
			f := members[v]
			c.seconds[v] = x.models[k.of.kind()].Second(k.key.Rule, &f)
		}
	}
	return nil
}

// features reads what is compared of some versions, in any order.
func (x *increment) features(ctx context.Context, versions []uint32) (map[uint32]string, error) {
	versions = slices.Clone(versions)
	slices.Sort(versions)
	asked := make([]bool, len(x.is))
	for _, v := range versions {
		asked[v] = true
	}
	found, err := scanLog(ctx, x.shelf, index.Features, x.shelf.holding(versions), func(first uint32, n int, text string) (map[uint32]string, error) {
		out := map[uint32]string{}
		return out, index.EachFeatures(text, n, func(i int, features string) {
			if v := first + uint32(i); asked[v] && features != "" {
				out[v] = features
			}
		})
	})
	out := make(map[uint32]string, len(versions))
	for _, m := range found {
		for v, f := range m {
			out[v] = f
		}
	}
	return out, err
}

// parts cuts a big crowd by its second keys; who has none meets nobody.
func (c *crowd) parts(of []uint32) map[uint64][]uint32 {
	out := map[uint64][]uint32{}
	for _, v := range of {
		if s := c.seconds[v]; s != 0 {
			out[s] = append(out[s], v)
		}
	}
	return out
}

// crossed lists, ascending, the versions that lived before and do now, and that met
// others before in a block that is another now: it came over the limit or under it.
func (x *increment) crossed(all blocks) []uint32 {
	var out []uint32
	add := func(of []uint32) {
		for _, v := range of {
			if x.was[v] && x.is[v] {
				out = append(out, v)
			}
		}
	}
	for k, c := range all {
		most := x.limit(k.of)
		was, is := len(c.was) > most, len(c.is) > most
		switch {
		case was != is:
			add(c.is)
		case is:
			before := c.parts(c.was)
			for s, part := range c.parts(c.is) {
				if (len(before[s]) > most) != (len(part) > most) {
					add(part)
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// pair is two versions, the smaller first.
type pair uint64

func pairOf(a, b uint32) pair { return pair(min(a, b))<<32 | pair(max(a, b)) }

func (p pair) versions() (a, b uint32) { return uint32(p >> 32), uint32(p) }

// candidates lists each pair once that a block brings together now and of which
// one is to be compared anew.
func (x *increment) candidates(all blocks, anew []bool) []pair {
	var out []pair
	within := func(block []uint32, most int) {
		if len(block) > most {
			return
		}
		for _, a := range block {
			if !anew[a] {
				continue
			}
			for _, b := range block {
				if a != b && (a < b || !anew[b]) {
					out = append(out, pairOf(a, b))
				}
			}
		}
	}
	for k, c := range all {
		most := x.limit(k.of)
		if len(c.is) <= most {
			within(c.is, most)
			continue
		}
		for _, part := range c.parts(c.is) {
			within(part, most)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// keepPairs takes over the pairs of records that are not compared anew.
func (x *increment) keepPairs(anew []bool) {
	stays := func(a, b uint32) bool { return x.is[a] && x.is[b] && !anew[a] && !anew[b] }
	for _, p := range x.old.Pairs {
		if stays(p.Left, p.Right) {
			x.next.Pairs = append(x.next.Pairs, p)
		} else {
			x.seeds = append(x.seeds, p.Left, p.Right)
		}
	}
	x.next.Bound = x.old.Bound
	for _, n := range x.old.Near {
		if stays(n.Left, n.Right) {
			x.next.Near = append(x.next.Near, n)
		}
	}
}

// modelOf is the model that a version is compared by.
func (x *increment) modelOf(v uint32) (*model.Model, error) {
	if m := x.models[x.shelf.kinds[v].kind()]; m != nil {
		return m, nil
	}
	return nil, weir.Errorf(weir.Internal, "a pair of records without a model")
}
