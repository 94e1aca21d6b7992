package lakehouse

import (
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/weir-cdp/weir"
)

// answerMost bounds an answer of the catalog, in bytes: a table's metadata has some
// hundred bytes a snapshot, and a service gone wrong must not fill the memory.
const answerMost = 256 << 20

// door is the way to the catalog. Iceberg's client sets its token on every request: those
// of a redirect, which Go's own would not send to another host, and those to the address
// of the service or of its tokens that the service's own configuration names. The door
// lets out what goes to a host of weir.yaml, and nothing else. It bounds what comes back.
type door struct {
	next  http.RoundTripper
	most  int64           // bytes of an answer
	hosts map[string]bool // that weir.yaml names, whether by TLS alone
}

// What the door says; an error of the client for tokens keeps the text alone.
const (
	noToken = "which gets no token of ours"
	nameIt  = "if that is the catalog or its token endpoint, name it in lake.catalog.uri or oauth2_uri of weir.yaml"
)

// hostsOf are the hosts of addresses.
func hostsOf(addresses ...*url.URL) map[string]bool {
	hosts := map[string]bool{}
	for _, u := range addresses {
		name := strings.ToLower(u.Hostname())
		byTLS, named := hosts[name]
		hosts[name] = u.Scheme == "https" && (byTLS || !named)
	}
	return hosts
}

// RoundTrip implements http.RoundTripper. Denied: the catalog sends us elsewhere.
func (d door) RoundTrip(r *http.Request) (*http.Response, error) {
	byTLS, named := d.hosts[strings.ToLower(r.URL.Hostname())]
	if !named || byTLS && r.URL.Scheme != "https" {
		return nil, weir.Errorf(weir.Denied, "the catalog sends us to %s://%s, "+noToken, r.URL.Scheme, r.URL.Host).
			At("lake.catalog").Then(nameIt)
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
