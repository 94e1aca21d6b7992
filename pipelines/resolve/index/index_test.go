package index_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
	"github.com/weir-cdp/weir/pipelines/resolve/index"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

func entries(n int) []index.Entry {
	r := rand.New(rand.NewPCG(1, 2))
	hash := func() evidence.Hash { return evidence.Hash{Hi: r.Uint64(), Lo: r.Uint64()} }
	out := make([]index.Entry, n)
	for i := range out {
		e := &out[i]
		e.Head = index.Head{ID: fmt.Sprintf("s/c/é\x00%d", i), Content: hash(), Account: r.IntN(2) == 0, Bare: r.IntN(2) == 0, Limits: string(make([]byte, r.IntN(3)))}
		for range r.IntN(3) {
			e.Contradicted = append(e.Contradicted, "email")
			h := hash()
			e.Keys = append(e.Keys, evidence.Key{Rule: "same_email", Hash: h, Anchor: h, Tells: []evidence.Tell{{Hash: 1, Kind: 2, Limit: 3, Class: evidence.Name}}},
				evidence.Key{Rule: "rule", Hash: hash(), Anchor: hash()})
			e.Held = append(e.Held, index.Held{Kind: "email", Value: "a@x.fr", Blocked: r.IntN(2) == 0, Mailbox: r.IntN(2) == 0})
		}
		for range r.IntN(4) * r.IntN(200) {
			e.Blocking = append(e.Blocking, model.Key{Rule: uint8(r.IntN(9)), Hash: r.Uint64()})
		}
		e.Features = make([]byte, r.IntN(300))
	}
	return out
}

// read gives back what a chunk's sections hold.
func read(t *testing.T, c *index.Chunk, sections map[index.Section]string) ([]index.Entry, error) {
	t.Helper()
	out := make([]index.Entry, c.Len())
	for _, s := range index.Sections() {
		text, err := index.Open(s, sections[s])
		if err != nil {
			return nil, err
		}
		switch s {
		case index.Heads:
			err = index.EachHead(text, c.Len(), func(i int, h index.Head) { out[i].Head = h })
		case index.Keys:
			err = index.EachKey(text, c.Len(), func(i int, k index.Key) {
				key := evidence.Key{Rule: k.Rule, Hash: k.Hash, Anchor: k.Anchor}
				if k.Tells != "" {
					key.Tells = evidence.Unpack([]byte(k.Tells))
				}
				out[i].Keys = append(out[i].Keys, key)
			})
		case index.Helds:
			err = index.EachHeld(text, c.Len(), func(i int, h index.Held) { out[i].Held = append(out[i].Held, h) })
		case index.Blocking:
			err = index.EachBlocking(text, c.Len(), func(i int, k model.Key) { out[i].Blocking = append(out[i].Blocking, k) })
		case index.Features:
			err = index.EachFeatures(text, c.Len(), func(i int, f string) { out[i].Features = []byte(f) })
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func TestEntriesComeBack(t *testing.T) {
	var c index.Chunk
	for round := range 2 { // a chunk is used again
		want := entries(50 - round)
		for i := range want {
			c.Add(&want[i])
		}
		sections := map[index.Section]string{}
		for _, s := range index.Sections() {
			sections[s] = string(c.Section(s))
		}
		got, err := read(t, &c, sections)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
		for _, s := range index.Sections() {
			whole := sections[s]
			for _, cut := range []int{0, 3, 5, len(whole) / 2, len(whole) - 1} {
				sections[s] = whole[:cut]
				if _, err := read(t, &c, sections); err == nil {
					t.Errorf("%s was cut at %d of %d and nobody noticed", s, cut, len(whole))
				}
			}
			sections[s] = whole
		}
		c.Reset()
	}
}

func TestStateComesBack(t *testing.T) {
	want := index.State{Origin: []uint32{0, index.Dead}, Profile: []uint32{1, 0}, Profiles: []string{"p_a", ""}, Order: []uint32{0}, Rules: []string{"model", "x"},
		Groups:   []index.Group{{Members: []uint32{0, 1}, Anchor: 1 << 63, Suspect: -1, Weight: 30.5, Rule: 1}},
		Suspects: []index.Suspect{{Records: []uint32{1}, Anchor: 7, Extra: 1, Allowed: 10, Parent: -1, Name: "phone"}},
		Pairs:    []index.Pair{{Left: 0, Right: 1, Weight: -1.25}}, Edges: []index.Edge{{Left: 0, Right: 1, Weight: 3, Against: -2, Refused: -5, Rule: 1}},
		Hubs: []index.Hub{{Record: 1, Profiles: 3000, Name: "phone"}}, Over: []index.Over{{Record: 1, Values: 9, Kind: 2}},
		Near: []index.Near{{Left: 0, Right: 1, Weight: 1.5, Off: -0.25}}, Bound: 0.5}
	b := want.Marshal()
	var got index.State
	if err := got.Unmarshal(string(b)); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
	for cut := range b {
		if new(index.State).Unmarshal(string(b[:cut])) == nil {
			t.Fatalf("a state of %d bytes was cut at %d and nobody noticed", len(b), cut)
		}
	}
}

// Content differs wherever something differs that resolve reads, and only there.
func TestContentIsWhatIsRead(t *testing.T) {
	base := func() *weir.Record {
		return &weir.Record{ID: "s/c/1", Kind: weir.Person, Source: "s", Attributes: map[string]string{"a": "1", "b": "2"}, Identifiers: weir.Identifiers{"email": {"x", "y"}}}
	}
	want := index.Content(base())
	for name, change := range map[string]func(*weir.Record){
		"kind": func(r *weir.Record) { r.Kind = weir.Account }, "source": func(r *weir.Record) { r.Source = "t" },
		"value": func(r *weir.Record) { r.Attributes["a"] = "2" }, "name": func(r *weir.Record) { delete(r.Attributes, "b"); r.Attributes["c"] = "2" },
		"identifier": func(r *weir.Record) { r.Identifiers["email"] = []string{"x"} }, "order": func(r *weir.Record) { slices.Reverse(r.Identifiers["email"]) },
		"moved": func(r *weir.Record) { r.Identifiers = weir.Identifiers{"email": {"x"}, "y": nil} },
	} {
		r := base()
		if change(r); index.Content(r) == want {
			t.Errorf("another %s is the same content", name)
		}
	}
	same := base()
	same.Attributes["none"] = "" // as a column without a value
	if index.Content(same) != want {
		t.Error("an attribute without a value is another content")
	}
}

func TestChanges(t *testing.T) {
	m := index.Manifest{Origins: [][]string{{"a", "b"}, nil, {"c"}, {"d"}}}
	var files []weir.DataFile
	for _, p := range []string{"a", "c", "e"} {
		files = append(files, weir.DataFile{Path: p})
	}
	read, lost := m.Changes(files)
	if d := cmp.Diff([]weir.DataFile{{Path: "a"}, {Path: "e"}}, read); d != "" {
		t.Error(d)
	}
	if !slices.Equal(lost, []uint32{0, 3}) {
		t.Error(lost)
	}
}
