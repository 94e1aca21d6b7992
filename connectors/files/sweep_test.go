package files_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/permit/permittest"
)

// TestUnfinishedRunsLeaveNothing: what a run wrote that never ended goes with the
// next run of its activation; what others wrote stays.
func TestUnfinishedRunsLeaveNothing(t *testing.T) {
	project := t.TempDir()
	at := func(day int, suffix string) weir.Run {
		run := permittest.Run(t, suffix)
		run.Now = run.Now.AddDate(0, 0, day)
		run.ID = weir.NewRunID(run.Now, suffix)
		return run
	}
	dead, published, later, run := at(0, "dead"), at(0, "done"), at(9, "later"), at(1, "now")
	config := map[string]any{"path": "out", "format": "csv"}
	first := openDestination(t, project, config)
	deliver(t, first, published, add("p"))
	finish(t, first, published)
	deliver(t, openDestination(t, project, config), later, add("l"))
	deliver(t, openDestination(t, project, config), dead, add("jane@example.org"))
	merging := filepath.Join(project, "out", "lapsed%20vip%2Fx", "."+string(dead.ID)+".csv.partial")
	if err := os.WriteFile(merging, []byte("jane@example.org"), 0o600); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(project, "out", ".parts", "other", string(dead.ID), "x.part")
	if err := os.MkdirAll(filepath.Dir(other), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if len(holding(t, project, "jane@example.org")) != 2 {
		t.Fatal("nothing is left to be swept")
	}

	d := openDestination(t, project, config)
	deliver(t, d, run, add("a"))
	deliver(t, d, run, add("b"))
	if left := holding(t, project, "jane@example.org"); len(left) > 0 {
		t.Errorf("of the unfinished run there is still %v", left)
	}
	finish(t, d, run)
	if _, err := os.Stat(other); err != nil {
		t.Error("another activation's parts are gone")
	}
	if parts := names(t, filepath.Join(project, "out", ".parts", "lapsed%20vip%2Fx", string(later.ID)), ".part"); len(parts) != 1 {
		t.Errorf("a later run has the parts %v", parts)
	}
	for _, r := range []weir.Run{published, run} {
		if !strings.Contains(content(t, project, "lapsed%20vip%2Fx/"+string(r.ID)+".csv"), "add,") {
			t.Errorf("run %s lost its file", r.ID)
		}
	}
	deliver(t, first, published, add("p")) // its publication stayed: nothing is written twice
	finish(t, first, published)
	if all := names(t, filepath.Join(project, "out", "lapsed%20vip%2Fx"), ".csv"); len(all) != 2 {
		t.Errorf("the files are %v", all)
	}
}

// holding lists the files below the output that hold a text.
func holding(t *testing.T, project, text string) []string {
	t.Helper()
	return slices.DeleteFunc(names(t, filepath.Join(project, "out"), ""), func(name string) bool {
		return !strings.Contains(content(t, project, name), text)
	})
}
