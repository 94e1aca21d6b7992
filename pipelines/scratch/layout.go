package scratch

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"reflect"
	"sync"
	"time"
	"unsafe"

	"github.com/weir-cdp/weir"
)

// layout says how values of a type are written and read, where they lie in memory:
// through package reflect each field would cost several times as much.
type layout struct {
	write func(b []byte, v unsafe.Pointer) []byte
	read  func(r *reader, v unsafe.Pointer)
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
	case reflect.Int:
		return signed[int](), nil
	case reflect.Int8:
		return signed[int8](), nil
	case reflect.Int16:
		return signed[int16](), nil
	case reflect.Int32:
		return signed[int32](), nil
	case reflect.Int64:
		return signed[int64](), nil
	case reflect.Uint8:
		return small[uint8](), nil
	case reflect.Uint16:
		return small[uint16](), nil
	case reflect.Uint32:
		return small[uint32](), nil
	case reflect.Uint: // hashes: a varint would be longer
		return fixed[uint](), nil
	case reflect.Uint64:
		return fixed[uint64](), nil
	case reflect.Float32:
		return float[float32](), nil
	case reflect.Float64:
		return float[float64](), nil
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
	type field struct {
		layout
		at uintptr
	}
	fields := make([]field, t.NumField())
	out := layout{}
	for i := range fields {
		f := t.Field(i)
		if !f.IsExported() {
			return out, weir.Errorf(weir.Internal, "scratch rows can't hold the field %s.%s: it is not exported", t, f.Name)
		}
		tell(f.Name + ":")
		l, err := layoutOf(f.Type, tell)
		if err != nil {
			return out, err
		}
		fields[i] = field{l, f.Offset}
		out.size += l.size
	}
	tell("end ")
	out.write = func(b []byte, v unsafe.Pointer) []byte {
		for i := range fields {
			b = fields[i].write(b, unsafe.Add(v, fields[i].at))
		}
		return b
	}
	out.read = func(r *reader, v unsafe.Pointer) {
		for i := range fields {
			fields[i].read(r, unsafe.Add(v, fields[i].at))
		}
	}
	return out, nil
}

// sliceOf writes nil and empty alike, and reads nil.
func sliceOf(t reflect.Type, tell func(string)) (layout, error) {
	elem, err := layoutOf(t.Elem(), tell)
	return layout{size: 1,
		write: func(b []byte, v unsafe.Pointer) []byte {
			all := reflect.NewAt(t, v).Elem()
			n := all.Len()
			b = binary.AppendUvarint(b, uint64(n))
			for i := range n {
				b = elem.write(b, all.Index(i).Addr().UnsafePointer())
			}
			return b
		},
		read: func(r *reader, v unsafe.Pointer) {
			n := r.count(max(elem.size, 1))
			if n == 0 {
				return
			}
			all := reflect.MakeSlice(t, n, n)
			for i := range n {
				elem.read(r, all.Index(i).Addr().UnsafePointer())
			}
			reflect.NewAt(t, v).Elem().Set(all)
		},
	}, err
}

func signed[T int | int8 | int16 | int32 | int64]() layout {
	return layout{size: 1,
		write: func(b []byte, v unsafe.Pointer) []byte { return binary.AppendVarint(b, int64(*(*T)(v))) },
		read:  func(r *reader, v unsafe.Pointer) { *(*T)(v) = T(r.varint()) },
	}
}

func small[T uint8 | uint16 | uint32]() layout {
	return layout{size: 1,
		write: func(b []byte, v unsafe.Pointer) []byte { return binary.AppendUvarint(b, uint64(*(*T)(v))) },
		read:  func(r *reader, v unsafe.Pointer) { *(*T)(v) = T(r.uvarint()) },
	}
}

func fixed[T uint | uint64]() layout {
	return layout{size: 8,
		write: func(b []byte, v unsafe.Pointer) []byte { return binary.LittleEndian.AppendUint64(b, uint64(*(*T)(v))) },
		read:  func(r *reader, v unsafe.Pointer) { *(*T)(v) = T(r.fixed()) },
	}
}

func float[T float32 | float64]() layout {
	return layout{size: 8,
		write: func(b []byte, v unsafe.Pointer) []byte {
			return binary.LittleEndian.AppendUint64(b, math.Float64bits(float64(*(*T)(v))))
		},
		read: func(r *reader, v unsafe.Pointer) { *(*T)(v) = T(math.Float64frombits(r.fixed())) },
	}
}

var (
	bools = layout{size: 1,
		write: func(b []byte, v unsafe.Pointer) []byte {
			if *(*bool)(v) {
				return append(b, 1)
			}
			return append(b, 0)
		},
		read: func(r *reader, v unsafe.Pointer) { *(*bool)(v) = r.byte() != 0 },
	}
	texts = layout{size: 1,
		write: func(b []byte, v unsafe.Pointer) []byte {
			s := *(*string)(v)
			return append(binary.AppendUvarint(b, uint64(len(s))), s...)
		},
		read: func(r *reader, v unsafe.Pointer) { *(*string)(v) = r.text() },
	}
	binaries = layout{size: 1,
		write: func(b []byte, v unsafe.Pointer) []byte {
			s := *(*[]byte)(v)
			return append(binary.AppendUvarint(b, uint64(len(s))), s...)
		},
		read: func(r *reader, v unsafe.Pointer) {
			if s := r.bytes(); len(s) > 0 {
				*(*[]byte)(v) = s
			}
		},
	}
	// times keep the instant to the nanosecond and come back in UTC.
	times = layout{size: 2,
		write: func(b []byte, v unsafe.Pointer) []byte {
			t := *(*time.Time)(v)
			if t.IsZero() {
				return append(b, 0, 0)
			}
			b = binary.AppendVarint(b, t.Unix())
			return binary.AppendUvarint(b, uint64(t.Nanosecond())+1)
		},
		read: func(r *reader, v unsafe.Pointer) {
			s, n := r.varint(), r.uvarint()
			if n > 0 {
				*(*time.Time)(v) = time.Unix(s, int64(n-1)).UTC()
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
