package main

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestABuildIsDecidedInTheEnd: one that could not take over at its start tries until it
// can, and no longer than its worker lives.
func TestABuildIsDecidedInTheEnd(t *testing.T) {
	tick := make(chan time.Time, 8)
	for range cap(tick) {
		tick <- time.Time{}
	}
	tries := 0
	tryAgain(t.Context(), tick, func() error {
		if tries++; tries < 3 {
			return errors.New("busy")
		}
		return nil
	})
	if tries != 3 {
		t.Errorf("%d tries", tries)
	}
	ctx, cancel := context.WithCancel(t.Context())
	tryAgain(ctx, tick, func() error { cancel(); <-ctx.Done(); drain(tick); return errors.New("busy") })
}

func drain(tick chan time.Time) {
	for len(tick) > 0 {
		<-tick
	}
}
