package lakehouse

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"

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

// TestConfigurationNamesNoOtherHost: neither for the service nor for its tokens.
func TestConfigurationNamesNoOtherHost(t *testing.T) {
	var heard atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		heard.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token": "x", "token_type": "bearer", "namespaces": []}`)
	}))
	defer other.Close()
	elsewhere := strings.Replace(other.URL, "127.0.0.1", "localhost", 1)
	for _, key := range []string{"uri", "oauth2-server-uri", "rest.authorization-url"} {
		t.Run(key, func(t *testing.T) {
			heard.Store(0)
			from := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				if strings.HasSuffix(r.URL.Path, "/tokens") {
					_, _ = io.WriteString(w, `{"access_token": "x", "token_type": "bearer"}`)
					return
				}
				_, _ = io.WriteString(w, `{"defaults": {}, "overrides": {"`+key+`": "`+elsewhere+`"}}`)
			}))
			defer from.Close()
			cat, end, err := openREST(t.Context(), CatalogConfig{Type: "rest", URI: from.URL, Credential: "weir:hush"}, iceberg.Properties{})
			if err == nil {
				_, err = cat.ListNamespaces(t.Context(), nil)
				_ = end()
			}
			if err == nil || weir.CodeOf(failed("list", "namespaces", err)) != weir.Denied || heard.Load() != 0 {
				t.Errorf("got %v, and the other heard %d requests", err, heard.Load())
			}
		})
	}
}

// TestTLSIsKept: a host that weir.yaml names by https gets nothing in clear.
func TestTLSIsKept(t *testing.T) {
	u := func(s string) *url.URL { u, _ := url.Parse(s); return u }
	hosts := hostsOf(u("https://Catalog.example.com/x"), u("http://tokens.example.com"))
	d := door{endless{}, 1, hosts}
	for to, code := range map[string]weir.Code{"https://catalog.example.com/v1": "", "http://catalog.example.com/v1": weir.Denied,
		"http://tokens.example.com": "", "https://tokens.example.com": "", "https://example.com": weir.Denied} {
		res, err := d.RoundTrip(httptest.NewRequest(http.MethodGet, to, nil))
		if err == nil {
			_ = res.Body.Close()
		}
		if err != nil && weir.CodeOf(err) != code || err == nil && code != "" {
			t.Errorf("%s: %v", to, err)
		}
	}
}

// lying is a catalog that says of tables that their files lie elsewhere.
type lying struct {
	tableCatalog
	location string // of the metadata
}

func (l lying) LoadTable(ctx context.Context, id table.Identifier) (*table.Table, error) {
	t, err := l.tableCatalog.LoadTable(ctx, id)
	if err != nil {
		return nil, err
	}
	meta, err := table.UpdateTableMetadata(t.Metadata(), []table.Update{table.NewSetLocationUpdate(l.location)}, l.location)
	if err != nil {
		return nil, err
	}
	return table.New(id, meta, l.location+"/metadata/v1.json", iceio.LoadFSFunc(nil, l.location), l.tableCatalog), nil
}

// TestCatalogOpensNoFileOfThisMachine: a table's files are the lake's, whatever scheme
// the catalog names.
func TestCatalogOpensNoFileOfThisMachine(t *testing.T) {
	l := openLake(t, testConfig(t))
	tab := ensure(t, l, links)
	add := appendTo(tab.Name, "1", put(t, l, tab, "", "a", 1))
	dir := t.TempDir()
	l.cat = lying{l.cat, "file://" + dir}
	_, err := l.Commit(t.Context(), add)
	if weir.CodeOf(err) != weir.Invalid || !strings.Contains(err.Error(), "outside the lake") {
		t.Errorf("got %v", err)
	}
	if held, err := os.ReadDir(dir); err != nil || len(held) > 0 {
		t.Errorf("%v, %v were written", err, held)
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
	res, err := door{endless{}, 1 << 20, hostsOf(r.URL)}.RoundTrip(r)
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
		c := CatalogConfig{Type: "rest", URI: "http://127.0.0.1:1", Credential: "a:b", TokenURI: uri}
		if _, _, err := openREST(t.Context(), c, iceberg.Properties{}); weir.CodeOf(err) != weir.Invalid || strings.Contains(err.Error(), "hush") {
			t.Errorf("oauth2_uri %q: %v", uri, err)
		}
	}
}

func TestSecretsInClear(t *testing.T) {
	const away, here, safe = "http://catalog:8181", "http://127.0.0.1:8181", "https://catalog"
	for _, x := range []struct {
		c    CatalogConfig
		want bool
	}{
		{CatalogConfig{URI: away}, false},
		{CatalogConfig{URI: away, Token: "t"}, true},
		{CatalogConfig{URI: away, Credential: "c", TokenURI: safe}, true}, // the token goes there
		{CatalogConfig{URI: safe, Credential: "c", TokenURI: away}, true},
		{CatalogConfig{URI: safe, Credential: "c"}, false},
		{CatalogConfig{URI: here, Token: "t"}, false},
		{CatalogConfig{URI: "http://localhost:8181", Token: "t"}, false},
	} {
		if got := x.c.Clear(); got != x.want {
			t.Errorf("%+v: %v", x.c, got)
		}
	}
}
