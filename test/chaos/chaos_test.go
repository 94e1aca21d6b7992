package chaos

import (
	"os"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir/test/e2e/weirtest"
)

// perRound cuts the kills, so that each part of the way is met again and
// again: a shop that is done has nothing left to be killed in.
const perRound = 5

func TestKills(t *testing.T) {
	kills, err := strconv.Atoi(os.Getenv("WEIR_CHAOS"))
	if err != nil || kills < 1 {
		t.Skip("set WEIR_CHAOS to the number of kills, or run `make chaos`")
	}
	people := os.Getenv("WEIR_CHAOS_PEOPLE")
	if people == "" {
		people = "3000"
	}
	const now = "2026-06-30T18:00:00Z"
	calm := weirtest.Shop(t, people)
	calmly := calm.Receive(t)
	calm.Run(t, weirtest.Partial, "--now", now)
	calm.Dev(t)
	for round := 0; round*perRound < kills; round++ {
		t.Run(strconv.Itoa(round+1), func(t *testing.T) {
			p := weirtest.Shop(t, people)
			d := p.Receive(t)
			weirtest.Crashes(t, p, d, min(perRound, kills-round*perRound), uint64(round+1), func() *weirtest.Process {
				return p.Start(t, "run", "--verbose", "--now", now)
			})
			p.Weir(t, "run", "--now", now)
			p.Must(t, weirtest.Done, "run", "--now", now)
			p.Dev(t)
			weirtest.SameTables(t, calm, p, "activation.deliveries")
			weirtest.Delivered(t, p, d)
			if diff := cmp.Diff(calmly.State().Activations, d.State().Activations); diff != "" {
				t.Errorf("the destination holds other rows (-undisturbed +killed)\n%s", diff)
			}
		})
	}
}
