package model

import (
	"encoding/binary"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/compare"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
)

// Features is what scoring and blocking need of one record: its prepared values
// in the order of the model's columns.
type Features struct {
	Source uint32 // hash of the source's name
	Values []compare.Value
	More   []Further // second and later values of identifiers
}

// Further is another value of a column.
type Further struct {
	Column uint8
	Value  compare.Value
}

// maxFurther bounds the values of one identifier that are compared.
const maxFurther = 4

// Prepare reads a record.
func (m *Model) Prepare(r *weir.Record) Features {
	return m.read(r, make([]compare.Value, len(m.columns)), false, func(i int, raw string) compare.Value { return m.columns[i].prepare(raw) })
}

// read fills the values, which are zero. Usable says that the record holds no
// identifier that is worth nothing.
func (m *Model) read(r *weir.Record, values []compare.Value, usable bool, prepare func(i int, raw string) compare.Value) Features {
	f := Features{Source: uint32(Hash(3, r.Source)), Values: values}
	for i := range m.columns {
		c := &m.columns[i]
		name := m.Columns[i].Name
		if !m.Columns[i].IsIdentifier {
			if raw := r.Attributes[name]; !c.address || evidence.Worthless(r.Kind, name, raw) == "" {
				f.Values[i] = prepare(i, raw)
			}
			continue
		}
		for k, raw := range r.Identifiers[name] {
			if k == maxFurther {
				break
			}
			if !usable && evidence.Worthless(r.Kind, name, raw) != "" {
				continue
			}
			v := c.prepare(raw)
			switch {
			case v.Missing() || v.Text == f.Values[i].Text:
			case f.Values[i].Missing():
				f.Values[i] = v
			default:
				f.More = append(f.More, Further{uint8(i), v})
			}
		}
	}
	return f
}

func (c *column) prepare(raw string) compare.Value {
	v := compare.Prepare(c.kind, raw)
	if v.Missing() {
		return v
	}
	h := ValueHash(v.Text)
	if len(c.blank) > 0 {
		if _, ok := c.blank[h]; ok {
			return compare.Value{}
		}
	}
	c.weigh(&v, h)
	return v
}

// weigh sets how rare a value is, and of a company's name its rarest word.
func (c *column) weigh(v *compare.Value, hash uint32) {
	v.TF = c.tf.get(hash)
	if c.kind == compare.Company {
		v.Code = c.words.rarity(v.Text)
	}
}

// Empty says that a record holds nothing that the model compares.
func (f *Features) Empty() bool {
	return !slices.ContainsFunc(f.Values, func(v compare.Value) bool { return !v.Missing() })
}

// The binary form: source (4 bytes), number of values, their lengths (a byte
// each), for each value that is there TF, and of names code and nickname, then
// the number of further values and each as column, length and the same; all
// texts last, so that decoding takes slices of one string.
const (
	hasName = 0x80 // length byte: code and nickname follow
	lengths = 0x7f
)

// Append appends the compact binary form.
func (f Features) Append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, f.Source)
	b = append(b, byte(len(f.Values)))
	for i := range f.Values {
		b = appendHead(b, &f.Values[i])
	}
	b = append(b, byte(len(f.More)))
	for i := range f.More {
		b = append(b, f.More[i].Column)
		b = appendHead(b, &f.More[i].Value)
	}
	for i := range f.Values {
		b = append(b, f.Values[i].Text...)
	}
	for i := range f.More {
		b = append(b, f.More[i].Value.Text...)
	}
	return b
}

func appendHead(b []byte, v *compare.Value) []byte {
	n := byte(len(v.Text))
	if n == 0 {
		return append(b, 0)
	}
	if v.Code == 0 && v.Nick == 0 {
		return append(b, n, v.TF)
	}
	b = append(b, n|hasName, v.TF)
	b = binary.LittleEndian.AppendUint16(b, v.Code)
	return binary.LittleEndian.AppendUint16(b, v.Nick)
}

// Reweigh sets anew how rare a record's values are, and leaves out those that
// became blank: for training, which prepares records before it knows.
func (m *Model) Reweigh(f *Features) {
	again := func(i int, v *compare.Value) {
		if v.Missing() {
			return
		}
		h := ValueHash(v.Text)
		if _, blank := m.columns[i].blank[h]; blank {
			*v = compare.Value{}
			return
		}
		m.columns[i].weigh(v, h)
	}
	for i := range f.Values {
		again(i, &f.Values[i])
	}
	for k := range f.More {
		again(int(f.More[k].Column), &f.More[k].Value)
	}
}
