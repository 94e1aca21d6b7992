package webhook

import (
	"context"
	"errors"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/policies/permit"
)

const (
	modeBatch  = "batch"
	modeSingle = "single"
	maxRows    = 10_000 // that one request may hold
)

type destination struct {
	url      *url.URL
	where    string // scheme and host: the path may be a secret
	method   string
	headers  http.Header
	secret   []byte
	body     bodyMaker
	size     int // most rows of a request
	single   bool
	perSec   float64
	parallel int
	client   *http.Client
}

var _ connectors.Destination = (*destination)(nil)

func open(env connectors.Env, s connectors.Settings) (*destination, error) {
	at := "destination " + env.Name
	u, err := url.Parse(s.String("url"))
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, weir.Errorf(weir.Invalid, "the URL is none of http or https").At(at).Then("write url: https://host/path")
	}
	if u.User != nil {
		return nil, weir.Errorf(weir.Invalid, "the URL holds a user or a password").At(at).Then("put them into headers: {Authorization: …}")
	}
	d := &destination{url: u, where: u.Scheme + "://" + u.Host, method: s.String("method"), secret: []byte(s.String("secret")),
		single: s.String("mode") == modeSingle, size: int(s.Int("batch_rows")), perSec: s.Float("rows_per_second"),
		parallel: int(s.Int("parallel"))}
	if d.single {
		d.size = 1
	}
	timeout, _ := s["timeout"].(time.Duration)
	switch {
	case d.size < 1 || d.size > maxRows:
		return nil, weir.Errorf(weir.Invalid, "batch_rows is %d", d.size).At(at).Then("set 1 to 10000")
	case d.parallel < 1 || d.parallel > 64:
		return nil, weir.Errorf(weir.Invalid, "parallel is %d", d.parallel).At(at).Then("set 1 to 64")
	case d.perSec < 0:
		return nil, weir.Errorf(weir.Invalid, "rows_per_second is negative").At(at).Then("set a positive number, or remove it")
	case timeout <= 0:
		return nil, weir.Errorf(weir.Invalid, "timeout is not positive").At(at).Then("set for example timeout: 30s")
	}
	if d.headers, err = headers(s.Map("headers")); err != nil {
		return nil, err
	}
	if d.body, err = newBodyMaker(s.String("template"), d.single, strings.Contains(d.headers.Get("Content-Type"), "json")); err != nil {
		return nil, err
	}
	d.client = newClient(timeout, d.parallel)
	return d, nil
}

// ours are headers that the configuration may not set: they belong to the
// protocol, or say what only this package knows.
var ours = []string{"Host", "Content-Length", "Transfer-Encoding", "Connection", "Idempotency-Key", "X-Weir-Signature"}

func headers(raw map[string]string) (http.Header, error) {
	h := http.Header{"Content-Type": {"application/json"}, "User-Agent": {"weir"}}
	for name, value := range raw {
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		if !httpguts.ValidHeaderFieldName(name) || slices.Contains(ours, canonical) {
			return nil, weir.Errorf(weir.Invalid, "the header %q can't be set", name).Then("remove it from headers")
		}
		if !httpguts.ValidHeaderFieldValue(value) {
			return nil, weir.Errorf(weir.Invalid, "the value of header %s has characters that a header can't have", name).
				Then("remove line breaks from the value or the variable that it comes from")
		}
		h[canonical] = []string{value}
	}
	return h, nil
}

func newClient(timeout time.Duration, parallel int) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = parallel + 1
	t.MaxResponseHeaderBytes = 64 << 10
	return &http.Client{Transport: t, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// Check implements connectors.Destination: any answer will do, since endpoints
// seldom know another method than the one that delivers.
func (d *destination) Check(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, d.url.String(), nil)
	if err != nil {
		return weir.Errorf(weir.Invalid, "the URL can't be requested").At(d.where)
	}
	req.Header = d.headers.Clone()
	resp, err := d.client.Do(req)
	if err != nil {
		return d.unreachable(ctx, err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode == http.StatusUnauthorized {
		return d.refused(resp.StatusCode)
	}
	return nil
}

// unreachable explains why there was no answer, without the URL's path.
func (d *destination) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var u *url.Error
	if errors.As(err, &u) {
		if u.Timeout() {
			return weir.Errorf(weir.Unavailable, "no answer within %v", d.client.Timeout).At(d.where).
				Then("check the receiver, or raise timeout")
		}
		err = u.Err
	}
	return weir.Errorf(weir.Unavailable, "does not answer: %w", err).At(d.where).
		Then("check url, and that the receiver runs and its certificate is valid")
}

// Capabilities implements connectors.Destination. A row carries its operation,
// so a receiver can carry out all modes.
func (d *destination) Capabilities() connectors.Capabilities {
	c := connectors.Capabilities{Modes: []weir.Mode{weir.Mirror, weir.Upsert, weir.AppendOnly},
		BatchRows: d.size, RowsPerSec: d.perSec, Parallel: d.parallel,
		Obligations: []string{permit.PartitionByClass}} // a request holds rows of one batch
	if d.Sends(permit.OptOutLinkField) {
		c.Obligations = append(c.Obligations, permit.IncludeOptOutLink)
	}
	return c
}

// Sends implements connectors.FieldSender: a template may leave fields out.
func (d *destination) Sends(field string) bool { return d.body.sends(field) }

// Close implements connectors.Destination.
func (d *destination) Close() error {
	d.client.CloseIdleConnections()
	return nil
}

// Deliver implements connectors.Destination.
func (d *destination) Deliver(ctx context.Context, batch permit.Batch) ([]connectors.Outcome, error) {
	if batch.Len() == 0 {
		return nil, ctx.Err()
	}
	s := &sending{d: d, batch: batch, rows: batch.Rows(), out: make([]connectors.Outcome, batch.Len())}
	var todo []int
	for i, r := range s.rows {
		if err := sendable(r); err != nil {
			s.out[i] = connectors.Outcome{Status: connectors.Rejected, Reply: err.Error()}
			s.known++
			continue
		}
		todo = append(todo, i)
	}
	for part := range slices.Chunk(todo, d.size) {
		if err := s.send(ctx, part); err != nil {
			return s.interrupted(ctx, err)
		}
	}
	return s.out, nil
}

// sending is one Deliver. Rows are named by their index in the batch.
type sending struct {
	d     *destination
	batch permit.Batch
	rows  []permit.Row
	out   []connectors.Outcome
	known int
	mask  *connectors.Mask // of all rows, once an answer has a text
}

// interrupted keeps the outcomes that are known when the receiver went away: the
// other rows come again. A cancelled Deliver knows nothing.
func (s *sending) interrupted(ctx context.Context, err error) ([]connectors.Outcome, error) {
	if s.known == 0 || errors.Is(ctx.Err(), context.Canceled) {
		return nil, err
	}
	for i := range s.out {
		if s.out[i].Status == "" {
			s.out[i] = connectors.Outcome{Status: connectors.Retry, Reply: s.masked(err.Error(), keptText)}
		}
	}
	return s.out, nil
}

func (s *sending) set(i int, o connectors.Outcome) {
	s.out[i] = o
	s.known++
}

// send delivers some rows in one request, and by halves if the receiver refuses
// them together.
func (s *sending) send(ctx context.Context, part []int) error {
	a, err := s.post(ctx, part)
	if err != nil {
		return err
	}
	if a.refusesSome() && len(part) > 1 && !a.saysAll(s.rows, part) {
		if err := s.send(ctx, part[:len(part)/2]); err != nil {
			return err
		}
		return s.send(ctx, part[len(part)/2:])
	}
	if s.d.wrongAddress(a.status) {
		return s.d.refused(a.status)
	}
	for _, i := range part {
		s.set(i, s.outcome(a, s.rows[i]))
	}
	return nil
}
