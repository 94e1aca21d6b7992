package webhook_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/weir-cdp/weir/policies/permit"
)

// TestReplyNamesAnotherRow: what is kept with one row's delivery shows no other row
// of the batch, and nothing that a terminal would obey.
func TestReplyNamesAnotherRow(t *testing.T) {
	for name, c := range map[string]struct {
		status      int
		body, reply string
		single      bool
	}{
		"refusal": {status: 400, body: "\x1b]0;x\abatch: BARTHOLOMEW is unknown", reply: "400 Bad Request: ]0;x batch: … is unknown", single: true},
		"message": {status: 200, body: `{"results":[{"idempotency_key":"k1","status":"rejected","message":"a duplicate of Bartholomew,\u001b[2J born 1980-02-03"}]}`,
			reply: "a duplicate of …, [2J born …"},
		"status": {status: 200, body: `{"results":[{"idempotency_key":"k1","status":"Bartholomew\u202e!"}]}`,
			reply: `the receiver's status is "…!", none of delivered, rejected, retry`},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t)
			r.answer = func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
				return true
			}
			config := map[string]any{"url": r.URL}
			if c.single {
				config["mode"] = "single"
			}
			out := deliver(t, dial(t, config), person(1), person(2, permit.Field{Name: "born", Value: time.Date(1980, 2, 3, 0, 0, 0, 0, time.UTC)},
				permit.Field{Name: "first_name", Value: "Bartholomew"}))
			if out[0].Reply != c.reply {
				t.Errorf("reply %q, want %q", out[0].Reply, c.reply)
			}
		})
	}
}
