package embedded

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
)

// tail passes what a child prints to the log, at debug level, and keeps the end
// for the message that tells of its death.
type tail struct {
	log *slog.Logger

	mu   sync.Mutex
	kept []byte
}

const tailBytes = 600

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, b...)
	if len(t.kept) > tailBytes {
		t.kept = append([]byte(nil), t.kept[len(t.kept)-tailBytes:]...)
	}
	for line := range bytes.Lines(b) {
		t.log.Debug(strings.TrimSpace(string(line)), "part", "s3") //nolint:sloglint // the gateway's line
	}
	return len(b), nil
}

func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(strings.Fields(string(t.kept)), " ")
}
