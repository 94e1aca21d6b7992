package stages

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/project"
)

// An old run's files go; those of the last run and of open deliveries stay, and
// so do the tables.
func TestMaintainSparesWhatIsInUse(t *testing.T) {
	v := people(t)
	ctx := t.Context()
	write := func(key string) {
		if err := v.store().Put(ctx, key, strings.NewReader("{}"), 2); err != nil {
			t.Fatal(err)
		}
	}
	runs, err := v.Lake.Runs(ctx)
	if err != nil {
		t.Fatal(err)
	}
	newest := string(runs[len(runs)-1].RunID)
	write("runs/old/decide/spec.json")
	write("runs/old/resolve/scratch/1")
	write("runs/open/decide/spec.json")
	write("runs/" + newest + "/segment/spec.json")
	write("journal/esp/open/spec.json")
	write(segmentIndexes + "old/000001.people")
	write(resolveIndexes + "old/000001")
	p := &project.Project{Name: "shop", Retention: project.Retention{Snapshots: 24 * time.Hour}}
	month := time.Now().Add(30 * 24 * time.Hour)
	dry, err := v.Maintain(ctx, p, month, true)
	if err != nil {
		t.Fatal(err)
	}
	if got := keysBelow(ctx, t, v, "runs/"); dry.Runs != 1 || dry.Files < 2 || len(got) != 4 {
		t.Fatalf("dry: %+v, left %v", dry, got)
	}
	indexed := func() int {
		return len(keysBelow(ctx, t, v, segmentIndexes+"old/")) + len(keysBelow(ctx, t, v, resolveIndexes+"old/"))
	}
	if day, err := v.Maintain(ctx, p, time.Now().Add(6*24*time.Hour), false); err != nil || indexed() != 2 {
		t.Fatalf("indexes of less than a week: %+v %v", day, err)
	}
	done, err := v.Maintain(ctx, p, month, false)
	if err != nil {
		t.Fatal(err)
	}
	if got := keysBelow(ctx, t, v, "runs/"); done.Runs != 1 || slices.ContainsFunc(got, func(k string) bool { return strings.HasPrefix(k, "runs/old/") }) || len(got) != 2 {
		t.Errorf("%+v, left %v", done, got)
	}
	if indexed() != 0 {
		t.Error("indexes of a month ago are there")
	}
	if got := keysBelow(ctx, t, v, "journal/"); len(got) != 1 {
		t.Errorf("the journal: %v", got)
	}
	if one, err := v.Profile(ctx, "p_jo"); err != nil || len(one.Records) != 2 {
		t.Errorf("after it: %v", err)
	}
	young, err := v.Maintain(ctx, p, time.Now(), false)
	if err != nil || young.Files != 0 {
		t.Errorf("nothing is old: %+v %v", young, err)
	}
	if last, _, err := v.last(ctx, weir.Segment, ""); err != nil || string(last.RunID) != newest {
		t.Errorf("the last run: %v %v", last.RunID, err)
	}
}

func keysBelow(ctx context.Context, t *testing.T, v *village, prefix string) []string {
	t.Helper()
	var out []string
	for o, err := range v.store().List(ctx, prefix) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, o.Key)
	}
	return out
}
