package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/weir-cdp/weir"
)

// probeTime is how long a part may take to answer a probe.
const probeTime = 2 * time.Second

// health answers the probes of whoever runs a worker: /livez while the process can
// answer at all, /readyz once it polls and while the parts that it needs answer. It
// tells names of parts, no addresses and no errors: those are in the log.
type health struct {
	mu    sync.Mutex
	parts map[string]func(context.Context) error // nil: the worker has not started
	last  map[string]bool                        // which parts answered, so that a change is logged once
}

// serveHealth listens at once, so that a process that waits for its parts is live.
func serveHealth(ctx context.Context, address string, log *slog.Logger) (*health, net.Addr, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, nil, weir.Errorf(weir.Invalid, "answer probes: %w", err).At("--health").Then("give an address that is free, such as :8090")
	}
	h := &health{last: map[string]bool{}}
	server := &http.Server{Handler: h.handler(log), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Warn("probes are no longer answered", "error", err)
		}
	}()
	context.AfterFunc(ctx, func() { server.Close() })
	return h, l.Addr(), nil
}

// started says that the worker polls, and how to ask the parts that it needs.
func (h *health) started(parts map[string]func(context.Context) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.parts = parts
}

func (h *health) handler(log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { answer(w, true, nil) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		parts, ready := h.ask(r.Context(), log)
		answer(w, ready, parts)
	})
	return mux
}

func answer(w http.ResponseWriter, ok bool, parts map[string]bool) {
	w.Header().Set("Content-Type", "application/json")
	if !ok {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"ok": ok, "parts": parts}) // the one who asks may be gone
}

// ask asks all parts at once.
func (h *health) ask(ctx context.Context, log *slog.Logger) (answered map[string]bool, ready bool) {
	h.mu.Lock()
	parts := h.parts
	h.mu.Unlock()
	if parts == nil {
		return nil, false
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	type reply struct {
		part string
		err  error
	}
	replies := make(chan reply, len(parts))
	for name, part := range parts {
		go func() { replies <- reply{name, part(ctx)} }()
	}
	answered, ready = map[string]bool{}, true
	for range parts {
		r := <-replies
		answered[r.part] = r.err == nil
		ready = ready && r.err == nil
		h.mu.Lock()
		was, known := h.last[r.part]
		h.last[r.part] = r.err == nil
		h.mu.Unlock()
		if r.err != nil && (was || !known) {
			log.Warn("a part that the worker needs does not answer", "part", r.part, "error", r.err)
		}
	}
	return answered, ready
}
