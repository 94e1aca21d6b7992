package chaos

import (
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir/test/clustertest"
	"github.com/weir-cdp/weir/test/e2e/weirtest"
)

// target is a process of the cluster that is killed and started again.
type target struct {
	name  string
	kill  func()
	start func(t testing.TB)
}

// workerOf keeps one `weir worker` of a shop that can be killed.
func workerOf(t testing.TB, p *weirtest.Project, name string) target {
	var x *weirtest.Process
	start := func(t testing.TB) {
		x = p.Start(t, "worker")
		if !x.Until(t, "worker that polls", func(out, _ string) bool { return strings.Contains(out, "polling for") }) {
			_, errs := x.Printed()
			t.Fatalf("%s ended\n%s", name, errs)
		}
	}
	start(t)
	return target{name, func() { x.Kill() }, start}
}

// TestKillsOnACluster kills the parts of a cluster, drawn at random, at random moments
// of refreshes, WEIR_CHAOS_CLUSTER times: the object store, the catalog, Temporal, and
// two workers on one shop. Nobody but who restarts the part does anything.
func TestKillsOnACluster(t *testing.T) {
	kills, err := strconv.Atoi(os.Getenv("WEIR_CHAOS_CLUSTER"))
	if err != nil || kills < 1 {
		t.Skip("set WEIR_CHAOS_CLUSTER to the number of kills, or run `make chaos-cluster`")
	}
	people := os.Getenv("WEIR_CHAOS_PEOPLE")
	if people == "" {
		people = "1000"
	}
	c := clustertest.Start(t)
	calm, p := weirtest.Shop(t, people), weirtest.Shop(t, people)
	calmly, d := calm.Receive(t), p.Receive(t)
	calm.Dev(t)
	c.Use(t, p)
	targets := []target{
		{"the object store", c.Store.Kill, c.Store.Restart}, {"the catalog", c.Catalog.Kill, c.Catalog.Restart}, {"Temporal", c.Temporal.Kill, c.Temporal.Restart},
		workerOf(t, p, "a worker"), workerOf(t, p, "the other worker"),
	}
	r := rand.New(rand.NewPCG(17, 23))
	counts := map[string]int{}
	for round, done := 0, 0; done < kills; round++ {
		change(t, calm, round)
		change(t, p, round)
		code := weirtest.Done
		if round == 0 {
			code = weirtest.Partial
		}
		began := time.Now()
		calm.Run(t, code, "--now", at(round))
		calmTook := time.Since(began)
		before := done
		for done < kills && done < before+4 {
			killed, ended := killOne(t, p, targets[r.IntN(len(targets))], round, time.Duration(r.Int64N(int64(calmTook*3/2))))
			if ended {
				break
			}
			counts[killed]++
			done++
		}
		settle(t, p, round)
		same(t, calm, p, calmly, d)
		for _, row := range p.Query(t, "select run_id, stage, part, count(*) as n from ops.runs group by all having count(*) > 1") {
			t.Errorf("recorded twice: %v", row)
		}
		t.Logf("round %d: %d kills so far, %v", round+1, done, counts)
		if t.Failed() {
			return // what comes after would differ too
		}
	}
}

// killOne starts a refresh, kills one part after some time, and starts it again; ended:
// the refresh was done before.
func killOne(t *testing.T, p *weirtest.Project, x target, round int, after time.Duration) (name string, ended bool) {
	t.Helper()
	run := p.Start(t, "run", "--now", at(round))
	moment := time.NewTimer(after)
	defer moment.Stop()
	select {
	case <-run.Done():
		return "", true
	case <-moment.C:
	}
	x.kill()
	x.start(t)
	// The refresh ends, whole or with parts that failed: the next one does those.
	if r := run.Wait(t, 10*time.Minute); !slices.Contains([]int{weirtest.Done, weirtest.Partial, weirtest.Failed}, r.Code) {
		t.Errorf("after %s was killed the refresh ended with %d\n%s\n%s", x.name, r.Code, r.Stdout, r.Stderr)
	}
	return x.name, false
}

// settle runs until nothing is missing any more.
func settle(t *testing.T, p *weirtest.Project, round int) {
	t.Helper()
	var last weirtest.Result
	for range 5 {
		if last = p.Weir(t, "run", "--now", at(round)); last.Code == weirtest.Done {
			return
		}
	}
	t.Fatalf("after five refreshes something is missing still: %d\n%s\n%s", last.Code, last.Stdout, last.Stderr)
}
