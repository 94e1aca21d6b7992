package model

import (
	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/compare"
)

// Decode reads what Append wrote.
func Decode(b []byte) (Features, error) { return new(Decoder).Decode(string(b)) }

// Decoder reads many features in the memory of few. The zero Decoder is ready.
type Decoder struct {
	// KeysOnly leaves out what only comparisons need.
	KeysOnly bool
	values   []compare.Value
}

// Reset takes the memory back of all features that were decoded.
func (d *Decoder) Reset() { d.values = d.values[:0] }

// Reserve takes memory for n values.
func (d *Decoder) Reserve(n int) { d.values = make([]compare.Value, 0, n) }

// chunk is for how many values memory is taken at once.
const chunk = 4096

// take returns room for n values, zeroed.
func (d *Decoder) take(n int) []compare.Value {
	if cap(d.values)-len(d.values) < n {
		d.values = make([]compare.Value, 0, max(chunk, n))
	}
	at := len(d.values)
	d.values = d.values[:at+n]
	out := d.values[at : at+n : at+n]
	clear(out)
	return out
}

// Decode reads what Append wrote. The features share the text's memory, and are
// valid until Reset.
func (d *Decoder) Decode(s string) (Features, error) {
	c := cursor{s: s}
	f := Features{Source: c.u32()}
	n := int(c.byte())
	if c.bad || n > MaxColumns {
		return Features{}, damaged()
	}
	f.Values = d.take(n)
	var sizes [MaxColumns + 256]uint8
	for i := range n {
		sizes[i] = c.head(&f.Values[i])
	}
	more := int(c.byte())
	if c.bad {
		return Features{}, damaged()
	}
	if more > 0 {
		f.More = make([]Further, more)
	}
	for i := range f.More {
		f.More[i].Column = c.byte()
		sizes[n+i] = c.head(&f.More[i].Value)
		if int(f.More[i].Column) >= n {
			c.bad = true
		}
	}
	if c.bad {
		return Features{}, damaged()
	}
	text := c.s
	for i := range n + more {
		var v *compare.Value
		if i < n {
			v = &f.Values[i]
		} else {
			v = &f.More[i-n].Value
		}
		size := int(sizes[i])
		if size > len(text) {
			return Features{}, damaged()
		}
		v.Text, text = text[:size], text[size:]
		if !d.KeysOnly {
			v.Derive()
		}
	}
	if len(text) > 0 {
		return Features{}, damaged()
	}
	return f, nil
}

func damaged() error { return weir.Errorf(weir.Internal, "features of a record are damaged") }

// cursor takes numbers off a text; past its end it gives zeros.
type cursor struct {
	s   string
	bad bool
}

func (c *cursor) take(n int) string {
	if len(c.s) < n {
		c.bad, c.s = true, ""
		return "\x00\x00\x00\x00"[:n]
	}
	out := c.s[:n]
	c.s = c.s[n:]
	return out
}

func (c *cursor) byte() byte { return c.take(1)[0] }

func (c *cursor) u16() uint16 {
	b := c.take(2)
	return uint16(b[0]) | uint16(b[1])<<8
}

func (c *cursor) u32() uint32 {
	b := c.take(4)
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

func (c *cursor) head(v *compare.Value) uint8 {
	n := c.byte()
	if n == 0 {
		return 0
	}
	v.TF = c.byte()
	if n&hasName != 0 {
		v.Code, v.Nick = c.u16(), c.u16()
	}
	return n & lengths
}
