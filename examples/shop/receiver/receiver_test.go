package receiver_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/connectors/webhook"
	"github.com/weir-cdp/weir/examples/shop/receiver"
	"github.com/weir-cdp/weir/policies/permit"
	"github.com/weir-cdp/weir/policies/permit/permittest"
)

func post(t *testing.T, r *receiver.Receiver, body string) int {
	t.Helper()
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/newsletter", strings.NewReader(body)))
	return w.Code
}

func one(op, key, id, fields string) string {
	return fmt.Sprintf(`{"activation":"news","run_id":"r","rows":[{"op":%q,"key":%q,"idempotency_key":%q,"sequence":1,"fields":%s}]}`, op, key, id, fields)
}

func TestHoldsWhatWasSentOnce(t *testing.T) {
	r := receiver.New()
	steps := []struct {
		body                  string
		adds, updates, gone   int
		duplicates, held, was int
	}{
		{one("add", "a@x.org", "1", `{"n":"A","v":12.50}`), 1, 0, 0, 0, 1, 204},
		{one("add", "a@x.org", "1", `{"n":"wrong"}`), 1, 0, 0, 1, 1, 204},
		{one("add", "b@x.org", "2", `{"n":"B"}`), 2, 0, 0, 1, 2, 204},
		{one("update", "a@x.org", "3", `{"n":"A2","v":12.50}`), 2, 1, 0, 1, 2, 204},
		{one("remove", "b@x.org", "4", `null`), 2, 1, 1, 1, 1, 204},
		{one("remove", "b@x.org", "4", `null`), 2, 1, 1, 2, 1, 204},
		{one("add", "b@x.org", "5", `{"n":"B"}`), 3, 1, 1, 2, 2, 204}, // A → B → A is three deliveries
		{one("merge", "b@x.org", "6", `{}`), 3, 1, 1, 2, 2, 422},
		{one("add", "", "7", `{}`), 3, 1, 1, 2, 2, 422},
		{one("add", "c@x.org", "", `{}`), 3, 1, 1, 2, 2, 422},
		{`{"activation":"news","rows":[]}`, 3, 1, 1, 2, 2, 422},
		{`[]`, 3, 1, 1, 2, 2, 422},
	}
	for i, s := range steps {
		if code := post(t, r, s.body); code != s.was {
			t.Fatalf("step %d: answered %d, want %d", i, code, s.was)
		}
		got := r.State()
		have := fmt.Sprint(got.Adds, got.Updates, got.Removes, got.Duplicates, len(got.Rows))
		if want := fmt.Sprint(s.adds, s.updates, s.gone, s.duplicates, s.held); have != want {
			t.Fatalf("step %d: adds, updates, removes, duplicates, held: %s, want %s", i, have, want)
		}
	}
	if a := r.State().Rows["a@x.org"]; fmt.Sprintln(a["n"], a["v"]) != "A2 12.50\n" {
		t.Errorf("holds %v; a decimal keeps its digits", a)
	}
}

func TestActivationsDontTouchEachOther(t *testing.T) {
	r := receiver.New()
	post(t, r, one("add", "a@x.org", "1", `{"n":"A"}`))
	post(t, r, strings.Replace(one("add", "a@x.org", "1", `{"n":"A"}`), "news", "other", 1))
	post(t, r, strings.Replace(one("remove", "a@x.org", "2", `null`), "news", "other", 1))
	s := r.State()
	if s.Adds != 2 || s.Duplicates != 0 || len(s.Activations["news"]) != 1 || len(s.Activations["other"]) != 0 || len(s.Rows) != 1 {
		t.Errorf("state %+v", s)
	}
}

func TestStateIsServedAndIsACopy(t *testing.T) {
	r := receiver.New()
	post(t, r, one("add", "a@x.org", "1", `{"n":"A"}`))
	s := r.State()
	delete(s.Rows, "a@x.org")
	delete(s.Activations["news"], "a@x.org")
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/state", nil))
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"a@x.org"`) {
		t.Errorf("GET /state: %d %s", w.Code, w.Body)
	}
	w = httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest(http.MethodHead, "/newsletter", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("HEAD is answered by %d", w.Code)
	}
}

// A kill may break the last line off; what was acknowledged stays.
func TestAFolderKeepsWhatCame(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir)
	post(t, r, one("add", "a@x.org", "1", `{"n":"A"}`))
	post(t, r, one("add", "b@x.org", "2", `{"n":"B"}`))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "received.ndjson")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(b, `{"activation":"news","ro`...), 0o600); err != nil {
		t.Fatal(err)
	}
	r = open(t, dir)
	post(t, r, one("add", "b@x.org", "2", `{"n":"B"}`))
	post(t, r, one("remove", "a@x.org", "3", `null`))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir).State()
	if s.Adds != 2 || s.Removes != 1 || s.Duplicates != 1 || len(s.Rows) != 1 {
		t.Errorf("after two restarts: %+v", s)
	}
}

func open(t *testing.T, dir string) *receiver.Receiver {
	t.Helper()
	r, err := receiver.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func TestConcurrentRequests(t *testing.T) {
	r := receiver.New()
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() { post(t, r, one("add", fmt.Sprint("k", i%25), fmt.Sprint("id", i%25), `{}`)) })
	}
	wg.Wait()
	if s := r.State(); s.Adds != 25 || s.Duplicates != 25 || len(s.Rows) != 25 || s.Requests != 50 {
		t.Errorf("adds %d, duplicates %d, held %d, requests %d", s.Adds, s.Duplicates, len(s.Rows), s.Requests)
	}
}

// The connector's own suite runs against this receiver: the two agree on the body.
func TestTakesWhatTheWebhookConnectorSends(t *testing.T) {
	r := receiver.New()
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	settings, errs := connectors.ParseSettings(webhook.Connector().Config, map[string]any{"url": server.URL + "/newsletter"})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	d, err := webhook.Connector().OpenDestination(t.Context(), connectors.Env{Name: "esp"}, settings)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	run := permittest.Run(t, "aa")
	row := permit.Row{Op: weir.Add, Key: "a@x.org", ProfileID: "p1", Sequence: 1, IdempotencyKey: "news/p1/1",
		Fields: []permit.Field{{Name: "ltv", Value: permit.Decimal("12.50")}, {Name: "name", Value: "A"}, {Name: "none", Value: nil}}}
	gone := permit.Row{Op: weir.Remove, Key: "a@x.org", ProfileID: "p1", Sequence: 2, IdempotencyKey: "news/p1/2"}
	for _, rows := range [][]permit.Row{{row}, {row}, {gone}, {gone}} {
		out, err := d.Deliver(t.Context(), permittest.Batch(t, "news", run, rows...))
		if err != nil || len(out) != 1 || out[0].Status != connectors.Delivered {
			t.Fatalf("outcome %+v, %v", out, err)
		}
	}
	if s := r.State(); s.Adds != 1 || s.Removes != 1 || s.Duplicates != 2 || len(s.Rows) != 0 {
		t.Errorf("state %+v", s)
	}
	if err := d.Check(t.Context()); err != nil {
		t.Errorf("the connector's check of the receiver: %v", err)
	}
}
