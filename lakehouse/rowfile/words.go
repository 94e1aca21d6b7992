package rowfile

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
)

// words are the values of a text column that are in its dictionary already, with
// their places: rows of such alone are written as places. The library looks each
// value up itself otherwise, with an allocation for each.
type words struct {
	places map[string]int32
	last   string // the word that was looked up last, and its place
	at     int32

	batches, news int // written; of them with words that were new
	off           bool
}

// dictionary is what the library's encoder of one is here. Its pages end by the size
// that their rows have as texts.
type dictionary interface {
	NumEntries() int
	AddRawSize(bytes int64)
}

// tellingBatches are those after which a column is given up whose words are mostly
// new.
const tellingBatches = 64

// begin forgets the words: another row group has another dictionary.
func (w *words) begin() {
	clear(w.places)
	w.last, w.at = "", -1
}

// worth says whether a column's rows may be written as places.
func (w *words) worth(c file.ColumnChunkWriter, a arrow.Array) bool {
	if w.off || a.DataType().ID() != arrow.STRING {
		return false
	}
	if enc := c.CurrentEncoder().Encoding(); enc != parquet.Encodings.PlainDict && enc != parquet.Encodings.RLEDict {
		return false
	}
	if w.places == nil {
		w.places = map[string]int32{}
		w.at = -1
	}
	return true
}

// write appends rows, size at a time as the library does, so that pages end where
// its own do. levels are nil for a column without nulls; plain writes rows as the
// library does.
func (w *words) write(c file.ColumnChunkWriter, a *array.String, levels []int16, size int, plain func(a arrow.Array, levels []int16) error) error {
	for from := 0; from < a.Len(); from += size {
		to := min(from+size, a.Len())
		var part []int16
		if levels != nil {
			part = levels[from:to]
		}
		if err := w.batch(c, a, from, to, part, plain); err != nil {
			return err
		}
	}
	return nil
}

func (w *words) batch(c file.ColumnChunkWriter, a *array.String, from, to int, levels []int16, plain func(a arrow.Array, levels []int16) error) error {
	w.batches++
	if d, ok := c.CurrentEncoder().(dictionary); ok && !w.off {
		if places, met, known := w.find(a, from, to); known {
			defer places.Release()
			tell(c.PageStatistics(), &met, to-from, places.NullN())
			d.AddRawSize(int64(met.bytes + 4*(to-from-places.NullN())))
			return c.(*file.ByteArrayColumnChunkWriter).WriteDictIndices(places, levels, nil)
		}
	}
	rows := array.NewSlice(a, int64(from), int64(to))
	defer rows.Release()
	if err := plain(rows, levels); err != nil || w.off {
		return err
	}
	w.learn(c, a, from, to)
	return nil
}

// met is what rows hold: the bytes of their texts, the least and the largest.
type met struct {
	bytes       int
	least, most string
}

// find gives the places of rows, and what they hold, if all are known. Where a text
// follows itself, as in a column that the table is sorted by, it is looked at once.
func (w *words) find(a *array.String, from, to int) (places *array.Int32, m met, known bool) {
	at, nulls := make([]int32, to-from), []int32(nil)
	fresh := true // none of these rows is told of yet
	for i := range at {
		if a.IsNull(from + i) {
			nulls = append(nulls, int32(i))
			continue
		}
		word := a.Value(from + i)
		if m.bytes += len(word); !fresh && word == w.last {
			at[i] = w.at
			continue
		}
		place, ok := w.places[word]
		if !ok {
			return nil, m, false
		}
		if w.last, w.at, at[i] = word, place, place; fresh {
			m.least, m.most, fresh = word, word, false
		} else if word < m.least {
			m.least = word
		} else if word > m.most {
			m.most = word
		}
	}
	var valid *memory.Buffer
	if len(nulls) > 0 {
		bits := make([]byte, (len(at)+7)/8)
		for i := range bits {
			bits[i] = 0xff
		}
		for _, i := range nulls {
			bits[i>>3] &^= 1 << (i & 7)
		}
		valid = memory.NewBufferBytes(bits)
	}
	d := array.NewData(arrow.PrimitiveTypes.Int32, len(at), []*memory.Buffer{valid, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(at))}, nil, len(nulls), 0)
	defer d.Release()
	return array.NewInt32Data(d), m, true
}

// learn adds the words of rows that were written. Where the dictionary then is not
// as expected, as one that has grown too large, its column is written plainly on.
func (w *words) learn(c file.ColumnChunkWriter, a *array.String, from, to int) {
	w.news++
	for i := from; i < to; i++ {
		if a.IsNull(i) {
			continue
		}
		if word := a.Value(i); word != w.last || w.at < 0 {
			if _, ok := w.places[word]; !ok {
				word = strings.Clone(word)
				w.places[word] = int32(len(w.places))
			}
			w.last, w.at = word, w.places[word]
		}
	}
	d, ok := c.CurrentEncoder().(dictionary)
	w.off = !ok || d.NumEntries() != len(w.places) || w.batches > tellingBatches && 2*w.news > w.batches
}

// tell adds rows to the statistics of the open page.
func tell(s metadata.TypedStatistics, m *met, rows, nulls int) {
	if s == nil {
		return
	}
	s.IncNulls(int64(nulls))
	s.IncNumValues(int64(rows - nulls))
	if rows == nulls {
		return
	}
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues([]string{m.least, m.most}, nil)
	both := b.NewArray()
	defer both.Release()
	if err := s.UpdateFromArrow(both, false); err != nil {
		panic(err) // of a type that is no text; together makes it an error
	}
}
