package lakehouse

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/test/clustertest"
)

// guarded is a catalog behind OAuth2: it gives tokens for client credentials, and lets
// in who has one that has not ended.
type guarded struct {
	*httputil.ReverseProxy
	given, refused atomic.Int64
	valid          atomic.Pointer[string] // the token that is let in
	away           atomic.Bool            // the token endpoint
}

func (g *guarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/tokens") {
		id, secret, basic := r.BasicAuth()
		if !basic {
			id, secret = r.FormValue("client_id"), r.FormValue("client_secret")
		}
		switch {
		case g.away.Load():
			http.Error(w, "away", http.StatusServiceUnavailable)
		case id != "weir" || secret != "hush" || r.FormValue("scope") != "tables":
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"error": "invalid_client", "error_description": "who are you?"}`))
		default:
			token := "token-" + time.Now().Format(time.RFC3339Nano)
			g.valid.Store(&token)
			g.given.Add(1)
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(map[string]any{"access_token": token, "token_type": "bearer", "expires_in": 1})
		}
		return
	}
	if t := g.valid.Load(); t == nil || r.Header.Get("Authorization") != "Bearer "+*t {
		g.refused.Add(1)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"error": {"message": "Not authorized", "type": "NotAuthorizedException", "code": 401}}`))
		return
	}
	g.ReverseProxy.ServeHTTP(w, r)
}

// TestCatalogBehindOAuth2: client credentials are exchanged for tokens, which are
// renewed; bad ones, and a fixed token that has ended, are told as such.
func TestCatalogBehindOAuth2(t *testing.T) {
	store := clustertest.StartMinIO(t, "warehouse")
	server := clustertest.StartCatalog(t, store, "warehouse")
	target, err := url.Parse(server.URI)
	if err != nil {
		t.Fatal(err)
	}
	g := &guarded{ReverseProxy: httputil.NewSingleHostReverseProxy(target)}
	front := httptest.NewServer(g)
	t.Cleanup(front.Close)
	c := restConfig(t, front.URL, store, "guarded")
	c.Catalog.Credential, c.Catalog.Scope, c.Catalog.TokenURI = "weir:hush", "tables", front.URL+"/oauth/tokens"
	l := openLake(t, c)
	tab := ensure(t, l, links)
	first := g.given.Load()
	for _, name := range []string{"a", "b", "c"} { // a token lasts a second
		commit(t, l, appendTo(tab.Name, name, put(t, l, tab, "", name, 2)))
	}
	if g.given.Load() <= first || g.refused.Load() > 0 {
		t.Errorf("%d tokens were given, %d requests refused", g.given.Load(), g.refused.Load())
	}
	for name, bad := range map[string]func(*CatalogConfig){
		"another secret": func(k *CatalogConfig) { k.Credential = "weir:loud" },
		"another scope":  func(k *CatalogConfig) { k.Scope = "all" },
		"an old token":   func(k *CatalogConfig) { k.Credential, k.Scope, k.TokenURI, k.Token = "", "", "", "token-of-yesterday" },
		"nothing":        func(k *CatalogConfig) { k.Credential, k.Scope, k.TokenURI = "", "", "" },
	} {
		other := c
		bad(&other.Catalog)
		_, err := Open(t.Context(), other)
		if weir.CodeOf(err) != weir.Denied || !strings.Contains(err.Error(), "lake.catalog.") {
			t.Errorf("%s: %v", name, err)
		}
	}
	g.away.Store(true)
	if _, err := Open(t.Context(), c); weir.CodeOf(err) != weir.Unavailable {
		t.Errorf("with the token endpoint away: %v", err)
	}
}
