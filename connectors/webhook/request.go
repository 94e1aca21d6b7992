package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"sync"

	"golang.org/x/net/http/httpguts"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/permit"
)

// Bytes of a reply that are read: enough for a result of each row.
const (
	replyBytes       = 64 << 10
	replyBytesPerRow = 1 << 10
)

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// post makes one request. Its error means that nothing is known of the rows.
func (s *sending) post(ctx context.Context, part []int) (answer, error) {
	rows := make([]permit.Row, len(part))
	for n, i := range part {
		rows[n] = s.rows[i]
	}
	body := new(bytes.Buffer) // the transport may read it after Do has returned: not reused
	if err := s.d.body.write(body, s.batch, rows); err != nil {
		return answer{}, err
	}
	req, err := http.NewRequestWithContext(ctx, s.d.method, s.d.url.String(), bytes.NewReader(body.Bytes()))
	if err != nil {
		return answer{}, weir.Errorf(weir.Invalid, "the URL can't be requested").At(s.d.where)
	}
	req.Header = s.d.headers.Clone()
	req.Header.Set("Idempotency-Key", idempotencyKey(rows))
	if len(s.d.secret) > 0 {
		req.Header.Set("X-Weir-Signature", sign(s.d.secret, body.Bytes()))
	}
	resp, err := s.d.client.Do(req)
	if err != nil {
		return answer{}, s.d.unreachable(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	return s.read(ctx, resp, len(rows))
}

func (s *sending) read(ctx context.Context, resp *http.Response, rows int) (answer, error) {
	text := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(text)
	text.Reset()
	limit := int64(replyBytes + rows*replyBytesPerRow)
	_, err := io.Copy(text, io.LimitReader(resp.Body, limit+1))
	if err != nil && ctx.Err() != nil {
		return answer{}, ctx.Err()
	}
	// A reply that breaks off after its status still has its status.
	whole := err == nil && int64(text.Len()) <= limit
	return s.d.newAnswer(resp, text.Bytes(), whole)
}

// sign is the signature of a body: sha256= and the hexadecimal HMAC-SHA256.
func sign(secret, body []byte) string {
	h := hmac.New(sha256.New, secret)
	h.Write(body)
	return "sha256=" + hex.EncodeToString(h.Sum(nil))
}

// idempotencyKey is the row's own, or a digest of the keys of several.
func idempotencyKey(rows []permit.Row) string {
	if k := rows[0].IdempotencyKey; len(rows) == 1 && k != "" && strings.TrimSpace(k) == k && httpguts.ValidHeaderFieldValue(k) {
		return k
	}
	h := sha256.New()
	for _, r := range rows {
		io.WriteString(h, r.IdempotencyKey)
		h.Write([]byte{0})
	}
	return "batch-" + hex.EncodeToString(h.Sum(nil)[:16])
}
