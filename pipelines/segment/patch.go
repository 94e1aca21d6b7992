package segment

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/segment/membership"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
)

// This file writes the tables of an increment: rows of profiles that are not computed
// are copied by columns, in the runs in which they lie.

// patchTables writes the partition's traits and memberships; its files stay where
// nobody is computed or gone.
func (y *increasing) patchTables(ctx context.Context) error {
	refs, err := pipelines.Read[partRef](ctx, y.t, "files")
	if err != nil {
		return err
	}
	slices.SortFunc(refs, func(a, b partRef) int { return strings.Compare(a.First, b.First) })
	files := map[string][]weir.DataFile{}
	for _, r := range refs {
		var f weir.DataFile
		if err := json.Unmarshal([]byte(r.File), &f); err != nil {
			return weir.Errorf(weir.Internal, "decode a file: %w", err)
		}
		files[r.Table] = append(files[r.Table], f)
	}
	affected := y.affected()
	if len(affected) == 0 {
		for table, old := range files {
			pipelines.Reuse(y.t, table, "", old...)
		}
		return nil
	}
	out := y.partition.cohort.Outcome()
	for name, n := range map[string]int64{"values_not_numbers": out.Skipped, "currencies_mixed": out.Mixed,
		"expressions_failed": out.Failed, "sequences_cut": out.Forgot} {
		if n > 0 {
			y.t.Count(name, n)
		}
	}
	if err := y.patchTraits(ctx, files["core.traits"], affected, out.Traits); err != nil {
		return err
	}
	return y.patchMemberships(ctx, files["segment.memberships"], affected, out.Segments)
}

// eachRows reads files in their order. The batch is released after do.
func (y *increasing) eachRows(ctx context.Context, t *table, files []weir.DataFile, do func(rec arrow.RecordBatch) error) error {
	for _, f := range files {
		for b, err := range pipelines.FileBatches(ctx, y.t, f, nil) {
			if err != nil {
				return err
			}
			rec, err := shaped(b.Rows, t.w.Schema())
			if err != nil {
				return err
			}
			err = do(rec)
			rec.Release()
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// shaped gives a batch of a file the columns of the table as it is now.
func shaped(rec arrow.RecordBatch, s *arrow.Schema) (arrow.RecordBatch, error) {
	cols := make([]arrow.Array, s.NumFields())
	for i, f := range s.Fields() {
		at := rec.Schema().FieldIndices(f.Name)
		if len(at) == 0 || !arrow.TypeEqual(rec.Column(at[0]).DataType(), f.Type) {
			return nil, weir.Errorf(weir.Internal, "a file of the table has no column %s like it", f.Name)
		}
		cols[i] = rec.Column(at[0])
	}
	return array.NewRecordBatch(s, cols, rec.NumRows()), nil
}

// fewRows is up to how many rows that are copied join those that are made: to cut a
// batch for them would take longer. Tests lower it.
var fewRows = 400

// copy writes rows of a batch as they are; what was built before comes first.
func (t *table) copy(rec arrow.RecordBatch, from, to int) error {
	if t.mixed = true; to-from <= fewRows && t.append(rec, from, to) {
		if t.rows += to - from; t.rows < writtenRows {
			return nil
		}
		return t.flush()
	}
	if err := t.flush(); err != nil {
		return err
	}
	part := rec.NewSlice(int64(from), int64(to))
	defer part.Release()
	return t.w.Write(part)
}

// append adds rows to those that are being built; false, and nothing is added, where
// a column is of a type that the tables of this stage do not have.
func (t *table) append(rec arrow.RecordBatch, from, to int) bool {
	for _, f := range t.b.Fields() {
		switch f.(type) {
		case *array.StringBuilder, *array.TimestampBuilder, *array.Decimal128Builder:
		default:
			return false
		}
	}
	for c, f := range t.b.Fields() {
		switch f := f.(type) {
		case *array.StringBuilder:
			copied(f, rec.Column(c).(*array.String), from, to)
		case *array.TimestampBuilder:
			copied(f, rec.Column(c).(*array.Timestamp), from, to)
		case *array.Decimal128Builder:
			copied(f, rec.Column(c).(*array.Decimal128), from, to)
		}
	}
	return true
}

// copied appends values of an array to those of a builder.
func copied[V any, B interface {
	Append(v V)
	AppendNull()
}, A interface {
	Value(i int) V
	IsNull(i int) bool
}](to B, of A, from, end int) {
	for i := from; i < end; i++ {
		if of.IsNull(i) {
			to.AppendNull()
		} else {
			to.Append(of.Value(i))
		}
	}
}

// patchTraits writes the traits by profile.
func (y *increasing) patchTraits(ctx context.Context, files []weir.DataFile, affected []string, traits []tally.TraitColumn) error {
	w, err := y.partition.traitTable()
	if err != nil {
		return err
	}
	defer w.b.Release()
	ids, next := y.partition.profiles.IDs, 0
	below := func(id string) error { // the fresh ones up to an id
		for ; next < len(ids) && ids[next] <= id; next++ {
			if err := w.profileRows(traits, next, ids[next]); err != nil {
				return err
			}
		}
		return nil
	}
	at := 0 // in affected
	if err := y.eachRows(ctx, w.table, files, func(rec arrow.RecordBatch) error {
		profile, err := textColumn(rec, "profile_id")
		if err != nil {
			return err
		}
		start := 0
		for i, n := 0, int(rec.NumRows()); i < n; i++ {
			id := profile.Value(i)
			for at < len(affected) && affected[at] < id {
				if err := w.copy(rec, start, i); err != nil {
					return err
				}
				if err := below(affected[at]); err != nil {
					return err
				}
				start = i
				at++
			}
			if at < len(affected) && affected[at] == id {
				if err := w.copy(rec, start, i); err != nil {
					return err
				}
				start = i + 1
			}
		}
		return w.copy(rec, start, int(rec.NumRows()))
	}); err != nil {
		return err
	}
	if len(ids) > 0 {
		if err := below(ids[len(ids)-1]); err != nil {
			return err
		}
	}
	return w.flush()
}

// span is a part of a batch.
type span struct {
	rec      arrow.RecordBatch
	from, to int
}

// patching writes segment.memberships and segment.changes of one partition.
type patching struct {
	*increasing
	w        *memberTable
	changes  membership.Writer
	affected []string
	handed   map[string][]weir.Membership
	bits     map[string]tally.SegmentBits
	names    []string // of the segments, sorted; those before next are written
	next     int
	old      []span // of the segment that is being read
}

// patchMemberships writes who belongs to the segments, and what changed.
func (y *increasing) patchMemberships(ctx context.Context, files []weir.DataFile, affected []string, found []tally.SegmentBits) error {
	p := &patching{increasing: y, affected: affected, handed: map[string][]weir.Membership{}, bits: map[string]tally.SegmentBits{}}
	for _, s := range found {
		p.bits[s.Name] = s
	}
	for _, m := range y.handed {
		p.handed[m.Segment] = append(p.handed[m.Segment], m)
	}
	for name := range y.status {
		p.names = append(p.names, name)
	}
	slices.Sort(p.names)
	counts := map[string]int64{}
	var err error
	if p.w, err = y.partition.memberTable(); err != nil {
		return err
	}
	var done func() error
	if p.changes.Change, done, err = y.partition.changeWriter(counts); err != nil {
		return err
	}
	defer p.w.b.Release()
	name := ""
	if err := y.eachRows(ctx, p.w.table, files, func(rec arrow.RecordBatch) error {
		segment, err := textColumn(rec, "segment")
		if err != nil {
			return err
		}
		from := 0
		for i, n := 0, int(rec.NumRows()); i < n; i++ {
			if segment.Value(i) == name {
				continue
			}
			p.take(rec, from, i)
			if err := p.upTo(name); err != nil {
				return err
			}
			name, from = strings.Clone(segment.Value(i)), i
		}
		p.take(rec, from, int(rec.NumRows()))
		return nil
	}); err != nil {
		return err
	}
	if err := p.upTo(name); err != nil {
		return err
	}
	for p.next < len(p.names) {
		if err := p.segment(p.names[p.next]); err != nil {
			return err
		}
		p.next++
	}
	if err := p.w.flush(); err != nil {
		return err
	}
	y.partition.countChanges(counts)
	return done()
}

func (p *patching) take(rec arrow.RecordBatch, from, to int) {
	if from < to {
		rec.Retain()
		p.old = append(p.old, span{rec, from, to})
	}
}

// upTo writes a segment whose old rows are all there, and those before it that had
// none.
func (p *patching) upTo(name string) error {
	for p.next < len(p.names) && p.names[p.next] < name {
		old := p.old
		p.old = nil
		err := p.segment(p.names[p.next])
		if p.old = old; err != nil {
			return err
		}
		p.next++
	}
	if p.next < len(p.names) && p.names[p.next] == name {
		p.next++
	} else if len(p.old) == 0 {
		return nil
	}
	err := p.segment(name)
	for _, s := range p.old {
		s.rec.Release()
	}
	p.old = p.old[:0]
	return err
}

// member is a computed profile that belongs to a segment.
type member struct {
	place int
	at    time.Time
}

// segment writes one segment: the rows of those who are not computed, and among them
// who of the others belongs to it now.
func (p *patching) segment(name string) error {
	prior, err := p.prior(name)
	if err != nil {
		return err
	}
	ids := p.partition.profiles.IDs
	in := membership.Sorted{Run: p.t.Spec().Run, Segments: map[string]membership.Status{}, IDs: ids, Prior: prior, Handed: p.handed[name],
		Matches: func(segment string) func(func(int) bool) {
			if s, evaluated := p.bits[segment]; evaluated {
				return s.All
			}
			return nil
		}}
	if status, defined := p.status[name]; defined {
		in.Segments[name] = status
	}
	var now []member
	w := p.changes
	w.Member = func(_ string, place int, at time.Time) error {
		now = append(now, member{place, at})
		return nil
	}
	if err := in.Diff(w); err != nil {
		return err
	}
	return p.merge(name, now)
}

// prior are the old memberships of those who are computed or gone.
func (p *patching) prior(name string) (out []weir.Membership, err error) {
	at := 0
	for _, s := range p.old {
		profile, err := textColumn(s.rec, "profile_id")
		if err != nil {
			return nil, err
		}
		entered, err := columnOf[*array.Timestamp](s.rec, "entered_at")
		if err != nil {
			return nil, err
		}
		for i := s.from; i < s.to && at < len(p.affected); i++ {
			id := profile.Value(i)
			for at < len(p.affected) && p.affected[at] < id {
				at++
			}
			if at < len(p.affected) && p.affected[at] == id {
				out = append(out, weir.Membership{Segment: name, ProfileID: p.affected[at], EnteredAt: moment(entered, i)})
			}
		}
	}
	return out, nil
}

// moment is when a row's profile entered; zero where it does not say.
func moment(a *array.Timestamp, row int) time.Time {
	if a.IsNull(row) {
		return time.Time{}
	}
	return time.UnixMicro(int64(a.Value(row))).UTC()
}

// merge writes a segment's rows in the order of profiles. A row that stays as it was
// is copied with its neighbours.
func (p *patching) merge(name string, now []member) error {
	ids, at := p.partition.profiles.IDs, 0
	for _, s := range p.old {
		profile, err := textColumn(s.rec, "profile_id")
		if err != nil {
			return err
		}
		entered, err := columnOf[*array.Timestamp](s.rec, "entered_at")
		if err != nil {
			return err
		}
		start := s.from
		for i := s.from; i < s.to; i++ {
			id := profile.Value(i)
			for len(now) > 0 && ids[now[0].place] < id {
				if err := p.w.copy(s.rec, start, i); err != nil {
					return err
				}
				start = i
				if err := p.w.member(name, ids[now[0].place], now[0].at); err != nil {
					return err
				}
				now = now[1:]
			}
			for at < len(p.affected) && p.affected[at] < id {
				at++
			}
			if at == len(p.affected) || p.affected[at] != id {
				continue
			}
			if len(now) > 0 && ids[now[0].place] == id && now[0].at.Equal(moment(entered, i)) {
				now = now[1:] // and the row stays
				continue
			}
			if err := p.w.copy(s.rec, start, i); err != nil {
				return err
			}
			start = i + 1
		}
		if err := p.w.copy(s.rec, start, s.to); err != nil {
			return err
		}
	}
	for _, m := range now {
		if err := p.w.member(name, ids[m.place], m.at); err != nil {
			return err
		}
	}
	return nil
}
