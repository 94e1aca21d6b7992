package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/policies/permit"
	"github.com/weir-cdp/weir/policies/permit/permittest"
)

func person(n int, fields ...permit.Field) permit.Row {
	key := fmt.Sprintf("user%d@x.org", n)
	if fields == nil {
		fields = []permit.Field{{Name: "email", Value: key}, {Name: "first_name", Value: "Ann"}}
	}
	return permit.Row{Op: weir.Add, Key: key, Fields: fields, ProfileID: fmt.Sprint("p", n), DecisionID: "d",
		IdempotencyKey: fmt.Sprint("k", n), Sequence: 1}
}

func removal(n int) permit.Row {
	r := person(n)
	r.Op, r.Fields, r.DecisionID = weir.Remove, nil, ""
	return r
}

func batch(t testing.TB, rows ...permit.Row) permit.Batch {
	t.Helper()
	return permittest.Batch(t, "vip", permittest.Run(t, "1"), rows...)
}

func deliver(t *testing.T, d connectors.Destination, rows ...permit.Row) []connectors.Outcome {
	t.Helper()
	out, err := d.Deliver(t.Context(), batch(t, rows...))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func statuses(out []connectors.Outcome) string {
	s := make([]string, len(out))
	for i, o := range out {
		s[i] = string(o.Status)
	}
	return strings.Join(s, " ")
}

func TestBodyAndHeaders(t *testing.T) {
	r := newReceiver(t)
	d := dial(t, map[string]any{"url": r.URL, "secret": "s3cret", "headers": map[string]any{"authorization": "Bearer x"}})
	run := permittest.Run(t, "1")
	rows := []permit.Row{
		person(1, permit.Field{Name: "at", Value: time.Date(2025, 1, 2, 3, 4, 5, 600_000_000, time.FixedZone("", 3600))},
			permit.Field{Name: "big", Value: permit.Decimal("12345678901234567890.10")}, permit.Field{Name: "n", Value: int64(-7)},
			permit.Field{Name: "nan", Value: permit.Decimal("NaN")}, permit.Field{Name: "no", Value: nil},
			permit.Field{Name: "quote\"d", Value: "a\"\n\x00<é\xff"}, permit.Field{Name: "yes", Value: true}),
		removal(2),
	}
	deliver(t, d, rows...)
	want := `{"activation":"vip","run_id":"` + string(run.ID) + `","rows":[` +
		`{"op":"add","key":"user1@x.org","idempotency_key":"k1","sequence":1,"fields":{"at":"2025-01-02T02:04:05.6Z",` +
		`"big":12345678901234567890.10,"n":-7,"nan":"NaN","no":null,"quote\"d":"a\"\n\u0000<é` + "\uFFFD" + `","yes":true}},` +
		`{"op":"remove","key":"user2@x.org","idempotency_key":"k2","sequence":1}]}`
	got := r.sent()[0]
	if got.body != want {
		t.Errorf("got  %s\nwant %s", got.body, want)
	}
	h := hmac.New(sha256.New, []byte("s3cret"))
	h.Write([]byte(got.body))
	for name, want := range map[string]string{"Content-Type": "application/json", "User-Agent": "weir", "Authorization": "Bearer x",
		"X-Weir-Signature": "sha256=" + hex.EncodeToString(h.Sum(nil))} {
		if g := got.header.Get(name); g != want {
			t.Errorf("%s: %q, want %q", name, g, want)
		}
	}
	deliver(t, d, rows...)
	deliver(t, d, rows[0])
	again, one := r.sent()[1], r.sent()[2]
	if k := again.header.Get("Idempotency-Key"); k != got.header.Get("Idempotency-Key") || !strings.HasPrefix(k, "batch-") {
		t.Errorf("the repeated batch has key %q", k)
	}
	if k := one.header.Get("Idempotency-Key"); k != "k1" {
		t.Errorf("a single row has key %q", k)
	}
}

func TestTemplates(t *testing.T) {
	evil := `","admin":true,"x":"`
	rows := []permit.Row{person(1, permit.Field{Name: "email", Value: evil}, permit.Field{Name: "ltv", Value: permit.Decimal("1.50")}), removal(2)}
	cases := map[string]struct {
		config map[string]any
		want   []string
	}{
		"batch": {map[string]any{"template": `{"list":{{.Activation}},"users":[{{range $i, $r := .Rows}}{{if $i}},{{end}}` +
			`{"gone":{{.Removal}},"email":{{.Fields.email}},"ltv":{{.Fields.ltv}},"tel":{{.Fields.phone}}}{{end}}]}`},
			[]string{`{"list":"vip","users":[{"gone":false,"email":"\",\"admin\":true,\"x\":\"","ltv":1.50,"tel":null},{"gone":true,"email":null,"ltv":null,"tel":null}]}`}},
		"single, not JSON": {map[string]any{"mode": "single", "headers": map[string]any{"content-type": "application/x-www-form-urlencoded"},
			"template": `op={{.Op}}&key={{text .Key | urlquery}}{{if .Fields.ltv}}&ltv={{.Fields.ltv}}{{end}}`},
			[]string{`op=add&key=user1%40x.org&ltv=1.50`, `op=remove&key=user2%40x.org`}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t)
			r.answer = func(http.ResponseWriter, *http.Request, []byte) bool { return true }
			c.config["url"] = r.URL
			deliver(t, dial(t, c.config), rows...)
			var got []string
			for _, s := range r.sent() {
				got = append(got, s.body)
			}
			if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// reply answers each request in the same way.
func reply(status int, body string, header ...string) func(http.ResponseWriter, *http.Request, []byte) bool {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return true
	}
}

func TestAnswers(t *testing.T) {
	cases := map[string]struct {
		answer func(http.ResponseWriter, *http.Request, []byte) bool
		config map[string]any
		want   string // statuses, or "error: " and its code
		reply  string // of the first row
		after  time.Duration
	}{
		"429 with seconds":     {answer: reply(429, "", "Retry-After", "7"), want: "retry retry", reply: "429 Too Many Requests", after: 7 * time.Second},
		"503 with a date":      {answer: reply(503, "", "Retry-After", "Sat, 01 Mar 2025 12:01:30 GMT", "Date", "Sat, 01 Mar 2025 12:00:00 GMT"), want: "retry retry", after: 90 * time.Second},
		"an absurd wait":       {answer: reply(503, "", "Retry-After", "99999999999"), want: "retry retry", after: time.Hour},
		"500":                  {answer: reply(500, "oops"), want: "retry retry"},
		"408":                  {answer: reply(408, ""), want: "retry retry"},
		"400 without personal": {answer: reply(400, "Ann <user1@x.org>,\n tel +33 6 12 34 56 78 is unknown"), want: "rejected rejected", reply: "400 Bad Request: … <…>, tel … is unknown"},
		"401":                  {answer: reply(401, ""), want: "error: denied"},
		"404 of a batch":       {answer: reply(404, ""), want: "error: not_found"},
		"404 of a row":         {answer: reply(404, "no such person"), config: map[string]any{"mode": "single"}, want: "rejected rejected", reply: "404 Not Found: no such person"},
		"redirect":             {answer: reply(307, "", "Location", "https://elsewhere.example/secret?token=1"), want: "rejected rejected", reply: "307 Temporary Redirect: redirects are not followed; if it is right to send there, set url to that address at https://elsewhere.example"},
		"results": {answer: reply(200, `{"results":[{"idempotency_key":"k2","status":"retry"},{"idempotency_key":"k1","status":"rejected","message":"unsubscribed: user1@x.org"}]}`, "Retry-After", "3"),
			want: "rejected retry", reply: "unsubscribed: …"},
		"results of some":       {answer: reply(200, `{"results":[{"idempotency_key":"k2","status":"rejected","message":"m"}]}`), want: "delivered rejected"},
		"results with 422":      {answer: reply(422, `{"results":[{"idempotency_key":"k1","status":"delivered"},{"idempotency_key":"k2","status":"rejected","message":"m"}]}`), want: "delivered rejected"},
		"unknown result":        {answer: reply(200, `{"results":[{"idempotency_key":"k1","status":"fine"}]}`), want: "retry delivered"},
		"results that break":    {answer: reply(200, `{"results":[{"idempotency_key":"k1","sta`), want: "error: unavailable"},
		"results in other form": {answer: reply(200, `{"results": 2}`), want: "error: unavailable"},
		"other JSON":            {answer: reply(202, `{"accepted": 2}`), want: "delivered delivered", reply: "202 Accepted"},
		"no JSON":               {answer: reply(200, `{ok`), want: "delivered delivered"},
		"huge":                  {answer: reply(200, strings.Repeat("x", 1<<20)), want: "delivered delivered"},
		"huge refusal":          {answer: reply(400, strings.Repeat("y ", 1<<20)), want: "rejected rejected"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t)
			r.answer = c.answer
			config := map[string]any{"url": r.URL + "/secret-path"}
			for k, v := range c.config {
				config[k] = v
			}
			out, err := dial(t, config).Deliver(t.Context(), batch(t, person(1), person(2)))
			if err != nil {
				if got := "error: " + string(weir.CodeOf(err)); got != c.want || strings.Contains(err.Error(), "secret-path") {
					t.Errorf("got %v, want %s", err, c.want)
				}
				return
			}
			if got := statuses(out); got != c.want {
				t.Errorf("got %s (%s), want %s", got, out[0].Reply, c.want)
			}
			if c.reply != "" && out[0].Reply != c.reply {
				t.Errorf("reply %q, want %q", out[0].Reply, c.reply)
			}
			if len(out[0].Reply) > 300 {
				t.Errorf("a reply of %d bytes", len(out[0].Reply))
			}
			if c.after != out[0].RetryAfter {
				t.Errorf("retry after %v, want %v", out[0].RetryAfter, c.after)
			}
		})
	}
}

func TestOneBadRowCostsLogarithmicallyManyRequests(t *testing.T) {
	r := newReceiver(t)
	var rows []permit.Row
	for i := range 64 {
		rows = append(rows, person(i))
	}
	rows[37].Fields[1].Value = "bad"
	out := deliver(t, dial(t, map[string]any{"url": r.URL}), rows...)
	for i, o := range out {
		if want := connectors.Delivered; (o.Status == want) == (i == 37) {
			t.Errorf("row %d is %s: %s", i, o.Status, o.Reply)
		}
	}
	if n := len(r.sent()); n != 13 { // 64, then two halves of each of six sizes
		t.Errorf("%d requests", n)
	}
	if got := out[37].Reply; got != "422 Unprocessable Entity: the name of … is …" {
		t.Errorf("reply %q", got)
	}
}

func TestReceiverGoesAwayInTheMiddle(t *testing.T) {
	r := newReceiver(t)
	n := 0
	r.answer = func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		if n++; n > 1 {
			panic(http.ErrAbortHandler)
		}
		return true
	}
	d := dial(t, map[string]any{"url": r.URL, "mode": "single"})
	out := deliver(t, d, person(1), person(2), person(3))
	if got := statuses(out); got != "delivered retry retry" {
		t.Errorf("got %s", got)
	}
	if _, err := d.Deliver(t.Context(), batch(t, person(2))); weir.CodeOf(err) != weir.Unavailable {
		t.Errorf("with nothing known: %v", err)
	}
}

func TestHangingReceiver(t *testing.T) {
	release := make(chan struct{})
	entered := make(chan struct{}, 4)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		entered <- struct{}{}
		select {
		case <-release:
		case <-req.Context().Done():
		}
	}))
	t.Cleanup(func() { close(release); s.Close() })
	d := dial(t, map[string]any{"url": s.URL, "timeout": "50ms"})
	if _, err := d.Deliver(t.Context(), batch(t, person(1))); weir.CodeOf(err) != weir.Unavailable || !strings.Contains(err.Error(), "no answer within 50ms") {
		t.Errorf("timeout: %v", err)
	}
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-entered; cancel() }()
	if _, err := dial(t, map[string]any{"url": s.URL}).Deliver(ctx, batch(t, person(1))); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	tls := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(tls.Close)
	for name, url := range map[string]string{"refused": "http://" + addr, "unknown certificate": tls.URL} {
		d := dial(t, map[string]any{"url": url + "/token-in-path"})
		_, err := d.Deliver(t.Context(), batch(t, person(1)))
		check := d.Check(t.Context())
		for _, err := range []error{err, check} {
			if weir.CodeOf(err) != weir.Unavailable || !strings.Contains(err.Error(), url) || strings.Contains(err.Error(), "token-in-path") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestFieldThatCannotBeSent(t *testing.T) {
	r := newReceiver(t)
	out := deliver(t, dial(t, map[string]any{"url": r.URL}), person(1), person(2, permit.Field{Name: "x", Value: []string{"a"}}))
	if got := statuses(out); got != "delivered rejected" || !strings.Contains(out[1].Reply, "field x") {
		t.Errorf("%s %q", got, out[1].Reply)
	}
}

// BenchmarkDeliver sends batches of 100 rows to a local receiver.
func BenchmarkDeliver(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { _, _ = io.Copy(io.Discard, req.Body) }))
	b.Cleanup(s.Close)
	d := dial(b, map[string]any{"url": s.URL, "secret": "s"})
	var rows []permit.Row
	for i := range 100 {
		rows = append(rows, person(i))
	}
	p := batch(b, rows...)
	for b.Loop() {
		if _, err := d.Deliver(b.Context(), p); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(100*b.N)/b.Elapsed().Seconds(), "rows/s")
}
