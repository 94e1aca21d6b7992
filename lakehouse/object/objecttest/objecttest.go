// Package objecttest starts an S3 server inside a test, over real HTTP.
package objecttest

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/weir-cdp/weir/lakehouse/object"
)

// Config returns the settings of an empty bucket "lake" on a server that lives as
// long as the test. wrap, if not nil, sees each request first.
func Config(t testing.TB, wrap func(http.Handler) http.Handler) object.Config {
	t.Helper()
	handler := gofakes3.New(s3mem.New(), gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	if wrap != nil {
		handler = wrap(handler)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c := object.Config{Endpoint: server.URL, Bucket: "lake", Prefix: "shop", PathStyle: true,
		AccessKey: "test", SecretKey: "test-secret"}
	if err := object.CreateBucket(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return c
}

// Open returns a store on such a bucket.
func Open(t testing.TB) *object.Store {
	t.Helper()
	s, err := object.Open(t.Context(), Config(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Mirror returns a wrapper for Config that also keeps every object that is put
// whole as a plain file <dir>/<bucket>/<key>, as the embedded gateway does.
func Mirror(t testing.TB, dir string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r)
			if r.Method != http.MethodPut || r.URL.RawQuery != "" {
				return
			}
			get := httptest.NewRecorder()
			next.ServeHTTP(get, httptest.NewRequest(http.MethodGet, r.URL.Path, nil))
			if get.Code != http.StatusOK || strings.Count(strings.Trim(r.URL.Path, "/"), "/") == 0 {
				return
			}
			path := filepath.Join(dir, filepath.FromSlash(r.URL.Path))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Error(err)
			}
			if err := os.WriteFile(path, get.Body.Bytes(), 0o644); err != nil {
				t.Error(err)
			}
		})
	}
}
