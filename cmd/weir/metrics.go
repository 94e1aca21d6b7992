package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/deploy/embedded"
	"github.com/weir-cdp/weir/stages"
)

// metricsAddress is where weir dev serves metrics, or a free port if it is taken.
const metricsAddress = "127.0.0.1:18234"

// serveMetrics serves Prometheus metrics until ctx ends, to whoever sends the
// token of .weir/metrics-token.
func (a *app) serveMetrics(ctx context.Context, pl *platform) (string, error) {
	token, err := embedded.Token(filepath.Join(a.dir, ".weir"), embedded.MetricsToken)
	if err != nil {
		return "", err
	}
	l, err := net.Listen("tcp", metricsAddress)
	if err != nil {
		if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return "", weir.Errorf(weir.Unavailable, "serve metrics: %w", err)
		}
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(stages.NewMetrics(pl.house, pl.project))
	names := embedded.LoopbackNames(l.Addr().(*net.TCPAddr).Port)
	server := &http.Server{Handler: metricsHandler(registry, names, token), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			a.log.Warn("metrics ended", "error", err)
		}
	}()
	context.AfterFunc(ctx, func() { server.Close() })
	return l.Addr().String(), nil
}

// metricsHandler serves metrics under the names of this machine (a web page whose
// own name points here sends that) to those who have the token.
func metricsHandler(g prometheus.Gatherer, names []string, token string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(g, promhttp.HandlerOpts{}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !slices.Contains(names, r.Host):
			http.Error(w, "This is Weir on the machine it runs on; it does not answer to the name in your request.", http.StatusForbidden)
		case !embedded.SameToken(r.Header.Get("Authorization"), "Bearer "+token):
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "Send the token of .weir/metrics-token: Authorization: Bearer …", http.StatusUnauthorized)
		default:
			mux.ServeHTTP(w, r)
		}
	})
}
