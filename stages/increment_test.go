package stages

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
)

// way is how a run of resolve went.
func way(row weir.StageRun) string {
	for name := range row.Counts {
		if why, full := strings.CutPrefix(name, countFull); full {
			return why
		}
	}
	if row.Counts[countIncrement] > 0 {
		return "increment"
	}
	return "full"
}

// TestResolveGoesOn: which runs of resolve go on from the last one's index, and that
// each makes of the records what all from scratch makes.
func TestResolveGoesOn(t *testing.T) {
	r := newRegistry(t)
	resolve := func(want string) weir.StageRun {
		t.Helper()
		row := r.settle(weir.Resolve)[0]
		if got := way(row); got != want {
			t.Fatalf("run %d went the way %q, want %q: %v", r.runs, got, want, row.Counts)
		}
		r.asFromScratch()
		return row
	}
	for i := range 60 {
		r.add(fmt.Sprintf("crm/%02d", i), fmt.Sprintf("email=e%d@x.fr", i%40))
	}
	resolve("no_index")
	r.add("crm/70", "email=e1@x.fr", "phone=+33600000001")
	r.add("crm/03", "email=e4@x.fr")
	delete(r.records, "crm/c/50")
	row := resolve("increment")
	if c := row.Counts; c["records_new"] != 1 || c["records_changed"] != 1 || c["records_deleted"] != 1 || c["records_touched"] > 12 || c["rows_in"] == 0 {
		t.Errorf("counts %v", c)
	}
	r.order("email", "e1@x.fr") // events alone
	r.order("email", "new@x.fr")
	resolve("increment")
	r.add("crm/71", "email=new@x.fr")
	resolve("increment")
	if row := r.settle(weir.Resolve)[0]; row.Status != Unchanged {
		t.Errorf("nothing changed, and the run is %s", row.Status)
	}
	r.add("crm/72", "email=e7@x.fr")
	resolve("increment") // also after a run that had nothing to do

	r.decide(DecisionOrder{Do: DoLink, A: "crm/c/10", B: "crm/c/11"})
	resolve("other_rules")
	r.add("crm/73", "email=e10@x.fr")
	resolve("increment")
	r.project.Identity[0].Identifiers["phone"] = weir.IdentifierRule{NoLink: true}
	resolve("other_rules")

	for o, err := range r.Lake.Store().List(t.Context(), resolveIndexes) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(o.Key, "state") {
			if err := r.Lake.Store().Put(t.Context(), o.Key, strings.NewReader("rotten"), 6); err != nil {
				t.Fatal(err)
			}
		}
	}
	r.add("crm/74", "email=e11@x.fr")
	resolve("index_unusable")
	r.add("crm/75", "email=e12@x.fr")
	resolve("increment")
	for i := range 60 {
		r.add(fmt.Sprintf("crm/%02d", i), fmt.Sprintf("email=other%d@x.fr", i%35))
	}
	resolve("index_worn")
	r.runs += int(31 * 24 * time.Hour / time.Minute)
	r.add("crm/76", "email=e12@x.fr")
	r.project.Retention.Snapshots = 30 * 24 * time.Hour
	resolve("index_old")
}

// asFromScratch compares the current partition with that of a lake that never saw
// anything else.
func (r *registry) asFromScratch() {
	r.t.Helper()
	other := newRegistry(r.t)
	other.project, other.records, other.events, other.runs = r.project, r.records, r.events, r.runs-1
	if rows := rowsOf[weir.IdentityDecision](r, decisionsTable, ""); len(rows) > 0 {
		putNamed(other.village, decisionsTable, "", rows...)
	}
	other.settle(weir.Resolve)
	parts := func(links map[string]string) []string {
		of := map[string][]string{}
		for _, rec := range slices.Sorted(maps.Keys(links)) {
			of[links[rec]] = append(of[links[rec]], rec)
		}
		var out []string
		for _, recs := range of {
			out = append(out, strings.Join(recs, " "))
		}
		slices.Sort(out)
		return out
	}
	if d := cmp.Diff(parts(other.links()), parts(r.links())); d != "" {
		r.t.Fatalf("run %d: not the partition of all records: %s", r.runs, d)
	}
}

// TestIncrementIsRepeated: an increment that dies when all but its result is there is
// done again, and what it needs no more is removed, once.
func TestIncrementIsRepeated(t *testing.T) {
	r := newRegistry(t)
	for i := range 60 {
		r.add(fmt.Sprintf("crm/%02d", i), fmt.Sprintf("email=e%d@x.fr", i%40))
	}
	r.settle(weir.Resolve)
	kept := func() (runs []string) {
		for o, err := range r.Lake.Store().List(t.Context(), resolveIndexes) {
			if err != nil {
				t.Fatal(err)
			}
			run, _, _ := strings.Cut(strings.TrimPrefix(o.Key, resolveIndexes), "/")
			runs = append(runs, run)
		}
		slices.Sort(runs)
		return slices.Compact(runs)
	}
	run := r.Pipeline
	var died []weir.Stage
	r.Pipeline = func(ctx context.Context, key string, progress func(weir.Progress)) error {
		spec, err := pipelines.ReadSpec(ctx, r.Lake.Store(), key)
		if err != nil {
			return err
		}
		if err := run(ctx, key, progress); err != nil {
			return err
		}
		if died = append(died, spec.Stage); len(died)%2 == 1 {
			return weir.Errorf(weir.Unavailable, "the machine went away")
		}
		return nil
	}
	ctx := t.Context()
	for n := range 4 {
		r.add(fmt.Sprintf("crm/9%d", n), fmt.Sprintf("email=e%d@x.fr", 39-n))
		r.runs++
		r.tell()
		key, err := r.Apply(ctx, r.project)
		if err != nil {
			t.Fatal(err)
		}
		now := noon.Add(time.Duration(r.runs) * time.Minute)
		s, of := r.All()[weir.Resolve], weir.Run{Workspace: "shop", ID: weir.NewRunID(now, "r"), Now: now, Project: key}
		plan, err := s.Plan(ctx, of, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Run(ctx, plan.Spec, func(weir.Progress) {}); weir.CodeOf(err) != weir.Unavailable {
			t.Fatal(err)
		}
		manifest, err := s.Run(ctx, plan.Spec, func(weir.Progress) {})
		if err != nil {
			t.Fatal(err)
		}
		row, err := s.Commit(ctx, manifest)
		if err != nil {
			t.Fatal(err)
		}
		again, err := s.Commit(ctx, manifest)
		if err != nil {
			t.Fatal(err)
		}
		if way(row) != "increment" || way(again) != "increment" || row.RunID != again.RunID {
			t.Fatalf("%v, %v", row.Counts, again.Counts)
		}
		r.asFromScratch()
		if all := kept(); len(all) != n+2 { // the full run's log, and a part of it by each increment
			t.Fatalf("indexes of %v after %d increments", all, n+1)
		}
	}
	if want := slices.Repeat([]weir.Stage{weir.Increment}, 8); !slices.Equal(died, want) {
		t.Errorf("ran %v", died)
	}
	r.Pipeline = run
	r.decide(DecisionOrder{Do: DoLink, A: "crm/c/10", B: "crm/c/11"})
	r.settle(weir.Resolve)
	if all := kept(); len(all) != 1 {
		t.Errorf("indexes of %v after a full run", all)
	}
}
