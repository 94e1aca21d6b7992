// Command weir is the customer data platform: one binary for the laptop and the
// company. It reads flags, wires the parts together and runs them; what a
// command does is in the packages that it calls.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // a bare machine has no time zones
)

// softMemory is what the garbage collector aims to stay under; the large things
// (DuckDB, pipelines) have limits of their own.
const softMemory = 512 << 20

// garbage is how much of it there may be, in percent of what is live: with 80,
// 2 million rows from PostgreSQL take 274 MB instead of 297 in the same time; with
// 50, a CSV file takes a fifth more of it.
const garbage = 80

func main() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
		if os.Getenv("GOGC") == "" {
			debug.SetGCPercent(garbage)
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	stopProfile := profile()
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	stopProfile()
	os.Exit(code)
}
