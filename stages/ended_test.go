package stages

import (
	"context"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/policies/permit"
	"github.com/weir-cdp/weir/policies/permit/permittest"
)

// counting is a destination that takes everything and counts it.
type counting struct{ rows int }

func (c *counting) Capabilities() connectors.Capabilities { return connectors.Capabilities{} }

func (c *counting) Check(context.Context) error { return nil }

func (c *counting) Close() error { return nil }

func (c *counting) Deliver(_ context.Context, b permit.Batch) ([]connectors.Outcome, error) {
	c.rows += b.Len()
	return make([]connectors.Outcome, b.Len()), nil
}

// A permit that ends while its batch waits for its turn is not used; without an end,
// or a moment before it, it is.
func TestAPermitThatEndedIsNotUsed(t *testing.T) {
	end := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		now, until time.Time
		sent       int
	}{{end.Add(-1), end, 1}, {end, end, 0}, {end.Add(time.Hour), end, 0}, {end, time.Time{}, 1}} {
		to := &counting{}
		d := &delivering{House: &House{Clock: func() time.Time { return c.now }}, dest: to, limit: rate.NewLimiter(rate.Inf, 1)}
		out := &outcomes{d: d, rows: map[string]*weir.Delivery{"k": {}}, maybe: map[string]bool{}}
		batch := permittest.BatchOf(t, permittest.Permit{Activation: "a", ValidUntil: c.until}, permit.Row{Op: weir.Add, Key: "x", IdempotencyKey: "k"})
		again, _, _, err := d.sendAll(t.Context(), out, []permit.Batch{batch}, nil)
		if err != nil || to.rows != c.sent || len(again) != 0 {
			t.Errorf("at %v of %v: %d sent, %v %v", c.now, c.until, to.rows, again, err)
		}
		if r := out.rows["k"]; (r.Status == Stopped && strings.Contains(r.Reply, "decision_ended")) != (c.sent == 0) {
			t.Errorf("at %v of %v: %+v", c.now, c.until, r)
		}
	}
}
