package pipelines

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
)

func TestLocalRunCountsWords(t *testing.T) {
	b := newBench(t, 400)
	m := b.local("a")
	got := map[string]int64{}
	names := 0
	for _, tf := range m.Tables {
		if tf.Table != "core.traits" {
			continue
		}
		if !tf.Replace {
			t.Errorf("scope %s lost its Replace", tf.Scope)
		}
		for row, err := range rowfile.Scan[weir.TraitValue](t.Context(), b.store, b.spec.Schemas["core.traits"], tf.Files) {
			if err != nil {
				t.Fatal(err)
			}
			if row.Trait == "name pepper" {
				names++
				continue
			}
			n, err := strconv.ParseInt(row.Number, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			got[row.ProfileID] += n
		}
	}
	if jsonOf(t, got) != jsonOf(t, b.truth) {
		t.Errorf("got %v, want %v", got, b.truth)
	}
	if names != 7 {
		t.Errorf("%d names came past the middle step, want 7", names)
	}
	want := map[string]int64{"rows_in": 1600, "rows_out": int64(len(b.truth) + 7), "words": 4 * 392 * 3,
		"distinct": int64(len(b.truth)), "quarantined": 32, "withheld": 32}
	if jsonOf(t, m.Counts) != jsonOf(t, want) {
		t.Errorf("counts %v, want %v", m.Counts, want)
	}
	if len(m.Tables) != 3 || m.Tables[0].Scope != "gone" || len(m.Tables[0].Files) != 0 {
		t.Errorf("the declared scope without rows is missing: %+v", m.Tables)
	}
}

func TestBeamGivesWhatALocalRunGives(t *testing.T) {
	for _, runner := range []string{"direct", "prism"} {
		t.Run(runner, func(t *testing.T) { beamGivesWhatALocalRunGives(t, runner) })
	}
}

func beamGivesWhatALocalRunGives(t *testing.T, runner string) {
	b := newBench(t, 400)
	want := jsonOf(t, b.local("local"))
	var last weir.Progress
	start := time.Now()
	child := b.child()
	if runner == "prism" {
		child.Env = append(child.Env, prismEnv+"=1")
	}
	m, err := RunChild(t.Context(), child, b.plan("beam"), func(p weir.Progress) { last = p })
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the child took %s", time.Since(start))
	if got := jsonOf(t, m); got != want {
		t.Errorf("Beam gave\n%s\na local run\n%s", got, want)
	}
	if last.Done == 0 || last.Unit != "tasks" {
		t.Errorf("last progress %+v", last)
	}
	// A second attempt finds the manifest and starts no process.
	c := b.child()
	c.Binary = "/nonexistent"
	again, err := RunChild(t.Context(), c, b.plan("beam"), nil)
	if err != nil || jsonOf(t, again) != want {
		t.Errorf("the repeated run gave %v, %v", again, err)
	}
}

func TestScratchOfOneMachineStaysThere(t *testing.T) {
	b := newBench(t, 400)
	want := jsonOf(t, b.local("local"))
	c := b.child()
	c.LocalScratch = true
	m, err := RunChild(t.Context(), c, b.plan("beam"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := jsonOf(t, m); got != want {
		t.Errorf("scratch in a folder gave\n%s\nin the store\n%s", got, want)
	}
	for info := range b.store.List(t.Context(), "scratch/beam/") {
		t.Errorf("in the store: %s", info.Key)
	}
	if left, _ := filepath.Glob(filepath.Join(c.Dir, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestNoRowsStillMakeAManifest(t *testing.T) {
	b := newBench(t, 0)
	want := jsonOf(t, b.local("local"))
	m, err := RunChild(t.Context(), b.child(), b.plan("beam"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := jsonOf(t, m); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestFailureSurfacesWithItsCode(t *testing.T) {
	b := newBench(t, 60)
	_, err := RunChild(t.Context(), b.child(failEnv+"=1"), b.plan("a"), nil)
	if weir.CodeOf(err) != weir.Unavailable || !strings.Contains(fmt.Sprint(err), "told to fail") {
		t.Errorf("got %v", err)
	}
	if _, err := b.store.Stat(t.Context(), "manifests/a.json"); weir.CodeOf(err) != weir.NotFound {
		t.Errorf("a failed run left a manifest: %v", err)
	}
	_, err = RunChild(t.Context(), b.child(panicEnv+"=1"), b.plan("a"), nil)
	if weir.CodeOf(err) != weir.Internal || strings.Contains(fmt.Sprint(err), "nobody may see") {
		t.Errorf("got %v", err)
	}
	if _, err = RunChild(t.Context(), b.child(), b.plan("a"), nil); err != nil {
		t.Errorf("after the failures: %v", err)
	}
}

func TestCancelKillsAndARerunGivesTheSame(t *testing.T) {
	b := newBench(t, 400)
	want := jsonOf(t, b.local("local"))
	ctx, cancel := context.WithCancel(t.Context())
	c := b.child(hangEnv + "=1")
	_, err := RunChild(ctx, c, b.plan("beam"), func(weir.Progress) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(c.Dir, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	m, err := RunChild(t.Context(), b.child(), b.plan("beam"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := jsonOf(t, m); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestChildDiesWithItsParent(t *testing.T) {
	b := newBench(t, 60)
	config := jsonOf(t, b.config)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	parent := exec.Command(self)
	parent.Env = append(os.Environ(), parentOf+"="+b.plan("a"), StoreEnv+"="+config, "TMPDIR="+temp)
	parent.Stderr = os.Stderr
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	eventually(t, "the child said its process id", func() bool {
		data, err := b.store.ReadFile(t.Context(), "pid")
		if err != nil {
			return false
		}
		pid, err = strconv.Atoi(string(data))
		return err == nil
	})
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	eventually(t, "the child is gone", func() bool { return !running(pid) })
	sweepTemp(temp)
	if left, _ := filepath.Glob(filepath.Join(temp, tempPrefix+"*")); len(left) > 0 {
		t.Errorf("the dead parent's folders were not swept: %v", left)
	}
}

// running reports whether a process lives and is not a zombie.
func running(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func TestForeignOrBrokenManifestIsRefused(t *testing.T) {
	b := newBench(t, 10)
	key := b.plan("a")
	other, err := json.Marshal(weir.Manifest{Run: weir.Run{ID: "another", Workspace: "shop"}, Stage: weir.Segment})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"foreign": other, "cut": []byte(`{"run":`)} {
		t.Run(name, func(t *testing.T) {
			if err := b.store.Delete(t.Context(), "manifests/a.json"); err != nil {
				t.Fatal(err)
			}
			if _, err := b.store.PutIfAbsent(t.Context(), "manifests/a.json", data); err != nil {
				t.Fatal(err)
			}
			if _, err := RunChild(t.Context(), b.child(), key, nil); err == nil {
				t.Error("it was taken for ours")
			}
		})
	}
}

func TestRolledFilesAndManyPartitions(t *testing.T) {
	b := newBench(t, 400)
	want := jsonOf(t, b.local("one"))
	old := taskMemory
	taskMemory = 4 << 10
	t.Cleanup(func() { taskMemory = old })
	if got := jsonOf(t, b.local("rolled")); got != want {
		t.Errorf("small scratch files gave\n%s\nlarge ones\n%s", got, want)
	}
}

func TestBigFilesAreCutByRowGroups(t *testing.T) {
	b := newBench(t, 400)
	// A first step's own rows (the quarantine's) are in as many files as tasks.
	settled := func(m weir.Manifest) string { return jsonOf(t, m.Tables[:2]) + jsonOf(t, m.Counts) }
	want := settled(b.local("whole"))
	old := sourceRows
	t.Cleanup(func() { sourceRows = old })
	sourceRows = 130 // files of 400 rows in groups of 64
	tasks, err := sources(t.Context(), b.store, wordCount, &b.spec)
	if err != nil {
		t.Fatal(err)
	}
	if len(tasks) != 16 || tasks[0].Parts[0].Groups != 2 || tasks[3].Parts[0].Groups != 1 {
		t.Errorf("cut into %+v", tasks)
	}
	if got := settled(b.local("cut")); got != want {
		t.Errorf("cut files gave\n%s\nwhole ones\n%s", got, want)
	}
	sourceRows = 1 << 20
	if tasks, err = sources(t.Context(), b.store, wordCount, &b.spec); err != nil || len(tasks) != 1 || len(tasks[0].Parts) != 4 {
		t.Errorf("small files share no task: %+v, %v", tasks, err)
	}
}

func TestSweepLeavesNoScratch(t *testing.T) {
	b := newBench(t, 50)
	b.local("a")
	b.spec.Scratch = "scratch/a"
	for range 2 {
		if err := Sweep(t.Context(), b.store, &b.spec); err != nil {
			t.Fatal(err)
		}
	}
	for info := range b.store.List(t.Context(), "scratch/a/") {
		t.Errorf("left: %s", info.Key)
	}
}

func TestPartitionOfIsStable(t *testing.T) {
	// Files of earlier runs rely on these.
	for key, want := range map[string]int{"": 6, "crm/contacts/1": 2, "crm/contacts/2": 7} {
		if got := PartitionOf(key, 8); got != want {
			t.Errorf("PartitionOf(%q, 8) = %d, want %d", key, got, want)
		}
	}
	var seen [16]int
	for i := range 16000 {
		seen[PartitionOf(fmt.Sprint("shop/customers/", i), 16)]++
	}
	for p, n := range seen {
		if n < 800 || n > 1200 {
			t.Errorf("partition %d of 16 has %d of 16000 keys", p, n)
		}
	}
	for rows, want := range map[int64]int{0: 1, 1: 1, 250_000: 1, 250_001: 2, 1 << 40: 4096} {
		if got := Partitions(rows); got != want {
			t.Errorf("Partitions(%d) = %d, want %d", rows, got, want)
		}
	}
}
