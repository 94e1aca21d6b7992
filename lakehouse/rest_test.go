package lakehouse

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// TestRESTCatalog runs the promises of this package against a REST catalog
// server, whose store has a bucket "warehouse".
func TestRESTCatalog(t *testing.T) {
	uri, endpoint := os.Getenv("WEIR_REST_CATALOG"), os.Getenv("WEIR_REST_S3")
	if uri == "" || endpoint == "" {
		t.Skip("no REST catalog: set WEIR_REST_CATALOG to its address and WEIR_REST_S3 to that of its store (keys: key, secret)")
	}
	ctx := context.Background()
	name := fmt.Sprint("shop", time.Now().UnixNano())
	c := Config{
		Object:    object.Config{Endpoint: endpoint, Bucket: "warehouse", Prefix: name, AccessKey: "key", SecretKey: "secret", PathStyle: true},
		Catalog:   CatalogConfig{Type: "rest", URI: uri},
		Namespace: name,
	}
	if err := object.CreateBucket(ctx, c.Object); err != nil {
		t.Fatal(err)
	}
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
