package lakehouse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/apache/iceberg-go/table"
	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
)

func TestCommitIDTakesEffectOnce(t *testing.T) { // invariant 2
	c := testConfig(t)
	l := openLake(t, c)
	tab := ensure(t, l, links)
	one := commit(t, l, appendTo(tab.Name, "run/1", put(t, l, tab, "", "a", 3)))
	if one.ID == 0 || one.CommitID != "run/1" || one.Sequence != 1 {
		t.Fatalf("snapshot is %+v", one)
	}
	// The worker died after the commit; another one repeats it, with a file
	// written anew in between.
	l = openLake(t, c)
	again := commit(t, l, appendTo(tab.Name, "run/1", put(t, l, tab, "", "b", 5)))
	if again.ID != one.ID {
		t.Errorf("the same id made snapshot %d, then %d", one.ID, again.ID)
	}
	commit(t, l, appendTo(tab.Name, "run/2", put(t, l, tab, "", "c", 4)))
	if again = commit(t, l, appendTo(tab.Name, "run/1", put(t, l, tab, "", "b", 5))); again.ID != one.ID {
		t.Errorf("an id below the newest snapshot is not found: %+v", again)
	}
	now, _ := l.Current(context.Background(), tab.Name)
	if n := rows(t, l, tab.Name, now.ID); n != 7 {
		t.Errorf("table has %d rows, want 7", n)
	}
}

func TestReplaceTakesTheDifferenceOnly(t *testing.T) {
	l := openLake(t, testConfig(t))
	tab := ensure(t, l, links)
	a1, a2, a3 := put(t, l, tab, "a", "1", 1), put(t, l, tab, "a", "2", 2), put(t, l, tab, "a", "3", 3)
	b := put(t, l, tab, "b", "b", 10)
	commit(t, l, appendTo(tab.Name, "1", b))
	commit(t, l, replaceIn(tab.Name, "2", "a", a1, a2))
	s := commit(t, l, replaceIn(tab.Name, "3", "a", a2, a3))
	files, err := l.Files(context.Background(), tab.Name, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	want := []weir.DataFile{a2, a3, b}
	slices.SortFunc(want, func(x, y weir.DataFile) int { return strings.Compare(x.Path, y.Path) })
	if d := cmp.Diff(want, files); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
	meta, _ := l.load(context.Background(), tab.Name)
	sum := meta.CurrentSnapshot().Summary.Properties
	if sum["added-data-files"] != "1" || sum["deleted-data-files"] != "1" {
		t.Errorf("a file that stays was touched: %v", sum)
	}
	if s = commit(t, l, replaceIn(tab.Name, "4", "a")); rows(t, l, tab.Name, s.ID) != 10 {
		t.Errorf("emptying scope a left %d rows, want those of b", rows(t, l, tab.Name, s.ID))
	}
}

func TestNoChangeMakesNoSnapshot(t *testing.T) { // invariant 2
	l := openLake(t, testConfig(t))
	tab := ensure(t, l, links)
	f := put(t, l, tab, "a", "x", 2)
	c := replaceIn(tab.Name, "1", "a", f)
	c.Properties = map[string]string{"weir.cursor.contacts": "42"}
	one := commit(t, l, c)
	before, _ := l.load(context.Background(), tab.Name)
	c.ID = "2"
	two := commit(t, l, c)
	after, _ := l.load(context.Background(), tab.Name)
	if one.ID != two.ID || before.MetadataLocation() != after.MetadataLocation() {
		t.Errorf("the same rows and cursor changed the table: %+v, then %+v", one, two)
	}
}

func TestPropertiesAlone(t *testing.T) { // invariant 1
	l := openLake(t, testConfig(t))
	ctx := context.Background()
	tab := ensure(t, l, links)
	cursor := func(id, v string) Commit {
		return Commit{ID: id, Table: tab.Name, Properties: map[string]string{"weir.cursor": v}}
	}
	get := func() string { s, _ := l.Current(ctx, tab.Name); return s.Properties["weir.cursor"] }
	commit(t, l, cursor("1", "a"))
	commit(t, l, cursor("2", "b"))
	commit(t, l, cursor("1", "a")) // repeated late: must not move the cursor back
	if get() != "b" {
		t.Errorf("cursor is %q, want b", get())
	}
	for i := range 3 * maxMarkers {
		commit(t, l, cursor(fmt.Sprint("many", i), fmt.Sprint(i)))
	}
	meta, _ := l.load(ctx, tab.Name)
	n := 0
	for k := range meta.Properties() {
		if strings.HasPrefix(k, markerPrefix) {
			n++
		}
	}
	if n != maxMarkers {
		t.Errorf("%d markers, want %d", n, maxMarkers)
	}
	commit(t, l, cursor("clear", ""))
	if s, _ := l.Current(ctx, tab.Name); len(s.Properties) != 0 || s.ID != 0 {
		t.Errorf("after clearing: %+v", s)
	}
}

func TestVersionedScopes(t *testing.T) {
	l := openLake(t, testConfig(t))
	ctx := context.Background()
	tab := ensure(t, l, links)
	scopes := func(s Snapshot) map[string]string {
		m, err := l.Scopes(ctx, tab.Name, s.ID)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	commit(t, l, replaceIn(tab.Name, "1", "f1@v1", put(t, l, tab, "f1@v1", "1", 3)))
	commit(t, l, replaceIn(tab.Name, "2", "f2@v1", put(t, l, tab, "f2@v1", "2", 4)))
	s := commit(t, l, replaceIn(tab.Name, "3", "f1@v2", put(t, l, tab, "f1@v2", "1b", 1)))
	if d := cmp.Diff(map[string]string{"f1": "v2", "f2": "v1"}, scopes(s)); d != "" || rows(t, l, tab.Name, s.ID) != 5 {
		t.Errorf("%s, %d rows", d, rows(t, l, tab.Name, s.ID))
	}
	// A version without a single row is remembered, and is no file for readers.
	s = commit(t, l, replaceIn(tab.Name, "4", "f2@v2"))
	if d := cmp.Diff(map[string]string{"f1": "v2", "f2": "v2"}, scopes(s)); d != "" {
		t.Error(d)
	}
	if files, _ := l.Files(ctx, tab.Name, s.ID); len(files) != 1 {
		t.Errorf("readers see %d files, want 1", len(files))
	}
	wider := links
	wider.Columns = append(slices.Clone(wider.Columns), links.Columns[1])
	wider.Columns[3].Name = "extra"
	ensure(t, l, wider)
	if again := commit(t, l, replaceIn(tab.Name, "5", "f2@v2")); again.ID != s.ID {
		t.Error("the same empty version again made a snapshot")
	}
	// The source's file is gone: its scope is replaced under its bare name.
	s = commit(t, l, replaceIn(tab.Name, "6", "f2"))
	if d := cmp.Diff(map[string]string{"f1": "v2"}, scopes(s)); d != "" {
		t.Error(d)
	}
}

func TestRacingCommittersLoseNothing(t *testing.T) {
	c := testConfig(t)
	tab := ensure(t, openLake(t, c), links)
	const writers, each = 8, 4
	var wg sync.WaitGroup
	for w := range writers {
		l := openLake(t, c) // its own process, as far as locks go
		var files []weir.DataFile
		for i := range each {
			files = append(files, put(t, l, tab, fmt.Sprint("w", w), fmt.Sprint(w, "-", i, "-"), 1+i))
		}
		wg.Go(func() {
			for i, f := range files {
				cm := appendTo(tab.Name, fmt.Sprint(w, "/", i), f)
				cm.Properties = map[string]string{fmt.Sprint("weir.cursor.", w): fmt.Sprint(i)}
				if _, err := l.Commit(context.Background(), cm); err != nil {
					t.Errorf("writer %d commit %d: %v", w, i, err)
				}
			}
		})
	}
	wg.Wait()
	l := openLake(t, c)
	s, err := l.Current(context.Background(), tab.Name)
	if err != nil {
		t.Fatal(err)
	}
	if n := rows(t, l, tab.Name, s.ID); n != writers*10 {
		t.Errorf("%d rows, want %d", n, writers*10)
	}
	if s.Sequence != writers*each || len(s.Properties) != writers {
		t.Errorf("newest snapshot %+v, want sequence %d and %d cursors", s, writers*each, writers)
	}
	for k, v := range s.Properties {
		if v != fmt.Sprint(each-1) {
			t.Errorf("%s = %s", k, v)
		}
	}
}

// faultyCatalog fails commits as told, before or after they land.
type faultyCatalog struct {
	tableCatalog
	before, after func(n int) error
	mu            sync.Mutex
	n             int
}

func (f *faultyCatalog) CommitTable(ctx context.Context, id table.Identifier, r []table.Requirement, u []table.Update) (table.Metadata, string, error) {
	f.mu.Lock()
	f.n++
	n := f.n
	f.mu.Unlock()
	if f.before != nil {
		if err := f.before(n); err != nil {
			return nil, "", err
		}
	}
	m, loc, err := f.tableCatalog.CommitTable(ctx, id, r, u)
	if err == nil && f.after != nil {
		err = f.after(n)
	}
	return m, loc, err
}

func TestUnknownOutcome(t *testing.T) {
	l := openLake(t, testConfig(t))
	tab := ensure(t, l, links)
	f := &faultyCatalog{tableCatalog: l.cat, after: func(n int) error {
		if n == 1 {
			return errors.New("gateway timeout")
		}
		return nil
	}}
	l.cat = f
	s := commit(t, l, appendTo(tab.Name, "1", put(t, l, tab, "", "a", 3)))
	if f.n != 1 || s.CommitID != "1" || rows(t, l, tab.Name, s.ID) != 3 {
		t.Errorf("%d commits, snapshot %+v", f.n, s)
	}
	// The answer is lost, and so is the process: its successor finds the commit.
	f.n = 0
	again := commit(t, openSame(t, l), appendTo(tab.Name, "1", put(t, l, tab, "", "a", 3)))
	if again.ID != s.ID {
		t.Error("committed twice")
	}
}

// openSame is a second lake object over the same store and catalog.
func openSame(t *testing.T, l *Lake) *Lake {
	t.Helper()
	return &Lake{store: l.store, cat: l.cat, root: l.root, keepsIDs: l.keepsIDs, close: func() error { return nil }}
}

func TestConflictsAreRetriedWithANewDifference(t *testing.T) {
	c := testConfig(t)
	l, peer := openLake(t, c), openLake(t, c)
	tab := ensure(t, l, links)
	old := put(t, l, tab, "a", "old", 1)
	commit(t, l, replaceIn(tab.Name, "0", "a", old))
	mid := put(t, peer, tab, "a", "mid", 2)
	f := &faultyCatalog{tableCatalog: l.cat, before: func(n int) error {
		if n == 1 { // a peer replaces the scope between our reading and our commit
			commit(t, peer, replaceIn(tab.Name, "peer", "a", mid))
		}
		return nil
	}}
	l.cat = f
	s := commit(t, l, replaceIn(tab.Name, "1", "a", put(t, l, tab, "a", "new", 4)))
	if f.n != 2 {
		t.Errorf("%d tries, want 2", f.n)
	}
	if n := rows(t, l, tab.Name, s.ID); n != 4 {
		t.Errorf("%d rows: the peer's files were not taken into account", n)
	}
}

func TestCommitGivesUpClearly(t *testing.T) {
	l := openLake(t, testConfig(t))
	tab := ensure(t, l, links)
	l.cat = &faultyCatalog{tableCatalog: l.cat, before: func(int) error { return table.ErrCommitFailed }}
	ctx, cancel := context.WithCancel(context.Background())
	f := l.cat.(*faultyCatalog)
	f.before = func(n int) error {
		if n == 3 {
			cancel()
		}
		return table.ErrCommitFailed
	}
	_, err := l.Commit(ctx, appendTo(tab.Name, "1", put(t, l, tab, "", "a", 1)))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want cancelled", err)
	}
}

func TestCommitRefuses(t *testing.T) {
	l := openLake(t, testConfig(t))
	tab := ensure(t, l, links)
	f := put(t, l, tab, "a", "x", 1)
	other := links
	other.Name = "identity.merges"
	other.Columns = links.Columns[:1]
	merges := ensure(t, l, other)
	for name, c := range map[string]Commit{
		"no id":             appendTo(tab.Name, "", f),
		"other table":       {ID: "1", Table: tab.Name, Scopes: []weir.TableFiles{{Table: "core.records"}}},
		"wrong scope":       replaceIn(tab.Name, "1", "b", f),
		"foreign property":  {ID: "1", Table: tab.Name, Properties: map[string]string{"owner": "x"}},
		"reserved property": {ID: "1", Table: tab.Name, Properties: map[string]string{"weir.commit.1": "x"}},
		"large property":    {ID: "1", Table: tab.Name, Properties: map[string]string{"weir.c": strings.Repeat("x", maxProperty+1)}},
		"twice": {ID: "1", Table: tab.Name, Scopes: []weir.TableFiles{
			{Scope: "a@1", Replace: true}, {Scope: "a@2", Replace: true}}},
		"columns that do not fit": appendTo(merges.Name, "1", put(t, l, schemaNamed(tab, merges.Name), "", "x", 1)),
	} {
		_, err := l.Commit(context.Background(), c)
		if weir.CodeOf(err) != weir.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	gone := f
	gone.Path = scopeFolder(tab.Name, "a") + "/gone.parquet"
	_, err := l.Commit(context.Background(), appendTo(tab.Name, "1", gone))
	wantCode(t, err, weir.NotFound)
	_, err = l.Commit(context.Background(), Commit{ID: "1", Table: "no.such"})
	wantCode(t, err, weir.NotFound)
	if s, _ := l.Current(context.Background(), tab.Name); s.ID != 0 {
		t.Errorf("a refused commit made snapshot %+v", s)
	}
}
