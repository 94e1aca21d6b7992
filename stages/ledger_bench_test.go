package stages

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// TestLedgerOfMany measures what a large first append, one with a single change, and
// one with none take, in seconds of the processor. It says nothing of right or wrong
// but that the ledger is sound.
func TestLedgerOfMany(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("WEIR_LEDGER_ROWS"))
	if err != nil {
		t.Skip("a measurement: set WEIR_LEDGER_ROWS=1000000")
	}
	w := newWorld(t)
	rows := make([]weir.Consent, n)
	for i := range rows {
		rows[i] = statement(fmt.Sprintf("crm/o/%09d", i), fmt.Sprintf("person%d@example.org", i*7/8), weir.Granted, noon)
		rows[i].Source, rows[i].Stream = "crm", "o"
	}
	write := func() { put(w.village, schema.Named(consentsTable), weir.Conform, "crm/o", rows...) }
	took := func(what string, f func()) {
		before, wall := cpu(t), time.Now()
		f()
		t.Logf("%-28s %6.1f s of CPU, %6.1f s, resident at most %d MB", what, (cpu(t) - before).Seconds(), time.Since(wall).Seconds(), peak(t))
	}
	write()
	took("first append", w.prove)
	took("nothing changed", w.prove)
	rows[n/2].Action = weir.Withdrawn
	write()
	took("one change", w.prove)
	took("verify", func() { w.sound() })
}

func cpu(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peak is the most memory that the process ever had, store and tables of the test
// included.
func peak(t *testing.T) int64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("there is no /proc: run it on Linux")
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb >> 10
		}
	}
	return 0
}
