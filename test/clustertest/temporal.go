package clustertest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"github.com/weir-cdp/weir/test/e2e/weirtest"
)

// Temporal is a Temporal server: the one that `weir dev` of an empty project brings.
// It asks for a token, keeps what it knows, and answers on the same port again.
type Temporal struct {
	*Part
	Address   string
	Namespace string
	TokenFile string
}

// StartTemporal starts one in a folder of the test's.
func StartTemporal(t testing.TB) *Temporal {
	t.Helper()
	p, bin := weirtest.New(t, nil), weirtest.Binary(t)
	s := &Temporal{TokenFile: p.Path(".weir/temporal-token")}
	s.Part = &Part{name: "Temporal", make: func() *exec.Cmd {
		cmd := exec.Command(bin, "dev", "--project", p.Dir)
		cmd.Dir = p.Dir
		cmd.Env = withEnv("WEIR_ANY_PORTS=1")
		return cmd
	}, ready: func(ctx context.Context) error { return s.reached(ctx, p.Path(".weir/endpoints.json")) }}
	begin(t, s.Part)
	return s
}

// reached looks where this process's server answers, and whether it does.
func (s *Temporal) reached(ctx context.Context, file string) error {
	if !strings.Contains(s.log.String(), "Stop with Ctrl-C") {
		return fmt.Errorf("it does not say that it is ready")
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var ends struct{ Temporal, Namespace string }
	if err := json.Unmarshal(b, &ends); err != nil {
		return err
	}
	if s.Address != "" && s.Address != ends.Temporal {
		return fmt.Errorf("it answers at %s now, not at %s", ends.Temporal, s.Address)
	}
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", ends.Temporal)
	if err != nil {
		return err
	}
	s.Address, s.Namespace = ends.Temporal, ends.Namespace
	return c.Close()
}

// Client connects to the server, as long as the test lasts.
func (s *Temporal) Client(t testing.TB) client.Client {
	t.Helper()
	c, err := client.DialContext(context.Background(), client.Options{HostPort: s.Address, Namespace: s.Namespace, Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
		Credentials: client.NewAPIKeyStaticCredentials(s.Token(t)), ConnectionOptions: client.ConnectionOptions{TLSDisabled: true}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// Token is the key that the server asks for.
func (s *Temporal) Token(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile(s.TokenFile)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}
