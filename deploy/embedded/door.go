package embedded

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/metadata"

	"github.com/weir-cdp/weir"
)

// door stands before the web interface. It opens to a browser that came with a
// link, which is good once and gives a cookie, and passes Temporal's token on, which
// the browser never sees.
//
//   - Names: a request must be for a name of this machine. A web page whose own
//     name was made to point here (DNS rebinding) sends its own name.
//   - Origin: what changes something, and every call of the API, must come from
//     the interface's own pages.
type door struct {
	token  bearer
	names  []string
	cookie string // its name: cookies of one host name are shared by all its ports
	pages  http.Handler
	now    func() time.Time
	began  time.Time

	mu   sync.Mutex
	used map[string]bool // links; none outlives the process
}

// Lifetimes. A link that nobody used is no better than a password on the screen.
const (
	linkLife    = 24 * time.Hour
	sessionLife = 7 * 24 * time.Hour
	linkPath    = "/weir/open"
)

func newDoor(token bearer, port int, pages http.Handler, now func() time.Time) *door {
	sum := sha256.Sum256(derived(string(token), "ui cookie"))
	return &door{token: token, names: LoopbackNames(port), cookie: "weir_ui_" + hex.EncodeToString(sum[:4]), pages: pages,
		now: now, began: now(), used: map[string]bool{}}
}

// LoopbackNames are the Host headers under which a program listening on a port of
// the loopback interface may be asked. Any other name is somebody else's who made
// it point here.
func LoopbackNames(port int) []string {
	p := strconv.Itoa(port)
	return []string{net.JoinHostPort(loopback, p), net.JoinHostPort("localhost", p), net.JoinHostPort("::1", p)}
}

// ServeHTTP implements http.Handler.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	switch {
	case !slices.Contains(d.names, r.Host):
		refuse(w, http.StatusForbidden, "This is Weir on the machine it runs on; it does not answer to the name in your request.")
	case !ownOrigin(r):
		refuse(w, http.StatusForbidden, "Another page asked for this.")
	case r.URL.Path == linkPath:
		d.open(w, r)
	case !d.session(r):
		refuse(w, http.StatusUnauthorized, "Open the link that weir dev printed, or take another one: weir ui")
	default:
		d.pass(w, r)
	}
}

func refuse(w http.ResponseWriter, status int, why string) { http.Error(w, why, status) }

// ownOrigin says whether a request may come from where it comes from: anything
// that reads by following a link, else the interface's own pages. A program that is
// no browser says nothing of it, and needs the cookie anyway.
func ownOrigin(r *http.Request) bool {
	if (&http.CrossOriginProtection{}).Check(r) != nil {
		return false
	}
	site := r.Header.Get("Sec-Fetch-Site")
	return !strings.HasPrefix(r.URL.Path, "/api/") || site == "" || site == "same-origin" || site == "none"
}

// pass hands a request on with the token in place of what the browser sent.
func (d *door) pass(w http.ResponseWriter, r *http.Request) {
	// Most calls take the header; those that stream a history take the context.
	r = r.Clone(metadata.AppendToOutgoingContext(r.Context(), "authorization", d.token.header()))
	r.Header.Del("Cookie")
	r.Header.Set("Authorization", d.token.header())
	d.pages.ServeHTTP(w, r)
}

// newLink makes a link's secret: a name, when it was made, and their seal.
func newLink(token bearer, now time.Time) string {
	return withSeal(token, "ui link", rand.Text()+"."+strconv.FormatInt(now.UnixNano(), 36))
}

// open takes a link and gives a cookie. The answer is a page, not a redirect: a
// browser that followed the link from a page (a terminal in a browser) would not
// send a strict cookie along.
func (d *door) open(w http.ResponseWriter, r *http.Request) {
	text, ok := unsealed(d.token, "ui link", r.URL.Query().Get("k"))
	name, made, _ := strings.Cut(text, ".")
	at, err := strconv.ParseInt(made, 36, 64)
	age := d.now().Sub(time.Unix(0, at))
	if !ok || err != nil || age > linkLife || at < d.began.UnixNano() || !d.first(name) {
		refuse(w, http.StatusUnauthorized, "This link was used, or is of another start of weir. Take another one: weir ui")
		return
	}
	ends := d.now().Add(sessionLife)
	http.SetCookie(w, &http.Cookie{Name: d.cookie, Value: withSeal(d.token, "ui session", strconv.FormatInt(ends.Unix(), 36)),
		Path: "/", Expires: ends, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(`<!doctype html><meta http-equiv="refresh" content="0;url=/"><a href="/">Go on</a>`)) // or the browser went away
}

// first says whether a link was not used before, and marks it.
func (d *door) first(link string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.used[link] {
		return false
	}
	d.used[link] = true
	return true
}

func (d *door) session(r *http.Request) bool {
	for _, c := range r.CookiesNamed(d.cookie) {
		if text, ok := unsealed(d.token, "ui session", c.Value); ok {
			ends, err := strconv.ParseInt(text, 36, 64)
			return err == nil && d.now().Before(time.Unix(ends, 0))
		}
	}
	return false
}

// withSeal adds to a text what only the owner of the token can make.
func withSeal(token bearer, use, text string) string {
	return text + "." + hex.EncodeToString(seal(token, use, text))
}

func unsealed(token bearer, use, sealed string) (string, bool) {
	at := strings.LastIndexByte(sealed, '.')
	if at < 0 {
		return "", false
	}
	mac, err := hex.DecodeString(sealed[at+1:])
	return sealed[:at], err == nil && hmac.Equal(mac, seal(token, use, sealed[:at]))
}

func seal(token bearer, use, text string) []byte {
	m := hmac.New(sha256.New, derived(string(token), use))
	m.Write([]byte(text))
	return m.Sum(nil)
}

// Link gives an address that opens the web interface once in a browser. NotFound:
// the platform serves none. It is a secret until it is used.
func (e Endpoints) Link(now time.Time) (string, error) {
	if e.UI == "" {
		return "", weir.Errorf(weir.NotFound, "no web interface is served").Then("start weir dev, which serves it")
	}
	return e.UI + linkPath + "?k=" + newLink(e.token, now), nil
}
