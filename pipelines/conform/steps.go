package conform

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/conform/mapping"
)

// rowsChannel carries versions from map to settle.
const rowsChannel = "rows"

// mapRows is the first step: the rows of some raw files become versions.
func mapRows(ctx context.Context, t *pipelines.Task) error {
	all, err := streams(t)
	if err != nil {
		return err
	}
	p, err := pipelines.Params[Params](t)
	if err != nil {
		return err
	}
	table, _, _ := t.Source()
	var mine []*stream
	var columns []string
	for _, s := range all {
		if s.RawTable == table {
			mine = append(mine, s)
			columns = append(columns, s.names()...)
		}
	}
	if len(mine) == 0 {
		return nil // landed, but no stream reads it any more
	}
	slices.Sort(columns)
	where := place(t.Spec(), p.Streams)
	for batch, err := range pipelines.Batches(ctx, t, slices.Compact(columns)) {
		if err != nil {
			return err
		}
		for _, s := range mine {
			if err := mapBatch(t, s, p, where, batch); err != nil {
				return err
			}
		}
	}
	return nil
}

func mapBatch(t *pipelines.Task, s *stream, p Params, where placement, batch pipelines.Batch) error {
	row := &batchRow{cells: cells(batch.Rows, s.columns, s.read, s.context.Location)}
	m := &mapper{stream: s, row: row}
	for row.row = 0; row.row < int(batch.Rows.NumRows()); row.row++ {
		m.context, m.faults = s.context, m.faults[:0]
		m.context.Phones = &m.phones
		v, ok := m.version(batch.First + int64(row.row))
		if ok {
			if err := pipelines.Emit(t, rowsChannel, where.of(s.index, v.ID), v); err != nil {
				return err
			}
			continue
		}
		if err := quarantine(t, s, p, v, m.faults); err != nil {
			return err
		}
	}
	return nil
}

// version maps the present row, which stands at position in its file; ok is false for one without a key, which has no
// versions: its faults, if any, are all there is of it.
func (m *mapper) version(position int64) (v version, ok bool) {
	collected := m.provenance(&v, position)
	v.ID, ok = m.id(m.row)
	op := ""
	if m.own.op >= 0 {
		op = m.row.Value(m.own.op).Text
	}
	if op == "delete" {
		v.State = deleted
		if !ok {
			m.withhold("key", "a deleted row lacks its key: "+m.keyless(m.row), "")
		}
		return v, ok
	}
	if m.program.Where != nil {
		keep, err := m.program.Where.Eval(m.row)
		if err != nil {
			m.report("where", err, "", true)
			v.State = withheld
		} else if keep.Kind != mapping.Bool || keep.Int == 0 {
			v.State = filtered
			return v, ok && op != "former"
		}
	}
	if !ok {
		m.withhold("key", "a row lacks its key: "+m.keyless(m.row), "")
		return v, false
	}
	var row body
	if v.State == kept && !m.mapRow(&row, collected) {
		v.State = withheld
	}
	if op == "former" {
		if v.State != kept {
			m.faults = m.faults[:0] // told while the row was there
			return v, false
		}
		v.State = former
	}
	var all body
	all.b = make([]byte, 0, len(row.b)+8)
	all.faults(m.faults)
	if v.State == kept || v.State == former {
		all.b = append(all.b, row.b...)
	}
	v.Body = all.b
	return v, true
}

// provenance reads what collect says about the present row.
func (m *mapper) provenance(v *version, position int64) (collected time.Time) {
	v.Line, v.Row = -1, position
	if m.own.collectedAt >= 0 {
		if at := m.row.Value(m.own.collectedAt); at.Kind == mapping.Instant {
			collected = at.Time.UTC().Truncate(time.Microsecond)
			v.CollectedAt = collected.UnixMicro()
		}
	}
	if m.own.origin >= 0 {
		origin, line := cutOrigin(m.row.Value(m.own.origin).Text)
		if origin != m.lastOrigin {
			m.lastOrigin = strings.Clone(origin) // the batch it is of goes
		}
		v.Origin, v.Line = m.lastOrigin, line
	}
	if m.own.rowID >= 0 {
		if n, ok := rowNumber(m.row.Value(m.own.rowID).Text); ok {
			v.Row = n
		}
	}
	return collected
}

// settle is the second step: of the versions of each id, the last one is
// written.
func settle(ctx context.Context, t *pipelines.Task) error {
	all, err := streams(t)
	if err != nil {
		return err
	}
	p, err := pipelines.Params[Params](t)
	if err != nil {
		return err
	}
	s := all[place(t.Spec(), p.Streams).stream(t.Partition())]
	versions, err := pipelines.Read[version](ctx, t, rowsChannel)
	if err != nil {
		return err
	}
	slices.SortStableFunc(versions, byIDAndAge)
	w := &settler{t: t, stream: s, params: p, generations: generationsOf(versions)}
	for len(versions) > 0 {
		n := 1
		for n < len(versions) && versions[n].ID == versions[0].ID {
			n++
		}
		if err := w.settle(versions[:n]); err != nil {
			return err
		}
		versions = versions[n:]
	}
	return w.finish()
}

// settler writes the settled rows of one stream's partition.
type settler struct {
	t *pipelines.Task
	*stream
	params      Params
	generations generations
	consents    []weir.Consent
}

// settle takes the versions of one id, the last one last.
func (w *settler) settle(versions []version) error {
	for i := 1; i < len(versions); i++ {
		if a, b := versions[i-1], versions[i]; a.State == kept && b.State == kept && a.CollectedAt == b.CollectedAt {
			w.t.Count("duplicate_keys", 1)
		}
	}
	if versions[len(versions)-1].State == former {
		kept, err := w.restriction(versions[len(versions)-1])
		if kept || err != nil {
			return err
		}
		for len(versions) > 0 && versions[len(versions)-1].State == former {
			versions = versions[:len(versions)-1]
		}
		if len(versions) == 0 {
			w.t.Count("deleted", 1)
			return nil
		}
	}
	last := versions[len(versions)-1]
	if last.State == deleted {
		w.t.Count("deleted", 1)
		return w.keepRestriction(versions)
	}
	if last.State == filtered {
		w.t.Count("filtered", 1)
		return w.keepRestriction(versions)
	}
	r := &bodyReader{b: last.Body}
	if err := quarantine(w.t, w.stream, w.params, last, r.faults()); err != nil {
		return err
	}
	if last.State == withheld {
		return w.keepRestriction(versions)
	}
	return w.write(last, r)
}

// keepRestriction keeps what a row of a consent stream last said, if it restricts
// and its newer version is deleted, filtered out or can't be used: that somebody
// said no is not undone by clearing or garbling a list.
func (w *settler) keepRestriction(versions []version) error {
	if w.Mapping.As != mapping.Consent {
		return nil
	}
	for _, v := range slices.Backward(versions) {
		if v.State == kept || v.State == former {
			_, err := w.restriction(v)
			return err
		}
	}
	return nil
}

// restriction keeps what a version says, if it restricts, and says whether it did.
func (w *settler) restriction(v version) (bool, error) {
	r := &bodyReader{b: v.Body}
	r.faults()
	restricts := false
	for _, c := range w.readConsents(v.ID, r) {
		if c.Action != weir.Granted && c.Action != weir.Unrestricted {
			w.consents = append(w.consents, c)
			w.t.Count("restrictions_kept", 1)
			restricts = true
		}
	}
	return restricts, broken(r)
}

func broken(r *bodyReader) error {
	if r.bad {
		return weir.Errorf(weir.Internal, "a scratch row can't be read")
	}
	return nil
}

func (w *settler) write(v version, r *bodyReader) error {
	scope := Scope(w.Mapping.Source, w.Mapping.Stream)
	switch w.Mapping.As {
	case mapping.Consent:
		w.consents = append(w.consents, w.readConsents(v.ID, r)...)
		return broken(r)
	case mapping.Event:
		e := w.readEvent(v.ID, r)
		if err := broken(r); err != nil {
			return err
		}
		out, err := pipelines.OutputPart[weir.Event](w.t, eventsTable, scope, w.generations.of(v))
		if err != nil {
			return err
		}
		return out.Write(e)
	}
	rec := w.readRecord(v.ID, r)
	if err := broken(r); err != nil {
		return err
	}
	out, err := pipelines.Output[weir.Record](w.t, recordsTable, scope)
	if err != nil {
		return err
	}
	return out.Write(rec)
}

// finish writes the consents: a row with several addresses gave several, whose
// ids sort differently from the rows'.
func (w *settler) finish() error {
	slices.SortFunc(w.consents, func(a, b weir.Consent) int { return cmp.Compare(a.ID, b.ID) })
	for _, c := range w.consents {
		out, err := pipelines.Output[weir.Consent](w.t, consentsTable, Scope(w.Mapping.Source, w.Mapping.Stream))
		if err != nil {
			return err
		}
		if err := out.Write(c); err != nil {
			return err
		}
	}
	return nil
}

// consentID tells apart the consents of a row that names several addresses.
func consentID(row, kind string, kinds bool, n int) string {
	if kinds {
		row += "/" + kind
	}
	if n > 0 {
		row += "/" + strconv.Itoa(n)
	}
	return row
}

// quarantine reports a version's faults.
func quarantine(t *pipelines.Task, s *stream, p Params, v version, faults []fault) error {
	at := time.UnixMicro(v.CollectedAt).UTC()
	for _, f := range faults {
		q := f.quarantined(s.Mapping, v.origin())
		if v.CollectedAt != 0 {
			q.At = at
		}
		if p.KeepExcerpts > 0 && t.Spec().Run.Now.Sub(at) > p.KeepExcerpts {
			q.Excerpt = ""
		}
		if err := pipelines.Quarantine(t, q); err != nil {
			return err
		}
	}
	return nil
}
