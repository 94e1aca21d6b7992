package chaos

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir/test/clustertest"
	"github.com/weir-cdp/weir/test/e2e/weirtest"
)

// TestClusterKills kills one part of a cluster at a time, while a shop is refreshed on
// it. The part is started again at once, and nobody does anything else: the refresh has
// to end by itself.
func TestClusterKills(t *testing.T) {
	kills, err := strconv.Atoi(os.Getenv("WEIR_CHAOS_CLUSTER"))
	if err != nil || kills < 1 {
		t.Skip("set WEIR_CHAOS_CLUSTER to the number of kills, or run `make chaos-cluster`")
	}
	out := report{story: clusterStory, doc: os.Getenv("WEIR_CHAOS_CLUSTER_DOC"), wanted: kills, people: os.Getenv("WEIR_CHAOS_PEOPLE"), began: time.Now()}
	if out.people == "" {
		out.people = "3000"
	}
	calm := weirtest.Shop(t, out.people)
	calmly := calm.Receive(t)
	s := startStruck(t, out.people)
	defer func() {
		out.kills, out.failed = s.kills, t.Failed()
		out.write(t)
	}()
	took := 2 * time.Minute // of the first round on a cluster; then it is measured
	for round := 0; len(s.kills) < kills; round++ {
		ok := t.Run(strconv.Itoa(round+1), func(t *testing.T) {
			change(t, calm, round)
			change(t, s.Project, round)
			code := weirtest.Done
			if round == 0 {
				code = weirtest.Partial
			}
			start := time.Now()
			calm.Run(t, code, "--now", at(round))
			out.calm = append(out.calm, time.Since(start))
			start = time.Now()
			s.refresh(t, round, kills, took)
			out.shaken = append(out.shaken, time.Since(start))
			took = time.Since(start)
			same(t, calm, s.Project, calmly, s.d)
			for _, row := range s.Query(t, "select run_id, stage, part, count(*) as n from ops.runs group by all having count(*) > 1") {
				t.Errorf("recorded twice: %v", row)
			}
			s.tidy(t)
			out.rounds++
		})
		if !ok {
			return // what comes after would differ too
		}
	}
	state := s.d.State()
	out.adds, out.updates, out.removes, out.repeats = state.Adds, state.Updates, state.Removes, state.Duplicates
}

const clusterStory = `Two shops of the same %s people change in the same way, round after round. One is refreshed in peace on the embedded parts. The other runs on a cluster: Flink (a job manager, two task managers), Beam's job server, MinIO, an Iceberg REST catalog, Temporal, and two workers of Weir. One of these at a time is killed (SIGKILL) at a random moment of a refresh and started again; nobody does anything else until the refresh has ended. After each round all tables but ` + "`activation.deliveries`" + ` (which tells of tries) and ` + "`ops`" + ` must be the same, both destinations must hold the same rows and must have taken as many additions, updates and removals: nothing lost, nothing taken twice. No scratch file and no process of a pipeline may be left.`

// struck is a shop on a cluster whose parts are killed.
type struck struct {
	*weirtest.Project
	d       *weirtest.Destination
	r       *rand.Rand
	cluster *clustertest.Cluster
	flink   *clustertest.Flink
	workers [2]*weirtest.Process
	kills   []kill
}

func startStruck(t *testing.T, people string) *struck {
	t.Helper()
	c := clustertest.Start(t)
	f := clustertest.StartFlink(t, clustertest.FlinkOptions{Store: c.Store.Config(clustertest.Bucket, "")})
	s := &struck{Project: weirtest.Shop(t, people), r: rand.New(rand.NewPCG(17, 5)), cluster: c, flink: f}
	s.d = s.Receive(t)
	c.Use(t, s.Project)
	f.Use(t, s.Project)
	for i := range s.workers {
		s.work(t, i)
	}
	return s
}

// work starts a worker and waits until it polls.
func (s *struck) work(t testing.TB, i int) {
	t.Helper()
	s.workers[i] = s.Start(t, "worker", "--verbose")
	if !s.workers[i].Until(t, "worker that polls", func(out, _ string) bool { return strings.Contains(out, "polling for shop") }) {
		out, errs := s.workers[i].Printed()
		t.Fatalf("weir worker ended\n%s\n%s", out, errs)
	}
}

// part is a process of the cluster, how it is killed and started again.
type part struct {
	name          string
	kill, restart func(testing.TB)
}

func (s *struck) parts() []part {
	of := func(name string, p *clustertest.Part) part {
		return part{name, func(testing.TB) { p.Kill() }, p.Restart}
	}
	all := []part{
		of("job manager", s.flink.JobManager), of("task manager", s.flink.TaskManagers[0]), of("task manager", s.flink.TaskManagers[1]),
		of("job server", s.flink.JobServer), of("MinIO", s.cluster.Store.Part), of("catalog", s.cluster.Catalog.Part), of("Temporal", s.cluster.Temporal.Part),
	}
	for i := range s.workers {
		all = append(all, part{"worker", func(testing.TB) { s.workers[i].Kill() }, func(t testing.TB) { s.work(t, i) }})
	}
	return all
}

// refresh takes the shop through a round; took is how long the last one did.
func (s *struck) refresh(t testing.TB, round, most int, took time.Duration) {
	t.Helper()
	x := s.Start(t, "run", "--verbose", "--now", at(round))
	for len(s.kills) < most {
		moment := time.NewTimer(time.Duration(s.r.Int64N(int64(took))))
		select {
		case <-x.Done():
			moment.Stop()
		case <-moment.C:
		}
		if x.Ended() {
			break
		}
		all := s.parts()
		one := all[s.r.IntN(len(all))]
		if len(s.kills) < len(all) { // each of them once at least
			one = all[len(s.kills)]
		}
		k := kill{round: round, how: one.name}
		_, log := x.Printed()
		k.ended, k.last = partsEnded(log)
		one.kill(t)
		one.restart(t)
		s.kills = append(s.kills, k)
		t.Logf("kill %d: %s, after %s (%d parts)", len(s.kills), k.how, k.last, k.ended)
	}
	if r := x.Wait(t, 15*time.Minute); r.Code != weirtest.Done && r.Code != weirtest.Partial {
		t.Fatalf("the refresh ended with %d\n%s\n%s", r.Code, r.Stdout, r.Stderr)
	}
	// What could not be delivered is sent again.
	for range 3 {
		if r := s.Weir(t, "run", "--now", at(round)); r.Code == weirtest.Done {
			return
		} else if r.Code != weirtest.Partial {
			t.Fatalf("a refresh after kills ended with %d\n%s\n%s", r.Code, r.Stdout, r.Stderr)
		}
	}
	s.Must(t, weirtest.Done, "run", "--now", at(round))
}

// tidy checks that no pipeline is at work, and that none has left anything.
func (s *struck) tidy(t testing.TB) {
	t.Helper()
	weirtest.Eventually(t, "end of the pipelines' processes", func() bool { return len(s.flink.Workers(t)) == 0 })
	if left := s.flink.Left(t); len(left) > 0 {
		t.Errorf("workers left files: %v", left)
	}
	for _, key := range s.cluster.Store.Objects(t, clustertest.Bucket, clustertest.Prefix+"/") {
		if strings.Contains(key, "/scratch/") {
			t.Errorf("a run left scratch: %s", key)
		}
	}
}
