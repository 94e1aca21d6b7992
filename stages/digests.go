package stages

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/sql"
)

const (
	// matchedRows is how many rows, of both sides together, have their digests
	// matched at once, give or take a file of each side.
	matchedRows = 4 << 20
	// Where more than one row in so many has moved, the texts of all are compared:
	// nothing is gained by looking up who it was.
	mostlyMoved = 4
)

// matchDigests fills moved as compare does, and reads the texts of those alone who
// moved: the digests of a row on both sides cancel out, what is left is looked up.
//
// It goes over the files of both sides in the order of their profiles, and keeps
// what found no match so far: little, where both sides are sorted. It says false
// and leaves moved undefined where that is no use: a side is empty, some of its
// rows have no digests, or most rows moved.
func matchDigests(ctx context.Context, sess *sql.Internal, wanted, held side, rows int64) (bool, error) {
	for _, s := range []side{wanted, held} {
		if _, has := s.table.Column("row_digest"); !has || len(s.files) == 0 {
			return false, nil
		}
	}
	steps, err := inSteps(ctx, sess, wanted, held, rows)
	if err != nil {
		return false, err
	}
	for _, q := range []string{
		"create or replace table only_wanted (k bigint, r bigint)",
		"create or replace table only_held (k bigint, r bigint)",
	} {
		if _, err := sess.Exec(ctx, q); err != nil {
			return false, err
		}
	}
	for _, step := range steps {
		if known, err := matchStep(ctx, sess, step[0], step[1]); err != nil || !known {
			return false, err
		}
	}
	left, err := column[int64](ctx, sess, "select (select count(*) from only_wanted) + (select count(*) from only_held)")
	if err != nil || left[0]*mostlyMoved > rowCount(wanted.files)+rowCount(held.files) {
		return false, err
	}
	return true, lookUpUnmatched(ctx, sess, wanted, held)
}

// inSteps cuts the files of both sides in parts of at least so many rows, in the
// order of their profiles.
func inSteps(ctx context.Context, sess *sql.Internal, wanted, held side, rows int64) ([][2]side, error) {
	least, err := sess.Least(ctx, slices.Concat(wanted.files, held.files), "profile_id")
	if err != nil {
		return nil, err
	}
	type one struct {
		of   int
		file weir.DataFile
	}
	var all []one
	for n, s := range []side{wanted, held} {
		for _, f := range s.files {
			all = append(all, one{n, f})
		}
	}
	slices.SortFunc(all, func(a, b one) int {
		return cmp.Or(cmp.Compare(least[a.file.Path], least[b.file.Path]), cmp.Compare(a.of, b.of), cmp.Compare(a.file.Path, b.file.Path))
	})
	wanted.files, held.files = nil, nil
	var steps [][2]side
	step, sum := [2]side{wanted, held}, int64(0)
	for n, o := range all {
		step[o.of].files = append(step[o.of].files, o.file)
		if sum += o.file.Rows; sum >= rows || n == len(all)-1 {
			steps = append(steps, step)
			step, sum = [2]side{wanted, held}, 0
		}
	}
	return steps, nil
}

// matchStep takes in more rows of both sides, and says false if some of them have
// no digests.
func matchStep(ctx context.Context, sess *sql.Internal, wanted, held side) (bool, error) {
	for _, s := range []side{wanted, held} {
		if err := sess.Attach(ctx, s.table, s.files); err != nil {
			return false, err
		}
	}
	const rows = "(select key_digest as k, nullif(row_digest, 0) as r from %s union all select k, r from %s)"
	if _, err := sess.Exec(ctx, fmt.Sprintf(`create or replace table unmatched as select w.k as wanted_k, w.r as wanted_r, s.k as held_k, s.r as held_r
		from %s w full join %s s on s.k = w.k and s.r = w.r where w.r is null or s.r is null`,
		fmt.Sprintf(rows, "sides.wanted", "only_wanted"), fmt.Sprintf(rows, "sides.held", "only_held"))); err != nil {
		return false, err
	}
	unknown, err := column[int64](ctx, sess, "select count(*) from unmatched where wanted_r is null and held_r is null")
	if err != nil || unknown[0] > 0 {
		return false, err
	}
	for _, q := range []string{
		"create or replace table only_wanted as select wanted_k as k, wanted_r as r from unmatched where wanted_r is not null",
		"create or replace table only_held as select held_k as k, held_r as r from unmatched where held_r is not null",
	} {
		if _, err := sess.Exec(ctx, q); err != nil {
			return false, err
		}
	}
	return true, nil
}

// lookUpUnmatched fills moved with the rows whose digests found no match.
func lookUpUnmatched(ctx context.Context, sess *sql.Internal, wanted, held side) error {
	for _, s := range []side{wanted, held} {
		if err := sess.Attach(ctx, s.table, s.files); err != nil {
			return err
		}
	}
	of := func(view, digests string) string {
		return fmt.Sprintf("(select t.* from %s t semi join %s o on t.key_digest = o.k and t.row_digest = o.r)", view, digests)
	}
	for _, q := range []string{noneMoved,
		fmt.Sprintf(insertMoved, "w.key_digest", of("sides.wanted", "only_wanted"), of("sides.held", "only_held"))} {
		if _, err := sess.Exec(ctx, q); err != nil {
			return err
		}
	}
	return nil
}
