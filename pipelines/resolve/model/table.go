package model

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// Table holds how frequent the values of a column are among people: for a value
// that is frequent, its own; for all others Rare, a floor. It holds 32 bits of a
// hash of each value, so that no value leaves the lake.
type Table struct {
	Rare   uint8  `json:"rare"`   // in eighths of -log2 of the frequency
	Values string `json:"values"` // base64 of 5 bytes each: hash, frequency; sorted
}

// Quantum is the unit of a stored frequency: an eighth of a bit.
const Quantum = 8

// Quantise gives a frequency in eighths of -log2.
func Quantise(f float64) uint8 {
	if f <= 0 {
		return 255
	}
	return uint8(min(max(math.Round(-math.Log2(f)*Quantum), 0), 255))
}

var frequency = func() (t [256]float64) {
	for q := range t {
		t[q] = math.Exp2(-float64(q) / Quantum)
	}
	return
}()

// Frequency reads what Quantise wrote.
func Frequency(q uint8) float64 { return frequency[q] }

// MakeTable packs frequencies by the value's hash.
func MakeTable(of map[uint32]float64, rare float64) Table {
	hs := make([]uint32, 0, len(of))
	for h := range of {
		hs = append(hs, h)
	}
	slices.Sort(hs)
	buf := make([]byte, 0, 5*len(hs))
	for _, h := range hs {
		buf = binary.LittleEndian.AppendUint32(buf, h)
		buf = append(buf, Quantise(of[h]))
	}
	return Table{Rare: Quantise(rare), Values: base64.StdEncoding.EncodeToString(buf)}
}

type lookup struct {
	slots []slot // a power of two of them, at most half full; empty: 0, 0
	zero  uint8  // of the value whose hash is 0
	rare  uint8
}

// slot is an entry of a hash table with open addressing: the hash of a value is
// spread well already, and a value asked for is seldom there.
type slot struct {
	hash      uint32
	frequency uint8
}

func (t Table) lookup() (lookup, error) {
	raw, err := base64.StdEncoding.DecodeString(t.Values)
	if err != nil || len(raw)%5 != 0 {
		return lookup{}, invalid("a table of term frequencies is damaged")
	}
	l := lookup{slots: make([]slot, 1<<bits.Len(uint(2*len(raw)/5))), zero: t.Rare, rare: t.Rare}
	for i := 0; i < len(raw); i += 5 {
		l.set(binary.LittleEndian.Uint32(raw[i:]), raw[i+4])
	}
	return l, nil
}

func (l *lookup) set(h uint32, frequency uint8) {
	if h == 0 {
		l.zero = frequency
		return
	}
	i := l.find(h)
	l.slots[i] = slot{h, frequency}
}

// find returns the slot of a hash, or the empty one where it would be.
func (l *lookup) find(h uint32) int {
	i := int(h) & (len(l.slots) - 1)
	for l.slots[i].hash != h && l.slots[i].hash != 0 {
		i = (i + 1) & (len(l.slots) - 1)
	}
	return i
}

func (l *lookup) get(h uint32) uint8 {
	switch {
	case h == 0:
		return l.zero
	case len(l.slots) == 0:
		return l.rare
	}
	if s := l.slots[l.find(h)]; s.hash == h {
		return s.frequency
	}
	return l.rare
}
