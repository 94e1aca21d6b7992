package scratch_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir/pipelines/scratch"
)

type inner struct {
	Name string
	N    int32
}

type row struct {
	Text  string
	Bytes []byte
	Whole int64
	Hash  uint64
	Small uint8
	Share float64
	Yes   bool
	At    time.Time
	Many  []string
	Deep  []inner
	One   inner
	Widths
}

type Widths struct {
	I8  int8
	I16 int16
	I   int
	U16 uint16
	U32 uint32
	U   uint
	F32 float32
}

func rows() []row {
	return []row{
		{},
		{Text: "é\x00\xff", Bytes: []byte{0, 1, 255}, Whole: math.MinInt64, Hash: math.MaxUint64, Small: 255, Share: math.Inf(-1), Yes: true,
			At: time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC), Many: []string{"", "a"}, Deep: []inner{{"x", -1}, {}}, One: inner{"y", 7}, Widths: Widths{-128, -32768, math.MinInt, 65535, math.MaxUint32, math.MaxUint, 0.5}},
		{Whole: 1, At: time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC), Many: []string{"b"}},
		{At: time.Unix(0, 0).UTC(), Text: string(make([]byte, 100_000))},
	}
}

func encode[T any](t *testing.T, rows []T) []byte {
	t.Helper()
	e, err := scratch.NewEncoder[T]()
	if err != nil {
		t.Fatal(err)
	}
	return block(e, nil, rows)
}

func block[T any](e *scratch.Encoder[T], b []byte, rows []T) []byte {
	var raw []byte
	for i := range rows {
		raw = e.Append(raw, &rows[i])
	}
	return e.Block(b, raw, len(rows))
}

func TestRowsComeBack(t *testing.T) {
	e, err := scratch.NewEncoder[row]()
	if err != nil {
		t.Fatal(err)
	}
	var b []byte
	var ends []int
	for n := range len(rows()) + 1 { // blocks one after the other, of one encoder
		b = block(e, b, rows()[:n])
		ends = append(ends, len(b))
	}
	start := 0
	for n, end := range ends {
		got, err := scratch.Decode[row](b[start:end])
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(rows()[:n], got); d != "" {
			t.Error(d)
		}
		start = end
	}
}

// What does not get smaller is left as it is, and damage shows all the same.
func TestPlainBlocksComeBack(t *testing.T) {
	type noise struct{ Hashes []uint64 }
	e, err := scratch.NewEncoder[noise]()
	if err != nil {
		t.Fatal(err)
	}
	e.Fast = true
	r := rand.New(rand.NewPCG(1, 1))
	want := make([]noise, 50)
	for i := range want {
		for range 20 {
			want[i].Hashes = append(want[i].Hashes, r.Uint64())
		}
	}
	first, second := block(e, nil, want), block(e, nil, want)
	if bytes.Equal(first[:4], second[:4]) {
		t.Error("random numbers were compressed again")
	}
	for _, b := range [][]byte{first, second} {
		got, err := scratch.Decode[noise](b)
		if err != nil || !cmp.Equal(got, want) {
			t.Error("other rows", err)
		}
	}
	for i := range second {
		b := bytes.Clone(second)
		b[i] ^= 0x40
		if got, err := scratch.Decode[noise](b); err == nil && !cmp.Equal(got, want) {
			t.Fatalf("byte %d was damaged and nobody noticed", i)
		}
		if _, err := scratch.Decode[noise](second[:i]); err == nil {
			t.Fatalf("a block of %d bytes was cut at %d and nobody noticed", len(second), i)
		}
	}
}

func TestTimesComeBackInUTC(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600))
	got, err := scratch.Decode[row](encode(t, []row{{At: at}}))
	if err != nil {
		t.Fatal(err)
	}
	if !got[0].At.Equal(at) || got[0].At.Location() != time.UTC {
		t.Error(got[0].At)
	}
}

func TestDamageIsAnError(t *testing.T) {
	whole := encode(t, rows())
	for i := range whole {
		if i > 2000 && i%97 != 0 {
			continue
		}
		b := append([]byte(nil), whole...)
		b[i] ^= 0x40
		if got, err := scratch.Decode[row](b); err == nil && !cmp.Equal(got, rows()) {
			t.Fatalf("byte %d was damaged and nobody noticed", i)
		}
		if _, err := scratch.Decode[row](whole[:i]); err == nil {
			t.Fatalf("a block of %d bytes was cut at %d and nobody noticed", len(whole), i)
		}
	}
}

func TestAnotherTypeIsAnError(t *testing.T) {
	if _, err := scratch.Decode[inner](encode(t, rows())); err == nil {
		t.Error("rows of one type were read as another")
	}
}

func TestMapsAreRefused(t *testing.T) {
	if _, err := scratch.NewEncoder[struct{ M map[string]int }](); err == nil {
		t.Error("a map has no order to be written in")
	}
}

func FuzzDecode(f *testing.F) {
	e, err := scratch.NewEncoder[row]()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(block(e, nil, rows()))
	f.Add([]byte("wsb0" + string(block(e, nil, rows())[4:])))
	f.Fuzz(func(_ *testing.T, b []byte) {
		_, _ = scratch.Decode[row](b) // whatever it says, it may not panic or hold the machine
	})
}
