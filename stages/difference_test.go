package stages

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// wholeDifference is the difference as one statement over all rows of all tables:
// short enough to be believed, too slow and too large to be used.
const wholeDifference = `
with wanted as (select profile_id, delivered_key, checksum from activation.audience where activation = %[1]s and %[3]s),
twice as (select delivered_key, min(profile_id) as first from wanted group by delivered_key having count(*) > 1),
desired as (select wanted.* from wanted left join twice using (delivered_key) where twice.first is null or twice.first = wanted.profile_id),
held as (select profile_id, delivered_key, checksum, sequence from activation.state where activation = %[1]s and %[4]s),
moved as materialized (
	select coalesce(d.profile_id, s.profile_id) as profile_id, d.delivered_key as want, s.delivered_key as have,
		d.checksum, s.checksum as held_checksum, s.sequence
	from desired d full join held s on s.profile_id = d.profile_id
	where d.profile_id is null or s.profile_id is null or d.delivered_key <> s.delivered_key or d.checksum <> s.checksum),
latest as (select profile_id, sequence, status, op, delivered_key, checksum from activation.deliveries
	where activation = %[1]s and profile_id in (select profile_id from moved)
	qualify row_number() over (partition by profile_id order by sequence desc, "at" desc, (status = 'redriven') desc, delivery_id) = 1),
decided as (
	select d.profile_id, d.fields, d.class_id, d.decision_id, d.valid_until, x."at" as decided_at
	from activation.audience d join consent.decisions x on x.decision_id = d.decision_id and x.allow and x.activation = d.activation and x.profile_id = d.profile_id
	where d.activation = %[1]s and d.profile_id in (select profile_id from moved)),
pairs as (
	select m.profile_id, case when d.profile_id is not null then m.want end as want, m.have,
		d.fields, m.checksum, m.held_checksum, d.class_id, d.decision_id, d.decided_at, d.valid_until,
		greatest(coalesce(m.sequence, 0), coalesce(t.sequence, 0)) as sequence,
		case when m.have = m.want then 'update' else 'add' end as op,
		t.status as last_status, t.op as last_op, t.delivered_key as last_key, t.checksum as last_checksum
	from moved m left join decided d using (profile_id) left join latest t using (profile_id)),
sendable as (
	select *, coalesce(last_status = 'unknown' and last_op <> 'remove' and last_key = want and last_checksum = checksum, false) as again from pairs
	where want is not null and (have is null or held_checksum = '' or (%[2]s and (want <> have or checksum <> held_checksum)))
	and not coalesce(last_status = 'rejected' and last_op = op and last_key = want and last_checksum = checksum, false)),
changes as (
	select 1 as phase, 'remove' as op, profile_id, have as delivered_key, '' as fields, '' as checksum, '' as class_id, '' as decision_id,
		cast(null as timestamptz) as decided_at, cast(null as timestamptz) as valid_until,
		sequence + case when coalesce(last_status = 'unknown' and last_op = 'remove' and last_key = have, false) then 0 else 1 end as sequence
	from pairs where %[2]s and have is not null and (want <> have
		or want is null and not exists (select 1 from sendable o where o.want = pairs.have and o.profile_id <> pairs.profile_id))
	union all
	select 2, case when again then last_op else op end, profile_id, want, fields, checksum, class_id, decision_id, decided_at, valid_until,
		sequence + case when again then 0 when have <> want then 2 else 1 end
	from sendable)
select op, profile_id, delivered_key, fields, checksum, class_id, decision_id,
	coalesce(epoch_us(decided_at), 0), coalesce(epoch_us(valid_until), 0), sequence
from changes order by phase, class_id, profile_id`

// The difference that is taken in parts, of ranges of profiles and of those who moved,
// is that of one statement over everything, for any tables that a run may find:
// keys that change hands, keys that two profiles want, histories of every outcome,
// decisions that are gone, files in any order and out of order.
func TestDifferenceInPartsIsTheDifference(t *testing.T) {
	const name = "news"
	seen := map[string]int{}
	for seed := range uint64(12) {
		v := newVillage(t)
		r := rand.New(rand.NewPCG(seed, 7))
		pins := drawDeliveries(v, r, name)
		for _, c := range []comparison{{}, {Empty: true}, {Anew: true}, {ActivationDef: weir.ActivationDef{Mode: weir.AppendOnly}}} {
			c.Name = name
			if c.Mode == "" {
				c.Mode = weir.Mirror
			}
			sess, _, err := v.attached(t.Context(), differenceTables, pins)
			if err != nil {
				t.Fatal(err)
			}
			rows, err := sess.Side(t.Context(), fmt.Sprintf(wholeDifference, literals([]string{name}), fmt.Sprint(c.Mode != weir.AppendOnly), fmt.Sprint(!c.Empty), fmt.Sprint(!c.Anew)))
			if err != nil {
				t.Fatal(err)
			}
			var want, got []change
			for rows.Next() {
				want = append(want, changeOf("shop", name, rows.Values()))
			}
			if err := rows.Err(); err != nil {
				t.Fatal(err)
			}
			rows.Close()
			err = v.changes(t.Context(), sess, weir.Run{Workspace: "shop"}, c, pins, func(c change) error {
				got = append(got, c)
				seen[string(c.Op)]++
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("seed %d, %+v: whole (-), in parts (+)\n%s", seed, c, d)
			}
			twice, err := column[int64](t.Context(), sess, "select count(*) from duckdb_tables() where table_name = 'twice'")
			if err != nil {
				t.Fatal(err)
			}
			seen["twice"] += int(twice[0])
			digests, err := column[int64](t.Context(), sess, "select count(want_digest) from moved")
			if err != nil {
				t.Fatal(err)
			}
			if digests[0] > 0 {
				seen["by digests"]++
				seen["twice by digests"] += int(twice[0])
			}
			sess.Close()
		}
	}
	for _, what := range []string{"add", "update", "remove", "twice", "by digests", "twice by digests"} {
		if seen[what] == 0 {
			t.Errorf("nothing drawn has %s: %v", what, seen)
		}
	}
}

// Cut into ranges of any size, and by digests in steps of any size, the comparison
// finds who is in one side only or differs, whatever order the files are in.
func TestComparisonInPartsIsThatOfAll(t *testing.T) {
	const name = "news"
	seen := map[string]int{}
	for seed := range uint64(12) {
		v := newVillage(t)
		r := rand.New(rand.NewPCG(seed, 8))
		pins := drawDeliveries(v, r, name)
		sess, _, err := v.attached(t.Context(), differenceTables, pins)
		if err != nil {
			t.Fatal(err)
		}
		defer sess.Close()
		want, err := column[string](t.Context(), sess, `select concat_ws('/', coalesce(a.profile_id, s.profile_id), a.delivered_key, '-', s.delivered_key, '-', s.checksum, s.sequence, epoch_us(s.delivered_at))
			from activation.audience a full join activation.state s using (profile_id) where (a.delivered_key, a.checksum) is distinct from (s.delivered_key, s.checksum) order by 1`)
		if err != nil {
			t.Fatal(err)
		}
		for _, rows := range []int64{1, 15, 1000} {
			c := comparison{ActivationDef: weir.ActivationDef{Name: name}}
			wanted, held, err := v.sides(t.Context(), c, pins)
			if err != nil {
				t.Fatal(err)
			}
			check := func(how string) {
				t.Helper()
				got, err := column[string](t.Context(), sess, `select concat_ws('/', profile_id, want, '-', have, '-', held_checksum, sequence, epoch_us(held_at)) from moved order by 1`)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Fatalf("seed %d, %d rows at once: all at once (-), %s (+)\n%s", seed, rows, how, d)
				}
			}
			if err := compare(t.Context(), sess, wanted, held, rows); err != nil {
				t.Fatal(err)
			}
			check("in ranges")
			bounds, err := sess.Ranges(t.Context(), slices.Concat(wanted.files, held.files), "profile_id", rows)
			if err != nil {
				t.Fatal(err)
			}
			seen[fmt.Sprint("cut ", len(bounds) > 0)]++
			digests, err := v.matchDigests(t.Context(), sess, wanted, held, int(rows))
			if err != nil {
				t.Fatal(err)
			}
			if digests {
				check("by digests")
			}
			seen[fmt.Sprint("by digests ", digests)]++
		}
	}
	for _, what := range []string{"cut true", "cut false", "by digests true", "by digests false"} {
		if seen[what] == 0 {
			t.Errorf("nothing drawn was %s: %v", what, seen)
		}
	}
}

// drawDeliveries fills the four tables of one activation as runs may leave them:
// what is held has each key once. In some much changed, in some little; in some all
// rows have digests, in some those of half the people or of nobody.
func drawDeliveries(v *village, r *rand.Rand, name string) map[string]int64 {
	n, change, digested := 20+r.IntN(60), 1, r.IntN(4)
	if r.IntN(3) > 0 {
		n, change = 4*n, 12
	}
	profile := func(i int) string { return fmt.Sprintf("p%03d", i) }
	value := func(kind string, of int) string {
		return fmt.Sprintf("%s-%02d-of-more-than-twelve-bytes", kind, r.IntN(of))
	}
	keys := r.Perm(2 * n)
	var held []weir.DeliveryState
	var wanted []weir.AudienceRow
	var decisions []weir.Decision
	var history []weir.Delivery
	for i := range n {
		s := weir.DeliveryState{Activation: name, ProfileID: profile(i), DeliveredKey: fmt.Sprintf("key-%03d-of-more-than-twelve-bytes", keys[i]), Checksum: value("sum", 3), DeliveredAt: noon, Sequence: int64(1 + r.IntN(4))}
		if r.IntN(6*change) == 0 {
			s.Checksum = "" // unknown
		}
		has := r.IntN(4*change) > 0
		if has {
			held = append(held, s)
		}
		a := weir.AudienceRow{Activation: name, ProfileID: s.ProfileID, Key: s.DeliveredKey, Checksum: s.Checksum, Fields: value("{}", 9), ClassID: value("class", 4), DecisionID: fmt.Sprintf("d%03d", i)}
		switch r.IntN(6 * change) {
		case 0:
			a.Key = fmt.Sprintf("key-%03d-of-more-than-twelve-bytes", keys[r.IntN(n)])
		case 1:
			a.Checksum = value("sum", 3)
		}
		if r.IntN(5) == 0 {
			a.ValidUntil = noon.Add(time.Duration(r.IntN(1000)) * time.Microsecond)
		}
		if r.IntN(5*change) > 0 {
			wanted = append(wanted, a)
		}
		d := weir.Decision{ID: a.DecisionID, RunID: "r", Activation: name, ProfileID: a.ProfileID, ClassID: a.ClassID, Allow: r.IntN(12) > 0, At: noon.Add(time.Duration(i) * time.Second)}
		if r.IntN(12) > 0 {
			decisions = append(decisions, d)
		}
		if has { // what made it so
			made := weir.Delivery{ID: fmt.Sprintf("h%03d", i), Activation: name, Destination: "esp", ProfileID: s.ProfileID, DeliveredKey: s.DeliveredKey,
				Op: weir.Add, Checksum: s.Checksum, Sequence: s.Sequence, Status: "delivered", At: noon}
			if s.Checksum == "" {
				made.Status, made.Checksum = "unknown", value("sum", 3)
				a.Checksum = made.Checksum
				wanted = slices.DeleteFunc(wanted, func(w weir.AudienceRow) bool { return w.ProfileID == a.ProfileID })
				wanted = append(wanted, a)
			}
			history = append(history, made)
		}
		if !has && r.IntN(3) == 0 { // its key went over to another profile, or was taken away
			gone := weir.Delivery{ID: fmt.Sprintf("h%03d", i), Activation: name, Destination: "esp", ProfileID: s.ProfileID, DeliveredKey: s.DeliveredKey,
				Op: []weir.Op{weir.Add, weir.Remove}[r.IntN(2)], Checksum: s.Checksum, Sequence: s.Sequence, Status: "delivered", At: noon}
			history = append(history, gone)
		}
		for k := range r.IntN(3) {
			seq := s.Sequence + int64(r.IntN(3))
			if has && r.IntN(2) == 0 {
				seq = s.Sequence - 1
			}
			history = append(history, weir.Delivery{ID: fmt.Sprintf("h%03d-%d", i, k), Activation: name, Destination: "esp", ProfileID: s.ProfileID, DeliveredKey: a.Key,
				Op: []weir.Op{weir.Add, weir.Update, weir.Remove}[r.IntN(3)], Checksum: a.Checksum, Sequence: seq,
				Status: []string{"rejected", "unknown", "stopped", "redriven"}[r.IntN(4)], At: noon.Add(time.Duration(r.IntN(3)-1) * time.Minute)})
		}
	}
	for i := range held {
		if digested < 2 || digested == 2 && i%2 == 0 {
			held[i] = held[i].Digested()
		}
	}
	for i := range wanted {
		if digested < 2 || digested == 2 && i%2 == 0 {
			wanted[i] = wanted[i].Digested()
		}
	}
	pins := map[string]int64{}
	cut := r.IntN(4)
	pins["activation.state"] = putFiles(v, "activation.state", name, cut, held)
	pins["activation.audience"] = putFiles(v, "activation.audience", name, cut, wanted)
	pins["activation.deliveries"] = putFiles(v, "activation.deliveries", "", 0, history)
	pins["consent.decisions"] = putFiles(v, "consent.decisions", "", 0, decisions)
	return pins
}

// putFiles commits rows as one file (0), as three of adjacent ranges, whose names
// say nothing of their order (1), as two of every other row (2), or as one that
// begins with its last row (3).
func putFiles[T any](v *village, table, scope string, cut int, rows []T) int64 {
	v.t.Helper()
	var parts [][]T
	switch cut {
	case 0:
		parts = [][]T{rows}
	case 1:
		parts = slices.Collect(slices.Chunk(rows, max(1, len(rows)/3)))
	case 3:
		if n := len(rows) - 1; n > 0 {
			rows = append([]T{rows[n]}, rows[:n]...)
		}
		parts = [][]T{rows}
	default:
		parts = make([][]T, 2)
		for i, row := range rows {
			parts[i%2] = append(parts[i%2], row)
		}
	}
	t, err := v.Lake.Ensure(v.t.Context(), schema.Named(table))
	if err != nil {
		v.t.Fatal(err)
	}
	all := weir.TableFiles{Table: table, Scope: scope}
	for _, part := range parts {
		all.Files = append(all.Files, written(v.t.Context(), v, t, scope, part)...)
	}
	s, err := v.Lake.Commit(v.t.Context(), lakehouse.Commit{ID: "put/" + table, Table: table, Scopes: []weir.TableFiles{all}})
	if err != nil {
		v.t.Fatal(err)
	}
	return s.ID
}

func written[T any](ctx context.Context, v *village, t schema.Table, scope string, rows []T) []weir.DataFile {
	w, err := rowfile.NewTableWriter[T](ctx, v.Lake.Store(), t, scope)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, row := range rows {
		if err := w.Write(row); err != nil {
			v.t.Fatal(err)
		}
	}
	files, err := w.Close()
	if err != nil {
		v.t.Fatal(err)
	}
	return files
}
