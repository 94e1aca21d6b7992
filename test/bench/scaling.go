package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/weir-cdp/weir/deploy/embedded"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/test/bench/scaling"
)

// scaleSizes are the shops that scaling measures, in people of the smallest, and how
// often their web events are told again: the third has fewer events a record, so that
// what records cost and what events cost can be told apart.
var scaleSizes = []struct{ people, again float64 }{{1, eventsMore}, {4, eventsMore}, {2, 0}}

// scaling: what each stage and step takes at several sizes, for docs/scaling.md: see
// package scaling. The figures go to -scaling.
func (b *bench) scaling(ctx context.Context) error {
	m := scaling.Measured{Machine: machine(), At: time.Now().UTC().Format(time.DateOnly)}
	for _, z := range scaleSizes {
		size, err := b.scaleOnce(ctx, int(peoplePerMillion*b.scale*z.people), z.again)
		if err != nil {
			return err
		}
		m.Sizes, m.Load = append(m.Sizes, size), load1()
		data, err := json.MarshalIndent(m, "", " ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(b.scalingOut, append(data, '\n'), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// scaleOnce refreshes a fresh shop, then runs each of its pipelines again with
// scratch objects in the object store, as a cluster has them.
func (b *bench) scaleOnce(ctx context.Context, people int, again float64) (size scaling.Size, err error) {
	dir := filepath.Join(b.work, fmt.Sprintf("scaling_%d", people))
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if _, err := execute(ctx, nil, 0, b.weir, "init", dir, "--example", "shop", "--people", fmt.Sprint(people)); err != nil {
		return size, err
	}
	if err := tellAgain(filepath.Join(dir, "data"), again); err != nil {
		return size, err
	}
	stop, err := receive(dir)
	if err != nil {
		return size, err
	}
	defer stop()
	u, s, err := b.refresh(ctx, dir)
	if err != nil {
		return size, err
	}
	for _, g := range groups(s) {
		st := scaling.Stage{Name: g.label, CPUS: u.cpuBetween(g.from, g.to).Seconds(), WallS: g.to.Sub(g.from).Seconds(), Rows: g.rows}
		st.PeakMB, _ = u.peak(g.from, g.to)
		size.Stages = append(size.Stages, st)
		if err := b.report.add(measure{Name: fmt.Sprintf("scaling_%d", people), Peer: g.label, WallS: st.WallS, Rows: st.Rows, RSSMB: st.PeakMB, CPUS: st.CPUS, Round: 1}); err != nil {
			return size, err
		}
	}
	if size.Rows, err = b.countTables(ctx, dir); err != nil {
		return size, err
	}
	return size, b.again(ctx, dir, &size)
}

// countTables counts the rows of the tables that costs go by.
func (b *bench) countTables(ctx context.Context, dir string) (map[string]int64, error) {
	rows := map[string]int64{}
	for _, table := range []string{"core.records", "core.events", "core.profiles", "identity.edges", "identity.identifiers", "core.lineage",
		"core.traits", "segment.memberships", "consent.decisions", "activation.deliveries"} {
		u, err := execute(ctx, nil, 0, b.weir, "query", "--project", dir, "--json", "select count(*) as n from "+table)
		if err != nil {
			return nil, err
		}
		var found []struct{ N int64 }
		if err := json.Unmarshal(u.out, &found); err != nil || len(found) != 1 {
			return nil, fmt.Errorf("count %s: %q, %w", table, u.out, err)
		}
		rows[table] = found[0].N
	}
	return rows, nil
}

// again runs the pipelines of a refresh once more.
func (b *bench) again(ctx context.Context, dir string, size *scaling.Size) (err error) {
	own, err := embedded.Start(ctx, embedded.Options{Dir: filepath.Join(dir, ".weir"), Workspace: "shop", Command: "bench", Self: []string{b.weir}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, own.Stop()) }()
	store, err := object.Open(ctx, own.Lake())
	if err != nil {
		return err
	}
	var specs []string
	size.Bytes = map[string]int64{}
	for o, err := range store.List(ctx, "") {
		if err != nil {
			return err
		}
		first, _, _ := strings.Cut(o.Key, "/")
		size.Bytes[first] += o.Size
		if strings.HasPrefix(o.Key, "runs/") && strings.HasSuffix(o.Key, ".moved.json") {
			specs = append(specs, o.Key)
		}
	}
	for _, key := range specs {
		p, err := b.pipelineAgain(ctx, own, store, key)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		size.Pipeline = append(size.Pipeline, p)
		moved, elements := p.Shuffle()
		read, written := p.Scratch()
		rows := float64(max(1, p.RowsIn))
		b.report.notef("%s of %d rows in %d partitions: %.1f s of processor time; bytes a row: input %.0f, shuffle %.2f in %d elements, scratch written %.0f and read %.0f",
			p.Name, p.RowsIn, p.Partitions, p.CPUS, float64(p.InputBytes)/rows, float64(moved)/rows, elements, float64(written)/rows, float64(read)/rows)
	}
	return nil
}
