package stableid_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/stableid"
)

// world is a lake of records through many runs.
type world struct {
	t     *testing.T
	links map[string]string // record to profile: the links of the last run
	rows  []weir.Merge
	moves []weir.RecordMove
	ever  map[string]bool
	run   int
}

func newWorld(t *testing.T) *world {
	return &world{t: t, links: map[string]string{}, ever: map[string]bool{}}
}

// resolve names a partition (record to any label) and appends its changes.
func (w *world) resolve(parts map[string]int) []stableid.Change {
	w.t.Helper()
	a, records, clusters := w.assign(parts)
	w.run++
	at := time.Unix(int64(w.run), 0).UTC()
	for _, c := range a.Changes {
		w.rows = append(w.rows, weir.Merge{RunID: weir.RunID(fmt.Sprint(w.run)), At: at, Change: c.Change, From: c.From, To: c.To})
	}
	before := w.links
	w.links = map[string]string{}
	for i, r := range records {
		id := a.ID[clusters[i]]
		if was := before[r]; was != "" && was != id {
			w.moves = append(w.moves, weir.RecordMove{RunID: weir.RunID(fmt.Sprint(w.run)), At: at, RecordID: r, From: was, To: id})
		}
		w.links[r] = id
		w.ever[id] = true
	}
	return a.Changes
}

func (w *world) assign(parts map[string]int) (stableid.Assignment, []string, []int32) {
	w.t.Helper()
	records := slices.Sorted(maps.Keys(parts))
	first := map[int]int32{}
	clusters := make([]int32, len(records))
	for i, r := range records {
		c, ok := first[parts[r]]
		if !ok {
			c = int32(i)
			first[parts[r]] = c
		}
		clusters[i] = c
	}
	index := map[string]int32{}
	var ids []string
	for _, r := range slices.Sorted(maps.Keys(w.links)) {
		if id := w.links[r]; index[id] == 0 {
			ids = append(ids, id)
			index[id] = int32(len(ids))
		}
	}
	prior := make([]int32, len(records))
	for i, r := range records {
		prior[i] = index[w.links[r]] - 1
	}
	a, err := stableid.Assign(stableid.Input{
		Cluster: clusters, Prior: prior, IDs: ids,
		Used: func(id string) bool { return w.ever[id] },
		Ended: func(priors []int32) (out []stableid.Ended, err error) {
			into := map[string]bool{}
			for _, p := range priors {
				into[ids[p]] = true
			}
			for _, e := range stableid.NewHistory(w.rows).EndedInto(into) {
				x := stableid.Ended{ID: e.ID, Into: index[e.Into] - 1}
				for _, m := range w.moves {
					if i, ok := slices.BinarySearch(records, m.RecordID); ok && m.RunID == e.Run && m.From == e.ID {
						x.Members = append(x.Members, int32(i))
					}
				}
				out = append(out, x)
			}
			return out, nil
		},
		Derive: func(m int32, salt int) string {
			return stableid.Derive("shop", weir.Person, records[m], salt)
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return a, records, clusters
}

func TestHistoryNeverLosesAnID(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := newWorld(t)
		parts := map[string]int{}
		for step := range 25 {
			for range 1 + r.IntN(6) {
				rec := fmt.Sprintf("crm/contacts/%02d", r.IntN(24))
				if r.IntN(3) == 0 {
					delete(parts, rec)
				} else {
					parts[rec] = r.IntN(8)
				}
			}
			w.resolve(parts)
			living := map[string]int{}
			for rec, id := range w.links {
				if label, seen := living[id]; seen && label != parts[rec] {
					t.Fatalf("seed %d step %d: two clusters are both %s", seed, step, id)
				}
				living[id] = parts[rec]
			}
			if clusters := len(slices.Compact(slices.Sorted(maps.Values(parts)))); clusters != len(living) {
				t.Fatalf("seed %d step %d: %d clusters have %d ids", seed, step, clusters, len(living))
			}
			h := stableid.NewHistory(w.rows)
			for id := range w.ever {
				now, alive := h.Resolve(id)
				if _, ok := living[now]; alive != ok {
					t.Fatalf("seed %d step %d: %s resolves to %q, alive %v, which is not so", seed, step, id, now, alive)
				}
				if _, ok := living[id]; ok && now != id {
					t.Fatalf("seed %d step %d: the living %s resolves to %s", seed, step, id, now)
				}
			}
			if changes := w.resolve(parts); len(changes) != 0 {
				t.Fatalf("seed %d step %d: the same data again changed %+v", seed, step, changes)
			}
		}
	}
}

// After any history, merging two profiles and taking them apart again leaves every
// record in the profile in which it was, under the same id (invariant 5), and every
// id that ever was still leads to where its records are.
func TestMergeThenSplitIsTheStateBefore(t *testing.T) {
	merged, settled := 0, 0
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 2))
		w := newWorld(t)
		parts := map[string]int{}
		for range 1 + r.IntN(8) {
			for range 1 + r.IntN(8) {
				rec := fmt.Sprintf("r%02d", r.IntN(14))
				if r.IntN(4) == 0 {
					delete(parts, rec)
				} else {
					parts[rec] = r.IntN(6)
				}
			}
			w.resolve(parts)
		}
		before, links := maps.Clone(parts), w.links
		x, y := r.IntN(6), r.IntN(6)
		sizes := map[int]int{}
		for rec, label := range parts {
			sizes[label]++
			if label == y {
				parts[rec] = x
			}
		}
		w.resolve(parts)
		for range r.IntN(3) { // runs between, with records of others
			parts["s"+fmt.Sprint(r.IntN(3))] = 10 + r.IntN(2)
			w.resolve(parts)
		}
		for rec := range before {
			parts[rec] = before[rec]
		}
		w.resolve(parts)
		if x != y && sizes[x] > 0 && sizes[y] > 0 {
			merged++
		}
		// Two halves of one size: the id's founding record decides who keeps it, and
		// it may be gone.
		tie := sizes[x] == sizes[y]
		for a := range before {
			for b := range before {
				if (links[a] == links[b]) != (w.links[a] == w.links[b]) {
					t.Fatalf("seed %d: %s and %s are not as before the merge", seed, a, b)
				}
			}
			if links[a] != w.links[a] && (!tie || (before[a] != x && before[a] != y)) {
				t.Fatalf("seed %d: %s was %s, is %s after a merge of %d and %d records was undone", seed, a, links[a], w.links[a], sizes[x], sizes[y])
			}
		}
		h := stableid.NewHistory(w.rows)
		for id := range w.ever {
			now, alive := h.Resolve(id)
			if lives := slices.Contains(slices.Collect(maps.Values(w.links)), now); alive != lives {
				t.Fatalf("seed %d: %s leads to %q, alive %v, lives %v", seed, id, now, alive, lives)
			}
		}
		for _, id := range links {
			if now, alive := h.Resolve(id); !tie && (!alive || now != id) {
				t.Fatalf("seed %d: %s came back, and leads to %s", seed, id, now)
			}
			settled++
		}
	}
	if merged < 150 || settled < 1000 {
		t.Fatalf("the histories test little: %d merges, %d ids", merged, settled)
	}
}

func TestNames(t *testing.T) {
	p := func(record string, salt int) string { return stableid.Derive("shop", weir.Person, record, salt) }
	type step struct {
		parts   map[string]int
		changes []stableid.Change
		links   map[string]string
	}
	for name, steps := range map[string][]step{
		"new ids come from the smallest record": {
			{parts: map[string]int{"b": 1, "a": 1, "c": 2}, links: map[string]string{"a": p("a", 0), "b": p("a", 0), "c": p("c", 0)}},
		},
		"the larger share wins a merge, not the smaller record": {
			{parts: map[string]int{"a": 1, "b": 2, "c": 2}},
			{parts: map[string]int{"a": 1, "b": 1, "c": 1},
				changes: []stableid.Change{{Change: "merge", From: p("a", 0), To: p("b", 0), Shared: 1, Of: 1}},
				links:   map[string]string{"a": p("b", 0)}},
		},
		"equal shares: the founding record keeps the id": {
			{parts: map[string]int{"a": 1, "b": 1}},
			{parts: map[string]int{"a": 1, "b": 2},
				changes: []stableid.Change{{Change: "split", From: p("a", 0), To: p("b", 0), Shared: 1, Of: 2}},
				links:   map[string]string{"a": p("a", 0), "b": p("b", 0)}},
		},
		"a smaller record that joins later changes nothing": {
			{parts: map[string]int{"b": 1, "c": 1}},
			{parts: map[string]int{"a": 1, "b": 1, "c": 1}, links: map[string]string{"a": p("b", 0)}},
		},
		"a record that comes back gets a new id, the old one stays retired": {
			{parts: map[string]int{"a": 1}},
			{parts: map[string]int{}, changes: []stableid.Change{{Change: "retire", From: p("a", 0)}}},
			{parts: map[string]int{"a": 1}, links: map[string]string{"a": p("a", 1)}},
		},
		"of two ids that were merged away the last one lives again, the other follows its records": {
			{parts: map[string]int{"a": 1, "b": 2, "c": 3, "d": 3, "e": 3}},
			{parts: map[string]int{"a": 3, "b": 2, "c": 3, "d": 3, "e": 3},
				changes: []stableid.Change{{Change: "merge", From: p("a", 0), To: p("c", 0), Shared: 1, Of: 1}}},
			{parts: map[string]int{"a": 3, "b": 3, "c": 3, "d": 3, "e": 3},
				changes: []stableid.Change{{Change: "merge", From: p("b", 0), To: p("c", 0), Shared: 1, Of: 1}}},
			{parts: map[string]int{"a": 1, "b": 1, "c": 3, "d": 3, "e": 3},
				changes: []stableid.Change{
					{Change: "split", From: p("c", 0), To: p("b", 0), Shared: 2, Of: 5},
					{Change: "redirect", From: p("a", 0), To: p("b", 0), Shared: 1, Of: 1}},
				links: map[string]string{"a": p("b", 0), "b": p("b", 0), "c": p("c", 0)}},
		},
		"an id does not come back with the lesser part of its records": {
			{parts: map[string]int{"a": 1, "b": 1, "c": 3, "d": 3, "e": 3}},
			{parts: map[string]int{"a": 3, "b": 3, "c": 3, "d": 3, "e": 3},
				changes: []stableid.Change{{Change: "merge", From: p("a", 0), To: p("c", 0), Shared: 2, Of: 2}}},
			{parts: map[string]int{"a": 1, "b": 3, "c": 3, "d": 3, "e": 3},
				changes: []stableid.Change{{Change: "split", From: p("c", 0), To: p("a", 1), Shared: 1, Of: 5}}},
		},
		"an id whose records scatter is redirected": {
			{parts: map[string]int{"a": 1, "b": 1, "c": 2, "d": 2, "e": 3, "f": 3, "g": 1}},
			{parts: map[string]int{"c": 2, "d": 2, "a": 2, "e": 3, "f": 3, "b": 3, "g": 3}, changes: []stableid.Change{
				{Change: "redirect", From: p("a", 0), To: p("e", 0), Shared: 2, Of: 3},
				{Change: "split", From: p("a", 0), To: p("c", 0), Shared: 1, Of: 3}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for i, s := range steps {
				if got := w.resolve(s.parts); !slices.Equal(got, s.changes) {
					t.Fatalf("step %d: changes %+v, want %+v", i, got, s.changes)
				}
				for rec, id := range s.links {
					if w.links[rec] != id {
						t.Errorf("step %d: %s is %s, want %s", i, rec, w.links[rec], id)
					}
				}
			}
		})
	}
}

func TestCircleEnds(t *testing.T) {
	h := stableid.NewHistory([]weir.Merge{{Change: "merge", From: "a", To: "b"}, {Change: "merge", From: "b", To: "a"}})
	if id, alive := h.Resolve("a"); alive {
		t.Fatalf("a circle resolved to %s", id)
	}
}

func TestFixedClustersTakeTheIDsOfOthers(t *testing.T) {
	a, err := stableid.Assign(stableid.Input{
		Cluster: []int32{0, 0, 2}, Prior: []int32{0, 0, 0}, IDs: []string{"anon_x"}, Fixed: map[int32]string{0: "p_known"},
		Derive: func(m int32, salt int) string { return fmt.Sprint("anon_", m, salt) },
	})
	if err != nil {
		t.Fatal(err)
	}
	// The majority went to a known person, the rest keeps the anonymous id.
	if a.ID[0] != "p_known" || a.ID[2] != "anon_x" {
		t.Fatalf("ids %q", a.ID)
	}
	if want := []stableid.Change{{Change: "split", From: "anon_x", To: "p_known", Shared: 2, Of: 3}}; !slices.Equal(a.Changes, want) {
		t.Fatalf("changes %+v", a.Changes)
	}
}
