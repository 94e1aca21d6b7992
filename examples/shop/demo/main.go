// Command demo runs the example shop through all stages with the weir binary,
// as a person would, and prints what happened: rows, time, what was quarantined
// and why, matching against the known truth, segments, decisions, deliveries.
// Then it changes three things in the files and runs again.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/weir-cdp/weir/examples/shop"
	"github.com/weir-cdp/weir/examples/shop/receiver"
)

func main() {
	weir := flag.String("weir", "bin/weir", "the weir binary")
	dir := flag.String("dir", "demo", "where the project is made; an earlier demo there is replaced")
	people := flag.Int("people", 10_000, "how many people the shop has")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := demo(ctx, *weir, *dir, *people); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func demo(ctx context.Context, binary, dir string, people int) error {
	d, err := newDriver(binary, dir)
	if err != nil {
		return err
	}
	start := time.Now()
	if err := d.fresh(people); err != nil {
		return err
	}
	inbox := receiver.New()
	l, err := net.Listen("tcp", "127.0.0.1:8787")
	if err != nil {
		return fmt.Errorf("the receiver's port 8787 is taken: %w; stop what uses it", err)
	}
	server := &http.Server{Handler: inbox, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, "demo: receiver:", err)
		}
	}()
	defer server.Close()
	watch := watchMemory()
	stopDev, err := d.startDev(ctx)
	if err != nil {
		return err
	}
	defer stopDev()
	now := shop.Now()

	heading("1. First run: everything is new")
	if _, err := d.run(ctx, now, true); err != nil {
		return err
	}
	if err := d.results(ctx); err != nil {
		return err
	}

	heading("2. Second run: nothing changed")
	again, err := d.run(ctx, now.Add(time.Hour), false)
	if err != nil {
		return err
	}
	fmt.Printf("   %s in %s\n", again.outcomes(), again.took())

	heading("3. Three changes in the files, and a third run")
	before := inbox.State()
	changes, err := d.change(ctx, now.Add(90*time.Minute))
	if err != nil {
		return err
	}
	third, err := d.run(ctx, now.Add(2*time.Hour), false)
	if err != nil {
		return err
	}
	fmt.Printf("   %s in %s\n", third.outcomes(), third.took())
	if err := d.checkChanges(ctx, changes, before, inbox.State(), third.Run.ID); err != nil {
		return err
	}
	fmt.Printf("\nAll of it took %s; at most %d MB resident over all processes of weir.\n", time.Since(start).Round(100*time.Millisecond), watch.stop()>>20)
	stopDev() // what it says comes before what to try
	name := filepath.Base(d.dir)
	fmt.Printf(`
The shop's data ends on its last day: run it with --now %[5]s.
The webhook's receiver was part of this demo and has ended: what a run would send there waits.

Try next:
  %[1]s query --project %[2]s "select segment, count(*) from segment.memberships group by 1"
  %[1]s profile get --project %[2]s email:%[3]s   # whose first name was changed to %[4]s above
  %[1]s dev --project %[2]s
`, binary, name, changes.renamed.email, changes.newName, shop.Now().Format(time.RFC3339))
	return nil
}

func heading(s string) { fmt.Printf("\n%s\n", s) }
