package segment

import (
	"encoding/binary"
	"slices"
	"strings"

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

// gathered are events on their way to partitions, in the order in which they came.
type gathered struct {
	to     string // the channel
	owners []owner
	rows   timeline.Block // its Profiles are not used
	ids    []byte
	texts  timeline.Dictionary

	// Of the block that is being written, and kept for their memory.
	out     []byte
	local   []uint32 // its number of a text, by ours
	own     []uint32 // our numbers of its texts
	numbers []uint32
}

func newGathered(slots int) *gathered {
	g := &gathered{to: "compute:blocks"}
	g.rows.Properties = make([][]uint32, slots)
	g.texts.Properties = make([]timeline.Texts, slots)
	return g
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

// keep gives a row its owner. Rows are kept, or left out, in their order: those that
// are kept move up.
func (g *gathered) keep(row int, to owner) {
	at, r := len(g.owners), &g.rows
	g.owners = append(g.owners, to)
	if at == row {
		return
	}
	r.At[at], r.Names[at] = r.At[row], r.Names[row]
	for _, codes := range r.Properties {
		codes[at] = codes[row]
	}
	begin := uint32(0)
	if at > 0 {
		begin = r.IDEnds[at-1]
	}
	// Of rows that were left out before this one none is overwritten but they.
	n := copy(g.ids[begin:], g.ids[r.IDEnds[row-1]:r.IDEnds[row]])
	r.IDEnds[at] = begin + uint32(n)
}

// cut forgets the rows after those that were kept.
func (g *gathered) cut() {
	r, n := &g.rows, len(g.owners)
	r.At, r.Names, r.IDEnds = r.At[:n], r.Names[:n], r.IDEnds[:n]
	for i := range r.Properties {
		r.Properties[i] = r.Properties[i][:n]
	}
	g.ids = g.ids[:0]
	if n > 0 {
		g.ids = g.ids[:r.IDEnds[n-1]]
	}
}

// flush emits what is held: a block for each partition that has events.
func (g *gathered) flush(t *pipelines.Task) error {
	order := g.byPartition()
	g.rows.IDs = text(g.ids)
	for len(order) > 0 {
		n, to := 1, g.owners[order[0]].partition
		for n < len(order) && g.owners[order[n]].partition == to {
			n++
		}
		row := blockRow{Events: int32(n), Columns: g.block(order[:n])}
		if err := pipelines.Emit(t, g.to, int(to), row); err != nil {
			return err
		}
		order = order[n:]
	}
	g.owners, g.ids = g.owners[:0], g.ids[:0]
	g.rows.At, g.rows.Names, g.rows.IDEnds = g.rows.At[:0], g.rows.Names[:0], g.rows.IDEnds[:0]
	for i := range g.rows.Properties {
		g.rows.Properties[i] = g.rows.Properties[i][:0]
	}
	return nil
}

// byPartition returns the events in the order of their partitions, those of one as
// they came.
func (g *gathered) byPartition() []uint32 {
	var ends []uint32
	for _, o := range g.owners {
		for int(o.partition) >= len(ends) {
			ends = append(ends, 0)
		}
		ends[o.partition]++
	}
	sum := uint32(0)
	for i, n := range ends {
		ends[i] = sum
		sum += n
	}
	out := make([]uint32, len(g.owners))
	for i, o := range g.owners {
		out[ends[o.partition]] = uint32(i)
		ends[o.partition]++
	}
	return out
}

// block lays some events out, in memory that the next one uses again: places, moments,
// names, ids and properties, each of all events. What all ids begin with stands once.
func (g *gathered) block(events []uint32) []byte {
	n := len(events)
	out := slices.Grow(g.out[:0], 12*n)[:12*n]
	times := out[4*n:]
	for at, i := range events {
		binary.LittleEndian.PutUint32(out[4*at:], g.owners[i].place)
		binary.LittleEndian.PutUint64(times[8*at:], uint64(g.rows.At[i]))
	}
	out = g.coded(out, events, g.rows.Names, &g.texts.Names)
	out = g.identifiers(out, events)
	for slot, codes := range g.rows.Properties {
		out = g.coded(out, events, codes, &g.texts.Properties[slot])
	}
	g.out = out
	return out
}

// identifiers lays the events' ids out: what all begin with, the lengths of what
// follows, in as many bytes as the largest takes, and what follows.
func (g *gathered) identifiers(out []byte, events []uint32) []byte {
	if len(events) == 0 {
		return out
	}
	prefix, total, most := g.rows.ID(int(events[0])), 0, 0
	for _, i := range events {
		id := g.rows.ID(int(i))
		if !strings.HasPrefix(id, prefix) {
			prefix = prefix[:sharedBytes(prefix, id)]
		}
		total, most = total+len(id), max(most, len(id))
	}
	total -= len(prefix) * len(events)
	out = append(binary.AppendUvarint(out, uint64(len(prefix))), prefix...)
	out = binary.AppendUvarint(out, uint64(most-len(prefix)))
	out = binary.AppendUvarint(out, uint64(total))
	g.numbers = g.numbers[:0]
	for _, i := range events {
		g.numbers = append(g.numbers, uint32(len(g.rows.ID(int(i)))-len(prefix)))
	}
	out = slices.Grow(appendNumbers(out, g.numbers, most-len(prefix)), total)
	for _, i := range events {
		out = append(out, g.rows.ID(int(i))[len(prefix):]...)
	}
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
func (g *gathered) coded(out []byte, events, codes []uint32, texts *timeline.Texts) []byte {
	if n := texts.Len(); len(g.local) < n {
		g.local = append(g.local, make([]uint32, n+n/2-len(g.local))...) // all of it is 0
	}
	own, numbers := g.own[:0], slices.Grow(g.numbers[:0], len(events))[:len(events)]
	for at, i := range events {
		c := codes[i]
		number := g.local[c]
		if number == 0 && c != 0 {
			own = append(own, c)
			number = uint32(len(own))
			g.local[c] = number
		}
		numbers[at] = number
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
