package resolve

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"slices"

	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/block"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// An entry of a block:
//
//	0   the kind of record: person, account
//	1   the rule
//	2   the key's hash
//	10  the record's digest
//	26  its features
const (
	keySize    = 9
	digestSize = 16
	entryHead  = 1 + keySize + digestSize
)

// score compares the records of each block of one partition, and sends on the
// pairs that are likely the same. A pair that meets in several blocks is compared
// in one of them.
func score(ctx context.Context, t *pipelines.Task) error {
	ms, err := models(ctx, t)
	if err != nil || len(ms) == 0 {
		return err
	}
	met, err := meetings(ctx, t)
	if err != nil {
		return err
	}
	var all [][]byte
	for e, err := range unpack(ctx, t, "entry") {
		if err != nil {
			return err
		}
		all = append(all, e)
	}
	// By block, and in it by record: no result depends on how files were cut.
	slices.SortFunc(all, func(a, b []byte) int { return bytes.Compare(a[:entryHead], b[:entryHead]) })
	s := scorer{t: t, out: newPacker(t, "partition:pair", 1)}
	for len(all) > 0 {
		n := 1
		for n < len(all) && bytes.Equal(all[n][:1+keySize], all[0][:1+keySize]) {
			n++
		}
		of := recordKind(all[0][0])
		if n > 1 {
			if err := s.block(ms[of.kind()], met.plans[of], all[:n]); err != nil {
				return err
			}
		}
		all = all[n:]
	}
	t.Count("pairs_compared", s.compared)
	t.Count("pairs_linked", s.linked)
	if err := s.uncertain.emit(t); err != nil {
		return err
	}
	return s.out.flush()
}

// scorer compares the blocks of one task.
type scorer struct {
	t         *pipelines.Task
	out       *packer
	members   []block.Member
	features  []model.Features
	keys      []model.Key
	row       []byte
	uncertain nearest
	compared  int64
	linked    int64
}

func (s *scorer) block(m *model.Model, plan *block.Plan, entries [][]byte) error {
	entries = slices.CompactFunc(entries, func(a, b []byte) bool { return bytes.Equal(a[:entryHead], b[:entryHead]) })
	s.members, s.features, s.keys = s.members[:0], s.features[:0], s.keys[:0]
	ends := make([]int, len(entries))
	for i, e := range entries {
		f, err := model.Decode(e[entryHead:])
		if err != nil {
			return err
		}
		s.features = append(s.features, f)
		s.keys = plan.Keys(s.keys, m, &s.features[i])
		ends[i] = len(s.keys)
	}
	for i, start := range append([]int{0}, ends[:len(ends)-1]...) {
		s.members = append(s.members, block.Member{Record: uint32(i), Keys: s.keys[start:ends[i]]})
	}
	threshold := m.Threshold()
	var failed error
	lost := block.Pairs(keyOf(entries[0][1:]), s.members, m.MaxBlock(), func(i, j int) bool {
		s.compared++
		w := m.Score(&s.features[i], &s.features[j])
		left, right := entries[i][1+keySize:entryHead], entries[j][1+keySize:entryHead]
		s.uncertain.add(left, right, entries[i][0], w-threshold, w)
		if w < threshold {
			return true
		}
		s.linked++
		s.row = appendPair(s.row[:0], left, right, w)
		failed = s.out.add(0, s.row)
		return failed == nil
	})
	s.t.Count("pairs_lost", lost)
	return failed
}

// scatter sends the records of one partition to those of their blocks in which
// there are others.
func scatter(ctx context.Context, t *pipelines.Task) error {
	ms, err := models(ctx, t)
	if err != nil || len(ms) == 0 {
		return err
	}
	met, err := meetings(ctx, t)
	if err != nil {
		return err
	}
	n := blockPartitions(t)
	out := newPacker(t, "entry", n)
	var keys []model.Key
	var row []byte
	for e, err := range unpack(ctx, t, "features") {
		if err != nil {
			return err
		}
		of := recordKind(e[0])
		f, err := model.Decode(e[1+digestSize:])
		if err != nil {
			return err
		}
		keys = met.plans[of].Keys(keys[:0], ms[of.kind()], &f)
		for _, k := range keys {
			if !met.shared(of, k) {
				continue
			}
			row = append(appendKey(append(row[:0], e[0]), k), e[1:]...)
			if err := out.add(keyPartition(k, n), row); err != nil {
				return err
			}
		}
	}
	return out.flush()
}

// A scored pair is two records' digests, the smaller first, and the weight as a
// float32's bits.
const pairSize = 2*digestSize + 4

func appendPair(b []byte, left, right []byte, weight float64) []byte {
	if bytes.Compare(left, right) > 0 {
		left, right = right, left
	}
	b = append(append(b, left...), right...)
	return binary.BigEndian.AppendUint32(b, math.Float32bits(float32(weight)))
}

func readPair(b []byte) (left, right evidence.Hash, weight float32) {
	return readDigest(b), readDigest(b[digestSize:]), math.Float32frombits(binary.BigEndian.Uint32(b[2*digestSize:]))
}

// recordDigest names a record in what is sent too often for whole ids.
func recordDigest(id string) evidence.Hash { return evidence.Digest("", "record", id) }

func appendDigest(b []byte, d evidence.Hash) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, d.Hi), d.Lo)
}

func readDigest(b []byte) evidence.Hash {
	return evidence.Hash{Hi: binary.BigEndian.Uint64(b), Lo: binary.BigEndian.Uint64(b[8:])}
}

func appendKey(b []byte, k model.Key) []byte {
	return binary.BigEndian.AppendUint64(append(b, k.Rule), k.Hash)
}

func keyOf(b []byte) model.Key { return model.Key{Rule: b[0], Hash: binary.BigEndian.Uint64(b[1:])} }
