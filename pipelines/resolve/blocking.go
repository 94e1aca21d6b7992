package resolve

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/block"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
	"github.com/weir-cdp/weir/pipelines/resolve/sorting"
)

// blockPartitions is into how many partitions blocks are cut: a record lies in
// several, with all of it that is compared.
func blockPartitions(t *pipelines.Task) int { return 4 * max(1, t.Spec().Partitions) }

func keyPartition(k model.Key, n int) int { return int(k.Hash % uint64(n)) }

// comparing is what read does for the model: it sends a record's features to
// scatter and its blocking keys to count.
type comparing struct {
	models   map[weir.Kind]*model.Model
	prepare  map[weir.Kind]*model.Preparer
	features *packer
	keys     *packer
	drift    *drifting
	buf      []byte
	scratch  []model.Key // of the last record
	last     []byte      // its features
	bytes    int64       // of all features
}

func newComparing(ctx context.Context, t *pipelines.Task) (*comparing, error) {
	ms, err := models(ctx, t)
	if err != nil || len(ms) == 0 {
		return nil, err
	}
	prepare := map[weir.Kind]*model.Preparer{}
	for kind, m := range ms {
		prepare[kind] = m.Preparer()
		prepare[kind].Usable = true
	}
	return &comparing{models: ms, prepare: prepare, features: newPacker(t, "scatter:features", max(1, t.Spec().Partitions)),
		keys: newPacker(t, "count:blocking", blockPartitions(t)), drift: newDrifting(t, ms)}, nil
}

// add sends one record, without what is worth nothing, under its digest. It tells whether the record can meet any
// other.
func (c *comparing) add(rec *weir.Record, d evidence.Hash) (bool, error) {
	m := c.models[rec.Kind]
	if m == nil {
		return false, nil
	}
	f := c.prepare[rec.Kind].Prepare(rec)
	of := byte(partitionOfKind(rec.Kind))
	if err := c.drift.add(rec, recordKind(of), m, &f); err != nil {
		return false, err
	}
	c.scratch = m.AppendKeys(c.scratch[:0], &f)
	if len(c.scratch) == 0 {
		return false, nil
	}
	c.buf = appendDigest(append(c.buf[:0], of), d)
	c.buf = f.Append(c.buf)
	c.last = append(c.last[:0], c.buf[1+digestSize:]...)
	c.bytes += int64(len(c.buf))
	if err := c.features.add(int(d.Lo%uint64(len(c.features.parts))), c.buf); err != nil {
		return false, err
	}
	for _, k := range c.scratch {
		c.buf = appendKey(append(c.buf[:0], of), k)
		c.buf = binary.BigEndian.AppendUint64(c.buf, m.Second(k.Rule, &f))
		if err := c.keys.add(keyPartition(k, len(c.keys.parts)), c.buf); err != nil {
			return false, err
		}
	}
	return true, nil
}

// featuresOf and keysOf give what add made of the last record.
func (c *comparing) featuresOf(comparable bool) []byte {
	if !comparable {
		return nil
	}
	return c.last
}

func (c *comparing) keysOf(comparable bool) []model.Key {
	if !comparable {
		return nil
	}
	return c.scratch
}

func (c *comparing) flush(t *pipelines.Task) error {
	if err := c.drift.flush(t); err != nil {
		return err
	}
	if err := c.features.flush(); err != nil {
		return err
	}
	if err := pipelines.Emit(t, "count:size", 0, sizeRow{c.bytes}); err != nil {
		return err
	}
	return c.keys.flush()
}

// held is a blocking key of one record.
type held struct {
	of     recordKind
	key    model.Key
	second uint64
}

// count finds out which blocking keys bring records together, and which bring so
// many that the second key takes them apart. What it finds lies beside the
// scratch of the run, for scatter and score.
func count(ctx context.Context, t *pipelines.Task) error {
	ms, err := models(ctx, t)
	if err != nil || len(ms) == 0 {
		return err
	}
	all, err := unpackAll(ctx, t, "blocking", func(e string) held {
		return held{recordKind(e[0]), keyOf(e[1:]), bigEndian(e[1+keySize:])}
	})
	if err != nil {
		return err
	}
	all = sorting.Hashed(all, func(h *held) uint64 { return h.key.Hash }, func(a, b held) int {
		if c := cmp.Compare(a.key.Hash, b.key.Hash); c != 0 {
			return c
		}
		if c := a.key.Compare(b.key); c != 0 {
			return c
		}
		if c := cmp.Compare(a.of, b.of); c != 0 {
			return c
		}
		return cmp.Compare(a.second, b.second)
	})
	c := counter{t: t, models: ms, met: newFilter(len(all)), pairs: map[string]int64{}}
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].key == all[0].key && all[n].of == all[0].of {
			n++
		}
		c.key(all[:n])
		all = all[n:]
	}
	for rule, n := range c.pairs {
		t.Count(PairsBy+rule, n)
	}
	if err := each(pipelines.Stream[sizeRow](ctx, t, "size"), func(s sizeRow) error { c.bytes += s.Bytes; return nil }); err != nil {
		return err
	}
	return c.publish(ctx)
}

// counter is one task of count.
type counter struct {
	t      *pipelines.Task
	models map[weir.Kind]*model.Model
	met    filter           // keys that two records or more share
	pairs  map[string]int64 // of the blocks that are compared, by rule
	parts  []partKey
	big    []bigKey
	bytes  int64 // of the features that some tasks sent
}

// partKey is a part of a big block that two records or more share.
type partKey struct {
	Of   int    `json:"of"`
	Rule uint8  `json:"rule"`
	Hash uint64 `json:"hash"`
}

// bigKey is a key that the plan takes apart, or drops.
type bigKey struct {
	Of      int    `json:"of"`
	Rule    uint8  `json:"rule"`
	Hash    uint64 `json:"hash"`
	Records int    `json:"records"`
	Dropped bool   `json:"dropped,omitempty"` // a part of a big one that is still big
}

func (c *counter) key(of []held) {
	if len(of) < 2 {
		return
	}
	k, kind, m := of[0].key, of[0].of, c.models[of[0].of.kind()]
	if len(of) <= m.MaxBlock() {
		c.met.add(kind, k)
		c.pairs[m.RuleName(k.Rule)] += pairsOf(len(of))
		return
	}
	lost := pairsOf(len(of))
	c.big = append(c.big, bigKey{Of: int(kind), Rule: k.Rule, Hash: k.Hash, Records: len(of)})
	for len(of) > 0 {
		n := 1
		for n < len(of) && of[n].second == of[0].second {
			n++
		}
		part := model.Key{Rule: k.Rule, Hash: model.Mix(k.Hash, of[0].second)}
		switch {
		case of[0].second == 0 || n < 2: // nothing to take it apart by, or alone
		case n > m.MaxBlock():
			c.big = append(c.big, bigKey{Of: int(kind), Rule: k.Rule, Hash: part.Hash, Records: n, Dropped: true})
			c.t.Count("blocks_dropped", 1)
		default:
			lost -= pairsOf(n)
			c.pairs[m.RuleName(k.Rule)] += pairsOf(n)
			c.parts = append(c.parts, partKey{int(kind), part.Rule, part.Hash})
		}
		of = of[n:]
	}
	c.t.Count("blocks_split", 1)
	c.t.Count(PairsLostBy+m.RuleName(k.Rule), lost)
}

// Counts of a run by blocking rule: the pairs of its blocks, also those that
// another rule finds too, and the pairs of blocks that were too big.
const (
	PairsBy     = "pairs_by_"
	PairsLostBy = "pairs_lost_by_"
)

func pairsOf(n int) int64 { return int64(n) * int64(n-1) / 2 }

// publish leaves what the task found where all tasks of later steps read it.
func (c *counter) publish(ctx context.Context) error {
	data, err := json.Marshal(counted{Big: c.big, Parts: c.parts, Met: c.met, Bytes: c.bytes})
	if err != nil {
		return weir.Errorf(weir.Internal, "encode what blocks hold: %w", err)
	}
	return c.t.Store().Put(ctx, countedKey(c.t, c.t.Partition()), bytes.NewReader(data), int64(len(data)))
}

// counted is what one task of count found.
type counted struct {
	Big   []bigKey  `json:"big,omitempty"`
	Parts []partKey `json:"parts,omitempty"`
	Met   filter    `json:"met"`
	Bytes int64     `json:"bytes,omitempty"`
}

func countedKey(t *pipelines.Task, partition int) string {
	return fmt.Sprintf("%s/counted/%06d.json", strings.TrimRight(t.Spec().Scratch, "/"), partition)
}

// meeting is what the whole run knows of its blocks.
type meeting struct {
	plans map[recordKind]*block.Plan
	met   []filter // by partition of the key; nil: no record has such a key
	parts map[partKey]struct{}
	bytes int64 // of all features
}

// shared tells whether other records may have a key; it is seldom wrong, and
// then says yes.
func (m *meeting) shared(of recordKind, k model.Key) bool {
	if m.met[keyPartition(k, len(m.met))].has(of, k) {
		return true
	}
	_, ok := m.parts[partKey{int(of), k.Rule, k.Hash}]
	return ok
}

// meetings loads what count found, once per process.
func meetings(ctx context.Context, t *pipelines.Task) (*meeting, error) {
	return pipelines.Shared(t, "meetings", func() (*meeting, error) {
		m := &meeting{plans: map[recordKind]*block.Plan{person: {}, account: {}}, met: make([]filter, blockPartitions(t)), parts: map[partKey]struct{}{}}
		for i := range m.met {
			data, err := t.Store().ReadFile(ctx, countedKey(t, i))
			if weir.CodeOf(err) == weir.NotFound {
				continue
			}
			if err != nil {
				return nil, err
			}
			var c counted
			if err := json.Unmarshal(data, &c); err != nil {
				return nil, weir.Errorf(weir.Internal, "what blocks hold is damaged: %w", err).At(countedKey(t, i))
			}
			m.met[i] = c.Met
			m.bytes += c.Bytes
			for _, p := range c.Parts {
				m.parts[p] = struct{}{}
			}
			for _, b := range c.Big {
				big := []block.Big{{Key: model.Key{Rule: b.Rule, Hash: b.Hash}, Records: b.Records}}
				if b.Dropped {
					m.plans[recordKind(b.Of)].Drop(big)
				} else {
					m.plans[recordKind(b.Of)].Split(big)
				}
			}
		}
		return m, nil
	})
}
