package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/examples/shop/receiver"
	"github.com/weir-cdp/weir/workflows"
)

// peoplePerMillion of the example shop have a million records; of the events that
// they have, eventsMore of a person's web events are told again, to make five
// events a record.
const (
	peoplePerMillion = 626_000
	eventsMore       = 1.25
)

// chain: the generated shop through all stages, at one size and at four times
// that, to tell whether memory grows with the input.
func (b *bench) chain(ctx context.Context) error {
	people := max(1000, int(peoplePerMillion*b.scale))
	small, err := b.shop(ctx, "chain_1x", people)
	if err != nil {
		return err
	}
	large, err := b.shop(ctx, "chain_4x", 4*people)
	if err != nil {
		return err
	}
	b.report.notef("chain: the largest process held %d MB at %d people and %d MB at %d; all processes %d MB and %d MB",
		small.RSSMB, people, large.RSSMB, 4*people, small.TreeMB, large.TreeMB)
	return nil
}

// shop measures one refresh of a fresh shop, each stage and the whole.
func (b *bench) shop(ctx context.Context, name string, people int) (whole measure, err error) {
	dir := filepath.Join(b.work, name)
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if _, err := execute(ctx, nil, 0, b.weir, "init", dir, "--example", "shop", "--people", fmt.Sprint(people)); err != nil {
		return whole, err
	}
	if err := tellAgain(filepath.Join(dir, "data"), eventsMore); err != nil {
		return whole, err
	}
	stop, err := receive(dir)
	if err != nil {
		return whole, err
	}
	defer stop()
	u, s, err := b.refresh(ctx, dir)
	if err != nil {
		return whole, err
	}
	var collected int64
	for _, p := range s.Parts {
		if p.Stage == weir.Collect {
			collected += p.RowsOut
		}
	}
	for _, g := range groups(s) {
		m := measure{Name: name, Peer: g.label, WallS: g.to.Sub(g.from).Seconds(), Rows: g.rows, Round: 1}
		m.RSSMB, m.TreeMB = u.peak(g.from, g.to)
		m.CPUS = u.cpuBetween(g.from, g.to).Seconds()
		if err := b.report.add(m); err != nil {
			return whole, err
		}
		if g.label == string(weir.Activate)+" esp" {
			b.report.notef("%s: the webhook's receiver took %d rows in %.1f s, the plan of the deliveries and their record included: %.0f rows/s", name, g.rows, m.WallS, float64(g.rows)/m.WallS)
		}
	}
	whole = u.measured(name, "all stages", collected, 1)
	return whole, b.report.add(whole)
}

// group is a stage, or a destination of activate.
type group struct {
	label    string
	from, to time.Time
	rows     int64
}

// groups puts the parts of a stage together: they run at the same time. Rows are
// those that a stage reads; of activate, and of a stage that says none, those
// that it writes.
func groups(s workflows.Snapshot) []group {
	var out []group
	for _, p := range s.Parts {
		if p.StartedAt.IsZero() || p.EndedAt.IsZero() {
			continue
		}
		g := group{label: string(p.Stage), from: p.StartedAt, to: p.EndedAt, rows: p.RowsIn}
		if p.Stage == weir.Activate {
			g.label += " " + p.Part
			g.rows = p.RowsOut
		}
		if g.rows == 0 {
			g.rows = p.RowsOut
		}
		if n := len(out); n > 0 && out[n-1].label == g.label {
			last := &out[n-1]
			last.rows += g.rows
			if g.from.Before(last.from) {
				last.from = g.from
			}
			if g.to.After(last.to) {
				last.to = g.to
			}
			continue
		}
		out = append(out, g)
	}
	return out
}

// receive stands in for the shop's e-mail tool and writes its address into the
// project.
func receive(dir string) (stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: receiver.New(), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(l) }() // ends with Close
	path := filepath.Join(dir, "destinations", "esp.yaml")
	text, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, []byte(strings.ReplaceAll(string(text), "127.0.0.1:8787", l.Addr().String())), 0o644)
	}
	if err != nil {
		return nil, errors.Join(err, server.Close())
	}
	return func() { _ = server.Close() }, nil
}

// tellAgain writes another file of web events: the shop's, under other ids, so
// many times over.
func tellAgain(dir string, times float64) (err error) {
	out, err := os.Create(filepath.Join(dir, "web-again.ndjson.gz"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	w := gzip.NewWriter(out)
	defer func() { err = errors.Join(err, w.Close()) }()
	for n := 1; times > 0; n, times = n+1, times-1 {
		if err := tellOnce(w, dir, fmt.Sprintf(`"messageId":"m%d-`, n), min(times, 1)); err != nil {
			return err
		}
	}
	return nil
}

// tellOnce tells a share of the events, evenly spread.
func tellOnce(w io.Writer, dir, id string, share float64) (err error) {
	in, err := os.Open(filepath.Join(dir, "web-2026-06.ndjson.gz"))
	if err != nil {
		return err
	}
	defer in.Close()
	r, err := gzip.NewReader(in)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(r)
	due := 0.0
	for lines.Scan() {
		line := lines.Text()
		if !strings.Contains(line, `"type":"track"`) {
			continue
		}
		if due += share; due < 1 {
			continue
		}
		due--
		if _, err := io.WriteString(w, strings.Replace(line, `"messageId":"m-`, id, 1)+"\n"); err != nil {
			return err
		}
	}
	return lines.Err()
}
