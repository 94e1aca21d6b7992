package weirtest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/weir-cdp/weir/examples/shop/receiver"
)

// Destination takes the shop's webhook deliveries and honours idempotency keys.
type Destination struct {
	*receiver.Receiver
	URL    string
	server *httptest.Server
	mu     sync.Mutex
	before func(n int) // called with the number of each request before it is taken
	after  func(n int) // … and when it is taken but not yet answered
	n      int
}

// Receive points the project's e-mail tool at a receiver of the test's.
func (p *Project) Receive(t testing.TB) *Destination {
	t.Helper()
	d := &Destination{Receiver: receiver.New()}
	d.server = httptest.NewServer(d)
	t.Cleanup(func() { d.server.CloseClientConnections(); d.server.Close() })
	d.URL = d.server.URL
	p.Replace(t, "destinations/esp.yaml", "http://127.0.0.1:8787", d.URL)
	return d
}

// Before and After set what is done when a request comes, and when it is taken but
// not answered.
func (d *Destination) Before(f func(n int)) { d.mu.Lock(); d.before = f; d.mu.Unlock() }

// After: see Before.
func (d *Destination) After(f func(n int)) { d.mu.Lock(); d.after = f; d.mu.Unlock() }

func (d *Destination) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	d.n++
	n, before, after := d.n, d.before, d.after
	d.mu.Unlock()
	if before != nil {
		before(n)
	}
	rec := httptest.NewRecorder()
	d.Receiver.ServeHTTP(rec, r)
	if after != nil {
		after(n)
	}
	for k, v := range rec.Header() {
		w.Header().Set(k, strings.Join(v, ","))
	}
	w.WriteHeader(rec.Code)
	_, _ = w.Write(rec.Body.Bytes()) // the sender may have been killed
}
