package segment

import (
	"context"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/segment/membership"
)

// This file sends the memberships of the last run to where they are compared.

// priorRow is memberships of one segment, of one partition's profiles, column by column.
type priorRow struct {
	Segment   string
	Ends      []uint32 // where each profile's id ends in Profiles
	Profiles  []byte
	EnteredAt []int64 // microseconds since 1970
}

// priorMembers is how many memberships make a row at most.
const priorMembers = 16 << 10

func (r *priorRow) add(profile string, at int64) {
	r.Profiles = append(r.Profiles, profile...)
	r.Ends, r.EnteredAt = append(r.Ends, uint32(len(r.Profiles))), append(r.EnteredAt, at)
}

func (r *priorRow) empty() {
	r.Ends, r.Profiles, r.EnteredAt = r.Ends[:0], r.Profiles[:0], r.EnteredAt[:0]
}

// scatterPrior sends memberships to their profiles and, of profiles that handed over to
// others, to the successors too.
func (s *setup) scatterPrior(ctx context.Context, t *pipelines.Task) error {
	successors, err := s.successors(ctx, t)
	if err != nil {
		return err
	}
	p := &priors{t: t, rows: make([]priorRow, max(1, t.Spec().Partitions)), successors: successors}
	for b, err := range pipelines.Batches(ctx, t, []string{"segment", "profile_id", "entered_at"}) {
		if err == nil {
			err = p.batch(b.Rows)
		}
		if err != nil {
			return err
		}
	}
	return p.flush()
}

// priors gathers memberships of one segment.
type priors struct {
	t          *pipelines.Task
	segment    string
	rows       []priorRow // by partition
	successors membership.Successors
}

func (p *priors) batch(rec arrow.RecordBatch) error {
	segments, err := textColumn(rec, "segment")
	if err != nil {
		return err
	}
	profiles, err := textColumn(rec, "profile_id")
	if err != nil {
		return err
	}
	entered, err := columnOf[*array.Timestamp](rec, "entered_at")
	if err != nil {
		return err
	}
	unit := entered.DataType().(*arrow.TimestampType).Unit
	for i := range int(rec.NumRows()) {
		if name := valueOf(segments, i); name != p.segment {
			if err := p.flush(); err != nil {
				return err
			}
			p.segment = strings.Clone(name)
		}
		at := nobody
		if entered.IsValid(i) {
			at = int64(entered.Value(i))
			if unit != arrow.Microsecond {
				at = entered.Value(i).ToTime(unit).UnixMicro()
			}
		}
		if err := p.add(valueOf(profiles, i), at); err != nil {
			return err
		}
	}
	return nil
}

func (p *priors) add(profile string, at int64) error {
	to := pipelines.PartitionOf(profile, p.t.Spec().Partitions)
	row := &p.rows[to]
	if row.add(profile, at); len(row.Ends) == priorMembers {
		if err := p.emit(to); err != nil {
			return err
		}
	}
	if to := p.successors.Of(profile); to != "" {
		return handOver(p.t, p.segment, to, at)
	}
	return nil
}

// handOver sends a membership to the profile that took over from its own.
func handOver(t *pipelines.Task, segment, to string, at int64) error {
	row := priorRow{Segment: segment}
	row.add(to, at)
	return emit(t, "compute:handed", to, row)
}

func (p *priors) emit(partition int) error {
	row := &p.rows[partition]
	row.Segment = p.segment
	err := pipelines.Emit(p.t, "compute:prior", partition, *row)
	row.empty()
	return err
}

func (p *priors) flush() error {
	for i := range p.rows {
		if len(p.rows[i].Ends) == 0 {
			continue
		}
		if err := p.emit(i); err != nil {
			return err
		}
	}
	return nil
}

func readPrior(ctx context.Context, t *pipelines.Task, channel string) (out []membership.Column, err error) {
	for row, err := range pipelines.Stream[priorRow](ctx, t, channel) {
		if err != nil {
			return nil, err
		}
		c, from, all := membership.Column{Segment: row.Segment, EnteredAt: row.EnteredAt, Profiles: make([]string, len(row.Ends))}, uint32(0), text(row.Profiles)
		for i, end := range row.Ends {
			c.Profiles[i], from = all[from:end], end
		}
		out = append(out, c)
	}
	return out, nil
}
