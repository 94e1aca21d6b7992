package embedded

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
)

// Endpoints says where a platform's parts answer.
type Endpoints struct {
	PID       int    `json:"pid"`
	Command   string `json:"command"` // "weir dev" stays, "weir run" ends with its run
	Workspace string `json:"workspace"`
	Temporal  string `json:"temporal"` // host:port
	Namespace string `json:"namespace"`
	S3        string `json:"s3"` // host:port, plain HTTP
	UI        string `json:"ui,omitempty"`
	Catalog   string `json:"catalog"` // file

	Lake  object.Config `json:"-"` // with the credentials
	dir   folder
	token bearer
}

// SDKLog is a log for Temporal's client. What it calls an error is mostly one of
// Weir's own that the run's summary or the worker tells in words, or a retry: so it
// is there with --verbose only.
func SDKLog(log *slog.Logger) sdklog.Logger {
	return sdklog.NewStructuredLogger(quieter(log, "temporal sdk", slog.LevelInfo))
}

// Dial connects to Temporal.
func (e Endpoints) Dial(ctx context.Context, log *slog.Logger) (client.Client, error) {
	c, err := client.DialContext(ctx, client.Options{
		HostPort: e.Temporal, Namespace: e.Namespace, HeadersProvider: e.token,
		Logger: SDKLog(log),
	})
	if err != nil {
		return nil, weir.Errorf(weir.Unavailable, "temporal at %s: %w", e.Temporal, err)
	}
	return c, nil
}

// runningWait is how long Running waits for a platform that is starting.
const runningWait = 20 * time.Second

// Running finds the platform that runs on dir: its lock is held and its parts
// answer. One that is just starting is waited for. What a killed platform left
// behind is told from a running one by the lock, which died with it.
func Running(ctx context.Context, dir string) (*Endpoints, bool) {
	ctx, cancel := context.WithTimeout(ctx, runningWait)
	defer cancel()
	var found *Endpoints
	poll(ctx, 100*time.Millisecond, func() bool {
		h, ok := held(dir)
		if !ok {
			return true
		}
		if e, ok := readEndpoints(folder(dir)); ok && e.PID == h.PID && e.healthy(ctx) {
			found = e
		}
		return found != nil
	})
	return found, found != nil
}

func readEndpoints(f folder) (*Endpoints, bool) {
	b, err := os.ReadFile(f.path(endpointsFile))
	if err != nil {
		return nil, false
	}
	e := &Endpoints{dir: f}
	if json.Unmarshal(b, e) != nil {
		return nil, false
	}
	b, err = os.ReadFile(f.path(credentialsFile))
	var k keys
	if err != nil || json.Unmarshal(b, &k) != nil {
		return nil, false
	}
	e.Lake = f.lake(e.S3, k)
	token, err := Token(string(f), temporalToken)
	e.token = bearer(token)
	return e, err == nil
}

func (e *Endpoints) healthy(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", e.Temporal)
	if err != nil {
		return false
	}
	_ = c.Close()
	return gatewayAnswers(ctx, e.S3, e.Lake.AccessKey)
}

// gatewayAnswers says whether an S3 gateway of ours serves there.
func gatewayAnswers(ctx context.Context, address, access string) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+healthPath(access), nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}
