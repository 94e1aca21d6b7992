package index

import (
	"reflect"
	"testing"

	"github.com/weir-cdp/weir"
)

func people() *People {
	p := &People{Numbers: []uint32{2, 0, 7}, Next: 8}
	p.IDs, p.Kinds = []string{"a", "b", "c"}, []weir.Kind{weir.Person, weir.Account, weir.Anonymous}
	p.Set(0, "country", "FR")
	p.Set(2, "country", "DE")
	p.Set(1, "city", "Berlin")
	return p
}

// TestPeople: what is written is read, and any cut or change of a length is found or
// gives what could have been written.
func TestPeople(t *testing.T) {
	data := people().Marshal()
	got, err := Unmarshal(string(data))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, people()) || !reflect.DeepEqual(got.Marshal(), data) {
		t.Errorf("got %+v", got)
	}
	for n := range data {
		if _, err := Unmarshal(string(data[:n])); err == nil {
			t.Errorf("cut after %d of %d bytes, it is read", n, len(data))
		}
	}
	for i := range data {
		for _, b := range []byte{0, 1, 0x7f, 0xff} {
			bad := append([]byte(nil), data...)
			bad[i] = b
			if p, err := Unmarshal(string(bad)); err == nil && (len(p.IDs) != len(p.Numbers) || p.Attributes == nil) {
				t.Errorf("byte %d as %d gives %+v", i, b, p)
			}
		}
	}
}

func TestSeen(t *testing.T) {
	data := MarshalSeen([]uint64{9, 1 << 63, 9, 3})
	var got []uint64
	if err := EachSeen(string(data), func(h uint64) { got = append(got, h) }); err != nil || !reflect.DeepEqual(got, []uint64{3, 9, 1 << 63}) {
		t.Errorf("%v, %v", got, err)
	}
	if EachSeen(string(data[:len(data)-1]), func(uint64) {}) == nil || EachSeen("", func(uint64) {}) == nil {
		t.Error("what is cut short is read")
	}
}

func TestChanges(t *testing.T) {
	f := func(names ...string) (out []weir.DataFile) {
		for _, n := range names {
			out = append(out, weir.DataFile{Path: n})
		}
		return out
	}
	m := &Manifest{Files: map[string][]weir.DataFile{"core.events": f("a", "b")}}
	added, gone := m.Changes("core.events", f("b", "c"))
	if !reflect.DeepEqual(added, f("c")) || !reflect.DeepEqual(gone, f("a")) {
		t.Errorf("added %v, gone %v", added, gone)
	}
}
