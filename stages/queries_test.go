package stages

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
)

// visitsBySQL finds what the built-in count of visits does.
const visitsBySQL = `
select i.profile_id, count(*) as value, max(e.occurred_at) as last, min(e.occurred_at)::date as day,
       count(*) > 1 as often, any_value(e.name) as what, max(run.now) - max(e.occurred_at) < interval 3 hour as lately
from run, core.events e
join identity.identifiers i on i.kind = 'email' and list_contains(e.identifiers['email'], i.value) and not i.ambiguous
where e.name = 'Visited'
group by i.profile_id -- one row each`

func query(trait, text string, columns ...weir.QueryColumn) []weir.TraitDef {
	d := &weir.QueryDef{Trait: trait, At: "traits/" + trait + ".yaml:1", SQL: text, Columns: columns, Timeout: 20 * time.Second}
	return d.Traits(weir.Person, nil)
}

func (w *town) refreshed(parts ...weir.Stage) (last weir.StageRun) {
	w.t.Helper()
	for _, s := range townParts {
		if s.stage == weir.Decide || s.stage == weir.Activate {
			continue
		}
		last = w.must(s.stage, s.part)
	}
	return last
}

// traits are a trait's values as texts, by profile.
func (w *town) traits(name string) map[string]string {
	w.t.Helper()
	q, err := w.ask(w.t.Context(), "core.traits")
	if err != nil {
		w.t.Fatal(err)
	}
	defer q.close()
	rows, err := column[string](w.t.Context(), q.sess, `select profile_id || ' ' || coalesce(number::varchar, text, strftime(time at time zone 'UTC', '%Y-%m-%dT%H:%M:%S'))
		from core.traits where trait = '`+name+"'")
	if err != nil {
		w.t.Fatal(err)
	}
	out := map[string]string{}
	for _, row := range rows {
		id, v, _ := strings.Cut(row, " ")
		out[id] = v
	}
	return out
}

func (w *town) members(segment string) (ids []string) {
	for _, m := range ledger[weir.Membership](w.world, "segment.memberships", "where segment = '"+segment+"' order by profile_id") {
		ids = append(ids, m.ProfileID)
	}
	return ids
}

// A query gives what the built-in aggregate gives, for each run anew, and nothing
// is computed again while its answer is the same.
func TestQueriesGiveTraits(t *testing.T) {
	w := newTown(t)
	w.Timelines = filepath.Join(t.TempDir(), "timelines")
	w.project.Traits = append(w.project.Traits, query("seen", visitsBySQL,
		weir.QueryColumn{Name: "value", Type: weir.Number}, weir.QueryColumn{Name: "last", Type: weir.Instant}, weir.QueryColumn{Name: "day", Type: weir.Date},
		weir.QueryColumn{Name: "often", Type: weir.Boolean}, weir.QueryColumn{Name: "what", Type: weir.Text}, weir.QueryColumn{Name: "lately", Type: weir.Boolean})...)
	w.project.Traits = append(w.project.Traits, weir.TraitDef{Name: "last_visit", Of: weir.Person, Aggregate: "last", Field: "occurred_at", Event: "Visited"},
		weir.TraitDef{Name: "double", Of: weir.Person, Aggregate: "expression", Expression: "trait.seen * 2.0"})
	often := func(trait string) weir.SegmentDef {
		return weir.SegmentDef{Name: "often_" + trait, Of: weir.Person, Where: weir.Condition{Trait: trait, Compare: []weir.Comparison{{Op: "at_least", Values: []string{"2"}}}}}
	}
	w.project.Segments = append(w.project.Segments, often("seen"), often("visits"))
	for n := range 3 {
		w.year(n)
		row := w.refreshed()
		if row.Status != Done {
			t.Fatalf("year %d: %+v", n, row)
		}
		seen, visits := w.traits("seen"), w.traits("visits")
		if len(seen) < 3 {
			t.Fatalf("year %d: %d profiles are seen", n, len(seen))
		}
		for id, v := range visits {
			if v == "0.000000000" {
				delete(visits, id)
			}
		}
		if d := cmp.Diff(visits, seen); d != "" {
			t.Errorf("year %d (-counted +queried):\n%s", n, d)
		}
		if d := cmp.Diff(w.traits("last_visit"), w.traits("seen_last")); d != "" {
			t.Errorf("year %d (-counted +queried):\n%s", n, d)
		}
		for id, v := range w.traits("seen_what") {
			if v != "Visited" {
				t.Errorf("%s: %s", id, v)
			}
		}
		for id, last := range w.traits("seen_last") {
			if day := w.traits("seen_day")[id]; day > last || !strings.HasSuffix(day, "T00:00:00") {
				t.Errorf("%s: day %s, last %s", id, day, last)
			}
		}
		if d := cmp.Diff(w.members("often_visits"), w.members("often_seen")); d != "" {
			t.Errorf("year %d, members (-counted +queried):\n%s", n, d)
		}
		if len(w.traits("double")) != len(seen) || len(w.traits("seen_lately")) != len(seen) || len(w.traits("seen_often")) != len(seen) {
			t.Errorf("year %d: not everybody who is seen has all that the query gives", n)
		}
		live, err := w.CountLive(t.Context(), w.project, LiveOrder{Segments: []string{"often_seen"}, Now: w.at}, func(weir.Progress) {})
		if err != nil || live.Segments[0].Members != int64(len(w.members("often_seen"))) {
			t.Errorf("year %d: counted live: %+v, %v", n, live, err)
		}
		if row := w.must(weir.Segment, ""); row.Status != Unchanged {
			t.Errorf("year %d: computed again: %+v", n, row)
		}
	}
	// The day after tomorrow nobody came lately, without a new row.
	w.at = w.at.Add(48 * time.Hour)
	w.must(weir.Segment, "")
	for id, v := range w.traits("seen_lately") {
		if v != "false" {
			t.Errorf("%s came lately: %s", id, v)
		}
	}
}

// A query that can't be used is told, its last answers stay, and all others go on.
// One that never had an answer breaks its segments.
func TestQueriesThatCannotBeUsed(t *testing.T) {
	w := newTown(t)
	w.year(0)
	number := weir.QueryColumn{Name: "value", Type: weir.Number}
	plain := "select profile_id, 1 as value from core.profiles"
	well := w.project.Traits
	by := weir.SegmentDef{Name: "by", Of: weir.Person, Where: weir.Condition{Trait: "asked", Compare: []weir.Comparison{{Op: "exists", Values: []string{"true"}}}}}
	w.project.Segments = append(w.project.Segments, by)
	w.project.Traits = append(well[:len(well):len(well)], query("asked", "select", number)...)
	if row := w.refreshed(); row.Status != Partial || len(w.traits("asked")) != 0 || len(w.traits("visits")) == 0 || !strings.Contains(row.Error, "traits/asked.yaml:1") {
		t.Fatalf("%+v", row)
	}
	w.project.Traits = append(well[:len(well):len(well)], query("asked", plain, number)...)
	if row := w.refreshed(); row.Status != Done {
		t.Fatalf("%+v", row)
	}
	answers := w.traits("asked")
	members := w.members("by")
	if len(members) == 0 {
		t.Fatal("the query that works finds nobody")
	}
	for text, want := range map[string]string{
		"drop table core.profiles":                                                            "only statements that read",
		"select 1; select 2":                                                                  "one statement at a time",
		"from read_csv('/etc/passwd')":                                                        "not allowed",
		plain + ") to '/tmp/x' --":                                                            "mistake",
		"select profile_id, now() as value from core.profiles":                                "run.now",
		"select profile_id, random() as value from core.profiles":                             "random gives another value",
		plain + " union all " + plain:                                                         "several rows",
		"select null as profile_id, 1 as value":                                               "no profile_id",
		"select profile_id, 'x' as value from core.profiles":                                  "Could not convert",
		"select profile_id from core.profiles":                                                "it gives no column value: there are profile_id",
		"select profile_id, 1 as valeu from core.profiles":                                    "did you mean valeu?",
		"select 1 as value from core.profiles":                                                "it gives no column profile_id",
		"select profile_id,\n  profile_ids as value\nfrom core.profiles":                      "\"profile_ids\" not found in FROM clause! Candidate bindings: \"profile_id\"",
		"with p as (from core.profiles)\nselect profile_id,\n  ones as value from p":          "in line 3 of its sql: ones as value from p",
		"select profile_id, 1 as value from core.traits":                                      "written by the stage that asks",
		"select profile_id, 1 as value from segment.memberships":                              "written by the stage that asks",
		"select profile_id, 1 as value from core.profile":                                     "there is no table core.profile",
		"select profile_id, 1 as value from main.weir_result":                                 "there is no table",
		"select 'x' as profile_id, count(*) as value from range(1000000) a, range(1000000) b": "longer than 1s",
	} {
		defs := query("asked", text, number)
		w.project.Traits = append(well[:len(well):len(well)], defs...)
		if found := w.CheckQueries(t.Context(), w.project); !strings.Contains(want, "rows") && !strings.Contains(want, "no profile_id") &&
			!strings.Contains(want, "1s") && !strings.Contains(want, "convert") && (len(found) != 1 || found[0].Status == Fine || !strings.Contains(found[0].What, want)) {
			t.Errorf("doctor, of %s: %+v; want %q", text, found, want)
		}
		if strings.Contains(want, "1s") {
			defs[0].Query.Timeout = time.Second
		}
		w.project.Traits = append(well[:len(well):len(well)], defs...)
		row := w.must(weir.Segment, "")
		said := ledger[weir.Quarantined](w.world, quarantineTable, "where field = 'trait asked'")
		if row.Status != Partial || len(said) != 1 || !strings.Contains(said[0].Reason, want) || said[0].Origin != "traits/asked.yaml:1" {
			t.Errorf("%s: %s, %+v; want %q", text, row.Status, said, want)
		}
		if d := cmp.Diff(members, w.members("by")); d != "" || len(w.members("all")) == 0 {
			t.Errorf("%s: the members changed:\n%s", text, d)
		}
		if d := cmp.Diff(answers, w.traits("asked")); d != "" || len(w.traits("visits")) == 0 {
			t.Errorf("%s: the last answers did not stay:\n%s", text, d)
		}
	}
	w.project.Traits = append(well[:len(well):len(well)], query("asked", plain, number)...)
	if found := w.CheckQueries(t.Context(), w.project); len(found) != 1 || found[0].Status != Fine {
		t.Errorf("doctor, of what works: %+v", found)
	}
	if row := w.must(weir.Segment, ""); row.Status != Done || len(w.traits("asked")) == 0 {
		t.Errorf("mended: %+v", row)
	}
}
