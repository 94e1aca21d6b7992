package embedded

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const testToken = bearer("0f0e0d0c0b0a09080706050403020100ffeeddccbbaa99887766554433221100")

// browser asks a door as a browser would, keeping its cookies.
type browser struct {
	*door
	seen    *http.Request // what got through
	cookies []*http.Cookie
}

func newBrowser(now func() time.Time) *browser {
	b := &browser{}
	b.door = newDoor(testToken, 18233, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { b.seen = r }), now)
	return b
}

func (b *browser) ask(method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	b.seen = nil
	b.ServeHTTP(w, r)
	b.cookies = append(b.cookies, w.Result().Cookies()...)
	return w
}

const home = "http://127.0.0.1:18233"

func TestDoorOpensOnceByALink(t *testing.T) {
	now := time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	b := newBrowser(clock)
	link := linkPath + "?k=" + newLink(testToken, now)
	if w := b.ask("GET", home+"/"); w.Code != http.StatusUnauthorized || b.seen != nil || !strings.Contains(w.Body.String(), "weir ui") {
		t.Fatalf("without a link: %d %s", w.Code, w.Body)
	}
	if w := b.ask("GET", home+link); w.Code != http.StatusOK || len(b.cookies) != 1 || !b.cookies[0].HttpOnly || b.cookies[0].SameSite != http.SameSiteStrictMode {
		t.Fatalf("by the link: %d, cookies %v", w.Code, b.cookies)
	}
	if strings.Contains(b.cookies[0].String(), string(testToken)) {
		t.Error("the cookie holds the token")
	}
	b.ask("GET", home+"/api/v1/namespaces", "Sec-Fetch-Site", "same-origin", "Authorization", "Bearer of the browser")
	if b.seen == nil || b.seen.Header.Get("Authorization") != testToken.header() || b.seen.Header.Get("Cookie") != "" {
		t.Fatalf("passed on: %+v", b.seen)
	}

	second := newBrowser(clock)
	second.door = b.door
	if w := second.ask("GET", home+link); w.Code != http.StatusUnauthorized || len(second.cookies) > 0 {
		t.Errorf("the link opened twice: %d", w.Code)
	}
	again := newBrowser(func() time.Time { return now.Add(time.Hour) }) // after a restart
	if w := again.ask("GET", home+link); w.Code != http.StatusUnauthorized {
		t.Errorf("a link of an earlier start opened: %d", w.Code)
	}
	again.cookies = b.cookies
	if again.ask("GET", home+"/"); again.seen == nil {
		t.Error("a restart shut the browser out")
	}
	now = now.Add(sessionLife)
	if b.ask("GET", home+"/"); b.seen != nil {
		t.Error("the cookie does not end")
	}
	if w := b.ask("GET", home+linkPath+"?k="+newLink(testToken, now.Add(-linkLife-1))); w.Code != http.StatusUnauthorized {
		t.Errorf("an old link opened: %d", w.Code)
	}
}

func TestDoorKnowsItsOwn(t *testing.T) {
	now := time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)
	b := newBrowser(func() time.Time { return now })
	b.ask("GET", home+linkPath+"?k="+newLink(testToken, now))
	for _, c := range []struct {
		name, method, target string
		header               []string
		passes               bool
	}{
		{"its page", "GET", home + "/", nil, true},
		{"by localhost", "GET", "http://localhost:18233/", nil, true},
		{"by IPv6", "GET", "http://[::1]:18233/", nil, true},
		{"a page whose name points here", "GET", "http://rebound.example.org:18233/", nil, false},
		{"the same with the port left out", "GET", "http://127.0.0.1/", nil, false},
		{"another port", "GET", "http://127.0.0.1:1/", nil, false},
		{"a link on another page", "GET", home + "/namespaces", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, true},
		{"a call of another page", "GET", home + "/api/v1/namespaces", []string{"Sec-Fetch-Site", "cross-site"}, false},
		{"a call of another port", "GET", home + "/api/v1/namespaces", []string{"Sec-Fetch-Site", "same-site"}, false},
		{"a change by its page", "POST", home + "/api/v1/x", []string{"Sec-Fetch-Site", "same-origin", "Origin", home}, true},
		{"a change by another page", "POST", home + "/api/v1/x", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://example.org"}, false},
		{"the same in an old browser", "POST", home + "/api/v1/x", []string{"Origin", "https://example.org"}, false},
		{"a change by another port", "DELETE", home + "/api/v1/x", []string{"Sec-Fetch-Site", "same-site", "Origin", "http://127.0.0.1:1"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := b.ask(c.method, c.target, c.header...)
			if (b.seen != nil) != c.passes || !c.passes && w.Code != http.StatusForbidden {
				t.Errorf("got %d, passed %v", w.Code, b.seen != nil)
			}
		})
	}
}

func TestForgedSealsAreRefused(t *testing.T) {
	now := time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)
	other := bearer(strings.Repeat("ab", tokenBytes))
	for name, k := range map[string]string{
		"none": "", "no seal": "x", "of another project": newLink(other, now), "a cookie for a link": withSeal(testToken, "ui session", "A.zzz"),
		"another text under the seal": "A" + newLink(testToken, now),
	} {
		if w := newBrowser(func() time.Time { return now }).ask("GET", home+linkPath+"?k="+k); w.Code != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	b := newBrowser(func() time.Time { return now })
	for _, v := range []string{"", "zzzzzz", newLink(testToken, now), withSeal(other, "ui session", "zzzzzz")} {
		b.cookies = []*http.Cookie{{Name: b.cookie, Value: v}}
		if b.ask("GET", home+"/"); b.seen != nil {
			t.Errorf("the cookie %q opened", v)
		}
	}
}

// surf is a browser on the network.
func surf(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	return &http.Client{Jar: jar, Timeout: time.Minute}
}

func read(t *testing.T, c *http.Client, url string) (int, string) {
	t.Helper()
	r, err := c.Get(url)
	must(t, err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	must(t, err)
	return r.StatusCode, string(b)
}
