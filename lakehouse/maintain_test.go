package lakehouse

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/iceberg-go/table"
	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// later is a time at which everything that a test has made is old.
func later() time.Time { return time.Now().Add(30 * 24 * time.Hour) }

func keys(t *testing.T, l *Lake, prefix string) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for o, err := range l.Store().List(context.Background(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		out[o.Key] = true
	}
	return out
}

// readable reads every byte that a snapshot's files have.
func readable(t *testing.T, l *Lake, name string, snapshot int64) {
	t.Helper()
	files, err := l.Files(context.Background(), name, snapshot)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		r, err := l.Store().Get(context.Background(), f.Path)
		if err != nil {
			t.Errorf("snapshot %d: %v", snapshot, err)
			continue
		}
		if n, err := io.Copy(io.Discard, r); err != nil || n != f.Bytes {
			t.Errorf("snapshot %d: %s has %d bytes (%v), want %d", snapshot, f.Path, n, err, f.Bytes)
		}
		r.Close()
	}
}

func TestExpiryKeepsPinsAndTimeTravel(t *testing.T) {
	c := testConfig(t)
	l := openLake(t, c)
	ctx := context.Background()
	tab := ensure(t, l, links)
	var s []Snapshot
	var files []weir.DataFile
	for i := range 8 {
		files = append(files, put(t, l, tab, "a", fmt.Sprint(i, "-"), 1+i))
		s = append(s, commit(t, l, replaceIn(tab.Name, fmt.Sprint(i), "a", files[i])))
	}
	record(t, l, "r1", 1, "done", map[string]int64{tab.Name: s[0].ID})
	record(t, l, "r2", 2, "done", map[string]int64{tab.Name: s[4].ID})
	policy := ExpirePolicy{Now: time.Now(), KeepLast: 2, OlderThan: MinAge, Protect: map[int64]bool{s[2].ID: true}}
	if r, err := l.Expire(ctx, tab.Name, policy); err != nil || len(r.Expired) != 0 || r.Kept != 8 {
		t.Errorf("young snapshots expired: %+v, %v", r, err)
	}
	policy.Now, policy.DryRun = later(), true
	dry, err := l.Expire(ctx, tab.Name, policy)
	if err != nil {
		t.Fatal(err)
	}
	if all, _ := l.Snapshots(ctx, tab.Name); len(all) != 8 {
		t.Error("a dry run expired snapshots")
	}
	policy.DryRun = false
	r, err := l.Expire(ctx, tab.Name, policy)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(dry.Expired, r.Expired); d != "" {
		t.Errorf("the dry run said something else:\n%s", d)
	}
	kept := map[int]bool{2: true, 4: true, 6: true, 7: true} // protected, pinned, the last two
	check := func() {
		t.Helper()
		for i, snap := range s {
			_, err := l.Files(ctx, tab.Name, snap.ID)
			if kept[i] {
				readable(t, l, tab.Name, snap.ID)
			} else if weir.CodeOf(err) != weir.NotFound {
				t.Errorf("snapshot %d of an expired state: %v", i, err)
			}
		}
	}
	check()
	if pins, _ := openLake(t, c).Pins(ctx); pins[tab.Name] != s[4].ID {
		t.Errorf("pins after expiry: %v", pins)
	}
	if pins, _ := openLake(t, c).PinsAsOf(ctx, noon.Add(90*time.Second)); pins[tab.Name] != s[0].ID {
		t.Errorf("pins as of a time that has expired: %v", pins)
	}
	before := keys(t, l, "")
	swept, err := l.Orphans(ctx, tab.Name, later(), MinGrace, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range files {
		if there := keys(t, l, "")[f.Path]; there != kept[i] {
			t.Errorf("data file of snapshot %d: there is %v, want %v", i, there, kept[i])
		}
	}
	if len(keys(t, l, "")) != len(before)-len(swept.Files) {
		t.Error("the sweep's result is not what it deleted")
	}
	check()
	// An older engine's rollback works, and what it undid may be committed again.
	meta, _ := l.load(ctx, tab.Name)
	txn := meta.NewTransaction()
	if err := txn.RollbackToSnapshot(s[6].ID); err != nil {
		t.Fatal(err)
	}
	if _, err := txn.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if again := commit(t, l, replaceIn(tab.Name, "7", "a", files[7])); again.ID == s[7].ID || rows(t, l, tab.Name, again.ID) != 8 {
		t.Errorf("a rolled back commit counts as landed: %+v", again)
	}
	if again := commit(t, l, replaceIn(tab.Name, "6", "a", files[6])); again.ID != s[6].ID {
		t.Errorf("a commit below a rollback is made again: %+v", again)
	}
}

func TestOrphansDeletesOnlyOrphans(t *testing.T) {
	l := openLake(t, testConfig(t))
	ctx := context.Background()
	tab := ensure(t, l, links)
	used := put(t, l, tab, "a", "used", 3)
	commit(t, l, replaceIn(tab.Name, "1", "a", used))
	neighbour := schemaNamed(links, "identity.links2")
	ensure(t, l, neighbour)
	alone := put(t, l, neighbour, "a", "alone", 1) // of another table, whose name begins the same
	orphan := put(t, l, tab, "a", "orphan", 4)
	manifest := tablePath(tab.Name) + "/metadata/lost-try.avro"
	if err := l.Store().Put(ctx, manifest, strings.NewReader("x"), 1); err != nil {
		t.Fatal(err)
	}
	before := keys(t, l, "")
	if r, err := l.Orphans(ctx, tab.Name, time.Now(), MinGrace, nil, false); err != nil || len(r.Files) != 0 {
		t.Errorf("young objects were swept: %+v, %v", r, err)
	}
	_, err := l.Orphans(ctx, tab.Name, later(), time.Minute, nil, false)
	wantCode(t, err, weir.Invalid)
	dry, err := l.Orphans(ctx, tab.Name, later(), MinGrace, nil, true)
	if err != nil || len(keys(t, l, "")) != len(before) {
		t.Fatalf("dry run: %v", err)
	}
	r, err := l.Orphans(ctx, tab.Name, later(), MinGrace, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range r.Files {
		got = append(got, o.Key)
	}
	want := []string{orphan.Path, manifest}
	slices.Sort(want)
	if d := cmp.Diff(want, got) + cmp.Diff(dry.Files, r.Files); d != "" {
		t.Errorf("swept (-want +got):\n%s", d)
	}
	after := keys(t, l, "")
	if !after[used.Path] || !after[alone.Path] || after[orphan.Path] {
		t.Error("the sweep took the wrong files")
	}
	// The same content again: the writer finds it or writes it, the commit has it.
	commit(t, l, appendTo(tab.Name, "2", put(t, l, tab, "a", "orphan", 4)))
	s, _ := l.Current(ctx, tab.Name)
	readable(t, l, tab.Name, s.ID)
}

func TestCommitRenewsOldFiles(t *testing.T) {
	c, clock := testConfigAt(t, time.Now().Add(-MinGrace))
	l := openLake(t, c)
	tab := ensure(t, l, links)
	f := put(t, l, tab, "", "x", 2)
	clock.Advance(MinGrace)
	before, _ := l.Store().Stat(context.Background(), f.Path)
	s := commit(t, l, appendTo(tab.Name, "1", f))
	after, err := l.Store().Stat(context.Background(), f.Path)
	if err != nil || !after.ModTime.After(before.ModTime) {
		t.Errorf("a file of %s was committed as old as that (%v)", before.ModTime, err)
	}
	readable(t, l, tab.Name, s.ID)
}

func TestSweepTakesWholeRuns(t *testing.T) {
	c, clock := testConfigAt(t, noon)
	l := openLake(t, c)
	ctx := context.Background()
	write := func(key string) {
		if err := l.Store().Put(ctx, key, strings.NewReader("x"), 1); err != nil {
			t.Fatal(err)
		}
	}
	write("runs/old/spec.json")
	write("runs/old/scratch/1.parquet")
	write("runs/resumed/spec.json")
	write("runsheet/other")
	clock.Advance(48 * time.Hour)
	write("runs/resumed/manifest.json")
	write("runs/young/spec.json")
	r, err := l.Sweep(ctx, "runs", noon.Add(49*time.Hour), MinGrace, false)
	if err != nil || len(r.Files) != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	left := keys(t, l, "runs")
	if d := cmp.Diff(map[string]bool{"runs/resumed/spec.json": true, "runs/resumed/manifest.json": true,
		"runs/young/spec.json": true, "runsheet/other": true}, left); d != "" {
		t.Error(d)
	}
	ensure(t, l, links)
	_, err = l.Sweep(ctx, "identity", noon.Add(49*time.Hour), MinGrace, false)
	wantCode(t, err, weir.Invalid)
}

func TestCompactKeepsRowsAndOrder(t *testing.T) {
	l := openLake(t, testConfig(t))
	ctx := context.Background()
	tab := ensure(t, l, schema.Named("identity.merges"))
	at := noon
	for i := range 6 {
		w, err := rowfile.NewTableWriter[weir.Merge](ctx, l.Store(), tab, "")
		if err != nil {
			t.Fatal(err)
		}
		for j := range 3 {
			if err := w.Write(weir.Merge{RunID: weir.RunID(fmt.Sprint("run", 5-i)), At: at, Change: "merge",
				From: fmt.Sprint("p", j), To: "p0", Reason: fmt.Sprint(i)}); err != nil {
				t.Fatal(err)
			}
		}
		files, err := w.Close()
		if err != nil {
			t.Fatal(err)
		}
		commit(t, l, appendTo(tab.Name, fmt.Sprint(i), files...))
		if i == 2 { // files of two schemas
			wider := tab
			wider.Columns = append(slices.Clone(tab.Columns), schema.Column{Name: "note", Type: schema.Map(schema.Text, schema.List(schema.Text))})
			ensure(t, l, wider)
		}
	}
	read := func(s Snapshot) (out []weir.Merge) {
		files, err := l.Files(ctx, tab.Name, s.ID)
		if err != nil {
			t.Fatal(err)
		}
		for m, err := range rowfile.Scan[weir.Merge](ctx, l.Store(), tab, files) {
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, m)
		}
		return out
	}
	old, _ := l.Current(ctx, tab.Name)
	before := read(old)
	if r, err := l.Compact(ctx, tab.Name, true); err != nil || r.Before != 6 || r.Rows != 18 || r.Snapshot.ID != old.ID {
		t.Errorf("dry run: %+v, %v", r, err)
	}
	r, err := l.Compact(ctx, tab.Name, false)
	if err != nil || r.Before != 6 || r.After != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	after := read(r.Snapshot)
	byKey := func(a, b weir.Merge) int {
		return strings.Compare(string(a.RunID)+" "+a.From, string(b.RunID)+" "+b.From)
	}
	if !slices.IsSortedFunc(after, byKey) {
		t.Error("the merged file is not in the order of the key")
	}
	slices.SortStableFunc(before, byKey)
	if d := cmp.Diff(before, after); d != "" {
		t.Errorf("rows (-before +after):\n%s", d)
	}
	if d := cmp.Diff(len(read(old)), 18); d != "" {
		t.Error("the snapshot before compaction is gone")
	}
	if again, err := l.Compact(ctx, tab.Name, false); err != nil || again.Before != 0 || again.Snapshot.ID != r.Snapshot.ID {
		t.Errorf("compacted twice: %+v, %v", again, err)
	}
	if s := commit(t, l, appendTo(tab.Name, "3")); s.CommitID != "3" {
		t.Error("compaction hides an earlier commit's id")
	}
}

func TestCompactYieldsToAReplacedScope(t *testing.T) {
	c := testConfig(t)
	l, peer := openLake(t, c), openLake(t, c)
	ctx := context.Background()
	tab := ensure(t, l, links)
	var all []weir.DataFile
	for i := range 5 {
		all = append(all, put(t, l, tab, "a", fmt.Sprint(i), 1))
	}
	commit(t, l, replaceIn(tab.Name, "1", "a", all...))
	l.cat = &faultyCatalog{tableCatalog: l.cat, before: func(n int) error {
		if n == 1 {
			commit(t, peer, replaceIn(tab.Name, "2", "a", put(t, peer, tab, "a", "new", 7)))
			return table.ErrCommitFailed
		}
		return nil
	}}
	r, err := l.Compact(ctx, tab.Name, false)
	if err != nil || r.Snapshot.CommitID != "2" || rows(t, l, tab.Name, r.Snapshot.ID) != 7 {
		t.Errorf("%+v, %v", r, err)
	}
}
