package embedded

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

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
