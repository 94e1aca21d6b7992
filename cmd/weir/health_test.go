package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
)

func TestProbesFollowTheWorkerAndItsParts(t *testing.T) {
	h, at, err := serveHealth(t.Context(), "127.0.0.1:0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string) (int, map[string]bool) {
		t.Helper()
		r, err := http.Get("http://" + at.String() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		var body struct {
			OK    bool
			Parts map[string]bool
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Fatal(err)
		}
		if body.OK != (r.StatusCode == http.StatusOK) {
			t.Errorf("%s: %d says ok %v", path, r.StatusCode, body.OK)
		}
		return r.StatusCode, body.Parts
	}
	if live, _ := get("/livez"); live != http.StatusOK {
		t.Errorf("a process that starts is not live: %d", live)
	}
	if ready, _ := get("/readyz"); ready != http.StatusServiceUnavailable {
		t.Errorf("ready before it polls: %d", ready)
	}
	var broken error
	hang := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	parts := map[string]func(context.Context) error{
		"temporal": func(context.Context) error { return nil },
		"lake":     func(context.Context) error { return broken },
	}
	h.started(parts)
	if ready, _ := get("/readyz"); ready != http.StatusOK {
		t.Errorf("not ready though all answer: %d", ready)
	}
	broken = errors.New("secret of s3.example")
	if ready, told := get("/readyz"); ready != http.StatusServiceUnavailable || told["lake"] || !told["temporal"] {
		t.Errorf("%d %v", ready, told)
	}
	broken = nil
	h.started(map[string]func(context.Context) error{"temporal": hang, "lake": parts["lake"]})
	if ready, told := get("/readyz"); ready != http.StatusServiceUnavailable || told["temporal"] || !told["lake"] {
		t.Errorf("a part that hangs: %d %v", ready, told)
	}
	if live, _ := get("/livez"); live != http.StatusOK {
		t.Errorf("a part that hangs makes the process dead: %d", live)
	}
	if _, _, err := serveHealth(t.Context(), at.String(), slog.New(slog.DiscardHandler)); weir.CodeOf(err) != weir.Invalid || !strings.Contains(err.Error(), "--health") {
		t.Errorf("a taken address: %v", err)
	}
}
