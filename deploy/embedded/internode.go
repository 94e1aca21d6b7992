package embedded

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"time"

	"go.temporal.io/server/common/rpc/encryption"

	"github.com/weir-cdp/weir"
)

// internode is how the services of the Temporal server speak with each other. They
// listen on ports of their own, where no authorizer stands: history and matching
// serve whoever comes, and the frontend of the server's own workers takes everybody
// for the server. So these ports ask for a client's certificate, which is made at
// each start and leaves this process never.
type internode struct{ server, client *tls.Config }

// internodeName is whom the certificate is for; no resolver ever sees it.
const internodeName = "weir.internode"

func newInternode(now time.Time) (*internode, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, weir.Errorf(weir.Internal, "temporal: make a key: %w", err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: internodeName},
		DNSNames:     []string{internodeName},
		NotBefore:    now.Add(-24 * time.Hour), // a clock may be set back while it runs
		NotAfter:     now.AddDate(100, 0, 0),   // it ends with the process
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IsCA:         true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		return nil, weir.Errorf(weir.Internal, "temporal: make a certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, weir.Errorf(weir.Internal, "temporal: make a certificate: %w", err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	own := []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}}
	return &internode{
		server: &tls.Config{MinVersion: tls.VersionTLS13, Certificates: own, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool},
		client: &tls.Config{MinVersion: tls.VersionTLS13, Certificates: own, RootCAs: pool, ServerName: internodeName},
	}, nil
}

var _ encryption.TLSConfigProvider = (*internode)(nil)

// GetInternodeServerConfig implements encryption.TLSConfigProvider.
func (n *internode) GetInternodeServerConfig() (*tls.Config, error) { return n.server.Clone(), nil }

// GetInternodeClientConfig implements encryption.TLSConfigProvider.
func (n *internode) GetInternodeClientConfig() (*tls.Config, error) { return n.client.Clone(), nil }

// GetFrontendServerConfig implements encryption.TLSConfigProvider: clients send
// the token over the loopback interface, which nobody but root can listen to.
func (n *internode) GetFrontendServerConfig() (*tls.Config, error) { return nil, nil }

// GetFrontendClientConfig implements encryption.TLSConfigProvider.
func (n *internode) GetFrontendClientConfig() (*tls.Config, error) { return nil, nil }

// GetRemoteClusterClientConfig implements encryption.TLSConfigProvider: there is
// one cluster.
func (n *internode) GetRemoteClusterClientConfig(string) (*tls.Config, error) { return nil, nil }

// GetExpiringCerts implements encryption.TLSConfigProvider: none does.
func (n *internode) GetExpiringCerts(time.Duration) (expiring, expired encryption.CertExpirationMap, err error) {
	return nil, nil, nil
}
