package chaos

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir/test/e2e/weirtest"
)

func TestKills(t *testing.T) {
	kills, err := strconv.Atoi(os.Getenv("WEIR_CHAOS"))
	if err != nil || kills < 1 {
		t.Skip("set WEIR_CHAOS to the number of kills, or run `make chaos`")
	}
	out := report{story: story, doc: os.Getenv("WEIR_CHAOS_DOC"), wanted: kills, people: os.Getenv("WEIR_CHAOS_PEOPLE"), began: time.Now()}
	if out.people == "" {
		out.people = "10000"
	}
	calm := weirtest.Shop(t, out.people)
	calmly := calm.Receive(t)
	p := &shaken{Project: weirtest.Shop(t, out.people), r: rand.New(rand.NewPCG(7, 11))}
	p.d = p.Receive(t)
	defer func() {
		out.kills, out.failed = p.kills, t.Failed()
		out.write(t)
	}()
	for round := 0; len(p.kills) < kills; round++ {
		ok := t.Run(strconv.Itoa(round+1), func(t *testing.T) {
			change(t, calm, round)
			change(t, p.Project, round)
			start := time.Now()
			code := weirtest.Done
			if round == 0 {
				code = weirtest.Partial
			}
			calm.Run(t, code, "--now", at(round))
			took := time.Since(start)
			out.calm = append(out.calm, took)
			start = time.Now()
			p.refresh(t, round, kills, took)
			out.shaken = append(out.shaken, time.Since(start))
			same(t, calm, p.Project, calmly, p.d)
			out.rounds++
		})
		if !ok {
			return // what comes after would differ too
		}
	}
	state := p.d.State()
	out.adds, out.updates, out.removes, out.repeats = state.Adds, state.Updates, state.Removes, state.Duplicates
}

const story = `Two shops of the same %s people change in the same way, round after round. One is refreshed in peace; the other is killed (SIGKILL), and started again at once, until a refresh ends by itself. After each round all tables but ` + "`activation.deliveries`" + ` (which tells of tries) and ` + "`ops`" + ` must be the same, both destinations must hold the same rows and must have taken as many additions, updates and removals: nothing lost, nothing taken twice.`

// same checks that two shops and what their destinations hold are the same.
func same(t *testing.T, calm, p *weirtest.Project, calmly, d *weirtest.Destination) {
	t.Helper()
	weirtest.SameTables(t, calm, p, "activation.deliveries")
	want, got := calmly.State(), d.State()
	if diff := cmp.Diff(want.Activations, got.Activations); diff != "" {
		t.Errorf("the destination holds other rows (-undisturbed +killed)\n%s", diff)
	}
	if want.Adds != got.Adds || want.Updates != got.Updates || want.Removes != got.Removes {
		t.Errorf("the destination took %d adds, %d updates, %d removals, not %d, %d, %d",
			got.Adds, got.Updates, got.Removes, want.Adds, want.Updates, want.Removes)
	}
	if diff := cmp.Diff(weirtest.Letters(t, calm), weirtest.Letters(t, p)); diff != "" {
		t.Errorf("the agency's folder has other rows (-undisturbed +killed)\n%s", diff)
	}
}
