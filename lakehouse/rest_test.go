package lakehouse

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/test/clustertest"
)

// restConfig is a lake on a REST catalog and a MinIO of the test's.
func restConfig(t *testing.T, uri string, store *clustertest.MinIO, name string) Config {
	t.Helper()
	return Config{Object: store.Config("warehouse", name), Catalog: CatalogConfig{Type: "rest", URI: uri}, Namespace: name}
}

// TestRESTCatalog runs the promises of this package against a REST catalog
// server, and what happens to commits when the way to it is bad.
func TestRESTCatalog(t *testing.T) {
	store := clustertest.StartMinIO(t, "warehouse")
	server := clustertest.StartCatalog(t, store, "warehouse")
	t.Run("promises", func(t *testing.T) { promises(t, restConfig(t, server.URI, store, "shop")) })
	t.Run("two workspaces", func(t *testing.T) {
		one, two := openLake(t, restConfig(t, server.URI, store, "one")), openLake(t, restConfig(t, server.URI, store, "two"))
		tab := ensure(t, one, links)
		s := commit(t, one, appendTo(tab.Name, "1", put(t, one, tab, "", "a", 3)))
		if names, err := two.Tables(t.Context()); err != nil || len(names) > 0 {
			t.Errorf("the other workspace sees %q, %v", names, err)
		}
		ensure(t, two, links)
		commit(t, two, appendTo(tab.Name, "1", put(t, two, tab, "", "b", 5)))
		if n := rows(t, one, tab.Name, s.ID); n != 3 {
			t.Errorf("%d rows", n)
		}
	})
	t.Run("bad ways", func(t *testing.T) { badWays(t, server, store) })
	t.Run("away", func(t *testing.T) {
		l := openLake(t, restConfig(t, server.URI, store, "away"))
		tab := ensure(t, l, links)
		f := put(t, l, tab, "", "a", 3)
		server.Kill()
		_, err := l.Commit(t.Context(), appendTo(tab.Name, "1", f))
		wantCode(t, err, weir.Unavailable)
		_, err = Open(t.Context(), restConfig(t, server.URI, store, "away"))
		wantCode(t, err, weir.Unavailable)
		server.Restart(t)
		if s := commit(t, l, appendTo(tab.Name, "1", f)); rows(t, l, tab.Name, s.ID) != 3 {
			t.Error("after the restart the commit is not whole")
		}
	})
}

func promises(t *testing.T, c Config) {
	ctx := context.Background()
	l := openLake(t, c)
	for _, want := range schema.Fixed() {
		if d := cmp.Diff(want, ensure(t, l, want)); d != "" {
			t.Errorf("%s has other ids (-want +got):\n%s", want.Name, d)
		}
	}
	tab := schemaNamed(ensure(t, l, schemaNamed(links, "raw.links")), "raw.links")
	wider := links
	wider.Name = tab.Name
	wider.Columns = append(slices.Clone(links.Columns), schema.Column{Name: "tags", Type: schema.List(schema.Text)})
	wider.Columns[2].Type = schema.Long
	ensure(t, l, wider)
	one := commit(t, l, replaceIn(tab.Name, "1", "a@1", put(t, l, tab, "a@1", "x", 2)))
	if again := commit(t, l, replaceIn(tab.Name, "1", "a@1", put(t, l, tab, "a@1", "x", 2))); again.ID != one.ID {
		t.Error("committed twice")
	}
	var wg sync.WaitGroup
	for w := range 8 {
		l := openLake(t, c)
		f := put(t, l, tab, fmt.Sprint(w), fmt.Sprint(w), 3)
		wg.Go(func() {
			cm := appendTo(tab.Name, fmt.Sprint("w", w), f)
			cm.Properties = map[string]string{fmt.Sprint("weir.cursor.", w): "done"}
			if _, err := l.Commit(ctx, cm); err != nil {
				t.Errorf("writer %d: %v", w, err)
			}
		})
	}
	wg.Wait()
	s, err := l.Current(ctx, tab.Name)
	if err != nil || len(s.Properties) != 8 || rows(t, l, tab.Name, s.ID) != 26 {
		t.Errorf("after the race: %+v, %d rows, %v", s, rows(t, l, tab.Name, s.ID), err)
	}
	record(t, l, "r1", 1, "done", map[string]int64{tab.Name: one.ID})
	r, err := l.Expire(ctx, tab.Name, ExpirePolicy{Now: later(), KeepLast: 2, OlderThan: MinAge})
	if err != nil || len(r.Expired) != 6 {
		t.Errorf("expired %d of 9: %v", len(r.Expired), err)
	}
	readable(t, l, tab.Name, one.ID)
	if _, err := l.Orphans(ctx, tab.Name, later(), MinGrace, nil, false); err != nil {
		t.Error(err)
	}
	readable(t, l, tab.Name, one.ID)
	readable(t, l, tab.Name, s.ID)
	names, err := l.Tables(ctx)
	if err != nil || len(names) != len(schema.Fixed())+1 {
		t.Errorf("tables: %q, %v", names, err)
	}
	_, err = l.Current(ctx, "raw.nothing")
	wantCode(t, err, weir.NotFound)
}

// way is a proxy before a catalog: it does something else with the commits whose
// number faults has.
type way struct {
	*httputil.ReverseProxy
	commits atomic.Int64
	fault   atomic.Pointer[fault]
}

type fault struct {
	status int  // of the answer; 0: the connection breaks
	landed bool // the catalog gets the commit
	times  int64
}

func (w *way) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	f := w.fault.Load()
	if f == nil || r.Method != http.MethodPost || !strings.Contains(r.URL.Path, "/tables/") || w.commits.Add(1) > f.times {
		w.ReverseProxy.ServeHTTP(out, r)
		return
	}
	if f.landed {
		w.ReverseProxy.ServeHTTP(httptest.NewRecorder(), r)
	}
	if f.status == 0 {
		panic(http.ErrAbortHandler)
	}
	http.Error(out, `{"error": {"message": "the way is bad", "type": "Fault", "code": `+fmt.Sprint(f.status)+`}}`, f.status)
}

// badWays loses answers and commits: each commit lands once, and no file of one whose
// outcome is unknown is deleted.
func badWays(t *testing.T, server *clustertest.Catalog, store *clustertest.MinIO) {
	target, err := url.Parse(server.URI)
	if err != nil {
		t.Fatal(err)
	}
	w := &way{ReverseProxy: httputil.NewSingleHostReverseProxy(target)}
	front := httptest.NewServer(w)
	t.Cleanup(front.Close)
	c := restConfig(t, front.URL, store, "ways")
	l := openLake(t, c)
	tab := ensure(t, l, links)
	total, snapshots := int64(0), 0
	for _, landed := range []bool{true, false} {
		for _, status := range []int{0, 409, 500, 502, 503, 504} {
			for _, times := range []int64{1, 3} {
				if landed && times > 1 {
					continue // the second try finds it
				}
				name := fmt.Sprintf("%d %v %d", status, landed, times)
				f := put(t, l, tab, "", name, 2)
				w.commits.Store(0)
				w.fault.Store(&fault{status, landed, times})
				s := commit(t, l, appendTo(tab.Name, name, f))
				w.fault.Store(nil)
				total, snapshots = total+2, snapshots+1
				if n := rows(t, l, tab.Name, s.ID); n != total || s.CommitID != name {
					t.Errorf("%s: %d rows, not %d; commit %q", name, n, total, s.CommitID)
				}
				if again := commit(t, l, appendTo(tab.Name, name, f)); again.ID != s.ID {
					t.Errorf("%s: committed twice", name)
				}
			}
		}
	}
	loaded, err := l.load(t.Context(), tab.Name)
	if err != nil || len(loaded.Metadata().Snapshots()) != snapshots {
		t.Errorf("there are %d snapshots of %d commits, %v", len(loaded.Metadata().Snapshots()), snapshots, err)
	}
	for _, status := range []int{401, 403, 419} {
		w.commits.Store(0)
		w.fault.Store(&fault{status: status, times: 1})
		_, err := l.Commit(t.Context(), appendTo(tab.Name, fmt.Sprint(status), put(t, l, tab, "", fmt.Sprint(status), 1)))
		wantCode(t, err, weir.Denied)
		w.fault.Store(nil)
	}
}
