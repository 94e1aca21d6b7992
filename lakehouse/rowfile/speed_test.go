// The rates below are printed, never asserted: machines differ.

package rowfile_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object/objecttest"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

func events(n int) []weir.Event {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	out := make([]weir.Event, n)
	for i := range out {
		out[i] = weir.Event{ID: fmt.Sprintf("shop/orders/%09d", i), Name: []string{"Order Completed", "Page Viewed"}[i%2],
			OccurredAt: at.Add(time.Duration(i) * time.Second), ReceivedAt: at.Add(time.Duration(i+5) * time.Second),
			Source: "shop", Stream: "orders",
			Identifiers: weir.Identifiers{"email": {fmt.Sprintf("p%d@example.com", i%50000)}, "customer_id": {fmt.Sprint(i % 50000)}},
			Properties: map[string]string{"revenue": fmt.Sprintf("%d.%02d", i%500, i%100), "product": fmt.Sprint(i % 1000),
				"currency": "EUR", "quantity": fmt.Sprint(i % 7), "url": fmt.Sprintf("https://shop.example.com/p/%d", i%3000)}}
	}
	return out
}

func TestSpeedByHand(t *testing.T) {
	if os.Getenv("WEIR_SPEED") == "" {
		t.Skip("set WEIR_SPEED=1 to print rates")
	}
	s := objecttest.Open(t)
	table := schema.Named("core.events")
	rows := events(500000)
	start := time.Now()
	w, err := rowfile.NewTableWriter[weir.Event](t.Context(), s, table, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	files, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	d := time.Since(start)
	t.Logf("table write %.0f rows/s, %d bytes/row %v", float64(len(rows))/d.Seconds(), files[0].Bytes/int64(len(rows)), files)
	start = time.Now()
	n := 0
	for r, err := range rowfile.Scan[weir.Event](t.Context(), s, table, files) {
		if err != nil {
			t.Fatal(err)
		}
		if r.ID != rows[n].ID {
			t.Fatal(r)
		}
		n++
	}
	d = time.Since(start)
	t.Logf("table scan %.0f rows/s", float64(n)/d.Seconds())
	start = time.Now()
	sw, err := rowfile.NewScratchWriter[weir.Event](t.Context(), s, "scratch/x", 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(rows); i += 50000 {
		if err := sw.WriteGroup(rows[i : i+50000]); err != nil {
			t.Fatal(err)
		}
	}
	if err := sw.Close(); err != nil {
		t.Fatal(err)
	}
	d = time.Since(start)
	t.Logf("scratch write %.0f rows/s", float64(len(rows))/d.Seconds())
	start = time.Now()
	for i := range len(rows) / 50000 {
		if _, err := rowfile.ReadGroup[weir.Event](t.Context(), s, "scratch/x", i); err != nil {
			t.Fatal(err)
		}
	}
	d = time.Since(start)
	t.Logf("scratch read %.0f rows/s", float64(len(rows))/d.Seconds())
}
