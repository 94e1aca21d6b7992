package timeline

import (
	"time"

	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// Picker is a filter at one now over blocks of one dictionary: it asks about each
// different text of a property once.
type Picker struct {
	window     Micros
	conditions []pickerCondition
	texts      *Dictionary
	now        time.Time
}

type pickerCondition struct {
	*condition
	verdicts []verdict // by number of the text
}

// verdict is what a condition says of a text.
type verdict uint8

const (
	unasked verdict = iota
	refused
	taken
)

// Picker returns the filter's picker.
func (f *Filter) Picker(d *Dictionary, now time.Time) *Picker {
	p := &Picker{window: f.Window.Micros(now), texts: d, now: now}
	for i := range f.where {
		p.conditions = append(p.conditions, pickerCondition{condition: &f.where[i]})
	}
	return p
}

// Pick appends to into those of the block's rows that the filter takes, whatever their
// names.
func (p *Picker) Pick(b *Block, rows, into []int32) []int32 {
	from, until := p.window.From, p.window.Until
	if len(p.conditions) == 0 {
		for _, i := range rows {
			if at := b.At[i]; from <= at && at < until {
				into = append(into, i)
			}
		}
		return into
	}
next:
	for _, i := range rows {
		if at := b.At[i]; at < from || at >= until {
			continue
		}
		for c := range p.conditions {
			if !p.holds(&p.conditions[c], b, i) {
				continue next
			}
		}
		into = append(into, i)
	}
	return into
}

func (p *Picker) holds(c *pickerCondition, b *Block, row int32) bool {
	code := uint32(0)
	if codes := b.Properties[c.slot]; codes != nil {
		code = codes[row]
	}
	texts := &p.texts.Properties[c.slot]
	if int(code) >= len(c.verdicts) {
		c.verdicts = append(c.verdicts, make([]verdict, texts.Len()-len(c.verdicts))...)
	}
	if c.verdicts[code] == unasked {
		c.verdicts[code] = refused
		if value.HoldsAll(c.tests, value.OfText(texts.Text(code)), p.now) {
			c.verdicts[code] = taken
		}
	}
	return c.verdicts[code] == taken
}
