package embedded

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"syscall"
	"testing"

	"go.temporal.io/server/common/log/tag"
)

// TestFatalEndsItsGoroutineAlone: also inside of sync.OnceValue, where the server listens;
// and what it reports has the cause, by which a port that is taken is known.
func TestFatalEndsItsGoroutineAlone(t *testing.T) {
	var reported error
	lg := serverLog{l: slog.New(slog.DiscardHandler), fatal: func(err error) { reported = err }}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer outliveGoexit()
		sync.OnceValue(func() int { lg.Fatal("no listener", tag.Error(syscall.EADDRINUSE)); return 0 })()
	}()
	<-ended
	if reported == nil || !strings.Contains(reported.Error(), syscall.EADDRINUSE.Error()) {
		t.Errorf("it reports %v", reported)
	}
}

// What Temporal's client calls a warning or an error is for those who ask for it.
func TestSDKLogIsForTheVerbose(t *testing.T) {
	for level, want := range map[slog.Level]int{slog.LevelWarn: 0, slog.LevelInfo: 1, slog.LevelDebug: 3} {
		var b bytes.Buffer
		l := SDKLog(slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: level})))
		l.Info("started")
		l.Warn("Activity took long.")
		l.Error("Activity error.")
		if got := strings.Count(b.String(), "\n"); got != want {
			t.Errorf("at %s: %d lines, not %d\n%s", level, got, want, b.String())
		}
	}
}
