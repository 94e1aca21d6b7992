package lakehouse

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog/rest"

	"github.com/weir-cdp/weir"
)

// A REST service that accepts a connection and says nothing is given up after these:
// Temporal tries the step again.
const (
	catalogDial   = 10 * time.Second
	catalogAnswer = time.Minute
)

func openREST(ctx context.Context, c CatalogConfig, props iceberg.Properties) (tableCatalog, func() error, error) {
	if c.URI == "" {
		return nil, nil, weir.Errorf(weir.Invalid, "a rest catalog needs a uri").At("lake.catalog.uri")
	}
	service, err := url.Parse(c.URI)
	if u := service; err != nil || u.User != nil || u.Scheme != "http" && u.Scheme != "https" { // not shown: it may hold a password
		return nil, nil, weir.Errorf(weir.Invalid, "the catalog's uri is not of the form https://host/path, without a user or a password").
			At("lake.catalog.uri").Then("give the address alone; credentials belong into lake.catalog.token or lake.catalog.credential")
	}
	transport, err := catalogTransport(c.CA)
	if err != nil {
		return nil, nil, err
	}
	opts := []rest.Option{rest.WithAdditionalProps(iceberg.Properties{storeProperty: props[storeProperty]})}
	addresses := []*url.URL{service}
	if c.Token != "" {
		opts = append(opts, rest.WithOAuthToken(c.Token))
	}
	if c.Credential != "" {
		opts = append(opts, rest.WithCredential(c.Credential))
	}
	if c.Scope != "" {
		opts = append(opts, rest.WithScope(c.Scope))
	}
	if c.TokenURI != "" {
		u, err := url.Parse(c.TokenURI)
		if err != nil || u.Host == "" || u.User != nil { // not shown either
			return nil, nil, weir.Errorf(weir.Invalid, "the token endpoint's address is not of the form https://host/path, without a user or a password").
				At("lake.catalog.oauth2_uri").Then("give the address alone; the credential belongs into lake.catalog.credential")
		}
		opts = append(opts, rest.WithAuthURI(u))
		addresses = append(addresses, u)
	}
	if c.Warehouse != "" {
		opts = append(opts, rest.WithWarehouseLocation(c.Warehouse))
	}
	opts = append(opts, rest.WithCustomTransport(door{transport, answerMost, hostsOf(addresses...)}))
	cat, err := rest.NewCatalog(ctx, catalogName, c.URI, opts...)
	if err != nil {
		transport.CloseIdleConnections()
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
			return nil, nil, err
		}
		var known *weir.Error
		if errors.As(err, &known) { // of the door
			return nil, nil, known
		}
		code, next := weir.Unavailable, "check lake.catalog.uri, and that the catalog runs and can be reached"
		if refused := catalogRefused(err); refused != "" {
			code, next = weir.Denied, refused
		}
		return nil, nil, weir.Errorf(code, "can't reach the catalog: %w", err).At(c.URI).Then(next)
	}
	return cat, func() error { err := cat.Close(); transport.CloseIdleConnections(); return err }, nil
}

// Clear tells whether secrets of this configuration go over a network as they are: to
// another machine, without TLS.
func (c CatalogConfig) Clear() bool {
	token := c.TokenURI
	if token == "" {
		token = c.URI
	}
	return (c.Token != "" || c.Credential != "") && inClear(c.URI) || c.Credential != "" && inClear(token)
}

func inClear(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
}

func catalogTransport(ca string) (*http.Transport, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: catalogDial, KeepAlive: 30 * time.Second}).DialContext
	t.ResponseHeaderTimeout = catalogAnswer
	if ca == "" {
		return t, nil
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		return nil, weir.Errorf(weir.Invalid, "the catalog's certificates can't be read: %w", err).Then("correct lake.catalog.ca in weir.yaml")
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, weir.Errorf(weir.Invalid, "there is no certificate in the file").At(ca).Then("lake.catalog.ca names a file of certificates in PEM")
	}
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	return t, nil
}

// catalogRefused tells what to do where a catalog does not let us in; "" where the
// error is another one.
func catalogRefused(err error) string {
	switch {
	case errors.Is(err, rest.ErrAuthorizationExpired):
		return "the catalog's token has expired: get a new one (lake.catalog.token), or use lake.catalog.credential, which renews it"
	case errors.Is(err, rest.ErrUnauthorized):
		return "check lake.catalog.token or lake.catalog.credential; the token may have expired"
	case errors.Is(err, rest.ErrOAuthError) && strings.Contains(err.Error(), noToken):
		return nameIt
	case errors.Is(err, rest.ErrOAuthError) && oauthRefused(err.Error()):
		return "check lake.catalog.credential, scope and oauth2_uri"
	case errors.Is(err, rest.ErrForbidden):
		return "let this credential create and commit tables in the namespace, or use another one"
	}
	return ""
}

// oauthRefused tells a refusal by the token endpoint (RFC 6749, section 5.2) from an
// endpoint that is away.
func oauthRefused(message string) bool {
	for _, code := range []string{"invalid_client", "invalid_grant", "invalid_scope", "invalid_request", "unauthorized_client", "unsupported_grant_type", "access_denied"} {
		if strings.Contains(message, code) {
			return true
		}
	}
	return false
}
