package resolve

import (
	"context"
	"math"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve/drift"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
	"github.com/weir-cdp/weir/pipelines/resolve/train"
)

// This file watches how far a run's records are from those that its models were
// trained on: read counts what is filled and draws a sample, partition compares.

// filledRow counts the records of one task that hold a column. To partition.
type filledRow struct {
	Of, Column int32 // Column -1: all records
	Records    int64
}

// drifting is what read does for it.
type drifting struct {
	sampler train.Sampler
	drawn   *packer
	filled  map[recordKind][]int64 // by column; the last: all records
	buf     []byte
}

func newDrifting(t *pipelines.Task, ms map[weir.Kind]*model.Model) *drifting {
	var total int64
	for _, f := range t.Spec().Inputs[records] {
		total += f.Rows
	}
	d := &drifting{sampler: train.NewSampler(int(total), drift.Sample, driftSeed), drawn: newPacker(t, "partition:drawn", 1), filled: map[recordKind][]int64{}}
	for kind, m := range ms {
		d.filled[recordKind(partitionOfKind(kind))] = make([]int64, len(m.Columns)+1)
	}
	return d
}

// driftSeed draws other records than training did.
const driftSeed = 0xd81f7

func (d *drifting) add(rec *weir.Record, of recordKind, m *model.Model, f *model.Features) error {
	n := d.filled[of]
	n[len(n)-1]++
	for c := range m.Columns {
		if !f.Values[c].Missing() || filled(rec, &m.Columns[c]) {
			n[c]++
		}
	}
	if !d.sampler.Keep(rec.ID) {
		return nil
	}
	d.buf = appendDigest(append(d.buf[:0], byte(of)), recordDigest(rec.ID))
	d.buf = f.Append(d.buf)
	return d.drawn.add(0, d.buf)
}

// filled says whether a record holds a value, as training counts it: also one that
// can't be compared.
func filled(rec *weir.Record, c *model.Column) bool {
	if !c.IsIdentifier {
		return rec.Attributes[c.Name] != ""
	}
	vs := rec.Identifiers[c.Name]
	return len(vs) > 0 && vs[0] != ""
}

func (d *drifting) flush(t *pipelines.Task) error {
	for _, of := range []recordKind{person, account} {
		n := d.filled[of]
		for c, k := range n {
			row := filledRow{Of: int32(of), Column: int32(c), Records: k}
			if c == len(n)-1 {
				row.Column = -1
			}
			if err := pipelines.Emit(t, "partition:filled", 0, row); err != nil {
				return err
			}
		}
	}
	return d.drawn.flush()
}

// The measures of identity.runs. Shares of records are in ten-thousandths, shares
// of pairs in millionths.
const (
	DriftFilledThen, DriftFilledNow = "drift_filled_then", "drift_filled_now"
	DriftLevelThen, DriftLevelNow   = "drift_level_then", "drift_level_now"
	DriftFilledUnit, DriftLevelUnit = 1e4, 1e6
	DriftLevelOf                    = ": " // between column and level in the column rule
)

// drifted takes the drift of each kind into the run's figures.
func (m *measures) drifted(ctx context.Context, t *pipelines.Task) error {
	ms, err := models(ctx, t)
	if err != nil || len(ms) == 0 {
		return err
	}
	seen := map[recordKind]*drift.Seen{}
	for kind, x := range ms {
		seen[recordKind(partitionOfKind(kind))] = &drift.Seen{Filled: make([]int64, len(x.Columns))}
	}
	for row, err := range pipelines.Stream[filledRow](ctx, t, "filled") {
		if err != nil {
			return err
		}
		if s := seen[recordKind(row.Of)]; row.Column < 0 {
			s.Records += row.Records
		} else {
			s.Filled[row.Column] += row.Records
		}
	}
	var drawn []string
	for e, err := range unpack(ctx, t, "drawn") {
		if err != nil {
			return err
		}
		drawn = append(drawn, e)
	}
	slices.SortFunc(drawn, func(a, b string) int { return strings.Compare(a[:1+digestSize], b[:1+digestSize]) })
	var decoder model.Decoder
	for _, e := range drawn {
		f, err := decoder.Decode(e[1+digestSize:])
		if err != nil {
			return err
		}
		s := seen[recordKind(e[0])]
		s.Drawn = append(s.Drawn, f)
	}
	for of, s := range seen {
		for _, f := range drift.Measure(ms[of.kind()], *s) {
			at, then, now, unit := measure{kind: string(of.kind()), rule: f.Column}, DriftFilledThen, DriftFilledNow, DriftFilledUnit
			if f.Level != "" {
				at.rule += DriftLevelOf + f.Level
				then, now, unit = DriftLevelThen, DriftLevelNow, DriftLevelUnit
			}
			m.add(at, then, int64(math.Round(f.Then*unit)))
			m.add(at, now, int64(math.Round(f.Now*unit)))
		}
	}
	return nil
}
