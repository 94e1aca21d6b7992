package stages

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/sql"
	"github.com/weir-cdp/weir/policies/permit"
)

// change is one row of a delivery plan: what to do so that a destination holds
// what was decided.
type change struct {
	ID         string    `parquet:"id"` // of the delivery, the idempotency key
	Activation string    `parquet:"activation,dict"`
	Channel    string    `parquet:"channel,dict"`
	Op         weir.Op   `parquet:"op,dict"`
	ProfileID  string    `parquet:"profile_id"`
	Key        string    `parquet:"delivered_key"`
	Fields     string    `parquet:"fields"`
	Checksum   string    `parquet:"checksum"`
	ClassID    string    `parquet:"class_id,dict"`
	DecisionID string    `parquet:"decision_id"`
	DecidedAt  time.Time `parquet:"decided_at,timestamp(microsecond)"`
	ValidUntil time.Time `parquet:"valid_until,timestamp(microsecond)"`
	Sequence   int64     `parquet:"sequence"`
}

// chunkRows is how many changes share a started mark and an outcome file.
const chunkRows = 5_000

// differenceMemory is what joins may hold of those who moved before they spill:
// the rest of the process needs its share of the gigabyte that a plan may take.
const differenceMemory = "384MiB"

// differenceTables are those that a difference reads, beside the two that are
// compared row by row: see moved.go.
var differenceTables = []string{"activation.audience", "activation.state", "activation.deliveries", "consent.decisions"}

// comparison is one activation's difference to take.
type comparison struct {
	weir.ActivationDef
	// Empty takes away all that is held, whatever was decided: the activation is
	// gone from this destination.
	Empty bool
	// Anew takes nothing as held: what is recorded lies at a destination that is
	// no more.
	Anew bool
}

// differenceQuery compares what a destination should hold with what it holds.
//
// Removals come first: a key that moved is taken away before the new one is
// added. Only a key that goes over from a profile that left to one that is sent
// in this very run is not removed in between. A key on two profiles is sent for
// one of them.
//
// A sequence grows with each delivery to a profile, also over a removal, so that
// A, B, A are three. What may have arrived (unknown) and is still wanted as it
// was goes again under the same sequence, and so under the same idempotency key.
// What was rejected stays unsent until it changes or is redriven.
//
// Most rows are as they were: this looks at those alone that moved, whom the
// tables moved, chosen, decided and latest are about (findMoved, lookUpMoved).
func differenceQuery(c comparison) string {
	sql := func(b bool) string { return strconv.FormatBool(b) }
	return fmt.Sprintf(`
with pairs as (
	select m.profile_id, case when d.decision_id is not null then m.want end as want, m.have,
		w.fields, w.checksum, m.held_checksum, w.class_id, w.decision_id, d.decided_at, w.valid_until,
		greatest(coalesce(m.sequence, 0), coalesce(t.sequence, 0)) as sequence,
		case when m.have = m.want then 'update' else 'add' end as op,
		t.status as last_status, t.op as last_op, t.delivered_key as last_key, t.checksum as last_checksum
	from moved m left join chosen w using (profile_id) left join decided d on d.decision_id = w.decision_id and d.profile_id = m.profile_id
		left join latest t on t.profile_id = m.profile_id),
sendable as (
	select *, coalesce(last_status = 'unknown' and last_op <> 'remove' and last_key = want and last_checksum = checksum, false) as again from pairs
	where want is not null and (have is null or held_checksum = '' or (%[1]s and (want <> have or checksum <> held_checksum)))
	and not coalesce(last_status = 'rejected' and last_op = op and last_key = want and last_checksum = checksum, false)),
changes as (
	select 1 as phase, 'remove' as op, profile_id, have as delivered_key, '' as fields, '' as checksum, '' as class_id, '' as decision_id,
		0 as decided_at, 0 as valid_until,
		sequence + case when coalesce(last_status = 'unknown' and last_op = 'remove' and last_key = have, false) then 0 else 1 end as sequence
	from pairs where %[1]s and have is not null and (want <> have
		or want is null and not exists (select 1 from sendable o where o.want = pairs.have and o.profile_id <> pairs.profile_id))
	union all
	select 2, case when again then last_op else op end, profile_id, want, fields, checksum, class_id, decision_id, decided_at, valid_until,
		sequence + case when again then 0 when have <> want then 2 else 1 end
	from sendable)
select op, profile_id, delivered_key, fields, checksum, class_id, decision_id,
	coalesce(decided_at, 0), coalesce(valid_until, 0), sequence
from changes order by phase, class_id, profile_id`, sql(c.Mode != weir.AppendOnly))
}

// planDifference writes a destination's delivery plan, one row group a chunk, and
// says which activation and operation each chunk is about.
func (h *House) planDifference(ctx context.Context, run weir.Run, wanted []comparison, pins map[string]int64, key string) ([]chunkInfo, error) {
	sess, _, err := h.attached(ctx, differenceTables, pins)
	if err != nil {
		return nil, err
	}
	defer sess.Close()
	if _, err := sess.Exec(ctx, "set memory_limit = '"+differenceMemory+"'"); err != nil {
		return nil, err
	}
	w, err := rowfile.NewScratchWriter[change](ctx, h.store(), key, chunkRows)
	if err != nil {
		return nil, err
	}
	var chunks []chunkInfo
	var buf []change
	flush := func() error {
		if len(buf) == 0 {
			return nil
		}
		chunks = append(chunks, chunkInfo{Activation: buf[0].Activation, Removals: buf[0].Op == weir.Remove, Rows: len(buf)})
		err := w.WriteGroup(buf)
		buf = buf[:0]
		return err
	}
	for _, a := range wanted {
		err := h.changes(ctx, sess, run, a, pins, func(c change) error {
			if len(buf) == chunkRows || (len(buf) > 0 && (buf[0].Op == weir.Remove) != (c.Op == weir.Remove)) {
				if err := flush(); err != nil {
					return err
				}
			}
			buf = append(buf, c)
			return nil
		})
		if err == nil {
			err = flush()
		}
		if err != nil {
			return nil, err
		}
	}
	return chunks, w.Close()
}

// chunkInfo is what is known of a chunk without reading it.
type chunkInfo struct {
	Activation string `json:"activation"`
	Removals   bool   `json:"removals"`
	Rows       int    `json:"rows"`
}

// changes streams one activation's difference.
func (h *House) changes(ctx context.Context, sess *sql.Internal, run weir.Run, a comparison, pins map[string]int64, each func(change) error) error {
	if err := h.findMoved(ctx, sess, a, pins); err != nil {
		return err
	}
	rows, err := sess.Side(ctx, differenceQuery(a))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		c := changeOf(run.Workspace, a.Name, rows.Values())
		c.Channel = a.Channel
		if err := each(c); err != nil {
			return err
		}
	}
	return rows.Err()
}

// changeOf reads a row of differenceQuery.
func changeOf(workspace, activation string, v []any) change {
	text := func(i int) string { s, _ := v[i].(string); return s }
	number := func(i int) int64 { n, _ := v[i].(int64); return n }
	c := change{Activation: activation, Op: weir.Op(text(0)), ProfileID: text(1), Key: text(2), Fields: text(3), Checksum: text(4),
		ClassID: text(5), DecisionID: text(6), DecidedAt: instant(number(7)), ValidUntil: instant(number(8)), Sequence: number(9)}
	c.ID = deliveryID(workspace, c)
	return c
}

func instant(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// deliveryID names a delivery by what it does, not by when it is tried: a crash
// between sending and recording sends it again under the same id.
func deliveryID(workspace string, c change) string {
	h := sha256.New()
	for _, s := range []string{workspace, c.Activation, c.ProfileID, c.Key, string(c.Op), strconv.FormatInt(c.Sequence, 10), c.Checksum} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// row turns a change into what a destination may be given, once admitted. Fields
// that the activation declares and the person has no value for are null: left out,
// they would stay at the destination as they were.
func (c change) row(declared map[string]string) (permit.Row, error) {
	r := permit.Row{Op: c.Op, Key: c.Key, ProfileID: c.ProfileID, DecisionID: c.DecisionID, IdempotencyKey: c.ID, Sequence: c.Sequence}
	if c.Op == weir.Remove {
		return r, nil
	}
	var values map[string]any
	if err := json.Unmarshal([]byte(c.Fields), &values); err != nil {
		return r, weir.Errorf(weir.Internal, "the audience of %s is damaged: %w", c.Activation, err)
	}
	for name := range declared {
		if _, ok := values[name]; !ok {
			values[name] = nil
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		v := values[name]
		if s, ok := v.(string); ok && s != "" {
			if v = any(s[1:]); s[0] == '#' {
				v = permit.Decimal(s[1:])
			}
		}
		r.Fields = append(r.Fields, permit.Field{Name: name, Value: v})
	}
	return r, nil
}
