package stages

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"github.com/weir-cdp/weir/lakehouse/sql"
)

// findMoved compares what an activation should hold with what it holds, and
// leaves in the table moved who differs: with the key that is wanted and the one
// that is held, null where there is none.
//
// Both are sorted by profile, so two streams are read side by side and memory
// doesn't grow with them; a join in SQL would keep one side whole.
func (h *House) findMoved(ctx context.Context, sess *sql.Internal, c comparison, pins map[string]int64) error {
	err := h.compare(ctx, sess, c, pins, false)
	if errors.Is(err, errUnsorted) {
		err = h.compare(ctx, sess, c, pins, true)
	}
	if err != nil {
		return err
	}
	if err := settleTwice(ctx, sess, c); err != nil {
		return err
	}
	return lookUpMoved(ctx, sess, c)
}

// errUnsorted: files that seemed to be in order are not.
var errUnsorted = errors.New("the rows are not sorted by profile")

// compare fills moved, with DuckDB sorting both sides first if resort.
func (h *House) compare(ctx context.Context, sess *sql.Internal, c comparison, pins map[string]int64, resort bool) error {
	if _, err := sess.Exec(ctx, `create or replace table moved (profile_id varchar, want varchar, have varchar, checksum varchar, held_checksum varchar, sequence bigint)`); err != nil {
		return err
	}
	wanted, err := h.sorted(ctx, sess, "activation.audience", c.Name, pins, c.Empty, resort, "profile_id", "delivered_key", "checksum")
	if err != nil {
		return err
	}
	defer wanted.Close()
	held, err := h.sorted(ctx, sess, "activation.state", c.Name, pins, c.Anew, resort, "profile_id", "delivered_key", "checksum", "sequence")
	if err != nil {
		return err
	}
	defer held.Close()
	return sess.Append(ctx, "moved", func(add func(...driver.Value) error) error { return mergeSides(wanted, held, add) })
}

// mergeSides walks over both sides at once.
func mergeSides(wanted, held *side, add func(...driver.Value) error) error {
	for wanted.next(); wanted.err == nil && held.err == nil; {
		if !held.begun {
			held.next()
			continue
		}
		order := strings.Compare(wanted.profile, held.profile)
		switch {
		case !wanted.more && !held.more:
			return nil
		case !held.more || wanted.more && order < 0:
			if err := add(wanted.text(0), wanted.text(1), nil, wanted.text(2), nil, nil); err != nil {
				return err
			}
			wanted.next()
		case !wanted.more || order > 0:
			if err := add(held.text(0), nil, held.text(1), nil, held.text(2), held.Long(3)); err != nil {
				return err
			}
			held.next()
		default:
			if wanted.Text(1) != held.Text(1) || wanted.Text(2) != held.Text(2) {
				if err := add(wanted.text(0), wanted.text(1), held.text(1), wanted.text(2), held.text(2), held.Long(3)); err != nil {
					return err
				}
			}
			wanted.next()
			held.next()
		}
	}
	return errors.Join(wanted.err, held.err)
}

// side is one of the two streams, by profile.
type side struct {
	*sql.Stream
	profile string // of the present row
	last    []byte
	begun   bool
	more    bool
	err     error
}

// sorted opens the rows of one activation; none is none of them.
func (h *House) sorted(ctx context.Context, sess *sql.Internal, table, activation string, pins map[string]int64, none, resort bool, columns ...string) (*side, error) {
	t, _, err := h.pinned(ctx, table, pins[table])
	if err != nil {
		return nil, err
	}
	scopes, err := h.Lake.ByScope(ctx, table, pins[table])
	if err != nil {
		return nil, err
	}
	files := scopes[activation]
	if none {
		files = nil
	}
	s, err := sess.Sorted(ctx, t, files, columns, resort)
	return &side{Stream: s}, err
}

func (s *side) next() {
	s.last = append(s.last[:0], s.profile...)
	s.more = s.Next()
	if !s.more {
		s.profile, s.err = "", s.Err()
		s.begun = true
		return
	}
	s.profile = s.Text(0)
	if s.begun && s.profile <= string(s.last) {
		s.err = errUnsorted
	}
	s.begun = true
}

func (s *side) text(column int) string { return strings.Clone(s.Text(column)) }

// settleTwice gives a key that two profiles want to the first of them. What is
// held has each key once, so a key wanted twice is new to at least one of the
// profiles: only the keys of such are looked for.
func settleTwice(ctx context.Context, sess *sql.Internal, c comparison) error {
	fresh, err := column[int64](ctx, sess, "select count(*) from moved where want is distinct from have and want is not null")
	if err != nil || fresh[0] == 0 {
		return err
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
		fmt.Sprintf(`insert into moved select a.profile_id, a.delivered_key, s.delivered_key, a.checksum, s.checksum, s.sequence
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
// recorded (invariant 6); latest, the last delivery, of profiles whose history
// says more than what is held.
func lookUpMoved(ctx context.Context, sess *sql.Internal, c comparison) error {
	name := literals([]string{c.Name})
	for _, q := range []string{
		`create or replace table chosen as select profile_id, fields, class_id, decision_id, epoch_us(valid_until) as valid_until from activation.audience
			where activation = ` + name + ` and profile_id in (select profile_id from moved where want is not null)`,
		`create or replace table decided as select decision_id, profile_id, epoch_us("at") as decided_at from consent.decisions
			where allow and activation = ` + name + ` and decision_id in (select decision_id from chosen)`,
		`create or replace table eventful as select distinct profile_id from activation.deliveries d join moved m using (profile_id)
			where d.activation = ` + name + ` and (m.sequence is null or d.sequence > m.sequence or d.sequence = m.sequence and d.status <> 'delivered')`,
		`create or replace table latest as select profile_id, sequence, status, op, delivered_key, checksum from activation.deliveries
			where activation = ` + name + ` and profile_id in (select profile_id from eventful)
			qualify row_number() over (partition by profile_id order by sequence desc, "at" desc, (status = 'redriven') desc, delivery_id) = 1`,
	} {
		if _, err := sess.Exec(ctx, q); err != nil {
			return err
		}
	}
	return nil
}
