package index

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// Entry is one version of a record.
type Entry struct {
	Head
	Keys     []evidence.Key
	Held     []Held
	Blocking []model.Key // sorted; none: the model compares the record with nobody
	Features []byte      // model.Features
}

// Head says who a record is.
type Head struct {
	ID           string
	Content      evidence.Hash // of all that was read of it: see Content
	Account      bool          // a person's otherwise
	Bare         bool          // nothing to compare
	Limits       string        // the values that count against limits, packed by the caller
	Contradicted []string      // identifiers of which it holds more than the hard limit
}

// Held is an identifier's value on a record.
type Held struct {
	Kind, Value string
	Blocked     bool
	Mailbox     bool // blocked as a shared mailbox
}

// Content digests what resolve reads of a record: kind, source, attributes and
// identifiers. Who looks at more has to add it here.
func Content(r *weir.Record) evidence.Hash {
	var buf [1024]byte
	b := appendText(appendText(buf[:0], string(r.Kind)), r.Source)
	var few [32]string
	for _, k := range inOrder(few[:0], r.Attributes) {
		if v := r.Attributes[k]; v != "" {
			b = appendText(appendText(b, k), v)
		}
	}
	b = append(b, 0, 0)
	for _, k := range inOrder(few[:0], r.Identifiers) {
		vs := r.Identifiers[k]
		b = binary.AppendUvarint(appendText(b, k), uint64(len(vs)))
		for _, v := range vs {
			b = appendText(b, v)
		}
	}
	sum := sha256.Sum256(b)
	return evidence.Hash{Hi: binary.BigEndian.Uint64(sum[:]), Lo: binary.BigEndian.Uint64(sum[8:])}
}

// inOrder appends the keys of a map in their order.
func inOrder[V any](to []string, m map[string]V) []string {
	for k := range m {
		to = append(to, k)
	}
	slices.Sort(to)
	return to
}

// Section is a part of a chunk.
type Section int

// The sections.
const (
	Heads Section = iota
	Keys
	Helds
	Blocking
	Features
	sections
)

// Sections lists them.
func Sections() []Section { return []Section{Heads, Keys, Helds, Blocking, Features} }

func (s Section) String() string {
	return [...]string{"heads", "keys", "held", "blocking", "features"}[s]
}

// Chunk gathers entries.
type Chunk struct {
	parts   [sections][]byte
	entries int
}

// Len is how many entries it holds, Size their bytes.
func (c *Chunk) Len() int { return c.entries }

// Size is how many bytes the chunk holds in memory.
func (c *Chunk) Size() (n int) {
	for _, p := range c.parts {
		n += len(p)
	}
	return n
}

// Section gives a section's bytes, to be kept as they are.
func (c *Chunk) Section(s Section) []byte { return append(mark(byte(s)), c.parts[s]...) }

// Reset empties the chunk.
func (c *Chunk) Reset() {
	for i := range c.parts {
		c.parts[i] = c.parts[i][:0]
	}
	c.entries = 0
}

// Add appends an entry.
func (c *Chunk) Add(e *Entry) {
	c.entries++
	b := appendHash(appendText(c.parts[Heads], e.ID), e.Content)
	b = appendText(append(b, flags(e.Account, e.Bare)), e.Limits)
	b = binary.AppendUvarint(b, uint64(len(e.Contradicted)))
	for _, k := range e.Contradicted {
		b = appendText(b, k)
	}
	c.parts[Heads] = b

	b = binary.AppendUvarint(c.parts[Keys], uint64(len(e.Keys)))
	for i := range e.Keys {
		k := &e.Keys[i]
		own := k.Hash == k.Anchor
		b = appendHash(append(appendText(b, k.Rule), flags(own)), k.Anchor)
		if !own {
			b = appendHash(b, k.Hash)
		}
		b = binary.AppendUvarint(b, uint64(evidence.PackedSize(k.Tells)))
		b = evidence.AppendPacked(b, k.Tells)
	}
	c.parts[Keys] = b

	b = binary.AppendUvarint(c.parts[Helds], uint64(len(e.Held)))
	for _, h := range e.Held {
		b = appendText(appendText(append(b, flags(h.Blocked, h.Mailbox)), h.Kind), h.Value)
	}
	c.parts[Helds] = b

	b = append(c.parts[Blocking], byte(min(len(e.Blocking), 255)))
	if len(e.Blocking) >= 255 {
		b = binary.AppendUvarint(b, uint64(len(e.Blocking)))
	}
	for _, k := range e.Blocking {
		b = binary.LittleEndian.AppendUint64(append(b, k.Rule), k.Hash)
	}
	c.parts[Blocking] = b
	c.parts[Features] = append(binary.AppendUvarint(c.parts[Features], uint64(len(e.Features))), e.Features...)
}

func flags(bs ...bool) (f byte) {
	for i, b := range bs {
		if b {
			f |= 1 << i
		}
	}
	return f
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendHash(b []byte, h evidence.Hash) []byte {
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, h.Hi), h.Lo)
}
