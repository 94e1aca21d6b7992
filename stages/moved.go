package stages

import (
	"context"
	"fmt"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/lakehouse/sql"
)

// comparedRows is how many rows, of both sides together, are compared at once:
// few enough that the join of them stays far below differenceMemory.
const comparedRows = 1 << 20

// side is one of the two that an activation's difference is taken of.
type side struct {
	view  string
	table schema.Table
	files []weir.DataFile
}

// findMoved compares what an activation should hold with what it holds, and
// leaves in the table moved who differs: with the key that is wanted and the one
// that is held, null where there is none.
func (h *House) findMoved(ctx context.Context, sess *sql.Internal, c comparison, pins map[string]int64) error {
	wanted, held, err := h.sides(ctx, c, pins)
	if err != nil {
		return err
	}
	// moved has no order
	if _, err := sess.Exec(ctx, "set preserve_insertion_order = false"); err != nil {
		return err
	}
	digests, err := h.matchDigests(ctx, sess, wanted, held, keptDigests)
	if err == nil && !digests {
		err = compare(ctx, sess, wanted, held, comparedRows)
	}
	if err != nil {
		return err
	}
	if _, err := sess.Exec(ctx, "set preserve_insertion_order = true"); err != nil { // the plan has
		return err
	}
	if err := settleTwice(ctx, sess, c, digests); err != nil {
		return err
	}
	moved, err := column[int64](ctx, sess, "select count(*) from moved")
	if err != nil {
		return err
	}
	h.Log.DebugContext(ctx, "compared what is wanted with what is held", "activation", c.Name, "moved", moved[0])
	return lookUpMoved(ctx, sess, c)
}

// sides are what an activation should hold and what it holds.
func (h *House) sides(ctx context.Context, c comparison, pins map[string]int64) (wanted, held side, err error) {
	find := func(view, table string, none bool) (s side, err error) {
		if s.table, _, err = h.pinned(ctx, table, pins[table]); err != nil {
			return s, err
		}
		s.table.Name, s.view = view, view
		scopes, err := h.Lake.ByScope(ctx, table, pins[table])
		if err == nil && !none {
			s.files = scopes[c.Name]
		}
		return s, err
	}
	if wanted, err = find("sides.wanted", "activation.audience", c.Empty); err == nil {
		held, err = find("sides.held", "activation.state", c.Anew)
	}
	return wanted, held, err
}

// noneMoved makes the empty table moved. want_digest is that of want where digests
// were compared.
const noneMoved = `create or replace table moved (profile_id varchar, want varchar, have varchar, held_checksum varchar,
	sequence bigint, held_at timestamptz, want_digest bigint)`

// compare fills moved. Both sides are sorted by profile as a rule, so they are
// joined one range of profiles after the other: a join of all would keep one side
// whole. Files in another order cost time and memory, nothing else.
func compare(ctx context.Context, sess *sql.Internal, wanted, held side, rows int64) error {
	if _, err := sess.Exec(ctx, noneMoved); err != nil {
		return err
	}
	for _, s := range []side{wanted, held} {
		if err := sess.Attach(ctx, s.table, s.files); err != nil {
			return err
		}
	}
	bounds, err := sess.Ranges(ctx, slices.Concat(wanted.files, held.files), "profile_id", rows)
	if err != nil {
		return err
	}
	for n := range len(bounds) + 1 {
		within := "true"
		if n > 0 {
			within += " and profile_id >= " + sql.QuoteText(bounds[n-1])
		}
		if n < len(bounds) {
			within += " and profile_id < " + sql.QuoteText(bounds[n])
		}
		if _, err := sess.Exec(ctx, fmt.Sprintf(insertMoved, "null", "(select * from sides.wanted where "+within+")", "(select * from sides.held where "+within+")")+
			" where w.delivered_key is distinct from s.delivered_key or w.checksum is distinct from s.checksum"); err != nil {
			return err
		}
	}
	return nil
}

// insertMoved takes the digest of what is wanted and the rows of the two sides.
const insertMoved = `insert into moved select coalesce(w.profile_id, s.profile_id), w.delivered_key, s.delivered_key, s.checksum, s.sequence, s.delivered_at, %s
	from %s w full join %s s on s.profile_id = w.profile_id`

// settleTwice gives a key that two profiles want to the first of them. What is
// held has each key once, so a key wanted twice is new to at least one of the
// profiles: only the keys of such are looked for, among the digests if these were
// compared, since as a rule there is none.
func settleTwice(ctx context.Context, sess *sql.Internal, c comparison, digests bool) error {
	fresh, err := column[int64](ctx, sess, "select count(*) from moved where want is distinct from have and want is not null")
	if err != nil || fresh[0] == 0 {
		return err
	}
	if digests {
		suspects, err := column[int64](ctx, sess, `select count(*) from (select key_digest from sides.wanted
			where key_digest in (select want_digest from moved where want is distinct from have) group by key_digest having count(*) > 1)`)
		if err != nil || suspects[0] == 0 {
			return err
		}
	}
	name := literals([]string{c.Name})
	if _, err := sess.Exec(ctx, fmt.Sprintf(`create or replace table twice as select delivered_key, min(profile_id) as first from activation.audience
		where activation = %s and delivered_key in (select want from moved where want is distinct from have) group by delivered_key having count(*) > 1`, name)); err != nil {
		return err
	}
	found, err := column[int64](ctx, sess, "select count(*) from twice")
	if err != nil || found[0] == 0 {
		return err
	}
	for _, q := range []string{
		// as it was, but now another's
		fmt.Sprintf(`insert into moved select a.profile_id, a.delivered_key, s.delivered_key, s.checksum, s.sequence, s.delivered_at, null
			from activation.audience a join twice t using (delivered_key) join activation.state s on s.activation = a.activation and s.profile_id = a.profile_id
			where a.activation = %s and a.profile_id <> t.first and a.profile_id not in (select profile_id from moved)`, name),
		`update moved set want = null from twice t where moved.want = t.delivered_key and moved.profile_id <> t.first`,
	} {
		if _, err := sess.Exec(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// lookUpMoved makes tables of what else has to be known of those who moved:
// chosen, what would be sent; decided, the decision that allows it, as it was
// recorded (invariant 6); latest, the last delivery.
//
// Nearly all of the history is deliveries that went well, and the last of those
// to a profile that holds something is what it holds. So what is read of them is
// a number and a time, for profiles that hold nothing; and of the rest, of which
// row groups without any are passed over, only what is not older than what is held.
func lookUpMoved(ctx context.Context, sess *sql.Internal, c comparison) error {
	name := literals([]string{c.Name})
	for _, q := range []string{
		`create or replace table chosen as select profile_id, fields, checksum, class_id, decision_id, epoch_us(valid_until) as valid_until from activation.audience
			where activation = ` + name + ` and profile_id in (select profile_id from moved where want is not null)`,
		`create or replace table decided as select decision_id, profile_id, epoch_us("at") as decided_at from consent.decisions
			where allow and activation = ` + name + ` and decision_id in (select decision_id from chosen)`,
		`create or replace table latest as
			with went_badly as (select profile_id, sequence, status, op, delivered_key, checksum, "at", delivery_id from activation.deliveries
				where activation = ` + name + ` and status <> 'delivered'),
			went_well as (select profile_id, max(sequence) as sequence, arg_max("at", (sequence, "at")) as "at" from activation.deliveries
				where activation = ` + name + ` and status = 'delivered' and profile_id in (select profile_id from moved where sequence is null) group by profile_id)
			select profile_id, sequence, status, op, delivered_key, checksum from (
				select b.* from went_badly b join moved m using (profile_id) where m.sequence is null or b.sequence >= m.sequence
				union all select profile_id, sequence, 'delivered', null, null, null, "at", '' from went_well
				union all select profile_id, sequence, 'delivered', null, null, null, held_at, '' from moved where sequence is not null and held_checksum <> '')
			qualify row_number() over (partition by profile_id order by sequence desc, "at" desc, (status = 'redriven') desc, delivery_id) = 1`,
	} {
		if _, err := sess.Exec(ctx, q); err != nil {
			return err
		}
	}
	return nil
}
