package model

import (
	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/compare"
)

// Preparer prepares many records of one model, one after the other. Names and towns
// come again and again, and what was made of one is remembered.
type Preparer struct {
	// Usable says that identifiers that are worth nothing were left out of the records
	// (evidence.Usable), and need not be looked for.
	Usable bool
	model  *Model
	values []compare.Value
	known  []memory // by column
}

// memory is what is remembered of a column, until it turns out that few of its values
// come again.
type memory struct {
	slots      []remembered
	seen, hits int
}

// remembered is a value as it was read, and what was made of it.
type remembered struct {
	raw   string
	value compare.Value
}

const (
	rememberedValues = 1024 // of a column: a power of two
	trial            = 8 * rememberedValues
)

// Preparer makes one. It is used by one goroutine.
func (m *Model) Preparer() *Preparer {
	return &Preparer{model: m, values: make([]compare.Value, len(m.columns)), known: make([]memory, len(m.columns))}
}

// Prepare is Model.Prepare. The features are valid until the next record.
func (p *Preparer) Prepare(r *weir.Record) Features {
	clear(p.values)
	return p.model.read(r, p.values, p.Usable, p.prepare)
}

// PrepareTo is Prepare into values that are the caller's: all zero, as many as the
// model has columns.
func (p *Preparer) PrepareTo(values []compare.Value, r *weir.Record) Features {
	return p.model.read(r, values, p.Usable, p.prepare)
}

func (p *Preparer) prepare(i int, raw string) compare.Value {
	if raw == "" {
		return compare.Value{}
	}
	k := &p.known[i]
	if k.seen == trial && k.hits < trial/2 {
		return p.model.columns[i].prepare(raw)
	}
	if k.slots == nil {
		k.slots = make([]remembered, rememberedValues)
	}
	at := &k.slots[Hash(0, raw)&(rememberedValues-1)]
	hit := at.raw == raw
	if k.seen < trial {
		k.seen++
		if hit {
			k.hits++
		}
	}
	if !hit {
		*at = remembered{raw, p.model.columns[i].prepare(raw)}
	}
	return at.value
}
