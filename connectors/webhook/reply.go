package webhook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/policies/permit"
)

// longestWait bounds what a receiver may ask for by Retry-After.
const longestWait = time.Hour

// Bytes of a refusal that are looked at, and of it that are kept with a delivery.
const (
	replyText = 8 << 10
	keptText  = 200
)

// answer is what the receiver said to one request.
type answer struct {
	status  int
	text    string            // the body's beginning, raw
	results map[string]result // by idempotency key; nil: none
	wait    time.Duration
	leads   string // host of a redirect
}

// result is what the receiver said of one row.
type result struct {
	Key     string `json:"idempotency_key"`
	Status  string `json:"status"`
	Message string `json:"message"`
}

// newAnswer reads a reply. Results that can't be read are an error: then nothing
// is known.
func (d *destination) newAnswer(resp *http.Response, body []byte, whole bool) (answer, error) {
	a := answer{status: resp.StatusCode, text: string(body[:min(len(body), replyText)]),
		wait: retryAfter(resp.Header)}
	if a.status >= 300 && a.status < 400 {
		if u, err := url.Parse(resp.Header.Get("Location")); err == nil && u.Host != "" {
			a.leads = u.Scheme + "://" + u.Host
		}
	}
	if body = bytes.TrimSpace(body); a.retry() || len(body) == 0 || body[0] != '{' {
		return a, nil
	}
	var reply struct {
		Results []result `json:"results"`
	}
	if err := json.Unmarshal(body, &reply); err != nil {
		if a.ok() && bytes.Contains(body[:min(len(body), 256)], []byte(`"results"`)) {
			why := "is not as documented"
			if !whole {
				why = "is longer than what is read, or broke off"
			}
			return a, weir.Errorf(weir.Unavailable, "the reply's list of results %s", why).At(d.where).
				Then("let the receiver answer {\"results\": [{\"idempotency_key\", \"status\", \"message\"}]}, or without results")
		}
		return a, nil
	}
	if len(reply.Results) > 0 {
		a.results = make(map[string]result, len(reply.Results))
		for _, r := range reply.Results {
			a.results[r.Key] = r
		}
	}
	return a, nil
}

func (a answer) ok() bool { return a.status >= 200 && a.status < 300 }

// retry is of answers that promise another one later.
func (a answer) retry() bool {
	return a.status == http.StatusTooManyRequests || a.status == http.StatusRequestTimeout ||
		a.status == http.StatusTooEarly || a.status >= 500
}

// refusesSome is of answers that may be due to one of the rows.
func (a answer) refusesSome() bool {
	return a.status >= 400 && !a.retry() && !slices.Contains(addressing, a.status)
}

// addressing are answers about the request as a whole: the credentials, the
// path. In single mode the last three may be about the row.
var addressing = []int{http.StatusUnauthorized, http.StatusProxyAuthRequired, http.StatusMethodNotAllowed,
	http.StatusForbidden, http.StatusNotFound, http.StatusGone}

func (d *destination) wrongAddress(status int) bool {
	i := slices.Index(addressing, status)
	return i >= 0 && (i < 3 || !d.single)
}

func (d *destination) refused(status int) error {
	code, next := weir.Denied, "check url and the credentials in headers"
	if status == http.StatusNotFound || status == http.StatusGone || status == http.StatusMethodNotAllowed {
		code, next = weir.NotFound, "check url and method"
	}
	return weir.Errorf(code, "the receiver answers %d %s", status, http.StatusText(status)).At(d.where).Then(next)
}

// saysAll is whether the receiver gave a result for each row.
func (a answer) saysAll(rows []permit.Row, part []int) bool {
	for _, i := range part {
		if _, ok := a.results[rows[i].IdempotencyKey]; !ok {
			return false
		}
	}
	return true
}

// masked is a text of the receiver without personal values, shortened. It may name
// any row of the batch, whichever row it is about.
func (s *sending) masked(text string, most int) string {
	if text == "" {
		return ""
	}
	if s.mask == nil {
		s.mask = connectors.NewMask(s.rows)
	}
	return shorten(s.mask.Text(text), most)
}

// outcome is what an answer means for one row.
func (s *sending) outcome(a answer, row permit.Row) connectors.Outcome {
	if r, ok := a.results[row.IdempotencyKey]; ok {
		return s.rowOutcome(a, r)
	}
	reply := fmt.Sprintf("%d %s", a.status, http.StatusText(a.status))
	switch {
	case a.ok():
		return connectors.Outcome{Status: connectors.Delivered, Reply: reply}
	case a.retry():
		return connectors.Outcome{Status: connectors.Retry, Reply: reply, RetryAfter: a.wait}
	case a.status < 400:
		reply += ": redirects are not followed"
		if a.leads != "" {
			reply += "; if it is right to send there, set url to that address at " + a.leads
		}
		return connectors.Outcome{Status: connectors.Rejected, Reply: reply}
	}
	if text := s.masked(a.text, keptText); text != "" {
		reply += ": " + text
	}
	return connectors.Outcome{Status: connectors.Rejected, Reply: shorten(reply, keptText)}
}

func (s *sending) rowOutcome(a answer, r result) connectors.Outcome {
	o := connectors.Outcome{Reply: s.masked(r.Message, keptText)}
	switch connectors.OutcomeStatus(r.Status) {
	case connectors.Delivered:
		o.Status = connectors.Delivered
	case connectors.Rejected:
		o.Status = connectors.Rejected
		if o.Reply == "" {
			o.Reply = "rejected by the receiver, without a message"
		}
	case connectors.Retry:
		o.Status, o.RetryAfter = connectors.Retry, a.wait
	default:
		o.Status = connectors.Retry
		o.Reply = fmt.Sprintf("the receiver's status is %q, none of delivered, rejected, retry", s.masked(r.Status, 40))
	}
	return o
}

// retryAfter reads seconds, or a date as the receiver's own clock has it.
func retryAfter(h http.Header) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseInt(v, 10, 64); err == nil {
		return time.Duration(min(max(n, 0), int64(longestWait/time.Second))) * time.Second
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), longestWait)
}
