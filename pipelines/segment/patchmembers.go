package segment

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/membership"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
)

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
	handed   map[string][]membership.Column
	bits     map[string]tally.SegmentBits
	names    []string // of the segments, sorted; those before next are written
	next     int
	old      []span // of the segment that is being read
}

// patchMemberships writes who belongs to the segments, and what changed.
func (y *increasing) patchMemberships(ctx context.Context, files []weir.DataFile, affected []string, found []tally.SegmentBits) error {
	p := &patching{increasing: y, affected: affected, handed: map[string][]membership.Column{}, bits: map[string]tally.SegmentBits{}}
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
func (p *patching) prior(name string) ([]membership.Column, error) {
	out, at := membership.Column{Segment: name}, 0
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
				out.Profiles = append(out.Profiles, p.affected[at])
				out.EnteredAt = append(out.EnteredAt, moment(entered, i).UnixMicro())
			}
		}
	}
	if len(out.Profiles) == 0 {
		return nil, nil
	}
	return []membership.Column{out}, nil
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
