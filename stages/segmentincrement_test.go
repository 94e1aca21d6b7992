package stages

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// appendRows adds rows to a table as a stage that only adds files would.
func appendRows[T any](v *village, name string, stage weir.Stage, rows ...T) {
	v.t.Helper()
	ctx := v.t.Context()
	table, err := v.Lake.Ensure(ctx, schema.Named(name))
	if err != nil {
		v.t.Fatal(err)
	}
	w, err := rowfile.NewTableWriter[T](ctx, v.Lake.Store(), table, "")
	if err != nil {
		v.t.Fatal(err)
	}
	for _, r := range rows {
		if err := w.Write(r); err != nil {
			v.t.Fatal(err)
		}
	}
	files, err := w.Close()
	if err != nil {
		v.t.Fatal(err)
	}
	v.n++
	run := weir.Run{Workspace: "shop", ID: weir.NewRunID(noon.Add(time.Duration(v.n)*time.Second), "aa"), Now: noon}
	if _, err = v.House.commit(ctx, result{Manifest: weir.Manifest{Run: run, Stage: stage, Tables: []weir.TableFiles{{Table: name, Files: files}}, Counts: map[string]int64{}}}); err != nil {
		v.t.Fatal(err)
	}
}

// shoppers is a registry whose profiles, owners and events are written as they are.
type shoppers struct {
	*registry
	profiles []weir.Profile
	owners   []weir.IdentifierOwner
	orders   []weir.Event
}

func newShoppers(t *testing.T) *shoppers {
	s := &shoppers{registry: newRegistry(t)}
	s.project.Traits = []weir.TraitDef{{Name: "orders", Aggregate: "count", Field: "events", Event: "Order Completed", Within: 48 * time.Hour}}
	s.project.Retention.Snapshots = 30 * 24 * time.Hour
	put[weir.Record](s.village, schema.Records(s.types), weir.Conform, "")
	for i := range 50 {
		s.join(i)
	}
	s.tellProfiles()
	for i := range 80 {
		s.buy(i%50, time.Duration(i)*time.Hour)
	}
	putNamed(s.village, "core.events", weir.Conform, s.orders...)
	return s
}

func (s *shoppers) join(i int) {
	id := fmt.Sprintf("p%03d", i)
	s.profiles = append(s.profiles, weir.Profile{ID: id, Kind: weir.Person, Attributes: map[string]string{"given_name": "n" + id}, FirstSeenAt: noon, LastSeenAt: noon, Records: 1})
	s.owners = append(s.owners, weir.IdentifierOwner{Kind: "email", Value: id + "@x.fr", ProfileID: id})
}

func (s *shoppers) tellProfiles() {
	put(s.village, schema.Profiles(s.types), weir.Unify, "", s.profiles...)
	putNamed(s.village, "identity.identifiers", weir.Resolve, s.owners...)
}

func (s *shoppers) buy(i int, ago time.Duration) weir.Event {
	ids := weir.Identifiers{}
	ids.Add("email", fmt.Sprintf("p%03d@x.fr", i))
	e := weir.Event{ID: fmt.Sprintf("e%03d", len(s.orders)), Name: "Order Completed", OccurredAt: noon.Add(-ago), ReceivedAt: noon, Identifiers: ids}
	s.orders = append(s.orders, e)
	return e
}

// segment runs the stage, wants it to go a way, and compares its tables with those of
// a lake that never saw anything else.
func (s *shoppers) segment(want string) weir.StageRun {
	s.t.Helper()
	row := s.stage()
	if got := way(row); got != want {
		s.t.Fatalf("run %d went the way %q, want %q: %v", s.runs, got, want, row.Counts)
	}
	other := newShoppers(s.t)
	other.project, other.profiles, other.owners, other.runs = s.project, s.profiles, s.owners, s.runs-1
	other.tellProfiles()
	putNamed(other.village, "core.events", weir.Conform, s.orders...)
	other.stage()
	traits := func(s *shoppers) []weir.TraitValue {
		return rowsOf[weir.TraitValue](s.registry, traitsTable, "order by all")
	}
	if d := cmp.Diff(traits(other), traits(s)); d != "" {
		s.t.Fatalf("run %d: other traits: %s", s.runs, d)
	}
	members := func(s *shoppers) (out []string) {
		for _, m := range rowsOf[weir.Membership](s.registry, "segment.memberships", "order by all") {
			out = append(out, m.Segment+" "+m.ProfileID)
		}
		return out
	}
	if d := cmp.Diff(members(other), members(s)); d != "" {
		s.t.Fatalf("run %d: other members: %s", s.runs, d)
	}
	return row
}

// stage runs segment alone.
func (s *shoppers) stage() weir.StageRun {
	s.t.Helper()
	ctx := s.t.Context()
	key, err := s.Apply(ctx, s.project)
	if err != nil {
		s.t.Fatal(err)
	}
	s.runs++
	now := noon.Add(time.Duration(s.runs) * time.Minute)
	run, st := weir.Run{Workspace: "shop", ID: weir.NewRunID(now, "r"), Now: now, Project: key}, s.All()[weir.Segment]
	plan, err := st.Plan(ctx, run, "")
	if err != nil {
		s.t.Fatal(err)
	}
	var row weir.StageRun
	if plan.Unchanged {
		row, err = st.Keep(ctx, run, "")
	} else {
		var manifest string
		if manifest, err = st.Run(ctx, plan.Spec, func(weir.Progress) {}); err == nil {
			row, err = st.Commit(ctx, manifest)
		}
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return row
}

func (s *shoppers) keptIndexes() (runs []string) {
	for o, err := range s.Lake.Store().List(s.t.Context(), segmentIndexes) {
		if err != nil {
			s.t.Fatal(err)
		}
		run, _, _ := strings.Cut(strings.TrimPrefix(o.Key, segmentIndexes), "/")
		runs = append(runs, run)
	}
	return slices.Compact(runs)
}

// TestSegmentGoesOn: which runs of segment compute the touched profiles alone, how many
// those are, and that each run's tables are those of a run from scratch.
func TestSegmentGoesOn(t *testing.T) {
	s := newShoppers(t)
	s.segment("no_index")

	appendRows(s.village, "core.events", weir.Conform, s.buy(3, time.Minute), s.buy(3, 30*time.Hour), s.buy(7, 90*time.Hour))
	row := s.segment("increment")
	if c := row.Counts; c["computed"] != 2 || c["kept"] != 48 { // the minute that has passed moves nobody
		t.Errorf("two profiles were touched, and the counts are %v", c)
	}
	s.runs += 24 * 60 // a day alone
	row = s.segment("increment")
	if c := row.Counts; c["computed"] == 0 || c["computed"] > 30 || c["computed"]+c["kept"] != 50 {
		t.Errorf("a day has passed, and the counts are %v", c)
	}
	s.join(50) // somebody new, with an event of his own
	s.profiles[9].Attributes = map[string]string{"given_name": "Other"}
	s.tellProfiles()
	appendRows(s.village, "core.events", weir.Conform, s.buy(50, time.Minute))
	if c := s.segment("increment").Counts; c["computed"] != 1 || c["kept"] != 50 { // no rule reads the name
		t.Errorf("one profile is new, and the counts are %v", c)
	}
	if runs := s.keptIndexes(); len(runs) != 4 {
		t.Errorf("the index lies in the folders of %v", runs)
	}

	s.owners[0].ProfileID = "p001" // with events that were another's
	s.tellProfiles()
	s.segment("identifiers_moved")
	if runs := s.keptIndexes(); len(runs) != 1 {
		t.Errorf("the index lies in the folders of %v", runs)
	}
	s.buy(4, time.Hour)
	putNamed(s.village, "core.events", weir.Conform, s.orders...) // all anew
	s.segment("events_rewritten")
	s.project.Segments[0].Where.Count[0].Values = []string{"1"}
	s.segment("other_definitions")
	appendRows(s.village, "core.events", weir.Conform, s.buy(5, time.Hour))
	s.segment("increment")

	for o, err := range s.Lake.Store().List(t.Context(), segmentIndexes) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(o.Key, ".blocks") {
			if err := s.Lake.Store().Put(t.Context(), o.Key, strings.NewReader("rotten"), 6); err != nil {
				t.Fatal(err)
			}
		}
	}
	appendRows(s.village, "core.events", weir.Conform, s.buy(6, time.Hour))
	s.segment("index_unusable")
	for i := range 60 {
		s.buy(i%50, time.Duration(i)*time.Hour)
	}
	appendRows(s.village, "core.events", weir.Conform, s.orders[len(s.orders)-60:]...)
	s.segment("index_worn")
	s.runs += int(31 * 24 * time.Hour / time.Minute)
	s.segment("index_old")
	s.project.Traits = append(s.project.Traits, weir.TraitDef{Name: "alive", Aggregate: "score", Score: &weir.ScoreDef{Trait: "alive", Kind: "clv", Event: "Order Completed", Value: "properties.revenue"}})
	if got := way(s.stage()); got != "scores" {
		t.Errorf("with a score, it went the way %q", got)
	}
}

// TestIndexesOfForgottenRunsGo: what a run left that ops.runs does not list, as it was
// killed or is too long ago, goes when it is old, and not before.
func TestIndexesOfForgottenRunsGo(t *testing.T) {
	s := newShoppers(t)
	left := segmentIndexes + "forgotten/000000.people"
	if err := s.Lake.Store().Put(t.Context(), left, strings.NewReader("p"), 1); err != nil {
		t.Fatal(err)
	}
	info, err := s.Lake.Store().Stat(t.Context(), left)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		age time.Duration
		is  bool
	}{{runAge - time.Hour, true}, {runAge + time.Hour, false}} {
		s.clock = info.ModTime.Add(c.age)
		appendRows(s.village, "core.events", weir.Conform, s.buy(3, time.Minute))
		s.stage()
		runs := s.keptIndexes()
		if slices.Contains(runs, "forgotten") != c.is {
			t.Errorf("after %s the index lies in the folders of %v", c.age, runs)
		}
		if len(runs) < 2 && c.is || len(runs) == 0 {
			t.Errorf("the index lies in the folders of %v", runs)
		}
	}
}
