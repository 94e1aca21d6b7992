package connectortest

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
)

// SourceHarness describes a system with known content and one stream of it.
type SourceHarness struct {
	Connector connectors.Connector
	Env       connectors.Env
	Config    map[string]any // as YAML gives it
	// Stream without Settings, which are validated from StreamSettings.
	Stream         connectors.Stream
	StreamSettings map[string]any
	// Rows is how many rows a first sync gives; Rejections how many rows and
	// values it rejects.
	Rows       int
	Rejections int
	// Broken are configurations of which OpenSource or Check must complain.
	Broken []map[string]any
	// Change alters the system; ChangedRows is how many rows the next sync
	// gives. Nil skips that test.
	Change      func(t *testing.T)
	ChangedRows int
	// AlwaysReads is of streams that can't tell whether something changed (a full
	// read of a table): a second plan has splits.
	AlwaysReads bool
	// PlanNeedsSource is of plans that end with the connection that made them.
	PlanNeedsSource bool
}

const patience = 30 * time.Second

var safeID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,150}$`)

// Source runs the suite. Change, if any, runs last.
func Source(t *testing.T, h SourceHarness) {
	t.Helper()
	t.Run("Settings", func(t *testing.T) { settings(t, h.Connector, h.Config, h.Connector.Config) })
	t.Run("StreamSettings", func(t *testing.T) { settings(t, h.Connector, h.StreamSettings, h.Connector.Stream) })
	t.Run("Check", h.check)
	t.Run("Discover", h.discover)
	t.Run("PlanIsWellFormed", h.wellFormed)
	t.Run("ReadsAllRowsOnce", h.readsAll)
	t.Run("SameSplitSameRows", h.sameRows)
	t.Run("SplitsReadInParallel", h.parallel)
	t.Run("ResumesStoredPlan", h.resumes)
	t.Run("NothingNewNothingRead", h.nothingNew)
	t.Run("CancelStopsRead", h.cancels)
	t.Run("SinkErrorEndsRead", h.sinkError)
	if h.Change != nil {
		t.Run("ReadsWhatChanged", h.changes)
	}
}

func settings(t *testing.T, c connectors.Connector, raw map[string]any, fields []connectors.Field) {
	if _, errs := connectors.ParseSettings(fields, raw); len(errs) > 0 {
		t.Errorf("the harness's settings are refused: %v", errs)
	}
	wrong := map[string]any{"no_such_key_": 1}
	for k, v := range raw {
		wrong[k] = v
	}
	if _, errs := connectors.ParseSettings(fields, wrong); len(errs) == 0 {
		t.Error("an unknown key is accepted")
	}
	documented(t, fields, "")
	if c.Name == "" || c.Summary == "" || !strings.Contains(connectors.Markdown(c), c.Summary) {
		t.Error("the connector lacks its name or summary")
	}
}

func documented(t *testing.T, fields []connectors.Field, prefix string) {
	seen := map[string]bool{}
	for _, f := range fields {
		if f.Description == "" {
			t.Errorf("field %s%s has no description", prefix, f.Name)
		}
		if seen[f.Name] {
			t.Errorf("field %s%s is declared twice", prefix, f.Name)
		}
		seen[f.Name] = true
		documented(t, f.Fields, prefix+f.Name+".")
	}
}

func (h SourceHarness) open(t *testing.T) connectors.Source {
	t.Helper()
	s, errs := connectors.ParseSettings(h.Connector.Config, h.Config)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	src, err := h.Connector.OpenSource(t.Context(), h.Env, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := src.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return src
}

func (h SourceHarness) stream(t *testing.T) connectors.Stream {
	t.Helper()
	s, errs := connectors.ParseSettings(h.Connector.Stream, h.StreamSettings)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	st := h.Stream
	st.Settings = s
	return st
}

func (h SourceHarness) plan(t *testing.T, src connectors.Source, prior connectors.Prior) connectors.Plan {
	t.Helper()
	p, err := src.Plan(t.Context(), h.stream(t), prior)
	if err != nil {
		t.Fatalf("Plan: %v", err)
	}
	return p
}

func (h SourceHarness) read(t *testing.T, src connectors.Source, p connectors.Plan, splits ...connectors.Split) *Collector {
	t.Helper()
	c := &Collector{T: t}
	for _, s := range splits {
		if err := src.Read(t.Context(), h.stream(t), p, s, c); err != nil {
			t.Fatalf("Read of split %s: %v", s.ID, err)
		}
	}
	return c
}

func (h SourceHarness) check(t *testing.T) {
	NoLeaks(t)
	if err := h.open(t).Check(t.Context()); err != nil {
		t.Errorf("Check: %v", err)
	}
	for _, raw := range h.Broken {
		err := h.openAndCheck(t, raw)
		if err == nil {
			t.Errorf("Check accepts %v", raw)
			continue
		}
		var e *weir.Error
		if !errors.As(err, &e) || e.Next == "" {
			t.Errorf("the error does not say what to do next: %v", err)
		}
	}
}

func (h SourceHarness) openAndCheck(t *testing.T, raw map[string]any) error {
	s, errs := connectors.ParseSettings(h.Connector.Config, raw)
	if len(errs) > 0 {
		t.Fatalf("a broken configuration must have valid settings: %v", errs)
	}
	src, err := h.Connector.OpenSource(t.Context(), h.Env, s)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	return src.Check(t.Context())
}

func (h SourceHarness) discover(t *testing.T) {
	NoLeaks(t)
	found, err := h.open(t).Discover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Error("nothing discovered in a system that holds rows")
	}
	for _, d := range found {
		if d.Name == "" {
			t.Errorf("a discovered thing has no name: %+v", d)
		}
	}
}

func (h SourceHarness) wellFormed(t *testing.T) {
	p := h.plan(t, h.open(t), connectors.Prior{})
	if len(p.Cursor) > 4<<10 {
		t.Errorf("the cursor has %d bytes, more than 4 KiB", len(p.Cursor))
	}
	if len(p.Splits) == 0 {
		t.Error("a first plan has no splits")
	}
	seen := map[string]bool{}
	for _, s := range p.Splits {
		if !safeID.MatchString(s.ID) {
			t.Errorf("split id %q is not safe in a file name", s.ID)
		}
		if seen[s.ID] {
			t.Errorf("split id %q comes twice", s.ID)
		}
		seen[s.ID] = true
		if s.Scope != "" && s.Version == "" {
			t.Errorf("split %s has a scope and no version", s.ID)
		}
	}
}

func (h SourceHarness) readsAll(t *testing.T) {
	NoLeaks(t)
	src := h.open(t)
	p := h.plan(t, src, connectors.Prior{})
	c := h.read(t, src, p, p.Splits...)
	if len(c.Rows) != h.Rows || len(c.Rejected) != h.Rejections {
		t.Errorf("got %d rows and %d rejections, want %d and %d; rejections: %+v",
			len(c.Rows), len(c.Rejected), h.Rows, h.Rejections, c.Rejected)
	}
	if len(h.Stream.Key) == 0 {
		return
	}
	seen := map[string]string{}
	for i, r := range c.Rows {
		k := r.Key(h.Stream.Key)
		if first, ok := seen[k]; ok {
			t.Errorf("a key comes twice, at %s and %s", first, c.Origins[i])
		}
		seen[k] = c.Origins[i]
	}
}

func (h SourceHarness) sameRows(t *testing.T) {
	src := h.open(t)
	p := h.plan(t, src, connectors.Prior{})
	for _, s := range p.Splits {
		a, b := h.read(t, src, p, s), h.read(t, src, p, s)
		if !slices.Equal(a.Texts(), b.Texts()) {
			t.Errorf("split %s gives other rows the second time", s.ID)
		}
		if !slices.Equal(a.Rejected, b.Rejected) {
			t.Errorf("split %s gives other rejections the second time", s.ID)
		}
	}
}

func (h SourceHarness) parallel(t *testing.T) {
	src := h.open(t)
	p := h.plan(t, src, connectors.Prior{})
	want := h.read(t, src, p, p.Splits...).Texts()
	c, st := &Collector{T: t}, h.stream(t)
	var wg sync.WaitGroup
	for _, s := range p.Splits {
		wg.Go(func() {
			if err := src.Read(t.Context(), st, p, s, c); err != nil {
				t.Errorf("Read of split %s: %v", s.ID, err)
			}
		})
	}
	wg.Wait()
	got := c.Texts()
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Errorf("reading splits in parallel gives other rows: %d instead of %d", len(got), len(want))
	}
}

func (h SourceHarness) resumes(t *testing.T) {
	if h.PlanNeedsSource {
		t.Skip("this connector's plans end with the connection that made them")
	}
	first := h.open(t)
	p := h.plan(t, first, connectors.Prior{})
	want := h.read(t, first, p, p.Splits...).Texts()
	half := len(p.Splits) / 2
	got := h.read(t, first, p, p.Splits[:half]...).Texts()
	got = append(got, h.read(t, h.open(t), p, p.Splits[half:]...).Texts()...)
	if !slices.Equal(want, got) {
		t.Errorf("resuming with another source gives other rows: %d instead of %d", len(got), len(want))
	}
}

// After gives what the raw table accounts for once plan is committed.
func After(prior connectors.Prior, plan connectors.Plan) connectors.Prior {
	next := connectors.Prior{Cursor: plan.Cursor, Scopes: map[string]string{}, Schema: prior.Schema}
	for s, v := range prior.Scopes {
		next.Scopes[s] = v
	}
	for _, s := range plan.Drop {
		delete(next.Scopes, s)
	}
	for _, s := range plan.Splits {
		if s.Scope != "" {
			next.Scopes[s.Scope] = s.Version
		}
	}
	return next
}

func (h SourceHarness) nothingNew(t *testing.T) {
	if h.AlwaysReads {
		t.Skip("this stream reads everything each time")
	}
	src := h.open(t)
	p := h.plan(t, src, connectors.Prior{})
	again := h.plan(t, src, After(connectors.Prior{}, p))
	if c := h.read(t, src, again, again.Splits...); len(c.Rows) > 0 || len(again.Drop) > 0 {
		t.Errorf("nothing changed, yet %d rows are read and %d scopes dropped", len(c.Rows), len(again.Drop))
	}
}

func (h SourceHarness) changes(t *testing.T) {
	src := h.open(t)
	p := h.plan(t, src, connectors.Prior{})
	h.Change(t)
	again := h.plan(t, src, After(connectors.Prior{}, p))
	if c := h.read(t, src, again, again.Splits...); len(c.Rows) != h.ChangedRows {
		t.Errorf("after the change %d rows are read, want %d", len(c.Rows), h.ChangedRows)
	}
}

// largest is the split that has rows, so that its sink is called.
func (h SourceHarness) withRows(t *testing.T, src connectors.Source, p connectors.Plan) connectors.Split {
	t.Helper()
	for _, s := range p.Splits {
		if len(h.read(t, src, p, s).Rows) > 0 {
			return s
		}
	}
	t.Skip("no split has rows")
	return connectors.Split{}
}

func (h SourceHarness) cancels(t *testing.T) {
	NoLeaks(t)
	src := h.open(t)
	p := h.plan(t, src, connectors.Prior{})
	s := h.withRows(t, src, p)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := &Collector{T: t, OnWrite: func(connectors.Batch) error { cancel(); return ctx.Err() }}
	if err := within(t, func() error { return src.Read(ctx, h.stream(t), p, s, c) }); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled read returns %v, want context.Canceled", err)
	}
	if err := within(t, func() error { return src.Read(ctx, h.stream(t), p, s, &Collector{T: t}) }); err == nil {
		t.Error("a read that starts cancelled returns no error")
	}
}

func (h SourceHarness) sinkError(t *testing.T) {
	NoLeaks(t)
	src := h.open(t)
	p := h.plan(t, src, connectors.Prior{})
	s := h.withRows(t, src, p)
	full := errors.New("disk full")
	c := &Collector{T: t, OnWrite: func(connectors.Batch) error { return full }}
	if err := within(t, func() error { return src.Read(t.Context(), h.stream(t), p, s, c) }); !errors.Is(err, full) {
		t.Errorf("the read returns %v, want the sink's error", err)
	}
}

// within runs f and fails the test if it takes longer than patience.
func within(t *testing.T, f func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		t.Fatal("did not stop in time")
		return nil
	}
}
