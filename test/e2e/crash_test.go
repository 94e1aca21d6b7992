package e2e

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir/test/e2e/weirtest"
)

// afterKills are tables whose rows tell how something was done, not what: a
// delivery that was under way is tried again, and its journal says so.
const afterKills = "activation.deliveries"

func TestKilledRunsLoseAndRepeatNothing(t *testing.T) {
	t.Parallel()
	calm := weirtest.Shop(t, "300")
	calmly := calm.Receive(t)
	calm.Run(t, weirtest.Partial, "--now", now)

	p := weirtest.Shop(t, "300")
	d := p.Receive(t)
	weirtest.Crashes(t, p, d, 5, 7, func() *weirtest.Process { return p.Start(t, "run", "--verbose", "--now", now) })
	p.Weir(t, "run", "--now", now)
	p.Must(t, weirtest.Done, "run", "--now", now) // all is done: there is nothing left to do
	calm.Dev(t)
	p.Dev(t)
	weirtest.SameTables(t, calm, p, afterKills)
	weirtest.Delivered(t, p, d)
	if diff := cmp.Diff(calmly.State().Activations, d.State().Activations); diff != "" {
		t.Errorf("the destination holds other rows (-undisturbed +killed)\n%s", diff)
	}
	if diff := cmp.Diff(weirtest.Letters(t, calm), weirtest.Letters(t, p)); diff != "" {
		t.Errorf("the agency's folder has other rows (-undisturbed +killed)\n%s", diff)
	}
}

func TestKilledPlatformGoesOn(t *testing.T) {
	t.Parallel()
	calm := weirtest.Shop(t, "300")
	calm.Receive(t)
	calm.Run(t, weirtest.Partial, "--now", now)

	p := weirtest.Shop(t, "300")
	d := p.Receive(t)
	for _, after := range []int{2, 6, 9} {
		dev := p.Dev(t)
		run := p.Start(t, "run", "--verbose", "--now", now)
		run.Until(t, "parts that ended", func(_, errs string) bool { return strings.Count(errs, "part ended") >= after })
		dev.Kill()
		run.Kill()
	}
	p.Dev(t)
	// The refresh that was under way goes on by itself; the next waits for it.
	weirtest.Eventually(t, "the refresh ends", func() bool { return p.Weir(t, "run", "--now", now).Code == weirtest.Done })
	calm.Dev(t)
	weirtest.SameTables(t, calm, p, afterKills)
	weirtest.Delivered(t, p, d)
}
