package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/weir-cdp/weir/examples/shop"
)

// driver runs the binary on one project.
type driver struct{ binary, dir string }

func newDriver(binary, dir string) (*driver, error) {
	b, err := filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	d, err := filepath.Abs(dir)
	return &driver{binary: b, dir: d}, err
}

// fresh makes the project anew; it replaces an earlier demo, and nothing else.
func (d *driver) fresh(people int) error {
	if entries, err := os.ReadDir(d.dir); err == nil && len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(d.dir, "truth.csv")); err != nil {
			return fmt.Errorf("%s is not empty and no earlier demo; name another folder with -dir", d.dir)
		}
		if err := os.RemoveAll(d.dir); err != nil {
			return err
		}
	}
	return shop.Write(d.dir, shop.Config{People: people})
}

// startDev starts `weir dev` and waits until it is ready.
func (d *driver) startDev(ctx context.Context) (func(), error) {
	cmd := exec.Command(d.binary, "dev", "--json", "--project", d.dir)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	done := make(chan error, 1)
	ready := make(chan struct{})
	go func() {
		dec := json.NewDecoder(bufio.NewReader(out))
		var v struct{ Ready bool }
		if dec.Decode(&v) == nil && v.Ready {
			close(ready)
		}
		done <- cmd.Wait()
	}()
	select {
	case <-ready:
		fmt.Printf("weir dev is ready after %s\n", time.Since(began).Round(10*time.Millisecond))
	case err := <-done:
		return nil, fmt.Errorf("weir dev ended: %w", errors.Join(err, errors.New("see above")))
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), cmd.Process.Signal(syscall.SIGTERM))
	}
	return sync.OnceFunc(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-done
	}), nil
}

// snapshot is the summary of `weir run --json`.
type snapshot struct {
	Run       struct{ ID string }
	Outcome   string
	StartedAt time.Time `json:"started_at"`
	EndedAt   time.Time `json:"ended_at"`
	Parts     []struct {
		Stage     string
		Part      string
		Outcome   string
		StartedAt time.Time `json:"started_at"`
		EndedAt   time.Time `json:"ended_at"`
		RowsIn    int64     `json:"rows_in"`
		RowsOut   int64     `json:"rows_out"`
		Counts    map[string]int64
		Error     string
	}
}

func (s snapshot) took() time.Duration {
	return s.EndedAt.Sub(s.StartedAt).Round(10 * time.Millisecond)
}

// outcomes counts the parts by outcome: "11 unchanged, 1 done".
func (s snapshot) outcomes() string {
	n := map[string]int{}
	var order []string
	for _, p := range s.Parts {
		if n[p.Outcome] == 0 {
			order = append(order, p.Outcome)
		}
		n[p.Outcome]++
	}
	slices.SortFunc(order, func(a, b string) int { return n[b] - n[a] })
	out := make([]string, len(order))
	for i, o := range order {
		out[i] = fmt.Sprintf("%d %s", n[o], o)
	}
	return strings.Join(out, ", ")
}

// run does one refresh. Exit code 3 is expected of a shop with dirt.
func (d *driver) run(ctx context.Context, now time.Time, show bool) (snapshot, error) {
	var s snapshot
	out, err := d.weir(ctx, "run", "--json", "--now", now.Format(time.RFC3339))
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(out, &s); err != nil {
		return s, fmt.Errorf("read the summary: %w", err)
	}
	for _, p := range s.Parts {
		if p.Outcome == "failed" {
			return s, fmt.Errorf("%s %s failed: %s", p.Stage, p.Part, p.Error)
		}
	}
	if show {
		fmt.Printf("   %-9s %-18s %10s %10s %9s  %s\n", "stage", "part", "rows in", "rows out", "time", "quarantined")
		for _, p := range s.Parts {
			fmt.Printf("   %-9s %-18s %10d %10d %9s  %d\n", p.Stage, p.Part, p.RowsIn, p.RowsOut, p.EndedAt.Sub(p.StartedAt).Round(10*time.Millisecond), p.Counts["quarantined"])
		}
		fmt.Printf("   run %s: %s in %s\n", s.Run.ID, s.Outcome, s.took())
	}
	return s, nil
}

func (d *driver) weir(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, d.binary, append(args, "--project", d.dir)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 3 {
		return out.Bytes(), nil // partly done
	}
	if err != nil {
		return nil, fmt.Errorf("weir %s: %w\n%s", args[0], err, errs.String())
	}
	return out.Bytes(), nil
}

// query runs SQL and decodes its rows.
func query[T any](ctx context.Context, d *driver, sql string) ([]T, error) {
	out, err := d.weir(ctx, "query", "--json", sql)
	if err != nil {
		return nil, err
	}
	var rows []T
	if err := json.Unmarshal(out, &rows); err != nil {
		return nil, fmt.Errorf("read rows of %q: %w", sql, err)
	}
	return rows, nil
}
