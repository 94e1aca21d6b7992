package resolve

import (
	"cmp"
	"context"
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/block"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
	"github.com/weir-cdp/weir/pipelines/resolve/sorting"
)

// An entry of a block:
//
//	0   the kind of record: person, account
//	1   the rule
//	2   the key's hash
//	10  the record's digest
//	26  how many keys of the record come before this one
//	27  these keys, their hashes cut to 32 bits
//	…   where its features are among all (see compared), or the features themselves
const (
	keySize     = 9
	shortSize   = 5
	digestSize  = 16
	entryDigest = 1 + keySize
	entryHead   = entryDigest + digestSize
)

// score compares the records of each block of one partition, and sends on the
// pairs that are likely the same. A pair that meets in several blocks is compared
// in one of them.
func score(ctx context.Context, t *pipelines.Task) error {
	ms, err := models(ctx, t)
	if err != nil || len(ms) == 0 {
		return err
	}
	all, err := unpackAll(ctx, t, "entry", func(e string) entry { return entry{recordKind(e[0]), keyOf(e[1:]), e[entryDigest:]} })
	if err != nil {
		return err
	}
	// By block, and in it by record: no result depends on how files were cut.
	all = sorting.Hashed(all, func(e *entry) uint64 { return e.key.Hash }, compareEntries)
	s := scorer{t: t, out: newPacker(t, "partition:pair", 1)}
	if met, err := meetings(ctx, t); err != nil {
		return err
	} else if met.together() {
		if s.compared, err = allCompared(ctx, t); err != nil {
			return err
		}
	}
	fetched := 0 // entries of all
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].key == all[0].key && all[n].of == all[0].of {
			n++
		}
		if n > fetched {
			fetched = min(n+fetchedAhead, len(all))
			s.fetch(all[:fetched])
		}
		fetched -= n
		if n > 1 {
			if err := s.block(ms[all[0].of.kind()], all[:n]); err != nil {
				return err
			}
		}
		all = all[n:]
	}
	t.Count("pairs_compared", s.pairs)
	t.Count("pairs_linked", s.linked)
	if err := s.uncertain.emit(t); err != nil {
		return err
	}
	return s.out.flush()
}

// entry is a record in a block: rest is what lies behind its key.
type entry struct {
	of   recordKind
	key  model.Key
	rest string
}

func compareEntries(a, b entry) int {
	switch {
	case a.key.Hash != b.key.Hash:
		return cmp.Compare(a.key.Hash, b.key.Hash)
	case a.key.Rule != b.key.Rule:
		return cmp.Compare(a.key.Rule, b.key.Rule)
	case a.of != b.of:
		return cmp.Compare(a.of, b.of)
	}
	return strings.Compare(a.rest[:digestSize], b.rest[:digestSize])
}

// scorer compares the blocks of one task.
type scorer struct {
	t         *pipelines.Task
	out       *packer
	decoder   model.Decoder
	members   []block.Member
	compared  compared         // nil: entries hold features
	packed    []string         // features of the block's records as they were sent, or their places
	features  []model.Features // of those that were compared; without values: not yet
	keys      []model.Key
	row       []byte
	uncertain nearest
	fetched   byte // what fetch read: the compiler must not leave it out
	pairs     int64
	linked    int64
}

// block compares the records of a block.
func (s *scorer) block(m *model.Model, entries []entry) error {
	entries = slices.CompactFunc(entries, func(a, b entry) bool { return a.rest[:digestSize] == b.rest[:digestSize] })
	s.members, s.packed, s.keys = s.members[:0], s.packed[:0], s.keys[:0]
	s.decoder.Reset()
	for i, e := range entries {
		start := len(s.keys)
		rest := e.rest[digestSize:]
		n := 1 + int(rest[0])*shortSize
		if n > len(rest) {
			return weir.Errorf(weir.Internal, "an entry of a block is damaged")
		}
		for k := 1; k < n; k += shortSize {
			s.keys = append(s.keys, shortKey(rest[k:]))
		}
		s.packed = append(s.packed, rest[n:])
		s.members = append(s.members, block.Member{Record: uint32(i), Keys: s.keys[start:]})
	}
	s.features = append(s.features[:0], make([]model.Features, len(s.packed))...)
	// All keys that entries carry come before the block's own.
	last := model.Key{Rule: entries[0].key.Rule, Hash: math.MaxUint64}
	threshold := m.Threshold()
	var failed error
	lost := block.Pairs(last, s.members, m.MaxBlock(), func(i, j int) bool {
		if failed = s.decode(i, j); failed != nil {
			return false
		}
		s.pairs++
		w := m.Score(&s.features[i], &s.features[j])
		left, right := entries[i].rest[:digestSize], entries[j].rest[:digestSize]
		s.uncertain.add(left, right, uint8(entries[i].of), w-threshold, w)
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

// fetchedAhead is for how many entries memory is asked at a time: few enough to stay
// in a cache.
const fetchedAhead = 256

// fetch touches what blocks are about to read. Sorted entries lie all over the memory,
// and so does what they name: asked for side by side, it comes in a fraction of the
// time of one after the other.
func (s *scorer) fetch(entries []entry) {
	for i := range entries {
		rest := entries[i].rest[digestSize:]
		s.fetched += rest[0] + rest[len(rest)-1]
	}
	if s.compared == nil {
		return
	}
	for i := range entries {
		rest := entries[i].rest[digestSize:]
		if n := 1 + int(rest[0])*shortSize; n <= len(rest) {
			if packed, err := s.compared.at(rest[n:]); err == nil && len(packed) > 0 {
				s.fetched += packed[0] + packed[len(packed)-1]
			}
		}
	}
}

// decode reads the features of records of the block. Most pairs that meet in a block
// have met in another, and are not compared here.
func (s *scorer) decode(records ...int) (err error) {
	for _, i := range records {
		if s.features[i].Values != nil {
			continue
		}
		packed := s.packed[i]
		if s.compared != nil {
			if packed, err = s.compared.at(packed); err != nil {
				return err
			}
		}
		if s.features[i], err = s.decoder.Decode(packed); err != nil {
			return err
		}
	}
	return nil
}

// scatter sends the records of one partition to those of their blocks in which
// there are others. What is compared of them is passed on to partition, for its
// second look, and where it is little, to score.
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
	together := met.together()
	if err := passCompared(t, n, together); err != nil {
		return err
	}
	out := newPacker(t, "entry", n)
	var keys []model.Key
	var row []byte
	decoder := model.Decoder{KeysOnly: true}
	record := placeOf(t.Partition(), 0)
	for e, err := range unpack(ctx, t, "features") {
		if err != nil {
			return err
		}
		of := recordKind(e[0])
		decoder.Reset()
		f, err := decoder.Decode(e[1+digestSize:])
		if err != nil {
			return err
		}
		keys = met.plans[of].Keys(keys[:0], ms[of.kind()], &f)
		keys = slices.DeleteFunc(keys, func(k model.Key) bool { return !met.shared(of, k) })
		for i, k := range keys {
			before := keys[:min(i, math.MaxUint8)] // of more, a pair may be compared twice
			row = append(appendKey(append(row[:0], e[0]), k), e[1:1+digestSize]...)
			row = appendShort(append(row, byte(len(before))), before)
			if together {
				row = binary.BigEndian.AppendUint64(row, record)
			} else {
				row = append(row, e[1+digestSize:]...)
			}
			if err := out.add(keyPartition(k, n), row); err != nil {
				return err
			}
		}
		record++
	}
	return out.flush()
}

// A scored pair is two records' digests, the smaller first, and the weight as a
// float32's bits.
func appendPair(b []byte, left, right string, weight float64) []byte {
	if left > right {
		left, right = right, left
	}
	b = append(append(b, left...), right...)
	return binary.BigEndian.AppendUint32(b, math.Float32bits(float32(weight)))
}

func readPair(s string) (left, right evidence.Hash, weight float32) {
	return readDigest(s), readDigest(s[digestSize:]), math.Float32frombits(uint32(bigEndian(s[2*digestSize-4:])))
}

// recordDigest names a record in what is sent too often for whole ids.
func recordDigest(id string) evidence.Hash { return evidence.Digest("", "record", id) }

func appendDigest(b []byte, d evidence.Hash) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, d.Hi), d.Lo)
}

func readDigest(s string) evidence.Hash {
	return evidence.Hash{Hi: bigEndian(s), Lo: bigEndian(s[8:])}
}

func appendKey(b []byte, k model.Key) []byte {
	return binary.BigEndian.AppendUint64(append(b, k.Rule), k.Hash)
}

func keyOf(s string) model.Key { return model.Key{Rule: s[0], Hash: bigEndian(s[1:])} }

// appendShort appends keys with 32 bits of their hashes, in the order of what is
// left: enough to see whether two records have one in common.
func appendShort(b []byte, keys []model.Key) []byte {
	start := len(b)
	sorted := true
	for i, k := range keys {
		b = binary.BigEndian.AppendUint32(append(b, k.Rule), uint32(k.Hash))
		sorted = sorted && (i == 0 || k.Rule != keys[i-1].Rule)
	}
	if !sorted { // further values: two keys of one rule
		short := make([]model.Key, len(keys))
		for i, k := range keys {
			short[i] = model.Key{Rule: k.Rule, Hash: uint64(uint32(k.Hash))}
		}
		slices.SortFunc(short, model.Key.Compare)
		for i, k := range short {
			binary.BigEndian.PutUint32(b[start+i*shortSize+1:], uint32(k.Hash))
		}
	}
	return b
}

func shortKey(s string) model.Key {
	return model.Key{Rule: s[0], Hash: uint64(s[1])<<24 | uint64(s[2])<<16 | uint64(s[3])<<8 | uint64(s[4])}
}
