package webhook_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/connectors/connectortest"
	"github.com/weir-cdp/weir/connectors/webhook"
	"github.com/weir-cdp/weir/policies/permit"
)

// receiver takes what the webhook sends and honours idempotency keys. A body
// with a row named "bad" is refused as a whole.
type receiver struct {
	*httptest.Server
	// answer, if set, replaces the receiver's own.
	answer func(w http.ResponseWriter, r *http.Request, body []byte) bool

	mu       sync.Mutex
	requests []request
	got      []connectortest.Received
	seen     map[string]bool
}

type request struct {
	header http.Header
	body   string
}

type sentRow struct {
	Op     weir.Op        `json:"op"`
	Key    string         `json:"key"`
	ID     string         `json:"idempotency_key"`
	Fields map[string]any `json:"fields"`
}

func newReceiver(t testing.TB) *receiver {
	t.Helper()
	r := &receiver{seen: map[string]bool{}}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if req.Method == http.MethodHead {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	r.requests = append(r.requests, request{req.Header.Clone(), string(body)})
	if r.answer != nil && r.answer(w, req, body) {
		return
	}
	var in struct{ Rows []sentRow }
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if err := dec.Decode(&in); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, row := range in.Rows {
		if row.Fields["first_name"] == "bad" {
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = io.WriteString(w, "the name of "+row.Key+" is bad")
			return
		}
	}
	for _, row := range in.Rows {
		r.take(row)
	}
}

func (r *receiver) take(row sentRow) {
	if r.seen[row.ID] {
		return
	}
	r.seen[row.ID] = true
	fields := map[string]string{}
	for k, v := range row.Fields {
		if s, ok := v.(string); ok {
			fields[k] = s
		}
	}
	r.got = append(r.got, connectortest.Received{Op: row.Op, Key: row.Key, Fields: fields})
}

func (r *receiver) sent() []request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]request(nil), r.requests...)
}

func dial(t testing.TB, config map[string]any) connectors.Destination {
	t.Helper()
	d, err := tryDial(t, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func tryDial(t testing.TB, config map[string]any) (connectors.Destination, error) {
	t.Helper()
	s, errs := connectors.ParseSettings(webhook.Connector().Config, config)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return webhook.Connector().OpenDestination(t.Context(), connectors.Env{Name: "esp"}, s)
}

func TestDestinationSuite(t *testing.T) {
	for _, mode := range []string{"batch", "single"} {
		t.Run(mode, func(t *testing.T) {
			r := newReceiver(t)
			connectortest.Destination(t, connectortest.DestinationHarness{
				Connector: webhook.Connector(), Config: map[string]any{"url": r.URL, "mode": mode, "secret": "s"},
				Broken: []map[string]any{
					{"url": "http://127.0.0.1:1"}, {"url": "ftp://example.org"}, {"url": "https://a:b@example.org"},
					{"url": r.URL, "headers": map[string]any{"Idempotency-Key": "x"}},
					{"url": r.URL, "headers": map[string]any{"X": "a\r\nB: c"}},
					{"url": r.URL, "template": "{{.Nothing}}"}, {"url": r.URL, "template": `{"email": "{{text .RunID}}`},
					{"url": r.URL, "batch_rows": 0},
				},
				Received: func(*testing.T) []connectortest.Received {
					r.mu.Lock()
					defer r.mu.Unlock()
					return append([]connectortest.Received(nil), r.got...)
				},
				Rejects: func(_ *testing.T, row permit.Row) permit.Row {
					row.Fields = append([]permit.Field(nil), row.Fields...)
					row.Fields[1].Value = "bad"
					return row
				},
			})
		})
	}
}
