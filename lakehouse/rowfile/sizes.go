package rowfile

import "github.com/apache/arrow-go/v18/arrow/array"

// sizes remembers how large the columns of the last chunk were, so that the
// next chunk's memory is reserved at once rather than grown by copying.
type sizes struct {
	builders []array.Builder // all, nested ones too
	rows     []int
	bytes    []int
}

func newSizes(b *array.RecordBuilder) *sizes {
	s := &sizes{}
	for _, f := range b.Fields() {
		s.add(f)
	}
	s.rows, s.bytes = make([]int, len(s.builders)), make([]int, len(s.builders))
	return s
}

func (s *sizes) add(b array.Builder) {
	s.builders = append(s.builders, b)
	switch b := b.(type) {
	case *array.MapBuilder:
		s.add(b.KeyBuilder())
		s.add(b.ItemBuilder())
	case *array.ListBuilder:
		s.add(b.ValueBuilder())
	}
}

func (s *sizes) measure() {
	for i, b := range s.builders {
		s.rows[i] = b.Len()
		if t, ok := b.(*array.StringBuilder); ok {
			s.bytes[i] = t.DataLen()
		}
	}
}

func (s *sizes) reserve() {
	for i, b := range s.builders {
		b.Reserve(s.rows[i] + s.rows[i]/16)
		if t, ok := b.(*array.StringBuilder); ok {
			t.ReserveData(s.bytes[i] + s.bytes[i]/16)
		}
	}
}
