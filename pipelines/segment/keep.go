package segment

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/segment/index"
)

// This file leaves the index of a run, from which the next one may go on: compute
// writes what it has of a partition, keep the manifest.

// Keep says where a run leaves its index.
type Keep struct {
	pipelines.Keep
	// Traits are the files of core.traits that the index tells of.
	Traits []weir.DataFile `json:"traits,omitempty"`
}

// keptTables are those whose files a manifest lists.
var keptTables = []string{"core.events", "core.profiles", "identity.identifiers"}

// keeps says whether the run leaves an index: events have to come in blocks.
func (s *setup) keeps(t *pipelines.Task) bool {
	return s.params.Keep != nil && s.step == "compute" && s.related == nil && ownerRows(t) <= toldRows && !s.scores.Any()
}

// keeper writes what is kept of one partition. A nil one keeps nothing.
type keeper struct {
	t      *pipelines.Task
	prefix string
	part   index.Part
	data   []byte // of the blocks' object that is being made
	events int64
	latest int64
	seen   []uint64
	absent map[string]bool
}

func (s *setup) keeper(t *pipelines.Task, part index.Part) *keeper {
	if !s.keeps(t) {
		return nil
	}
	k := &keeper{t: t, prefix: fmt.Sprintf("%s%06d", s.params.Keep.Prefix, t.Partition()), part: part, latest: math.MinInt64, absent: map[string]bool{}}
	for _, id := range part.Absent {
		k.absent[id] = true
	}
	return k
}

// nobodys is the number of events whose profile is not there.
const nobodys = math.MaxUint32

// keptBytes is how much a keeper holds of blocks before it writes them; tests lower
// it.
var keptBytes = 8 << 20

// block keeps a block of events, whose profiles have these numbers.
func (k *keeper) block(row *blockRow, numbers []uint32, at []int64) error {
	if k == nil || len(numbers) == 0 {
		return nil
	}
	if k.data == nil {
		k.data = make([]byte, 0, keptBytes+keptBytes/8)
	}
	k.data = binary.AppendUvarint(k.data, uint64(row.Events))
	k.data = binary.AppendUvarint(k.data, uint64(len(row.Columns)))
	for _, n := range numbers { // in the room of the places that scatter wrote
		k.data = binary.LittleEndian.AppendUint32(k.data, n)
	}
	k.data = append(k.data, row.Columns[4*len(numbers):]...)
	k.events, k.latest = k.events+int64(len(at)), max(k.latest, slices.Max(at))
	if len(k.data) < keptBytes {
		return nil
	}
	return k.flush()
}

func (k *keeper) flush() error {
	if len(k.data) == 0 {
		return nil
	}
	key := fmt.Sprintf("%s-%04d.blocks", k.prefix, len(k.part.Blocks))
	k.part.Blocks = append(k.part.Blocks, index.Blocks{Key: key, Events: k.events, Latest: k.latest})
	err := pipelines.Leave(k.t, key, k.data)
	k.data, k.events, k.latest = k.data[:0], 0, math.MinInt64
	return err
}

// see notes an identifier by which an event found a profile, or could have found
// another.
func (k *keeper) see(hash int64) {
	if k != nil {
		k.seen = append(k.seen, uint64(hash))
	}
}

// roster notes the identifiers that events of the blocks came by.
func (k *keeper) roster(r *roster) {
	if k == nil {
		return
	}
	for at, used := range r.used {
		if !used {
			continue
		}
		k.see(r.hashes[at])
		if r.places[at] < 0 {
			k.absent[r.names[int32(at)]] = true
		}
	}
}

// miss notes profiles that are gone: their events stay in the blocks under numbers
// that nobody has any more, so that who comes back can't be gone on with.
func (k *keeper) miss(gone []string) {
	if k == nil {
		return
	}
	for _, id := range gone {
		k.absent[id] = true
	}
}

// partRow is an index.Part as JSON. To keep.
type partRow struct{ Part string }

// end writes what is left and tells keep of the partition. Nil people are those of
// the index before.
func (k *keeper) end(people *index.People) error {
	if k == nil {
		return nil
	}
	if err := k.flush(); err != nil {
		return err
	}
	if people != nil {
		k.part.People = k.prefix + ".people"
		if err := pipelines.Leave(k.t, k.part.People, people.Marshal()); err != nil {
			return err
		}
	}
	if len(k.seen) > 0 {
		key := k.prefix + ".seen"
		k.part.Seen = append(k.part.Seen, key)
		if err := pipelines.Leave(k.t, key, index.MarshalSeen(k.seen)); err != nil {
			return err
		}
	}
	k.part.Absent = slices.Sorted(maps.Keys(k.absent))
	text, err := json.Marshal(k.part)
	if err != nil {
		return weir.Errorf(weir.Internal, "encode a part of the index: %w", err)
	}
	return pipelines.Emit(k.t, "keep:parts", 0, partRow{string(text)})
}

// keep writes the manifest of the run's index.
func keep(ctx context.Context, t *pipelines.Task) error {
	s, err := prepared(t)
	if err != nil {
		return err
	}
	m := &index.Manifest{Version: index.Version, Run: t.Spec().Run.ID, Basis: s.params.Keep.Basis, Now: t.Spec().Run.Now, Began: t.Spec().Run.Now,
		Partitions: max(1, t.Spec().Partitions), Files: map[string][]weir.DataFile{}}
	for _, name := range keptTables {
		m.Files[name] = t.Spec().Inputs[name]
	}
	parts, err := readParts(ctx, t)
	if err != nil {
		return err
	}
	m.Parts, m.Base = parts, (&index.Manifest{Parts: parts}).Events()
	return writeManifest(t, s.params.Keep, m)
}

func readParts(ctx context.Context, t *pipelines.Task) (parts []index.Part, err error) {
	for row, err := range pipelines.Stream[partRow](ctx, t, "parts") {
		if err != nil {
			return nil, err
		}
		var p index.Part
		if err := json.Unmarshal([]byte(row.Part), &p); err != nil {
			return nil, weir.Errorf(weir.Internal, "decode a part of the index: %w", err)
		}
		parts = append(parts, p)
	}
	slices.SortFunc(parts, func(a, b index.Part) int { return a.Partition - b.Partition })
	return parts, nil
}

// CountIndexed counts the events of the index that a run has left.
const CountIndexed = "events_indexed"

func writeManifest(t *pipelines.Task, k *Keep, m *index.Manifest) error {
	t.Count(CountIndexed, m.Events())
	t.Count("index_parts", int64(len(m.Parts)))
	return k.Write(t, m)
}

// eachBlock reads the blocks of an object of the index.
func eachBlock(data string, do func(row *blockRow) error) error {
	b := []byte(data)
	number := func() int {
		v, n := binary.Uvarint(b)
		if n <= 0 || v > math.MaxInt32 {
			b = nil
			return -1
		}
		b = b[n:]
		return int(v)
	}
	for len(b) > 0 {
		events, size := number(), number()
		if events < 0 || size < 0 || size > len(b) {
			return damaged()
		}
		if err := do(&blockRow{Events: int32(events), Columns: b[:size]}); err != nil {
			return err
		}
		b = b[size:]
	}
	return nil
}

// identifierHash is of 64 bits, the same on all machines. Two identifiers of one hash
// cost a full run that was not needed, no more.
func identifierHash(kind, value string) int64 {
	h := uint64(14695981039346656037) // FNV-1a
	for _, s := range [...]string{kind, "\x00", value} {
		for i := 0; i < len(s); i++ {
			h = (h ^ uint64(s[i])) * 1099511628211
		}
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd // and the end of murmur3
	return int64(h ^ h>>33)
}
