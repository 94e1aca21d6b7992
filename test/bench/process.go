package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// usage is what a command took.
type usage struct {
	wall, cpu time.Duration
	samples   []sample
	out       []byte
}

// sample is the memory of a command's processes at one moment, in kB.
type sample struct {
	at            time.Time
	tree, largest int64 // resident: all together; the one that holds most
	own           int64 // of the one that holds most: without pages of files, such as the program's
	cpu           int64 // used by all so far, those that ended too, in ticks of a hundredth of a second
}

const sampleEvery = 50 * time.Millisecond

// execute runs a command to its end and watches the memory of it and of all that
// it starts. The exit code also is no failure.
func execute(ctx context.Context, env []string, also int, argv ...string) (u usage, err error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), env...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	started := time.Now()
	if err := cmd.Start(); err != nil {
		return u, err
	}
	var watch sync.WaitGroup
	done := make(chan struct{})
	watch.Go(func() {
		tick := time.NewTicker(sampleEvery)
		defer tick.Stop()
		for {
			s := sample{at: time.Now()}
			s.add(cmd.Process.Pid)
			u.samples = append(u.samples, s)
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	})
	err = cmd.Wait()
	u.wall = time.Since(started)
	close(done)
	watch.Wait()
	u.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	u.out = out.Bytes()
	if err == nil || cmd.ProcessState.ExitCode() == also {
		return u, nil
	}
	lines := strings.Split(strings.TrimSpace(errOut.String()), "\n")
	return u, fmt.Errorf("%s: %w\n%s", strings.Join(argv[:min(4, len(argv))], " "), err, strings.Join(lines[max(0, len(lines)-8):], "\n"))
}

// add counts a process and its children.
func (s *sample) add(pid int) {
	for line := range strings.Lines(readText(fmt.Sprintf("/proc/%d/status", pid))) {
		var kb int64
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kb); n == 1 {
			s.tree += kb
			s.largest = max(s.largest, kb)
		}
		if n, _ := fmt.Sscanf(line, "RssAnon: %d kB", &kb); n == 1 {
			s.own = max(s.own, kb)
		}
	}
	if _, after, ok := strings.Cut(readText(fmt.Sprintf("/proc/%d/stat", pid)), ") "); ok {
		if f := strings.Fields(after); len(f) > 14 {
			for _, ticks := range f[11:15] { // its own and of children that ended, in user and system mode
				n, _ := strconv.ParseInt(ticks, 10, 64)
				s.cpu += n
			}
		}
	}
	threads, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, t := range threads { // a child is listed by the thread that started it
		for _, child := range strings.Fields(readText(fmt.Sprintf("/proc/%d/task/%s/children", pid, t.Name()))) {
			var c int
			if _, err := fmt.Sscan(child, &c); err == nil {
				s.add(c)
			}
		}
	}
}

// peak is the most memory between two moments, in MB; zero times are no bound.
func (u usage) peak(from, to time.Time) (largest, tree int64) {
	for _, s := range u.samples {
		if (from.IsZero() || !s.at.Before(from)) && (to.IsZero() || !s.at.After(to)) {
			largest, tree = max(largest, s.largest), max(tree, s.tree)
		}
	}
	return largest >> 10, tree >> 10
}

// cpuBetween is what all processes used between two moments.
func (u usage) cpuBetween(from, to time.Time) time.Duration {
	var first, last int64
	for _, s := range u.samples {
		if s.at.Before(from) {
			first = s.cpu
		}
		if !s.at.After(to) {
			last = s.cpu
		}
	}
	return time.Duration(last-first) * 10 * time.Millisecond
}

// measured begins a measure of the whole command.
func (u usage) measured(name, peer string, rows int64, round int) measure {
	m := measure{Name: name, Peer: peer, WallS: u.wall.Seconds(), CPUS: u.cpu.Seconds(), Rows: rows, Round: round}
	m.RSSMB, m.TreeMB = u.peak(time.Time{}, time.Time{})
	for _, s := range u.samples {
		m.OwnMB = max(m.OwnMB, s.own>>10)
	}
	return m
}
