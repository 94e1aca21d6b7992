package timeline

import (
	"strings"
	"time"
)

// Texts numbers different texts from 1 on; 0 is the empty text, which is that of a
// property that an event does not have.
type Texts struct {
	list  []string
	codes map[string]uint32
}

// Code returns the number of a text, a new one for a new text, which is copied.
func (t *Texts) Code(text string) uint32 {
	if text == "" {
		return 0
	}
	if code, known := t.codes[text]; known {
		return code
	}
	if t.codes == nil {
		t.codes = map[string]uint32{}
	}
	text = strings.Clone(text)
	t.list = append(t.list, text)
	t.codes[text] = uint32(len(t.list))
	return uint32(len(t.list))
}

// Text returns the text of a number.
func (t *Texts) Text(code uint32) string {
	if code == 0 {
		return ""
	}
	return t.list[code-1]
}

// Len is one more than the largest number.
func (t *Texts) Len() int { return len(t.list) + 1 }

// Dictionary numbers the texts of blocks.
type Dictionary struct {
	Names      Texts
	Properties []Texts // by slot of the layout
}

// Block is events of many profiles, column by column; all columns have a value
// for each event.
type Block struct {
	Profiles   []int32  // the place of the event's profile among those of the evaluation
	At         []int64  // microseconds since 1970
	Names      []uint32 // by Dictionary.Names
	IDEnds     []uint32 // where the id ends in IDs, which begins where the one before ends
	IDs        string
	Properties [][]uint32 // by slot; nil: no event has it
}

// Len is how many events there are.
func (b *Block) Len() int { return len(b.At) }

// ID returns an event's id, a part of IDs.
func (b *Block) ID(i int) string {
	from := uint32(0)
	if i > 0 {
		from = b.IDEnds[i-1]
	}
	return b.IDs[from:b.IDEnds[i]]
}

// Event makes an event of a row; its properties take the place of into's.
func (b *Block) Event(i int, d *Dictionary, into *Event) {
	into.ID, into.Name, into.At = b.ID(i), d.Names.Text(b.Names[i]), time.UnixMicro(b.At[i]).UTC()
	into.Properties = into.Properties[:0]
	for slot, codes := range b.Properties {
		text := ""
		if codes != nil {
			text = d.Properties[slot].Text(codes[i])
		}
		into.Properties = append(into.Properties, text)
	}
}
