package embedded

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	uiapi "github.com/temporalio/ui-server/v2/server/api"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uiheaders "github.com/temporalio/ui-server/v2/server/headers"
	uiroute "github.com/temporalio/ui-server/v2/server/route"
	uiassets "github.com/temporalio/ui-server/v2/ui"

	"github.com/weir-cdp/weir"
)

// webUI is Temporal's web interface behind its door.
type webUI struct {
	server *http.Server
	door   *door
	url    string
}

// startUI serves the interface to those that the door lets in.
func startUI(ctx context.Context, port int, frontend string, token bearer, log *slog.Logger) (*webUI, error) {
	pages, err := uiPages(frontend)
	if err != nil {
		return nil, weir.Errorf(weir.Internal, "temporal's web interface: %w", err)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address(port))
	if err != nil {
		return nil, weir.Errorf(weir.Unavailable, "temporal's web interface: %w", err)
	}
	d := newDoor(token, port, pages, time.Now)
	u := &webUI{url: "http://" + address(port), door: d, server: &http.Server{
		Handler: d, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}}
	go func() {
		if err := u.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Warn("temporal's web interface ended", "error", err)
		}
	}()
	return u, nil
}

// uiPages are the interface's own routes, without the server that it brings: that
// one listens by itself, to everybody, and ends the process when it cannot. What is
// left out is there for sign-in by others and for pages of other origins.
func uiPages(frontend string) (http.Handler, error) {
	config, err := uiconfig.NewConfigProviderWithRefresh(&uiconfig.Config{
		Host: loopback, TemporalGRPCAddress: frontend, EnableUI: true, DefaultNamespace: Namespace, HideLogs: true,
		DisableNewsFetch: true, NotifyOnNewVersion: false, // it must not call home
	})
	if err != nil {
		return nil, err
	}
	assets, err := uiassets.Assets()
	if err != nil {
		return nil, err
	}
	if assets, err = fs.Sub(assets, "local"); err != nil {
		return nil, err
	}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.Use(middleware.Recover(), middleware.Gzip())
	forward := uiheaders.WithForwardHeaders([]string{"Caller-Type"}) // the token goes by itself
	if err := uiroute.SetAPIRoutes(e, config, []uiapi.Middleware{forward}); err != nil {
		return nil, err
	}
	if err := uiroute.SetUIRoutes(e, "", assets, config); err != nil {
		return nil, err
	}
	uiroute.SetRenderRoute(e, "/")
	return e, nil
}

func (u *webUI) stop() error { return u.server.Close() }
