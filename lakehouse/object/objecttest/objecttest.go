// Package objecttest starts an S3 server inside a test, over real HTTP.
package objecttest

import (
	"net/http"
	"net/http/httptest"
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
