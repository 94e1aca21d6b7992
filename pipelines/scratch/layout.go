package scratch

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"reflect"
	"sync"
	"time"

	"github.com/weir-cdp/weir"
)

// layout says how values of a type are written and read.
type layout struct {
	write func(b []byte, v reflect.Value) []byte
	read  func(r *reader, v reflect.Value)
	size  int // bytes at least, to refuse a count that the bytes can't hold
}

// plan is a struct's layout with its fingerprint.
type plan struct {
	layout
	print uint64
}

var plans sync.Map // reflect.Type to plan or error

func planOf(t reflect.Type) (plan, error) {
	if p, ok := plans.Load(t); ok {
		if err, bad := p.(error); bad {
			return plan{}, err
		}
		return p.(plan), nil
	}
	h := fnv.New64a()
	l, err := layoutOf(t, func(s string) { h.Write([]byte(s)) })
	if err != nil {
		plans.Store(t, err)
		return plan{}, err
	}
	p := plan{layout: l, print: h.Sum64()}
	plans.Store(t, p)
	return p, nil
}

var timeType = reflect.TypeFor[time.Time]()

// layoutOf builds a type's layout and tells its structure.
func layoutOf(t reflect.Type, tell func(string)) (layout, error) {
	tell(t.Kind().String())
	tell(" ")
	if t == timeType {
		return times, nil
	}
	switch t.Kind() {
	case reflect.Bool:
		return bools, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return ints, nil
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return smallUints, nil
	case reflect.Uint, reflect.Uint64: // hashes: a varint would be longer
		return uints, nil
	case reflect.Float32, reflect.Float64:
		return floats, nil
	case reflect.String:
		return texts, nil
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return binaries, nil
		}
		return sliceOf(t, tell)
	case reflect.Struct:
		return structOf(t, tell)
	}
	return layout{}, weir.Errorf(weir.Internal, "scratch rows can't hold a %s", t)
}

func structOf(t reflect.Type, tell func(string)) (layout, error) {
	fields := make([]layout, t.NumField())
	out := layout{}
	for i := range fields {
		f := t.Field(i)
		if !f.IsExported() {
			return out, weir.Errorf(weir.Internal, "scratch rows can't hold the field %s.%s: it is not exported", t, f.Name)
		}
		tell(f.Name + ":")
		var err error
		if fields[i], err = layoutOf(f.Type, tell); err != nil {
			return out, err
		}
		out.size += fields[i].size
	}
	tell("end ")
	out.write = func(b []byte, v reflect.Value) []byte {
		for i := range fields {
			b = fields[i].write(b, v.Field(i))
		}
		return b
	}
	out.read = func(r *reader, v reflect.Value) {
		for i := range fields {
			fields[i].read(r, v.Field(i))
		}
	}
	return out, nil
}

// sliceOf writes nil and empty alike, and reads nil.
func sliceOf(t reflect.Type, tell func(string)) (layout, error) {
	elem, err := layoutOf(t.Elem(), tell)
	return layout{size: 1,
		write: func(b []byte, v reflect.Value) []byte {
			n := v.Len()
			b = binary.AppendUvarint(b, uint64(n))
			for i := range n {
				b = elem.write(b, v.Index(i))
			}
			return b
		},
		read: func(r *reader, v reflect.Value) {
			n := r.count(max(elem.size, 1))
			if n == 0 {
				return
			}
			v.Set(reflect.MakeSlice(t, n, n))
			for i := range n {
				elem.read(r, v.Index(i))
			}
		},
	}, err
}

var (
	bools = layout{size: 1,
		write: func(b []byte, v reflect.Value) []byte {
			if v.Bool() {
				return append(b, 1)
			}
			return append(b, 0)
		},
		read: func(r *reader, v reflect.Value) { v.SetBool(r.byte() != 0) },
	}
	ints = layout{size: 1,
		write: func(b []byte, v reflect.Value) []byte { return binary.AppendVarint(b, v.Int()) },
		read:  func(r *reader, v reflect.Value) { v.SetInt(r.varint()) },
	}
	smallUints = layout{size: 1,
		write: func(b []byte, v reflect.Value) []byte { return binary.AppendUvarint(b, v.Uint()) },
		read:  func(r *reader, v reflect.Value) { v.SetUint(r.uvarint()) },
	}
	uints = layout{size: 8,
		write: func(b []byte, v reflect.Value) []byte { return binary.LittleEndian.AppendUint64(b, v.Uint()) },
		read:  func(r *reader, v reflect.Value) { v.SetUint(r.fixed()) },
	}
	floats = layout{size: 8,
		write: func(b []byte, v reflect.Value) []byte {
			return binary.LittleEndian.AppendUint64(b, math.Float64bits(v.Float()))
		},
		read: func(r *reader, v reflect.Value) { v.SetFloat(math.Float64frombits(r.fixed())) },
	}
	texts = layout{size: 1,
		write: func(b []byte, v reflect.Value) []byte {
			s := v.String()
			return append(binary.AppendUvarint(b, uint64(len(s))), s...)
		},
		read: func(r *reader, v reflect.Value) { v.SetString(r.text()) },
	}
	binaries = layout{size: 1,
		write: func(b []byte, v reflect.Value) []byte {
			s := v.Bytes()
			return append(binary.AppendUvarint(b, uint64(len(s))), s...)
		},
		read: func(r *reader, v reflect.Value) {
			if s := r.bytes(); len(s) > 0 {
				v.SetBytes(s)
			}
		},
	}
	// times keep the instant to the nanosecond and come back in UTC.
	times = layout{size: 2,
		write: func(b []byte, v reflect.Value) []byte {
			t := v.Interface().(time.Time)
			if t.IsZero() {
				return append(b, 0, 0)
			}
			b = binary.AppendVarint(b, t.Unix())
			return binary.AppendUvarint(b, uint64(t.Nanosecond())+1)
		},
		read: func(r *reader, v reflect.Value) {
			s, n := r.varint(), r.uvarint()
			if n > 0 {
				v.Set(reflect.ValueOf(time.Unix(s, int64(n-1)).UTC()))
			}
		},
	}
)

// reader takes values from a block; after the first mistake it gives zeros.
type reader struct {
	b    []byte
	s    string // the same bytes: texts share them
	at   int
	fail error
}

func (r *reader) broken() {
	if r.fail == nil {
		r.fail = fmt.Errorf("rows end in the middle, at byte %d of %d", r.at, len(r.b))
	}
	r.at = len(r.b)
}

func (r *reader) byte() byte {
	if r.at >= len(r.b) {
		r.broken()
		return 0
	}
	r.at++
	return r.b[r.at-1]
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b[r.at:])
	if n <= 0 {
		r.broken()
		return 0
	}
	r.at += n
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b[r.at:])
	if n <= 0 {
		r.broken()
		return 0
	}
	r.at += n
	return v
}

func (r *reader) fixed() uint64 {
	if len(r.b)-r.at < 8 {
		r.broken()
		return 0
	}
	r.at += 8
	return binary.LittleEndian.Uint64(r.b[r.at-8:])
}

// count reads how many things of at least so many bytes follow.
func (r *reader) count(size int) int {
	n := r.uvarint()
	if n > uint64((len(r.b)-r.at)/size) {
		r.broken()
		return 0
	}
	return int(n)
}

func (r *reader) text() string {
	n := r.count(1)
	r.at += n
	return r.s[r.at-n : r.at]
}

func (r *reader) bytes() []byte {
	n := r.count(1)
	r.at += n
	return r.b[r.at-n : r.at : r.at]
}
