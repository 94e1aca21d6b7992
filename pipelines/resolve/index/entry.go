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
	d := Digester{b: buf[:0]}
	d.Begin(string(r.Kind), r.Source)
	var few [32]string
	for _, k := range inOrder(few[:0], r.Attributes) {
		d.Attribute(k, r.Attributes[k])
	}
	for _, k := range inOrder(few[:0], r.Identifiers) {
		d.Identifier(k, r.Identifiers[k])
	}
	return d.Sum()
}

// Digester makes what Content gives of a record that is told by its parts:
// attributes in the order of their names, then identifiers likewise. Its room is used
// again for the next record.
type Digester struct {
	b     []byte
	names bool // identifiers have begun
}

// Begin begins a record.
func (d *Digester) Begin(kind, source string) {
	d.b, d.names = appendText(appendText(d.b[:0], kind), source), false
}

// Attribute adds an attribute; one without a value counts for nothing.
func (d *Digester) Attribute(name, value string) {
	if value != "" {
		d.b = appendText(appendText(d.b, name), value)
	}
}

// Identifier adds the values of one kind.
func (d *Digester) Identifier(kind string, values []string) {
	d.identifiers()
	d.b = binary.AppendUvarint(appendText(d.b, kind), uint64(len(values)))
	for _, v := range values {
		d.b = appendText(d.b, v)
	}
}

func (d *Digester) identifiers() {
	if !d.names {
		d.b, d.names = append(d.b, 0, 0), true
	}
}

// Sum ends the record.
func (d *Digester) Sum() evidence.Hash {
	d.identifiers()
	sum := sha256.Sum256(d.b)
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
