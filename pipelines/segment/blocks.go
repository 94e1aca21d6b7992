package segment

import (
	"encoding/binary"
	"slices"
	"strings"
	"sync"

	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
)

// blockRow is events for one partition, column by column. Their texts are numbered
// in the block's own dictionaries, so that a block can be read alone.
type blockRow struct {
	Events  int32
	Columns []byte
}

// heldEvents is how many events a task of scatter gathers before it emits them.
const heldEvents = 256 << 10

// gathered are events on their way to partitions.
type gathered struct {
	to    string // the channel
	texts timeline.Dictionary
	// Those whose owners are not known yet: pendingEvents at most.
	rows timeline.Block // its Profiles are not used
	ids  []byte
	// Those that are known, by partition, as they came.
	parts []heldPart
	n     int

	// Of the block that is being written, and kept for their memory.
	out     []byte
	local   []uint32 // its number of a text, by ours
	own     []uint32 // our numbers of its texts
	numbers []uint32
}

// heldPart is events of one partition.
type heldPart struct {
	places []uint32
	rows   timeline.Block // its Profiles are not used
	ids    []byte
}

// heldMemory is that of parts, for the tasks that follow.
var heldMemory sync.Pool

func newGathered(slots int) *gathered {
	g := &gathered{to: "compute:blocks"}
	g.rows.Properties = make([][]uint32, slots)
	g.texts.Properties = make([]timeline.Texts, slots)
	if kept, ok := heldMemory.Get().(*[]heldPart); ok {
		g.parts = *kept
	}
	return g
}

// close gives the memory back.
func (g *gathered) close() {
	parts := g.parts
	g.parts = nil
	heldMemory.Put(&parts)
}

// row begins a row, without properties and owner yet.
func (g *gathered) row(at int64, name uint32, id string) int {
	r, n := &g.rows, len(g.rows.At)
	r.At, r.Names = append(r.At, at), append(r.Names, name)
	g.ids = append(g.ids, id...)
	r.IDEnds = append(r.IDEnds, uint32(len(g.ids)))
	for i, codes := range r.Properties {
		if len(codes) > n {
			break // all of them
		}
		r.Properties[i] = append(codes, noCodes[:]...)
	}
	return n
}

var noCodes [pendingEvents]uint32

// send gives a row its owner.
func (g *gathered) send(row int, to owner) {
	for int(to.partition) >= len(g.parts) {
		g.parts = append(g.parts, heldPart{})
	}
	p, r := &g.parts[to.partition], &g.rows
	for len(p.rows.Properties) < len(r.Properties) {
		p.rows.Properties = append(p.rows.Properties, nil)
	}
	p.places = append(p.places, to.place)
	p.rows.At, p.rows.Names = append(p.rows.At, r.At[row]), append(p.rows.Names, r.Names[row])
	begin := uint32(0)
	if row > 0 {
		begin = r.IDEnds[row-1]
	}
	p.ids = append(p.ids, g.ids[begin:r.IDEnds[row]]...)
	p.rows.IDEnds = append(p.rows.IDEnds, uint32(len(p.ids)))
	for i, codes := range r.Properties {
		p.rows.Properties[i] = append(p.rows.Properties[i], codes[row])
	}
	g.n++
}

// settled forgets the rows whose owners are known, or that have none.
func (g *gathered) settled() {
	r := &g.rows
	r.At, r.Names, r.IDEnds, g.ids = r.At[:0], r.Names[:0], r.IDEnds[:0], g.ids[:0]
	for i := range r.Properties {
		r.Properties[i] = r.Properties[i][:0]
	}
}

// flush emits what is held: a block for each partition that has events.
func (g *gathered) flush(t *pipelines.Task) error {
	for to := range g.parts {
		p := &g.parts[to]
		if len(p.places) == 0 {
			continue
		}
		row := blockRow{Events: int32(len(p.places)), Columns: g.block(p)}
		if err := pipelines.Emit(t, g.to, to, row); err != nil {
			return err
		}
		p.empty()
	}
	g.n = 0
	return nil
}

func (p *heldPart) empty() {
	r := &p.rows
	p.places, p.ids, r.At, r.Names, r.IDEnds = p.places[:0], p.ids[:0], r.At[:0], r.Names[:0], r.IDEnds[:0]
	for i := range r.Properties {
		r.Properties[i] = r.Properties[i][:0]
	}
}

// block lays some events out, in memory that the next one uses again: places, moments,
// names, ids and properties, each of all events. What all ids begin with stands once.
func (g *gathered) block(p *heldPart) []byte {
	n := len(p.places)
	p.rows.IDs = text(p.ids)
	out := slices.Grow(g.out[:0], 12*n)[:12*n]
	for i, place := range p.places {
		binary.LittleEndian.PutUint32(out[4*i:], place)
	}
	for i, at := range p.rows.At {
		binary.LittleEndian.PutUint64(out[4*n+8*i:], uint64(at))
	}
	out = g.coded(out, p.rows.Names, &g.texts.Names)
	out = g.identifiers(out, p)
	for slot := range g.texts.Properties {
		out = g.coded(out, p.rows.Properties[slot], &g.texts.Properties[slot])
	}
	g.out = out
	return out
}

// identifiers lays the events' ids out: what all begin with, the lengths of what
// follows, in as many bytes as the largest takes, and what follows.
func (g *gathered) identifiers(out []byte, p *heldPart) []byte {
	n := len(p.places)
	if n == 0 {
		return out
	}
	prefix, most := p.rows.ID(0), 0
	for i := range n {
		id := p.rows.ID(i)
		if !strings.HasPrefix(id, prefix) {
			prefix = prefix[:sharedBytes(prefix, id)]
		}
		most = max(most, len(id))
	}
	total := len(p.ids) - len(prefix)*n
	out = append(binary.AppendUvarint(out, uint64(len(prefix))), prefix...)
	out = binary.AppendUvarint(out, uint64(most-len(prefix)))
	out = binary.AppendUvarint(out, uint64(total))
	numbers := slices.Grow(g.numbers[:0], n)[:n]
	for i := range numbers {
		numbers[i] = uint32(len(p.rows.ID(i)) - len(prefix))
	}
	out = slices.Grow(appendNumbers(out, numbers, most-len(prefix)), total)
	for i := range n {
		out = append(out, p.rows.ID(i)[len(prefix):]...)
	}
	g.numbers = numbers
	return out
}

func sharedBytes(a, b string) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// coded lays a column of texts out: the texts, then each event's number of its own,
// in as many bytes as the largest takes.
func (g *gathered) coded(out []byte, codes []uint32, texts *timeline.Texts) []byte {
	if n := texts.Len(); len(g.local) < n {
		g.local = append(g.local, make([]uint32, n+n/2-len(g.local))...) // all of it is 0
	}
	own, numbers := g.own[:0], slices.Grow(g.numbers[:0], len(codes))[:len(codes)]
	for i, c := range codes {
		number := g.local[c]
		if number == 0 && c != 0 {
			own = append(own, c)
			number = uint32(len(own))
			g.local[c] = number
		}
		numbers[i] = number
	}
	out = binary.AppendUvarint(out, uint64(len(own)))
	for _, c := range own {
		text := texts.Text(c)
		out = append(binary.AppendUvarint(out, uint64(len(text))), text...)
		g.local[c] = 0
	}
	g.own, g.numbers = own, numbers
	return appendNumbers(out, numbers, len(own))
}

// appendNumbers appends numbers up to most in as many bytes each as it takes.
func appendNumbers(out []byte, numbers []uint32, most int) []byte {
	at, n := len(out), len(numbers)
	switch {
	case most == 0:
	case most < 1<<8:
		out = slices.Grow(out, n)[:at+n]
		for i, v := range numbers {
			out[at+i] = byte(v)
		}
	case most < 1<<16:
		out = slices.Grow(out, 2*n)[:at+2*n]
		for i, v := range numbers {
			binary.LittleEndian.PutUint16(out[at+2*i:], uint16(v))
		}
	default:
		out = slices.Grow(out, 4*n)[:at+4*n]
		for i, v := range numbers {
			binary.LittleEndian.PutUint32(out[at+4*i:], v)
		}
	}
	return out
}
