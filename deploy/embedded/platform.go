package embedded

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
)

// Options of a platform.
type Options struct {
	Dir       string // <project>/.weir, absolute; made if missing
	Workspace string
	Command   string // who holds the folder, for messages: "weir dev"
	UI        bool   // serve Temporal's web interface
	// Self is the program, with its first arguments, to which "embedded-s3" is
	// added to start the S3 child, which must call ServeS3.
	Self []string
	Log  *slog.Logger
}

// Platform is a running set of embedded parts.
type Platform struct {
	endpoints Endpoints
	log       *slog.Logger
	folder    folder
	lock      *lock
	temporal  *temporalServer
	gateway   *gateway
	ui        *webUI
	failed    chan error
	stop      sync.Once
	stopped   error
}

// startTimeout bounds Start: a slow disk is slow, a platform that needs longer
// is broken.
const startTimeout = 90 * time.Second

// Start takes the folder and starts all parts; it returns when they answer.
// Conflict: another process holds the folder. Invalid: the folder cannot be
// used, or is of a newer version. Unavailable: no loopback interface.
func Start(ctx context.Context, o Options) (*Platform, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, unusable(o.Dir, err)
	}
	if err := Loopback(ctx); err != nil {
		return nil, err
	}
	return onOtherPorts(o.Log, func() (*Platform, error) { return startOnce(ctx, o) })
}

// portTries is how often other ports are chosen: between looking whether one is
// free and listening on it, anybody may take it.
const portTries = 4

// onOtherPorts starts again while a port turns out to be taken.
func onOtherPorts(log *slog.Logger, start func() (*Platform, error)) (*Platform, error) {
	for try := 1; ; try++ {
		p, err := start()
		// The S3 child and the Temporal server tell it as text.
		if err == nil || try == portTries || !strings.Contains(err.Error(), syscall.EADDRINUSE.Error()) {
			return p, err
		}
		log.Info("a port was taken meanwhile; other ones are tried", "error", err)
	}
}

func startOnce(ctx context.Context, o Options) (*Platform, error) {
	held, err := take(ctx, o.Dir, holder{PID: os.Getpid(), Command: o.Command})
	if err != nil {
		return nil, err
	}
	p := &Platform{log: o.Log, lock: held, failed: make(chan error, 8)}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := p.start(ctx, o); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

func (o Options) validate() error {
	switch {
	case !filepath.IsAbs(o.Dir):
		return weir.Errorf(weir.Internal, "the folder %q of the embedded parts is not absolute", o.Dir)
	case strings.ContainsAny(o.Dir, "?#%"):
		// The SQLite plugin of the server puts the path into a URI as it is.
		return weir.Errorf(weir.Invalid, "the path may not contain ?, # or %%").At(o.Dir).Then("move the project to another folder")
	case o.Workspace == "":
		return weir.Errorf(weir.Internal, "the embedded parts need a workspace")
	case len(o.Self) == 0:
		return weir.Errorf(weir.Internal, "the embedded parts need the program to start children with")
	case o.Log == nil:
		return weir.Errorf(weir.Internal, "the embedded parts need a logger")
	}
	return nil
}

func (p *Platform) start(ctx context.Context, o Options) error {
	f, err := open(o.Dir)
	if err != nil {
		return err
	}
	p.folder = f
	defer startAlone(ctx)() // until the parts listen, the ports are anybody's
	ports, err := f.choosePorts(ctx, o.UI)
	if err != nil {
		return err
	}
	keys, err := f.credentials()
	if err != nil {
		return err
	}
	token, err := Token(o.Dir, temporalToken)
	if err != nil {
		return err
	}
	g, parts := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		p.gateway, err = startGateway(parts, o.Self, f, ports.S3, keys, o.Log, p.report)
		return err
	})
	g.Go(func() (err error) {
		defer outliveGoexit()
		p.temporal, err = startTemporal(parts, f, ports.Temporal, bearer(token), o.Log, p.report)
		return err
	})
	if err := g.Wait(); err != nil {
		return err
	}
	if p.temporal == nil { // the server ended its goroutine, having reported why
		return p.startFailure()
	}
	p.endpoints = Endpoints{
		PID: os.Getpid(), Command: o.Command, Workspace: o.Workspace,
		Temporal: p.temporal.address, Namespace: Namespace,
		S3: p.gateway.address, Catalog: f.path("catalog.db"), dir: f, token: bearer(token),
		Lake: f.lake(p.gateway.address, keys),
	}
	if o.UI {
		if p.ui, err = startUI(ctx, ports.UI, p.temporal.address, bearer(token), o.Log); err != nil {
			return err
		}
		p.endpoints.UI = p.ui.url
	}
	return f.writeJSON(endpointsFile, p.endpoints)
}

func (p *Platform) startFailure() error {
	select {
	case err := <-p.failed:
		return err
	default:
		return weir.Errorf(weir.Unavailable, "temporal does not start").At(p.folder.path("temporal")).Then("weir run --verbose says more")
	}
}

// report hands a failure of a part to whoever reads Err.
func (p *Platform) report(err error) {
	select {
	case p.failed <- err:
	default: // nobody reads; the first ones say it
	}
}

// Err gives failures of parts after the start that Weir cannot mend. A platform
// with one is to be stopped.
func (p *Platform) Err() <-chan error { return p.failed }

// Endpoints says where the parts answer.
func (p *Platform) Endpoints() Endpoints { return p.endpoints }

// Lake says how to reach the S3 store.
func (p *Platform) Lake() object.Config { return p.endpoints.Lake }

// Catalog is the file of Iceberg's SQL catalog.
func (p *Platform) Catalog() string { return p.endpoints.Catalog }

// Scratch is an existing folder for temporary files, emptied at each start.
func (p *Platform) Scratch() string { return p.folder.path(scratchDir) }

// Dial connects to Temporal.
func (p *Platform) Dial(ctx context.Context) (client.Client, error) {
	return p.endpoints.Dial(ctx, p.log)
}

// Stop ends all parts, then frees the folder. Stopping twice is as once.
func (p *Platform) Stop() error {
	p.stop.Do(func() {
		var errs []error
		if p.folder != "" {
			if err := os.Remove(p.folder.path(endpointsFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
				errs = append(errs, unusable(string(p.folder), err))
			}
		}
		if p.ui != nil {
			errs = append(errs, p.ui.stop())
		}
		if p.temporal != nil {
			errs = append(errs, p.temporal.stop())
		}
		if p.gateway != nil {
			errs = append(errs, p.gateway.stop())
		}
		p.stopped = errors.Join(append(errs, p.lock.release())...)
	})
	return p.stopped
}

func unusable(where string, err error) *weir.Error {
	return weir.Errorf(weir.Invalid, "the folder cannot be used: %w", err).At(where).
		Then("check that it is writable and that its disk has space")
}
