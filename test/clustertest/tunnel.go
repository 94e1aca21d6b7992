package clustertest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Tunnel is TLS in front of a part that speaks none: it shows a certificate of its own
// authority for the name part.internal, and lets in who shows one of that authority.
type Tunnel struct {
	Address       string
	Name          string
	CA, Cert, Key string // files: the authority, and a client's pair
}

// StartTunnel passes what comes through TLS on to an address.
func StartTunnel(t testing.TB, to string) *Tunnel {
	t.Helper()
	dir := t.TempDir()
	x := &Tunnel{Name: "part.internal", CA: filepath.Join(dir, "ca.pem"), Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	authority, authorityKey := certificate(t, "authority", nil, nil)
	server, serverKey := certificate(t, x.Name, authority, authorityKey)
	client, clientKey := certificate(t, "weir", authority, authorityKey)
	write(t, x.CA, "CERTIFICATE", authority.Raw)
	write(t, x.Cert, "CERTIFICATE", client.Raw)
	der, err := x509.MarshalPKCS8PrivateKey(clientKey)
	if err != nil {
		t.Fatal(err)
	}
	write(t, x.Key, "PRIVATE KEY", der)
	pool := x509.NewCertPool()
	pool.AddCert(authority)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{MinVersion: tls.VersionTLS12, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, NextProtos: []string{"h2"},
		Certificates: []tls.Certificate{{Certificate: [][]byte{server.Raw}, PrivateKey: serverKey}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	x.Address = l.Addr().String()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go pass(c, to)
		}
	}()
	return x
}

func pass(c net.Conn, to string) {
	defer func() { _ = c.Close() }()
	far, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer func() { _ = far.Close() }()
	go func() {
		_, _ = io.Copy(far, c) // the other direction tells of the end
		_ = far.Close()
	}()
	_, _ = io.Copy(c, far)
}

// certificate makes one for a name, signed by an authority, or an authority itself.
func certificate(t testing.TB, name string, by *x509.Certificate, with *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	made := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	if by == nil {
		by, with = made, key
		made.IsCA, made.BasicConstraintsValid, made.KeyUsage, made.DNSNames, made.ExtKeyUsage = true, true, x509.KeyUsageCertSign, nil, nil
	}
	der, err := x509.CreateCertificate(rand.Reader, made, by, &key.PublicKey, with)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return parsed, key
}

func write(t testing.TB, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}
