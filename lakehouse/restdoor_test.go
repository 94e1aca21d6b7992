package lakehouse

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/apache/iceberg-go"

	"github.com/weir-cdp/weir"
)

// TestTokenGoesToTheCatalogAlone: a catalog that redirects to another host is refused,
// and the host hears nothing; within its host it may.
func TestTokenGoesToTheCatalogAlone(t *testing.T) {
	var heard atomic.Int64
	var token atomic.Value
	config := func(w http.ResponseWriter, r *http.Request) {
		heard.Add(1)
		token.Store(r.Header.Get("Authorization"))
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"defaults": {}, "overrides": {}}`)
	}
	other := httptest.NewServer(http.HandlerFunc(config))
	defer other.Close()
	elsewhere := strings.Replace(other.URL, "127.0.0.1", "localhost", 1) // another host by its name
	for _, x := range []struct {
		name, to string
		heard    int64
		code     weir.Code
	}{
		{"another host", elsewhere, 0, weir.Denied},
		{"the same", other.URL, 1, ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			heard.Store(0)
			from := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, x.to+r.URL.Path, http.StatusTemporaryRedirect)
			}))
			defer from.Close()
			_, end, err := openREST(t.Context(), CatalogConfig{Type: "rest", URI: from.URL, Token: "hush"}, iceberg.Properties{})
			if err == nil {
				_ = end()
			}
			if weir.CodeOf(err) != x.code || err != nil && !strings.Contains(err.Error(), "lake.catalog.uri") {
				t.Errorf("got %v", err)
			}
			if heard.Load() != x.heard {
				t.Errorf("the other heard %d requests, the last with %q", heard.Load(), token.Load())
			}
		})
	}
}

// endless is an answer without end.
type endless struct{}

func (endless) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(zeros{})}, nil
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestAnswersAreBounded(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "http://catalog/v1/config", nil)
	res, err := door{endless{}, 1 << 20}.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	n, err := io.Copy(io.Discard, res.Body)
	var told *weir.Error
	if !errors.As(err, &told) || n > 1<<20 {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestCatalogsAddressHoldsNoPassword(t *testing.T) {
	for _, uri := range []string{"https://weir:hush@catalog.example.com", "catalog.example.com:8181", "https://hush\n.example.com"} {
		_, _, err := openREST(t.Context(), CatalogConfig{Type: "rest", URI: uri}, iceberg.Properties{})
		if weir.CodeOf(err) != weir.Invalid || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v", uri, err)
		}
	}
}
