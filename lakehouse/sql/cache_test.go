package sql_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object/objecttest"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/lakehouse/sql"
)

// TestSessionsShareASmallCache: sessions at once over a cache with room for one of
// their files see all rows, whoever evicts what.
func TestSessionsShareASmallCache(t *testing.T) {
	s := objecttest.Open(t)
	table := schema.Named("identity.links")
	var files []weir.DataFile
	for i := range 12 {
		files = append(files, write(t, s, table, weir.Link{RecordID: fmt.Sprint("r", i), ProfileID: "p"})...)
	}
	dir := t.TempDir()
	var work sync.WaitGroup
	for w := range 6 {
		work.Go(func() {
			for range 4 {
				session, err := sql.Open(t.Context(), sql.Options{Store: s, CacheDir: filepath.Join(dir, "cache"), CacheBytes: files[0].Bytes, TempDir: filepath.Join(dir, "tmp"), Threads: 1})
				if err != nil {
					t.Error(err)
					return
				}
				defer session.Close()
				mine := append(append([]weir.DataFile(nil), files[w:]...), files[:w]...)
				if err := session.Attach(t.Context(), table, mine); err != nil {
					t.Error(err)
					return
				}
				rows, err := session.Query(t.Context(), "SELECT count(*) FROM identity.links")
				if err != nil {
					t.Error(err)
					return
				}
				if !rows.Next() || !cmp.Equal(rows.Values(), []any{int64(12)}) {
					t.Errorf("a session sees %v: %v", rows.Values(), rows.Err())
				}
				rows.Close()
			}
		})
	}
	work.Wait()
	kept, err := filepath.Glob(filepath.Join(dir, "cache", "*"))
	if err != nil || len(kept) > 1 {
		t.Errorf("the cache holds %d files, not one", len(kept))
	}
}

// TestAFailedQueryLeavesASmallCache: what it had downloaded goes by the limit too.
func TestAFailedQueryLeavesASmallCache(t *testing.T) {
	s := objecttest.Open(t)
	table := schema.Named("identity.links")
	var files []weir.DataFile
	for i := range 24 {
		files = append(files, write(t, s, table, weir.Link{RecordID: fmt.Sprint("r", i), ProfileID: "p"})...)
	}
	files = append(files, weir.DataFile{Path: "identity/links/gone.parquet", Rows: 1, Bytes: 100})
	dir := t.TempDir()
	session, err := sql.Open(t.Context(), sql.Options{Store: s, CacheDir: filepath.Join(dir, "cache"), CacheBytes: files[0].Bytes, TempDir: filepath.Join(dir, "tmp"), Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	if err := session.Attach(t.Context(), table, files); err != nil {
		t.Fatal(err)
	}
	if _, err := session.Query(t.Context(), "SELECT count(*) FROM identity.links"); weir.CodeOf(err) != weir.NotFound {
		t.Fatalf("got %v", err)
	}
	kept, err := filepath.Glob(filepath.Join(dir, "cache", "*"))
	if err != nil || len(kept) > 1 {
		t.Errorf("the cache holds %d files, not one", len(kept))
	}
}

// TestFoldersOfKilledSessionsGo: one that nobody holds goes with the next session,
// one that is held stays.
func TestFoldersOfKilledSessionsGo(t *testing.T) {
	dir := t.TempDir()
	left, held, young := filepath.Join(dir, "weir-sql-1"), filepath.Join(dir, "weir-sql-2"), filepath.Join(dir, "weir-sql-3")
	for _, d := range []string{left, held, young} {
		if err := os.MkdirAll(filepath.Join(d, "files"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{left, held} {
		if err := os.WriteFile(filepath.Join(d, "hold"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	lock, err := os.Open(filepath.Join(held, "hold"))
	if err == nil {
		err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	cache := filepath.Join(dir, "cache")
	if err := os.MkdirAll(cache, 0o700); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(cache, ".download-1")
	if err := os.WriteFile(broken, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(broken, old, old); err != nil {
		t.Fatal(err)
	}
	s := objecttest.Open(t)
	session, err := sql.Open(t.Context(), sql.Options{Store: s, CacheDir: cache, TempDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	table := schema.Named("identity.links")
	if err := session.Attach(t.Context(), table, write(t, s, table, weir.Link{RecordID: "r", ProfileID: "p"})); err != nil {
		t.Fatal(err)
	}
	all(t, session, "SELECT count(*) FROM identity.links")
	for path, want := range map[string]bool{left: false, held: true, young: true, broken: false} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s is there: %v", filepath.Base(path), err == nil)
		}
	}
}

// TestCacheHoldsWholeFilesOnly: an object of another size than its commit's is told,
// and nothing of it stays.
func TestCacheHoldsWholeFilesOnly(t *testing.T) {
	s := objecttest.Open(t)
	table := schema.Named("identity.links")
	for name, off := range map[string]int64{"more": -1, "fewer": 1} {
		t.Run(name, func(t *testing.T) {
			cache := filepath.Join(t.TempDir(), "cache")
			files := write(t, s, table, weir.Link{RecordID: "r-" + name, ProfileID: "p"})
			files[0].Bytes += off
			session, err := sql.Open(t.Context(), sql.Options{Store: s, CacheDir: cache, TempDir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			defer session.Close()
			if err := session.Attach(t.Context(), table, files); err != nil {
				t.Fatal(err)
			}
			_, err = session.Query(t.Context(), "SELECT count(*) FROM identity.links")
			if weir.CodeOf(err) != weir.Unavailable || !strings.Contains(err.Error(), name+" than") {
				t.Errorf("got %v", err)
			}
			if left, err := os.ReadDir(cache); err != nil || len(left) != 0 {
				t.Errorf("%d files stay: %v", len(left), err)
			}
		})
	}
}
