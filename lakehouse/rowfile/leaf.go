package rowfile

import (
	"encoding/binary"
	"unsafe"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/weir-cdp/weir"
)

// Leaf is one leaf column of a row group, entry by entry, straight from its pages:
// what Arrow makes arrays of. A row has one entry, or one for each item of its lists
// and maps; a list that is empty or null is an entry that has no item.
//
// Next moves to the first entry, then to the next. After it, the fields tell of the
// entry.
type Leaf struct {
	Text string // of a column of texts; valid until Next. "" for null
	Code int    // its number in the dictionary; -1: it is in none
	Int  int64  // of a column of numbers of 64 bits

	file   *fileReader
	pages  file.PageReader
	ints   bool
	lists  []uint8 // from which definition level on the list of each depth has an item
	maxDef uint8
	maxRep int16

	rep, def   uint8
	at         int // the next entry of the page
	reps, defs []uint8
	coded      bool // the page's values are codes
	codes      []uint32
	plain      []byte
	texts      []string // the dictionary
	numbers    []int64  // likewise
	generation int
	err        error
}

// Rep is the depth of the innermost list that the entry goes on with: 0 begins a row.
func (l *Leaf) Rep() int { return int(l.rep) }

// More says whether an entry follows that goes on with a list of this depth or a
// deeper one: 1 is the outermost.
func (l *Leaf) More(depth int) bool {
	if l.at >= len(l.defs) && !l.load() {
		return false
	}
	return l.maxRep > 0 && int(l.reps[l.at]) >= depth
}

// Has says whether the list of this depth has an item here: 1 is the outermost.
func (l *Leaf) Has(depth int) bool { return l.def >= l.lists[depth-1] }

// Null says that there is no value.
func (l *Leaf) Null() bool { return l.def != l.maxDef }

// Dictionary returns the texts that Code numbers, and a number that is another for
// another dictionary. The texts are valid until the leaf's row group ends.
func (l *Leaf) Dictionary() (texts []string, generation int) { return l.texts, l.generation }

// Err is why there is no further entry.
func (l *Leaf) Err() error {
	if l.err == nil {
		l.damaged()
	}
	return l.file.failed(l.err)
}

// Next moves to the next entry; false: there is none.
func (l *Leaf) Next() bool {
	if l.at >= len(l.defs) && !l.load() {
		return false
	}
	if l.maxRep > 0 {
		l.rep = l.reps[l.at]
	}
	l.def = l.defs[l.at]
	l.at++
	if l.def != l.maxDef {
		l.Text, l.Code, l.Int = "", -1, 0
		return true
	}
	switch {
	case l.coded:
		code := int(l.codes[0])
		l.codes, l.Code = l.codes[1:], code
		if l.ints {
			if code >= len(l.numbers) {
				return l.damaged()
			}
			l.Int = l.numbers[code]
			return true
		}
		if code >= len(l.texts) {
			return l.damaged()
		}
		l.Text = l.texts[code]
	case l.ints:
		if len(l.plain) < 8 {
			return l.damaged()
		}
		l.Int, l.plain = int64(binary.LittleEndian.Uint64(l.plain)), l.plain[8:]
	default:
		if len(l.plain) < 4 {
			return l.damaged()
		}
		n := int(binary.LittleEndian.Uint32(l.plain))
		if n > len(l.plain)-4 {
			return l.damaged()
		}
		l.Text = unsafe.String(unsafe.SliceData(l.plain[4:]), n)
		l.plain, l.Code = l.plain[4+n:], -1
	}
	return true
}

func (l *Leaf) damaged() bool {
	l.err = weir.Errorf(weir.Internal, "a page of a Parquet file is damaged")
	l.at, l.defs = 0, nil
	return false
}

// load reads the next page that has entries.
func (l *Leaf) load() bool {
	for l.err == nil && l.pages.Next() {
		if p, is := l.pages.Page().(*file.DictionaryPage); is {
			if !l.dictionary(p) {
				return l.damaged()
			}
			continue
		}
		if !l.page(l.pages.Page()) {
			return l.damaged()
		}
		if len(l.defs) > 0 {
			return true
		}
	}
	if l.err == nil {
		l.err = l.pages.Err()
	}
	return false
}

// dictionary reads the page of a dictionary, whose bytes stay until the pages are closed.
func (l *Leaf) dictionary(p *file.DictionaryPage) bool {
	l.texts, l.numbers = l.texts[:0], l.numbers[:0]
	l.generation++
	data := p.Data()
	for range p.NumValues() {
		if l.ints {
			if len(data) < 8 {
				return false
			}
			l.numbers, data = append(l.numbers, int64(binary.LittleEndian.Uint64(data))), data[8:]
			continue
		}
		if len(data) < 4 {
			return false
		}
		n := int(binary.LittleEndian.Uint32(data))
		if n > len(data)-4 {
			return false
		}
		l.texts, data = append(l.texts, unsafe.String(unsafe.SliceData(data[4:]), n)), data[4+n:]
	}
	return true
}

// page reads the levels of a page of values.
func (l *Leaf) page(p file.Page) (ok bool) {
	data, n := p.Data(), int(p.NumValues())
	l.at, l.reps, l.defs = 0, l.reps[:0], l.defs[:0]
	var reps, defs []byte
	switch p := p.(type) {
	case *file.DataPageV1:
		if l.maxRep > 0 {
			if reps, data, ok = sizedPart(data); !ok {
				return false
			}
		}
		if l.maxDef > 0 {
			if defs, data, ok = sizedPart(data); !ok {
				return false
			}
		}
	case *file.DataPageV2:
		r, d := int(p.RepetitionLevelByteLen()), int(p.DefinitionLevelByteLen())
		if r+d > len(data) {
			return false
		}
		reps, defs, data = data[:r], data[r:r+d], data[r+d:]
	default:
		return false
	}
	if l.maxRep > 0 {
		if l.reps, ok = hybrid(l.reps, reps, widthOf(l.maxRep), n); !ok {
			return false
		}
	}
	if l.defs, ok = hybrid(l.defs, defs, widthOf(int16(l.maxDef)), n); !ok {
		return false
	}
	return l.values(data, parquet.Encoding(p.Encoding()))
}

func (l *Leaf) values(data []byte, e parquet.Encoding) (ok bool) {
	l.coded = e == parquet.Encodings.RLEDict || e == parquet.Encodings.PlainDict
	if !l.coded {
		l.plain = data
		return e == parquet.Encodings.Plain
	}
	n := 0
	for _, d := range l.defs {
		if d == l.maxDef {
			n++
		}
	}
	l.codes = l.codes[:0]
	if n == 0 {
		return true
	}
	if len(data) == 0 {
		return false
	}
	l.codes, ok = hybrid(l.codes, data[1:], int(data[0]), n)
	return ok
}

// sizedPart cuts what its length precedes from the front of data.
func sizedPart(data []byte) (part, rest []byte, ok bool) {
	if len(data) < 4 {
		return nil, nil, false
	}
	n := int(binary.LittleEndian.Uint32(data))
	if n > len(data)-4 {
		return nil, nil, false
	}
	return data[4 : 4+n], data[4+n:], true
}

// listLevels returns, for each list that a leaf lies in, the outermost first, from
// which definition level on it has an item.
func listLevels(c *schema.Column) (out []uint8) {
	var path []schema.Node
	for n := c.SchemaNode(); n != nil && n.Parent() != nil; n = n.Parent() {
		path = append(path, n)
	}
	level := uint8(0)
	for i := len(path) - 1; i >= 0; i-- {
		switch path[i].RepetitionType() {
		case parquet.Repetitions.Optional:
			level++
		case parquet.Repetitions.Repeated:
			level++
			out = append(out, level)
		}
	}
	return out
}
