package model

import (
	"encoding/base64"
	"encoding/binary"
	"math"
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
	of   map[uint32]uint8
	rare uint8
}

func (t Table) lookup() (lookup, error) {
	raw, err := base64.StdEncoding.DecodeString(t.Values)
	if err != nil || len(raw)%5 != 0 {
		return lookup{}, invalid("a table of term frequencies is damaged")
	}
	l := lookup{of: make(map[uint32]uint8, len(raw)/5), rare: t.Rare}
	for i := 0; i < len(raw); i += 5 {
		l.of[binary.LittleEndian.Uint32(raw[i:])] = raw[i+4]
	}
	return l, nil
}

func (l *lookup) get(h uint32) uint8 {
	if q, ok := l.of[h]; ok {
		return q
	}
	return l.rare
}
