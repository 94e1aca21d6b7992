package index

import (
	"encoding/binary"
	"maps"
	"slices"
	"unsafe"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
)

// People are the profiles of a partition, by place: in the order of their ids.
type People struct {
	tally.Profiles
	Numbers []uint32 // by which blocks of events name them
	Next    uint32   // the number of the next new one
}

// Marshal lays people out.
func (p *People) Marshal() []byte {
	out := binary.AppendUvarint([]byte{Version}, uint64(len(p.IDs)))
	out = binary.AppendUvarint(out, uint64(p.Next))
	for i, id := range p.IDs {
		out = text(out, id)
		out = text(out, string(p.Kinds[i]))
		out = binary.AppendUvarint(out, uint64(p.Numbers[i]))
	}
	out = binary.AppendUvarint(out, uint64(len(p.Attributes)))
	for _, name := range slices.Sorted(maps.Keys(p.Attributes)) {
		a := p.Attributes[name]
		out = text(out, name)
		out = binary.AppendUvarint(out, uint64(a.Texts.Len()-1))
		for code := 1; code < a.Texts.Len(); code++ {
			out = text(out, a.Texts.Text(uint32(code)))
		}
		for _, code := range a.Codes {
			out = binary.AppendUvarint(out, uint64(code))
		}
	}
	return out
}

func text(out []byte, s string) []byte {
	return append(binary.AppendUvarint(out, uint64(len(s))), s...)
}

// Unmarshal reads people; their texts are parts of data.
func Unmarshal(data string) (*People, error) {
	if data == "" || data[0] != Version {
		return nil, weir.Errorf(weir.Internal, "these are no people of an index of version %d", Version)
	}
	r := reader{s: data[1:]}
	n := r.count()
	p := &People{Next: uint32(r.uvarint()), Numbers: make([]uint32, n)}
	p.IDs, p.Kinds = make([]string, n), make([]weir.Kind, n)
	for i := range n {
		p.IDs[i], p.Kinds[i], p.Numbers[i] = r.text(), weir.Kind(r.text()), uint32(r.uvarint())
		if i > 0 && p.IDs[i] <= p.IDs[i-1] || p.Numbers[i] >= p.Next {
			r.fail = true
		}
		if r.fail {
			return nil, damaged()
		}
	}
	attributes := r.count()
	p.Attributes = make(map[string]*tally.Attribute, attributes)
	for range attributes {
		a := &tally.Attribute{Codes: make([]uint32, n)}
		p.Attributes[r.text()] = a
		for range r.count() {
			a.Texts.Code(r.text())
		}
		for i := range a.Codes {
			if a.Codes[i] = uint32(r.uvarint()); int(a.Codes[i]) >= a.Texts.Len() {
				r.fail = true
			}
		}
		if r.fail {
			return nil, damaged()
		}
	}
	if r.fail || r.s != "" {
		return nil, damaged()
	}
	return p, nil
}

func damaged() error { return weir.Errorf(weir.Internal, "the index is damaged") }

// reader takes values from a text; after the first mistake it gives zeros.
type reader struct {
	s    string
	fail bool
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(unsafe.Slice(unsafe.StringData(r.s), min(len(r.s), binary.MaxVarintLen64)))
	if n <= 0 {
		r.s, r.fail = "", true
		return 0
	}
	r.s = r.s[n:]
	return v
}

// count is how many things follow, of a byte at least each.
func (r *reader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.s)) {
		r.s, r.fail = "", true
		return 0
	}
	return int(n)
}

func (r *reader) text() string {
	n := r.count()
	out := r.s[:n]
	r.s = r.s[n:]
	return out
}

// MarshalSeen lays hashes out; they are sorted.
func MarshalSeen(hashes []uint64) []byte {
	slices.Sort(hashes)
	out := []byte{Version}
	for _, h := range slices.Compact(hashes) {
		out = binary.LittleEndian.AppendUint64(out, h)
	}
	return out
}

// EachSeen reads them.
func EachSeen(data string, do func(hash uint64)) error {
	if len(data)%8 != 1 || data[0] != Version {
		return damaged()
	}
	for b := []byte(data[1:]); len(b) > 0; b = b[8:] {
		do(binary.LittleEndian.Uint64(b))
	}
	return nil
}
