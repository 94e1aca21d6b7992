package main

import (
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
)

func TestMomentOfAFlag(t *testing.T) {
	got, err := moment("now", "2026-01-31T13:00:00.1234567+01:00")
	if want := time.Date(2026, 1, 31, 12, 0, 0, 123456000, time.UTC); err != nil || got != want {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	if got, err := moment("as-of", "2026-01-31"); err != nil || got != time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC) {
		t.Errorf("a date is %v, %v", got, err)
	}
	_, err = moment("as-of", "yesterday")
	if weir.CodeOf(err) != weir.Invalid || !strings.Contains(err.Error(), `--as-of "yesterday"`) || !strings.Contains(err.Error(), "2026-01-31T12:00:00Z") {
		t.Errorf("it says %v", err)
	}
}

// TestTroubleIsToldOnce: what a part is tried again for is told when it is new.
func TestTroubleIsToldOnce(t *testing.T) {
	var said strings.Builder
	p := (&app{errw: &said}).newProgress()
	for _, why := range []string{"", "store:9000: refused", "store:9000: refused", "", "store:9000: no route"} {
		p.trouble("conform", why)
	}
	if got, want := said.String(), "weir: conform is tried again: store:9000: refused\nweir: conform is tried again: store:9000: no route\n"; got != want {
		t.Errorf("it says %q", got)
	}
}
