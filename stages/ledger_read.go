package stages

import (
	"context"
	"iter"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// headRow is what a difference reads of an entry.
type headRow struct {
	Entry      int64             `parquet:"entry"`
	Change     weir.LedgerChange `parquet:"change"`
	Statement  string            `parquet:"statement"`
	Who        string            `parquet:"who"`
	Commitment string            `parquet:"commitment"`
	Source     string            `parquet:"source"`
	Stream     string            `parquet:"stream"`
}

// scanHeads reads the ledger as it was committed last, in no order.
func (h *House) scanHeads(ctx context.Context) iter.Seq2[headRow, error] {
	return func(yield func(headRow, error) bool) {
		files, err := h.ledgerFiles(ctx)
		if err != nil {
			yield(headRow{}, err)
			return
		}
		for row, err := range rowfile.Scan[headRow](ctx, h.store(), schema.Named(ledgerTable), files) {
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

func (h *House) ledgerFiles(ctx context.Context) ([]weir.DataFile, error) {
	snap, err := h.Lake.Current(ctx, ledgerTable)
	if weir.CodeOf(err) == weir.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return h.Lake.Files(ctx, ledgerTable, snap.ID)
}

// ledgerEntries yields all entries in the order of their numbers. Files hold theirs in
// order, and batches follow each other, so that few are open at a time: those that
// maintenance has merged from files of the same time.
func (h *House) ledgerEntries(ctx context.Context) iter.Seq2[weir.LedgerEntry, error] {
	return func(yield func(weir.LedgerEntry, error) bool) {
		m := &entryMerge{}
		defer m.close()
		if err := m.open(ctx, h); err != nil {
			yield(weir.LedgerEntry{}, err)
			return
		}
		for {
			e, ok, err := m.next()
			if err != nil {
				yield(e, err)
				return
			}
			if !ok || !yield(e, nil) {
				return
			}
		}
	}
}

// entryMerge merges files by entry number.
type entryMerge struct {
	waiting []*entryFile // by first entry
	active  []*entryFile
}

type entryFile struct {
	rows  iter.Seq2[weir.LedgerEntry, error]
	first int64
	next  func() (weir.LedgerEntry, error, bool)
	stop  func()
	row   weir.LedgerEntry
}

func (m *entryMerge) open(ctx context.Context, h *House) error {
	files, err := h.ledgerFiles(ctx)
	if err != nil {
		return err
	}
	type number struct {
		Entry int64 `parquet:"entry"`
	}
	t := schema.Named(ledgerTable)
	for _, f := range files {
		e := &entryFile{rows: rowfile.Scan[weir.LedgerEntry](ctx, h.store(), t, []weir.DataFile{f})}
		for n, err := range rowfile.Scan[number](ctx, h.store(), t, []weir.DataFile{f}) {
			if err != nil {
				return err
			}
			e.first = n.Entry
			break
		}
		m.waiting = append(m.waiting, e)
	}
	slices.SortStableFunc(m.waiting, func(a, b *entryFile) int { return int(a.first - b.first) })
	return nil
}

func (m *entryMerge) next() (e weir.LedgerEntry, ok bool, err error) {
	for {
		least := -1
		for i, f := range m.active {
			if least < 0 || f.row.Entry < m.active[least].row.Entry {
				least = i
			}
		}
		if len(m.waiting) > 0 && (least < 0 || m.waiting[0].first <= m.active[least].row.Entry) {
			f := m.waiting[0]
			m.waiting = m.waiting[1:]
			f.next, f.stop = iter.Pull2(f.rows)
			m.active = append(m.active, f)
			if err := m.step(len(m.active) - 1); err != nil {
				return e, false, err
			}
			continue
		}
		if least < 0 {
			return e, false, nil
		}
		e = m.active[least].row
		return e, true, m.step(least)
	}
}

// step reads a file's next row; at its end the file is closed.
func (m *entryMerge) step(i int) error {
	row, err, ok := m.active[i].next()
	if ok && err == nil {
		m.active[i].row = row
		return nil
	}
	m.active[i].stop()
	m.active = slices.Delete(m.active, i, i+1)
	return err
}

func (m *entryMerge) close() {
	for _, f := range m.active {
		f.stop()
	}
}
