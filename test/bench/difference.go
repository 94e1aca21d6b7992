package main

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/project"
	"github.com/weir-cdp/weir/stages"
)

// difference: what was added, changed and removed between what a destination
// holds and what it should hold. The plan step of activate is run whole and told
// as two measures: diff_snapshots until it has who moved, with both keys and no key
// twice, which is more than DuckDB's arms tell of two files of key and checksum;
// plan_deliveries until it has also read what to send, decisions and last
// deliveries of those who moved, and written the delivery plan. Weir's parts run
// already when its time begins; DuckDB's arms begin with Python's start.
func (b *bench) difference(ctx context.Context) (err error) {
	const name = "diff_snapshots"
	rows := b.rows(10_000_000)
	dir, err := os.MkdirTemp(b.work, "project")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	log := &compared{Handler: slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})}
	h, closing, err := b.house(ctx, dir, slog.New(log))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closing()) }()
	key, err := fillDeliveries(ctx, h, rows)
	if err != nil {
		return err
	}
	for round := 1; round <= b.rounds; round++ {
		if err := b.planDeliveries(ctx, h, log, name, key, rows, round); err != nil {
			return err
		}
		for _, arm := range []string{"outer_join", "two_semi", "sorted"} {
			if err := b.compares(ctx, name, arm, rows, round); err != nil {
				return err
			}
		}
	}
	return nil
}

// planDeliveries times the plan step of activate, which takes the difference.
func (b *bench) planDeliveries(ctx context.Context, h *stages.House, log *compared, name, key string, rows, round int) error {
	run := weir.Run{Workspace: "bench", ID: weir.NewRunID(benchNow, strconv.Itoa(round)), Now: benchNow, Project: key}
	watch, done := make(chan sample, 1), make(chan struct{})
	go func() { watch <- watchSelf(done) }()
	before, started := ownCPU(), time.Now()
	plan, err := h.All()[weir.Activate].Plan(ctx, run, "esp")
	took, cpu := time.Since(started), ownCPU()-before
	close(done)
	s := <-watch
	if err != nil {
		return err
	}
	if plan.Unchanged {
		return fmt.Errorf("no difference was found")
	}
	found, err := planned(ctx, h, plan.Spec)
	if err != nil {
		return err
	}
	changed := rows / 100
	for i := changed; i < rows; i++ {
		if i%100 < 3 {
			changed++
		}
	}
	if found["remove"] != rows/100 || found["send"] != changed {
		return fmt.Errorf("found %v; there are %d to remove and %d to send", found, rows/100, changed)
	}
	if log.at.Before(started) {
		return fmt.Errorf("the stage did not say when it had compared")
	}
	err = b.report.add(measure{Name: name, Peer: "weir", WallS: log.at.Sub(started).Seconds(), CPUS: (log.cpu - before).Seconds(), Rows: int64(rows), Round: round, RSSMB: s.largest >> 10, TreeMB: s.tree >> 10})
	if err != nil {
		return err
	}
	return b.report.add(measure{Name: "plan_deliveries", Peer: "weir", Found: found, WallS: took.Seconds(), CPUS: cpu.Seconds(), Rows: int64(rows), Round: round, RSSMB: s.largest >> 10, TreeMB: s.tree >> 10})
}

// compared is a log that keeps what this process had used when the stage said that
// it had the difference.
type compared struct {
	slog.Handler
	at  time.Time
	cpu time.Duration
}

func (c *compared) Enabled(context.Context, slog.Level) bool { return true }

func (c *compared) Handle(ctx context.Context, r slog.Record) error {
	if r.Message == "compared what is wanted with what is held" {
		c.at, c.cpu = time.Now(), ownCPU()
	}
	if !c.Handler.Enabled(ctx, r.Level) {
		return nil
	}
	return c.Handler.Handle(ctx, r)
}

// planned counts the rows of a delivery plan.
func planned(ctx context.Context, h *stages.House, key string) (map[string]int, error) {
	text, err := h.Lake.Store().ReadFile(ctx, key)
	if err != nil {
		return nil, err
	}
	var spec struct {
		Chunks []struct {
			Removals bool `json:"removals"`
			Rows     int  `json:"rows"`
		} `json:"chunks"`
	}
	if err := json.Unmarshal(text, &spec); err != nil {
		return nil, err
	}
	found := map[string]int{}
	for _, c := range spec.Chunks {
		if c.Removals {
			found["remove"] += c.Rows
		} else {
			found["send"] += c.Rows
		}
	}
	return found, nil
}

// ownCPU is what this process has used so far; the S3 gateway is another one.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// watchSelf is the most memory of this process and its children until done.
func watchSelf(done <-chan struct{}) (most sample) {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		var s sample
		s.add(os.Getpid())
		most.tree, most.largest, most.own = max(most.tree, s.tree), max(most.largest, s.largest), max(most.own, s.own)
		select {
		case <-done:
			return most
		case <-tick.C:
		}
	}
}

var benchNow = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// fillDeliveries makes the tables of one activation as a run leaves them: of so
// many members one in a hundred left, one joined and three changed. It returns
// the project's key.
func fillDeliveries(ctx context.Context, h *stages.House, rows int) (string, error) {
	const activation, destination = "newsletter", "esp"
	hash := func(kind string, i int) string {
		sum := md5.Sum([]byte(kind + strconv.Itoa(i)))
		return hex.EncodeToString(sum[:])
	}
	joined := rows / 100
	// Ids ascend with i, and their ends compress as little as those of hashes do.
	profile := func(i int) string {
		return fmt.Sprintf("p_%08x", uint64(i)<<32/uint64(rows+joined)) + hash("profile", i)[:16]
	}
	decision := func(i int) string { return hash("decision", i) }
	sum := func(kind string, i int) string { return hash(kind, i)[:24] } // as long as compose makes them
	pins := map[string]int64{}
	var errs []error
	pin := func(table string, id int64, err error) {
		pins[table] = id
		errs = append(errs, err)
	}
	id, err := fillTable(ctx, h.Lake, "activation.state", activation, rows, func(i int) weir.DeliveryState {
		return weir.DeliveryState{Activation: activation, ProfileID: profile(i), DeliveredKey: hash("member", i), Checksum: sum("sum", i), DeliveredAt: benchNow, Sequence: 1}.Digested()
	})
	pin("activation.state", id, err)
	id, err = fillTable(ctx, h.Lake, "activation.deliveries", destination, rows, func(i int) weir.Delivery {
		return weir.Delivery{ID: decision(i), RunID: "first", Activation: activation, Destination: destination, ProfileID: profile(i), DeliveredKey: hash("member", i),
			Op: weir.Add, DecisionID: decision(i), Checksum: sum("sum", i), Sequence: 1, Status: "delivered", Attempts: 1, At: benchNow}
	})
	pin("activation.deliveries", id, err)
	id, err = fillTable(ctx, h.Lake, "activation.audience", activation, rows, func(n int) weir.AudienceRow {
		i := n + joined // the first ones left
		checksum := sum("sum", i)
		if i%100 < 3 {
			checksum = sum("new", i)
		}
		return weir.AudienceRow{Activation: activation, ProfileID: profile(i), Key: hash("member", i), Fields: `{"email":"` + hash("member", i) + `"}`, Checksum: checksum,
			ClassID: "c" + strconv.Itoa(i%50), DecisionID: decision(i)}.Digested()
	})
	pin("activation.audience", id, err)
	id, err = fillTable(ctx, h.Lake, "consent.decisions", activation, rows, func(n int) weir.Decision {
		i := n + joined
		return weir.Decision{ID: decision(i), RunID: "second", Activation: activation, ProfileID: profile(i), ClassID: "c" + strconv.Itoa(i%50), Allow: true, At: benchNow}
	})
	pin("consent.decisions", id, err)
	errs = append(errs, h.Lake.RecordRun(ctx, weir.StageRun{RunID: "second", Stage: weir.Decide, Status: "done", StartedAt: benchNow, EndedAt: benchNow, Now: benchNow, Snapshots: pins}))
	if err := errors.Join(errs...); err != nil {
		return "", err
	}
	return h.Apply(ctx, &project.Project{Name: "bench",
		Destinations: []project.Destination{{Name: destination, Connector: "webhook", Config: map[string]any{"url": "http://127.0.0.1:9/"}}},
		Activations:  []weir.ActivationDef{{Name: activation, Destination: destination, Mode: weir.Mirror, Key: "email", Fields: map[string]string{"email": "email"}}}})
}
