package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/stages"
)

// metricsAddress is where weir dev serves metrics, or a free port if it is taken.
const metricsAddress = "127.0.0.1:18234"

// serveMetrics serves Prometheus metrics until ctx ends.
func (a *app) serveMetrics(ctx context.Context, pl *platform) (string, error) {
	l, err := net.Listen("tcp", metricsAddress)
	if err != nil {
		if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return "", weir.Errorf(weir.Unavailable, "serve metrics: %w", err)
		}
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(stages.NewMetrics(pl.house, pl.project))
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			a.log.Warn("metrics ended", "error", err)
		}
	}()
	context.AfterFunc(ctx, func() { server.Close() })
	return l.Addr().String(), nil
}
