package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"

	tlog "go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"

	"github.com/weir-cdp/weir"
)

// quieter gives a log for a part whose operator is not its user: what it calls
// an error is mostly a retry of its own, so that goes down to the level given, and
// the rest to debug. What is fatal is reported besides.
func quieter(log *slog.Logger, part string, errors slog.Level) *slog.Logger {
	return slog.New(downHandler{log.Handler(), errors}).With("part", part)
}

type downHandler struct {
	slog.Handler
	errors slog.Level
}

func (h downHandler) down(l slog.Level) slog.Level {
	if l >= slog.LevelError {
		return h.errors
	}
	return slog.LevelDebug
}

func (h downHandler) Enabled(ctx context.Context, l slog.Level) bool {
	return h.Handler.Enabled(ctx, h.down(l))
}

func (h downHandler) Handle(ctx context.Context, r slog.Record) error {
	r.Level = h.down(r.Level)
	return h.Handler.Handle(ctx, r)
}

func (h downHandler) WithAttrs(a []slog.Attr) slog.Handler {
	return downHandler{h.Handler.WithAttrs(a), h.errors}
}

func (h downHandler) WithGroup(name string) slog.Handler {
	return downHandler{h.Handler.WithGroup(name), h.errors}
}

// serverLog sends the Temporal server's log to slog. What is fatal to the
// server ends its goroutine and is reported, not the process.
type serverLog struct {
	l     *slog.Logger
	fatal func(error)
}

var (
	_ tlog.Logger     = serverLog{}
	_ tlog.WithLogger = serverLog{}
)

func attrs(tags []tag.Tag) []slog.Attr {
	a := make([]slog.Attr, len(tags))
	for i, t := range tags {
		a[i] = slog.Any(t.Key(), t.Value())
	}
	return a
}

func (s serverLog) log(level slog.Level, msg string, tags []tag.Tag) {
	if ctx := context.Background(); s.l.Enabled(ctx, level) {
		s.l.LogAttrs(ctx, level, msg, attrs(tags)...) //nolint:sloglint // the server's message
	}
}

func (s serverLog) Debug(m string, t ...tag.Tag)  { s.log(slog.LevelDebug, m, t) }
func (s serverLog) Info(m string, t ...tag.Tag)   { s.log(slog.LevelInfo, m, t) }
func (s serverLog) Warn(m string, t ...tag.Tag)   { s.log(slog.LevelWarn, m, t) }
func (s serverLog) Error(m string, t ...tag.Tag)  { s.log(slog.LevelError, m, t) }
func (s serverLog) DPanic(m string, t ...tag.Tag) { s.log(slog.LevelError, m, t) }

func (s serverLog) Panic(m string, t ...tag.Tag) {
	s.log(slog.LevelError, m, t)
	panic(m)
}

func (s serverLog) Fatal(m string, t ...tag.Tag) {
	s.log(slog.LevelError, m, t)
	for _, tag := range t {
		if tag.Key() == "error" { // such as a port that is taken, where another one is tried
			m += fmt.Sprintf(": %v", tag.Value())
		}
	}
	s.fatal(weir.Errorf(weir.Internal, "temporal: %s", m).Then("restart; the state is kept"))
	runtime.Goexit()
}

// outliveGoexit, deferred in a goroutine of the server's, lets Fatal end that alone: where
// the server is inside of sync.OnceValue, that makes a panic without a value of it.
func outliveGoexit() {
	if v := recover(); v != nil {
		if _, ended := v.(*runtime.PanicNilError); !ended {
			panic(v)
		}
	}
}

func (s serverLog) With(t ...tag.Tag) tlog.Logger {
	return serverLog{l: slog.New(s.l.Handler().WithAttrs(attrs(t))), fatal: s.fatal}
}
