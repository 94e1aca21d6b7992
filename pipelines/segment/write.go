package segment

import (
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
)

// writtenRows is how many rows are handed to a table's writer at once: as many as it
// writes at once, so that it takes them as they are.
const writtenRows = 8 << 10

// table writes rows of a table column by column.
type table struct {
	w     *pipelines.BatchWriter
	cells []cells // by column; nil: one that we don't know
	rows  int
	// mixed: rows that are made stand between others that are copied, so that batches
	// are often short.
	mixed bool
}

func (p *partition) table(name string) (*table, error) {
	w, err := pipelines.OutputBatches(p.t, name, "")
	if err != nil {
		return nil, err
	}
	t := &table{w: w}
	for _, f := range w.Schema().Fields() {
		t.cells = append(t.cells, cellsOf(f.Type))
	}
	return t, nil
}

// column returns the cells of a column.
func column[C cells](t *table, name string) (C, error) {
	var none C
	at := t.w.Schema().FieldIndices(name)
	if len(at) == 1 {
		if c, ok := t.cells[at[0]].(C); ok {
			return c, nil
		}
	}
	return none, weir.Errorf(weir.Internal, "the table has no such column %s", name)
}

// next ends a row; a batch that is full is written.
func (t *table) next() error {
	if t.rows++; t.rows < writtenRows {
		return nil
	}
	return t.flush()
}

func (t *table) flush() error {
	if t.rows == 0 {
		return nil
	}
	s := t.w.Schema()
	columns := make([]arrow.Array, len(t.cells))
	for i, c := range t.cells {
		if c == nil {
			columns[i] = array.MakeArrayOfNull(memory.DefaultAllocator, s.Field(i).Type, t.rows)
		} else {
			columns[i] = c.array(s.Field(i).Type)
		}
		defer columns[i].Release()
	}
	rec := array.NewRecordBatch(s, columns, int64(t.rows))
	defer rec.Release()
	t.rows = 0
	return t.w.Write(rec)
}

// micros is a moment as tables keep it.
func micros(t time.Time) arrow.Timestamp { return arrow.Timestamp(t.UnixMicro()) }

// traitTable writes core.traits.
type traitTable struct {
	*table
	profile, trait, text *textCells
	number               *fixedCells[decimal128.Num]
	time                 *fixedCells[arrow.Timestamp]
}

func (p *partition) traitTable() (w *traitTable, err error) {
	w = &traitTable{}
	if w.table, err = p.table("core.traits"); err != nil {
		return nil, err
	}
	for name, into := range map[string]**textCells{"profile_id": &w.profile, "trait": &w.trait, "text": &w.text} {
		if *into, err = column[*textCells](w.table, name); err != nil {
			return nil, err
		}
	}
	if w.number, err = column[*fixedCells[decimal128.Num]](w.table, "number"); err != nil {
		return nil, err
	}
	w.time, err = column[*fixedCells[arrow.Timestamp]](w.table, "time")
	return w, err
}

// writeTraits writes the partition's traits by profile.
func (p *partition) writeTraits(traits []tally.TraitColumn) error {
	w, err := p.traitTable()
	if err != nil {
		return err
	}
	for place, id := range p.profiles.IDs {
		if err := w.profileRows(traits, place, id); err != nil {
			return err
		}
	}
	return w.flush()
}

// profileRows writes the traits of one profile.
func (w *traitTable) profileRows(traits []tally.TraitColumn, place int, id string) error {
	for i := range traits {
		if !w.value(&traits[i], place) {
			continue
		}
		w.profile.append(id)
		w.trait.append(traits[i].Name)
		if err := w.next(); err != nil {
			return err
		}
	}
	return nil
}

// value appends a profile's value of a trait; false if there is none.
func (w *traitTable) value(t *tally.TraitColumn, place int) bool {
	switch {
	case t.Any != nil:
		return w.any(t, place)
	case t.Codes != nil:
		if t.Codes[place] == 0 {
			return false
		}
		w.append(nil, t.Texts.Text(t.Codes[place]), nil)
	case !t.Known[place]:
		return false
	case t.Numbers != nil:
		n := decimal128.FromI64(t.Numbers[place])
		w.append(&n, "", nil)
	default:
		at := arrow.Timestamp(t.Times[place])
		w.append(nil, "", &at)
	}
	return true
}

func (w *traitTable) any(t *tally.TraitColumn, place int) bool {
	v := t.At(place)
	if n, ok := v.Number(); ok {
		d := decimal128.FromBigInt(n.Decimal().Shift(9).BigInt())
		w.append(&d, "", nil)
	} else if at, ok := v.Time(); ok {
		m := micros(at)
		w.append(nil, "", &m)
	} else if v.Known() {
		w.append(nil, v.String(), nil)
	}
	return v.Known()
}

// append appends what is set.
func (w *traitTable) append(number *decimal128.Num, text string, at *arrow.Timestamp) {
	if number != nil {
		w.number.append(*number)
	} else {
		w.number.null()
	}
	if text != "" {
		w.text.append(text)
	} else {
		w.text.null()
	}
	if at != nil {
		w.time.append(*at)
	} else {
		w.time.null()
	}
}

// texts are the cells of a table's columns of texts.
func texts(t *table, names ...string) ([]*textCells, error) {
	var out []*textCells
	for _, name := range names {
		b, err := column[*textCells](t, name)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// memberTable writes segment.memberships.
type memberTable struct {
	*table
	texts   []*textCells
	entered *fixedCells[arrow.Timestamp]
}

func (p *partition) memberTable() (w *memberTable, err error) {
	w = &memberTable{}
	if w.table, err = p.table("segment.memberships"); err != nil {
		return nil, err
	}
	if w.texts, err = texts(w.table, "segment", "profile_id"); err != nil {
		return nil, err
	}
	w.entered, err = column[*fixedCells[arrow.Timestamp]](w.table, "entered_at")
	return w, err
}

func (w *memberTable) member(segment, profile string, at time.Time) error {
	w.texts[0].append(segment)
	w.texts[1].append(profile)
	if at.IsZero() {
		w.entered.null()
	} else {
		w.entered.append(micros(at))
	}
	return w.next()
}

// changeWriter writes segment.changes, and counts them by what they are; done ends it.
func (p *partition) changeWriter(counts map[string]int64) (write func(segment, profile, change, cause string) error, done func() error, err error) {
	changes, err := p.table("segment.changes")
	if err != nil {
		return nil, nil, err
	}
	c, err := texts(changes, "segment", "profile_id", "change", "run_id", "cause")
	if err != nil {
		return nil, nil, err
	}
	changed, err := column[*fixedCells[arrow.Timestamp]](changes, "at")
	if err != nil {
		return nil, nil, err
	}
	run := p.t.Spec().Run
	write = func(segment, profile, change, cause string) error {
		counts[change]++
		for i, s := range [...]string{segment, profile, change, string(run.ID), cause} {
			c[i].append(s)
		}
		changed.append(micros(run.Now))
		return changes.next()
	}
	return write, changes.flush, nil
}

// countChanges counts who entered and who left.
func (p *partition) countChanges(counts map[string]int64) {
	for change, n := range counts {
		p.t.Count(map[string]string{"enter": "entered", "exit": "exited"}[change], n)
	}
}
