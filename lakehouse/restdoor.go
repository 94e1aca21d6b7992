package lakehouse

import (
	"io"
	"net/http"

	"github.com/weir-cdp/weir"
)

// answerMost bounds an answer of the catalog, in bytes: a table's metadata has some
// hundred bytes a snapshot, and a service gone wrong must not fill the memory.
const answerMost = 256 << 20

// door is the way to the catalog. Iceberg's client sets its token on every request,
// those of a redirect too, which Go's own would not send to another host: the door
// lets no such request out. It bounds what comes back.
type door struct {
	next http.RoundTripper
	most int64 // bytes of an answer
}

// RoundTrip implements http.RoundTripper. Denied: the catalog sends us elsewhere.
func (d door) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Response != nil && r.Response.Request != nil { // a redirect
		from := r.Response.Request.URL
		if from.Hostname() != r.URL.Hostname() || from.Scheme == "https" && r.URL.Scheme != "https" {
			return nil, weir.Errorf(weir.Denied, "%s redirects to %s://%s, which gets no token of ours", from.Host, r.URL.Scheme, r.URL.Host).
				At("lake.catalog").Then("if that is the catalog, name it in lake.catalog.uri or oauth2_uri of weir.yaml")
		}
	}
	res, err := d.next.RoundTrip(r)
	if err == nil {
		res.Body = &bounded{res.Body, d.most}
	}
	return res, err
}

// bounded is a body that fails past a number of bytes.
type bounded struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, weir.Errorf(weir.Invalid, "the catalog's answer is larger than Weir reads").
			Then("check lake.catalog.uri; let snapshots expire (weir maintain)")
	}
	return n, err
}
