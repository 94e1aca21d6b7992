package weirtest

import (
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The ways to choose when to kill: at a number of files that the lake has got, at
// a line of the log, when a delivery has come but is not taken, and when it is
// taken but not answered.
const (
	atFile = iota
	atRequest
	atTaken
	atLine
)

// turns are the ways in turn: a refresh that nobody kills in its deliveries is
// soon done, and leaves nothing to be killed in.
var turns = []int{atFile, atRequest, atTaken, atLine, atFile}

// Crashes kills a refresh this many times at moments drawn from the seed, the
// ways in turn. Start starts the process to kill; it must refresh the project and
// end by itself if it is not killed.
func Crashes(t testing.TB, p *Project, d *Destination, kills int, seed uint64, start func() *Process) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 11))
	for n := range kills {
		way, at := turns[n%len(turns)], 1+r.IntN(14)
		x := start()
		switch way {
		case atLine:
			x.Until(t, "line of the log", func(_, errs string) bool { return strings.Count(errs, "part ended") >= at })
		case atFile:
			want := files(p) + at*6
			untilEnded(t, x, func() bool { return files(p) >= want })
		case atRequest, atTaken:
			killing := make(chan struct{})
			hook := func(int) {
				select {
				case <-killing:
				default:
					close(killing)
				}
				<-x.ended // this request is never answered
			}
			d.Before(nil)
			d.After(nil)
			if way == atTaken {
				d.After(hook)
			} else {
				d.Before(hook)
			}
			untilEnded(t, x, func() bool {
				select {
				case <-killing:
					return true
				default:
					return false
				}
			})
		}
		late := x.Ended()
		x.Kill()
		d.Before(nil)
		d.After(nil)
		t.Logf("kill %d: way %d at %d (ended before: %v), the destination has had %d requests", n+1, way, at, late, d.State().Requests)
	}
}

// untilEnded polls until the condition holds or the process has ended.
func untilEnded(t testing.TB, x *Process, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(2 * time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-x.ended:
			return
		case <-deadline.C:
			t.Fatal("neither the moment came within two minutes nor the end")
		}
	}
}

// files counts what the embedded lake holds.
func files(p *Project) int {
	n := 0
	_ = filepath.WalkDir(p.Path(".weir/s3"), func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return nil // what is moved meanwhile does not count
	})
	return n
}

// Delivered checks that a destination got all that the project's tables say, and
// nothing twice.
func Delivered(t testing.TB, p *Project, d *Destination) {
	t.Helper()
	s := d.State()
	rows := p.Query(t, "select delivered_key from activation.state where activation = 'newsletter'")
	if len(rows) == 0 || s.Adds != len(rows) || s.Updates+s.Removes != 0 || len(s.Activations["newsletter"]) != len(rows) {
		t.Errorf("of %d members the destination got %d adds, %d updates and %d removals, and holds %d",
			len(rows), s.Adds, s.Updates, s.Removes, len(s.Activations["newsletter"]))
	}
	for _, row := range rows {
		if _, ok := s.Activations["newsletter"][row["delivered_key"].(string)]; !ok {
			t.Error("a member is not at the destination")
		}
	}
}
