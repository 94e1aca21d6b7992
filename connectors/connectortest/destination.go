package connectortest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/policies/permit"
	"github.com/weir-cdp/weir/policies/permit/permittest"
)

// DestinationHarness describes an empty system that can be written.
type DestinationHarness struct {
	Connector connectors.Connector
	Env       connectors.Env
	Config    map[string]any
	// Broken are configurations of which OpenDestination or Check must complain.
	Broken []map[string]any
	// Received lists what the system has taken so far, in order: every accepted
	// operation of a system that logs them (a file, a receiver that honours
	// idempotency keys), or its rows as additions where it keeps only those (a
	// table).
	Received func(t *testing.T) []Received
	// Rejects, if set, makes a row that the system refuses while it takes others.
	Rejects func(t *testing.T, row permit.Row) permit.Row
}

// Received is one operation as the system saw it; fields as text, nulls absent.
type Received struct {
	Op     weir.Op
	Key    string
	Fields map[string]string
}

const activation = "lapsed_vip"

// Destination runs the suite. Its parts build on each other and run in order.
func Destination(t *testing.T, h DestinationHarness) {
	t.Helper()
	t.Run("Settings", func(t *testing.T) { settings(t, h.Connector, h.Config, h.Connector.Config) })
	t.Run("Check", h.check)
	t.Run("Capabilities", h.capabilities)
	t.Run("EmptyBatch", h.empty)
	t.Run("AddsRowsOnceThoughRepeated", h.adds)
	t.Run("Updates", h.updates)
	t.Run("Removes", h.removes)
	t.Run("RemovesWhatIsNotThere", h.removesUnknown)
	t.Run("CancelledDeliverEnds", h.cancels)
	if h.Rejects != nil {
		t.Run("OneBadRow", h.badRow)
	}
}

func (h DestinationHarness) open(t *testing.T) connectors.Destination {
	t.Helper()
	s, errs := connectors.ParseSettings(h.Connector.Config, h.Config)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	d, err := h.Connector.OpenDestination(t.Context(), h.Env, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return d
}

func (h DestinationHarness) check(t *testing.T) {
	NoLeaks(t)
	if err := h.open(t).Check(t.Context()); err != nil {
		t.Errorf("Check: %v", err)
	}
	for _, raw := range h.Broken {
		s, errs := connectors.ParseSettings(h.Connector.Config, raw)
		if len(errs) > 0 {
			t.Fatalf("a broken configuration must have valid settings: %v", errs)
		}
		d, err := h.Connector.OpenDestination(t.Context(), h.Env, s)
		if err == nil {
			err = d.Check(t.Context())
			_ = d.Close()
		}
		var e *weir.Error
		if !errors.As(err, &e) || e.Next == "" {
			t.Errorf("configuration %v: want an error that says what to do next, got %v", raw, err)
		}
	}
}

func (h DestinationHarness) capabilities(t *testing.T) {
	c := h.open(t).Capabilities()
	if len(c.Modes) == 0 {
		t.Error("no mode is supported")
	}
	for _, m := range c.Modes {
		if !slices.Contains([]weir.Mode{weir.Mirror, weir.Upsert, weir.AppendOnly}, m) {
			t.Errorf("unknown mode %q", m)
		}
	}
	if c.BatchRows < 0 || c.RowsPerSec < 0 || c.Parallel < 0 {
		t.Errorf("negative capabilities: %+v", c)
	}
}

// row makes one admitted row; its idempotency key depends on its sequence.
func row(op weir.Op, key string, sequence int64, fields ...permit.Field) permit.Row {
	r := permit.Row{Op: op, Key: key, Fields: fields, ProfileID: "p-" + key, Sequence: sequence,
		IdempotencyKey: fmt.Sprintf("%s/p-%s/%d", activation, key, sequence)}
	if op != weir.Remove {
		r.DecisionID = "d-" + key
	}
	return r
}

func person(op weir.Op, key string, sequence int64, name string) permit.Row {
	return row(op, key, sequence, permit.Field{Name: "email", Value: key}, permit.Field{Name: "first_name", Value: name})
}

// deliver sends rows as a run of their own and publishes.
func (h DestinationHarness) deliver(t *testing.T, d connectors.Destination, run string, times int, rows ...permit.Row) {
	t.Helper()
	r := permittest.Run(t, run)
	b := permittest.Batch(t, activation, r, rows...)
	for range times {
		out, err := d.Deliver(t.Context(), b)
		if err != nil {
			t.Fatalf("Deliver: %v", err)
		}
		if len(out) != len(rows) {
			t.Fatalf("%d outcomes for %d rows", len(out), len(rows))
		}
		for i, o := range out {
			if o.Status != connectors.Delivered {
				t.Errorf("row %d is %s: %s", i, o.Status, o.Reply)
			}
		}
	}
	h.finish(t, d, r)
}

func (h DestinationHarness) finish(t *testing.T, d connectors.Destination, r weir.Run) {
	t.Helper()
	if f, ok := d.(connectors.Finisher); ok {
		for range 2 { // the second changes nothing
			if err := f.Finish(t.Context(), activation, r); err != nil {
				t.Fatalf("Finish: %v", err)
			}
		}
	}
}

// held applies what was received, in order, and fails on repeats.
func (h DestinationHarness) held(t *testing.T) map[string]map[string]string {
	t.Helper()
	state := map[string]map[string]string{}
	for _, r := range h.Received(t) {
		_, there := state[r.Key]
		switch r.Op {
		case weir.Add:
			if there {
				t.Errorf("key %s is added twice", r.Key)
			}
			state[r.Key] = r.Fields
		case weir.Update:
			state[r.Key] = r.Fields
		case weir.Remove:
			if len(r.Fields) > 0 && !onlyKey(r) {
				t.Errorf("a removal carries fields: %v", r.Fields)
			}
			delete(state, r.Key)
		default:
			t.Errorf("unknown operation %q", r.Op)
		}
	}
	return state
}

func onlyKey(r Received) bool {
	for _, v := range r.Fields {
		if v != r.Key {
			return false
		}
	}
	return true
}

func (h DestinationHarness) wantHeld(t *testing.T, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	for k, f := range h.held(t) {
		got[k] = f["first_name"]
	}
	if !maps.Equal(want, got) {
		t.Errorf("the destination holds %v, want %v", got, want)
	}
}

func (h DestinationHarness) empty(t *testing.T) {
	NoLeaks(t)
	d := h.open(t)
	out, err := d.Deliver(t.Context(), permit.Batch{})
	if err != nil || len(out) != 0 {
		t.Errorf("an empty batch gives %v, %v", out, err)
	}
	h.finish(t, d, permittest.Run(t, "empty"))
	if got := h.Received(t); len(got) != 0 {
		t.Errorf("an empty run left %v", got)
	}
}

func (h DestinationHarness) adds(t *testing.T) {
	NoLeaks(t)
	h.deliver(t, h.open(t), "1", 2,
		person(weir.Add, "b@x.org", 1, "Béatrice"), person(weir.Add, "a@x.org", 1, `Ann "A", O'Neil`))
	h.wantHeld(t, map[string]string{"a@x.org": `Ann "A", O'Neil`, "b@x.org": "Béatrice"})
	if got := len(h.Received(t)); got != 2 {
		t.Errorf("two rows delivered twice are %d operations, want 2", got)
	}
}

func (h DestinationHarness) updates(t *testing.T) {
	h.deliver(t, h.open(t), "2", 2, person(weir.Update, "a@x.org", 2, "Anna"))
	h.wantHeld(t, map[string]string{"a@x.org": "Anna", "b@x.org": "Béatrice"})
}

func (h DestinationHarness) removes(t *testing.T) {
	h.deliver(t, h.open(t), "3", 2, row(weir.Remove, "a@x.org", 3), person(weir.Add, "c@x.org", 1, "Cy"))
	h.wantHeld(t, map[string]string{"b@x.org": "Béatrice", "c@x.org": "Cy"})
}

// removesUnknown: a removal is always delivered, though its row be gone
// (invariant 7).
func (h DestinationHarness) removesUnknown(t *testing.T) {
	h.deliver(t, h.open(t), "4", 1, row(weir.Remove, "nobody@x.org", 1))
	h.wantHeld(t, map[string]string{"b@x.org": "Béatrice", "c@x.org": "Cy"})
}

func (h DestinationHarness) cancels(t *testing.T) {
	NoLeaks(t)
	d := h.open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := permittest.Batch(t, activation, permittest.Run(t, "5"), person(weir.Add, "d@x.org", 1, "Di"))
	if err := within(t, func() error { _, err := d.Deliver(ctx, b); return err }); err == nil {
		t.Error("a cancelled Deliver returns no error")
	}
}

func (h DestinationHarness) badRow(t *testing.T) {
	d := h.open(t)
	r := permittest.Run(t, "6")
	rows := []permit.Row{person(weir.Add, "e@x.org", 1, "Ed"),
		h.Rejects(t, person(weir.Add, "f@x.org", 1, "Fay")), person(weir.Add, "g@x.org", 1, "Guy")}
	out, err := d.Deliver(t.Context(), permittest.Batch(t, activation, r, rows...))
	if err != nil {
		t.Fatalf("Deliver: %v", err)
	}
	h.finish(t, d, r)
	want := []connectors.OutcomeStatus{connectors.Delivered, connectors.Rejected, connectors.Delivered}
	for i, o := range out {
		if o.Status != want[i] {
			t.Errorf("row %d is %s (%s), want %s", i, o.Status, o.Reply, want[i])
		}
		if o.Status == connectors.Rejected && o.Reply == "" {
			t.Errorf("row %d is rejected without the destination's reply", i)
		}
	}
	h.wantHeld(t, map[string]string{"b@x.org": "Béatrice", "c@x.org": "Cy", "e@x.org": "Ed", "g@x.org": "Guy"})
}
