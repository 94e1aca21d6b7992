package object

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/weir-cdp/weir"
)

// service is an S3 service over TLS with a certificate of its own, which sees each
// request's headers.
func service(t *testing.T, seen func(http.Header)) (Config, string) {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("lake"); err != nil {
		t.Fatal(err)
	}
	fake := gofakes3.New(backend).Server()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen(r.Header)
		fake.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return Config{Endpoint: server.URL, Bucket: "lake", PathStyle: true, Retries: 1}, ca
}

// clearMachine takes the credentials away that the tests' machine may have.
func clearMachine(t *testing.T) {
	for _, name := range CredentialVariables {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))
}

func TestCertificatesOfOnesOwn(t *testing.T) {
	c, ca := service(t, func(http.Header) {})
	c.AccessKey, c.SecretKey = "key", "secret"
	if _, err := Open(t.Context(), c); err == nil {
		t.Error("a certificate that nobody vouches for is trusted")
	}
	c.CA = ca
	if _, err := Open(t.Context(), c); err != nil {
		t.Error(err)
	}
	for _, file := range []string{filepath.Join(t.TempDir(), "none"), os.Args[0]} {
		c.CA = file
		if _, err := Open(t.Context(), c); weir.CodeOf(err) != weir.Invalid || !strings.Contains(err.Error(), "lake.ca") {
			t.Errorf("with the certificates of %s: %v", filepath.Base(file), err)
		}
	}
}

// TestWhoseCredentials: those of the configuration, or else those of the machine, each
// with its session's token; none is an error that says where they may be.
func TestWhoseCredentials(t *testing.T) {
	var key, token string
	c, ca := service(t, func(h http.Header) {
		_, after, _ := strings.Cut(h.Get("Authorization"), "Credential=")
		key, _, _ = strings.Cut(after, "/")
		token = h.Get("X-Amz-Security-Token")
	})
	c.CA = ca
	clearMachine(t)
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1") // no metadata service answers
	began := time.Now()
	if _, err := Open(t.Context(), c); weir.CodeOf(err) != weir.Denied || !strings.Contains(err.Error(), "AWS_ACCESS_KEY_ID") {
		t.Errorf("without any: %v", err)
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("that took %v to find out", took)
	}
	file := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(file, []byte("[default]\naws_access_key_id = of-the-file\naws_secret_access_key = s\n[prod]\naws_access_key_id = of-prod\naws_secret_access_key = s\naws_session_token = t-prod\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name       string
		set        func()
		key, token string
	}{
		{"file", func() { t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file) }, "of-the-file", ""},
		{"profile", func() { t.Setenv("AWS_PROFILE", "prod") }, "of-prod", "t-prod"},
		{"environment", func() {
			t.Setenv("AWS_ACCESS_KEY_ID", "of-env")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "s")
			t.Setenv("AWS_SESSION_TOKEN", "t-env")
		}, "of-env", "t-env"},
		{"configuration", func() { c.AccessKey, c.SecretKey, c.SessionToken = "of-weir", "s", "t-weir" }, "of-weir", "t-weir"},
	} {
		x.set()
		if _, err := Open(t.Context(), c); err != nil || key != x.key || token != x.token {
			t.Errorf("%s: asked with %q and token %q, %v", x.name, key, token, err)
		}
	}
}

// TestRefusalsSayWhatToDo: what services answer to bad credentials.
func TestRefusalsSayWhatToDo(t *testing.T) {
	for code, words := range map[string]string{
		"ExpiredToken": "have expired", "InvalidTokenId": "session_token", "RequestTimeTooSkewed": "clock", "AccessDenied": "bucket's policy",
		"InvalidAccessKeyId": "lake.access_key", "SignatureDoesNotMatch": "lake.secret_key",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead {
				w.WriteHeader(http.StatusOK)
				return
			}
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`<Error><Code>` + code + `</Code><Message>no</Message></Error>`))
		}))
		s, err := Open(t.Context(), Config{Endpoint: server.URL, Bucket: "lake", PathStyle: true, AccessKey: "k", SecretKey: "s", Retries: 2})
		if err == nil {
			err = s.Put(t.Context(), "x", strings.NewReader("x"), 1)
		}
		if weir.CodeOf(err) != weir.Denied || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v", code, err)
		}
		server.Close()
	}
}

// TestSilentServiceIsGivenUp: one that accepts and says nothing is told in time; a
// context that ends stays what it is.
func TestSilentServiceIsGivenUp(t *testing.T) {
	hold := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hold }))
	defer server.Close()
	defer close(hold)
	s, err := connect(Config{Endpoint: server.URL, Bucket: "lake", PathStyle: true, AccessKey: "k", SecretKey: "s"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.reach(t.Context(), 50*time.Millisecond); weir.CodeOf(err) != weir.Unavailable || !strings.Contains(err.Error(), "lake.endpoint") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.reach(ctx, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestBodyThatStallsIsGivenUp: a service that sends half of an object and holds the
// connection is told.
func TestBodyThatStallsIsGivenUp(t *testing.T) {
	const wait = 100 * time.Millisecond
	hold := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "8")
		w.Header().Set("ETag", `"e"`)
		w.Header().Set("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
		_, _ = w.Write([]byte("half"))
		if strings.HasSuffix(r.URL.Path, "whole") {
			_, _ = w.Write([]byte("half"))
			return
		}
		_ = http.NewResponseController(w).Flush()
		<-hold
	}))
	defer server.Close()
	defer close(hold)
	s, err := connect(Config{Endpoint: server.URL, Bucket: "lake", PathStyle: true, AccessKey: "k", SecretKey: "s"})
	if err != nil {
		t.Fatal(err)
	}
	s.stall = wait
	if b, err := s.ReadFile(t.Context(), "stalls"); weir.CodeOf(err) != weir.Unavailable || !strings.Contains(err.Error(), "stopped sending") {
		t.Errorf("%q, %v", b, err)
	}
	if b, err := s.ReadFile(t.Context(), "whole"); err != nil || string(b) != "halfhalf" {
		t.Errorf("%q, %v", b, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r, err := s.Get(ctx, "stalls")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cancel()
	if _, err := io.ReadAll(r); !errors.Is(err, context.Canceled) {
		t.Errorf("of a context that ended: %v", err)
	}
}

func TestEndpointsHoldNoPassword(t *testing.T) {
	_, err := connect(Config{Endpoint: "https://key:hush@s3.example.com", Bucket: "lake"})
	if weir.CodeOf(err) != weir.Invalid || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "lake.access_key") {
		t.Errorf("got %v", err)
	}
}
