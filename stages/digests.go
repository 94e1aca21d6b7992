package stages

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/sql"
)

const (
	// keptDigests is how many digests, of both sides together, are in memory while
	// they have no match; all that are go to the disk when they are more.
	keptDigests = 1 << 20
	// Where more than one row in so many has moved, the texts of all are compared:
	// nothing is gained by looking up who it was.
	mostlyMoved = 4
	// readAhead is how many row groups are read before their digests are matched.
	readAhead = 2
)

// matchDigests fills moved as compare does, and reads the texts of those alone who
// moved: the digests of a row on both sides cancel out, what is left is looked up.
//
// It goes over the row groups of both sides in the order of their profiles, so that
// what waits for its match is little where both are sorted. It says false and leaves
// moved undefined where that is no use: a side is empty, some of its rows have no
// digests, or most rows moved. kept is keptDigests, or less.
func (h *House) matchDigests(ctx context.Context, sess *sql.Internal, wanted, held side, kept int) (bool, error) {
	for _, s := range []side{wanted, held} {
		if _, has := s.table.Column("row_digest"); !has || len(s.files) == 0 {
			return false, nil
		}
	}
	groups, err := groupsOf(ctx, sess, wanted, held)
	if err != nil {
		return false, err
	}
	dir, err := os.MkdirTemp(sess.Dir(), "unmatched-")
	if err != nil {
		return false, weir.Errorf(weir.Unavailable, "can't use the folder for temporary files: %w", err)
	}
	defer os.RemoveAll(dir)
	m := &matching{dir: dir, kept: kept, most: (rowCount(wanted.files) + rowCount(held.files)) / mostlyMoved}
	m.waiting[0], m.waiting[1] = newDigestSet(), newDigestSet()
	if known, err := h.eachGroup(ctx, groups, m.match); err != nil || !known {
		return false, err
	}
	if err := m.finish(); err != nil {
		return false, err
	}
	left, err := m.left(ctx, sess)
	if err != nil || left > m.most {
		return false, err
	}
	return true, lookUpUnmatched(ctx, sess, wanted, held)
}

// sideGroup is a row group of what is wanted (0) or held (1).
type sideGroup struct {
	of int
	sql.Group
}

// groupsOf are the row groups of both sides, in the order of their profiles.
func groupsOf(ctx context.Context, sess *sql.Internal, sides ...side) ([]sideGroup, error) {
	var all []sideGroup
	for of, s := range sides {
		groups, err := sess.Groups(ctx, s.files, "profile_id")
		if err != nil {
			return nil, err
		}
		for _, g := range groups {
			all = append(all, sideGroup{of, g})
		}
	}
	slices.SortStableFunc(all, func(a, b sideGroup) int { return cmp.Compare(a.Least, b.Least) })
	return all, nil
}

// eachGroup gives the digests of row groups to do, one after the other, while the
// next ones are read. It says false if a row has none, or do does.
func (h *House) eachGroup(ctx context.Context, groups []sideGroup, do func(of int, keys, rows []int64) (bool, error)) (bool, error) {
	type read struct {
		columns [][]int64
		known   bool
		err     error
	}
	ctx, stop := context.WithCancel(ctx)
	next := make(chan chan read, readAhead-1)
	var readers sync.WaitGroup
	defer readers.Wait()
	defer stop()
	readers.Go(func() {
		defer close(next)
		for _, g := range groups {
			one := make(chan read, 1)
			select {
			case next <- one:
			case <-ctx.Done():
				return
			}
			readers.Go(func() {
				var r read
				r.columns, r.known, r.err = rowfile.ReadLongs(ctx, h.store(), g.File, g.Index, "key_digest", "row_digest")
				one <- r
			})
		}
	})
	n := 0
	for one := range next {
		r := <-one
		if r.err != nil || !r.known {
			return false, r.err
		}
		if known, err := do(groups[n].of, r.columns[0], r.columns[1]); err != nil || !known {
			return false, err
		}
		n++
	}
	return true, ctx.Err()
}

// matching pairs the digests of both sides. Rows that are in one order on both are
// matched side by side; what that leaves is, by a symmetric hash join: a row takes its
// match out of those of the other side that wait, or waits itself.
type matching struct {
	dir     string // takes what waits for long
	kept    int
	most    int64        // so many without a match are too many
	open    [2][]digests // in order, not compared yet; of one side at most
	waiting [2]*digestSet
	files   [2][]string
	spilled int64
}

// match takes in rows of one side. It says false where one has no digest or too many
// have no match.
func (m *matching) match(of int, keys, rows []int64) (bool, error) {
	fresh := make([]digests, len(rows))
	for i, row := range rows {
		if row == 0 {
			return false, nil
		}
		fresh[i] = digests{keys[i], row}
	}
	fresh, m.open[1-of] = m.align(of, fresh, m.open[1-of])
	if len(m.open[of]) == 0 {
		m.open[of] = fresh
	} else {
		m.open[of] = append(m.open[of], fresh...)
	}
	for of := range m.open {
		if len(m.open[of]) > m.kept {
			m.settle(of, m.open[of])
			m.open[of] = nil
		}
	}
	if m.waiting[0].n+m.waiting[1].n <= m.kept {
		return true, nil
	}
	// Some of it may have its match on the disk by then. Half of all rows is too many
	// for sides that are sorted.
	return m.spilled <= 2*m.most, m.spill()
}

// lookAhead is how many rows one side may have that the other has not, for both to
// be in step again without looking further.
const lookAhead = 16

// align goes over rows of both sides as long as both have some, drops those that
// are equal and settles the others; it gives what is left of both.
func (m *matching) align(of int, fresh, open []digests) (freshLeft, openLeft []digests) {
	var places map[int64]int // in open
	i, j := 0, 0
	for i < len(fresh) && j < len(open) {
		f, o := fresh[i], open[j]
		if f == o {
			i, j = i+1, j+1
			continue
		}
		skip, pass := 0, 0 // of fresh and of open
		switch {
		case f.key == o.key, i+1 < len(fresh) && j+1 < len(open) && fresh[i+1] == open[j+1]:
			skip, pass = 1, 1
		default:
			if pass = ahead(open[j:], f); pass > 0 {
				break
			}
			if skip = ahead(fresh[i:], o); skip > 0 {
				break
			}
			if places == nil {
				places = make(map[int64]int, len(open)-j)
				for n := j; n < len(open); n++ {
					places[open[n].row] = n
				}
			}
			if at := places[f.row]; at > j {
				pass = at - j
			} else {
				skip = 1
			}
		}
		m.settle(of, fresh[i:i+skip])
		m.settle(1-of, open[j:j+pass])
		i, j = i+skip, j+pass
	}
	return fresh[i:], open[j:]
}

// ahead says how many rows lie before one that is near; 0 if it is not.
func ahead(rows []digests, d digests) int {
	for n, r := range rows[:min(len(rows), lookAhead)] {
		if r == d {
			return n
		}
	}
	return 0
}

// settle lets rows of one side take their match or wait.
func (m *matching) settle(of int, rows []digests) {
	for _, d := range rows {
		if !m.waiting[1-of].take(d) {
			m.waiting[of].add(d)
		}
	}
}

// finish settles all that is left and takes what waits to the disk.
func (m *matching) finish() error {
	for of, rows := range m.open {
		m.settle(of, rows)
		m.open[of] = nil
	}
	return m.spill()
}

// spill takes all that wait to the disk.
func (m *matching) spill() error {
	for of, s := range m.waiting {
		if s.n == 0 {
			continue
		}
		m.spilled += int64(s.n)
		keys, rows := s.drain()
		path := filepath.Join(m.dir, fmt.Sprintf("%d-%d.parquet", of, len(m.files[of])))
		if err := rowfile.WriteLongs(path, []string{"k", "r"}, keys, rows); err != nil {
			return err
		}
		m.files[of] = append(m.files[of], path)
	}
	return nil
}

// left makes the tables only_wanted and only_held of what has no match on the other
// side, and counts it.
func (m *matching) left(ctx context.Context, sess *sql.Internal) (int64, error) {
	names := [2]string{"only_wanted", "only_held"}
	for of, name := range names {
		from := "(select null::bigint as k, null::bigint as r where false)"
		if len(m.files[of]) > 0 {
			from = "read_parquet([" + literals(m.files[of]) + "])"
		}
		if _, err := sess.Exec(ctx, "create or replace table "+name+" as select k, r from "+from); err != nil {
			return 0, err
		}
	}
	if max(len(m.files[0]), len(m.files[1])) > 1 { // not all have waited side by side
		for _, q := range []string{
			"create or replace table met as select k, r from only_wanted intersect select k, r from only_held",
			"delete from only_wanted using met where only_wanted.k = met.k and only_wanted.r = met.r",
			"delete from only_held using met where only_held.k = met.k and only_held.r = met.r",
		} {
			if _, err := sess.Exec(ctx, q); err != nil {
				return 0, err
			}
		}
	}
	left, err := column[int64](ctx, sess, "select (select count(*) from only_wanted) + (select count(*) from only_held)")
	if err != nil {
		return 0, err
	}
	return left[0], nil
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
