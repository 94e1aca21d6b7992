package index

import (
	"encoding/binary"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// Version names the format, and the meaning of what is in it.
const Version = 1

// What is kept begins with a mark: magic, Version, and what it is.
const (
	magic     = "wix"
	markSize  = len(magic) + 2
	stateKind = 0xff
)

func mark(kind byte) []byte { return append([]byte(magic), Version, kind) }

// Open gives what follows the mark, if it is that of a section.
func Open(s Section, text string) (string, error) { return open(byte(s), text) }

func open(kind byte, text string) (string, error) {
	if len(text) < markSize || text[:markSize] != string(mark(kind)) {
		return "", weir.Errorf(weir.Internal, "this is no part %d of an index of version %d", kind, Version)
	}
	return text[markSize:], nil
}

func damaged() error { return weir.Errorf(weir.Internal, "the index is damaged") }

// reader takes values from a text; after the first mistake it gives zeros.
type reader struct {
	s    string
	fail bool
}

func (r *reader) take(n uint64) string {
	if n > uint64(len(r.s)) {
		r.s, r.fail = "", true
		return ""
	}
	out := r.s[:n]
	r.s = r.s[n:]
	return out
}

func (r *reader) uvarint() uint64 {
	var n uint64
	for i := 0; i < len(r.s) && i < binary.MaxVarintLen64; i++ {
		c := r.s[i]
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			r.s = r.s[i+1:]
			return n
		}
	}
	r.s, r.fail = "", true
	return 0
}

func (r *reader) text() string { return r.take(r.uvarint()) }

func (r *reader) byte() byte {
	if s := r.take(1); s != "" {
		return s[0]
	}
	return 0
}

func (r *reader) u64() uint64 {
	s := r.take(8)
	if s == "" {
		return 0
	}
	return littleEndian(s)
}

func littleEndian(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

func (r *reader) hash() evidence.Hash { return evidence.Hash{Hi: r.u64(), Lo: r.u64()} }

// each calls f for n entries, and expects the text to end there.
func each(s string, n int, f func(r *reader, i int)) error {
	r := reader{s: s}
	for i := 0; i < n && !r.fail; i++ {
		f(&r, i)
	}
	if r.fail || r.s != "" {
		return damaged()
	}
	return nil
}

// EachHead reads the section Heads of n entries.
func EachHead(s string, n int, f func(i int, h Head)) error {
	return each(s, n, func(r *reader, i int) {
		h := Head{ID: r.text(), Content: r.hash()}
		bits := r.byte()
		h.Account, h.Bare, h.Limits = bits&1 != 0, bits&2 != 0, r.text()
		for range r.uvarint() {
			if r.fail {
				return
			}
			h.Contradicted = append(h.Contradicted, r.text())
		}
		f(i, h)
	})
}

// Key is an evidence key as it was kept.
type Key struct {
	Rule         string
	Hash, Anchor evidence.Hash
	Tells        string // evidence.Pack
}

// EachKey reads the section Keys.
func EachKey(s string, n int, f func(i int, k Key)) error {
	return each(s, n, func(r *reader, i int) {
		for range r.uvarint() {
			if r.fail {
				return
			}
			k := Key{Rule: r.text()}
			own := r.byte() != 0
			k.Anchor = r.hash()
			if k.Hash = k.Anchor; !own {
				k.Hash = r.hash()
			}
			k.Tells = r.text()
			f(i, k)
		}
	})
}

// EachHeld reads the section Helds.
func EachHeld(s string, n int, f func(i int, h Held)) error {
	return each(s, n, func(r *reader, i int) {
		for range r.uvarint() {
			if r.fail {
				return
			}
			bits := r.byte()
			f(i, Held{Blocked: bits&1 != 0, Mailbox: bits&2 != 0, Kind: r.text(), Value: r.text()})
		}
	})
}

// EachBlocking reads the section Blocking. It is the largest scan, so it does
// little.
func EachBlocking(s string, n int, f func(i int, k model.Key)) error {
	const size = 9
	return each(s, n, func(r *reader, i int) {
		keys := uint64(r.byte())
		if keys == 255 {
			keys = r.uvarint()
		}
		if keys > uint64(len(r.s)/size) {
			r.s, r.fail = "", true
			return
		}
		b := r.take(keys * size)
		for ; len(b) > 0; b = b[size:] {
			f(i, model.Key{Rule: b[0], Hash: littleEndian(b[1:])})
		}
	})
}

// EachFeatures reads the section Features.
func EachFeatures(s string, n int, f func(i int, features string)) error {
	return each(s, n, func(r *reader, i int) { f(i, r.text()) })
}
