package stages

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/pipelines/segment/live"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
	"github.com/weir-cdp/weir/project"
)

// TestCountsOfMany measures live counts over what shared/bench/gen_events.py made
// (WEIR_EVENTS names the folder), and holds the size of each of the kit's hundred
// segments against DuckDB's.
func TestCountsOfMany(t *testing.T) {
	data, kit := os.Getenv("WEIR_EVENTS"), filepath.Join("..", "..", "shared", "bench")
	if data == "" {
		t.Skip("a measurement: set WEIR_EVENTS to a folder that gen_events.py wrote")
	}
	reference, err := os.ReadFile(filepath.Join(kit, "segments.sql"))
	if err != nil {
		t.Skipf("the bench kit is not there: put its folder shared/bench beside the repository (%v)", err)
	}
	v := newVillage(t)
	sess, err := v.Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer sess.Close()
	exec := func(q string) {
		t.Helper()
		if _, err := sess.Exec(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	exec("set threads = 2")
	exec("set memory_limit = '1GiB'")
	exec(fmt.Sprintf("create view profiles as select * from '%s/profiles.parquet'", data))
	exec(fmt.Sprintf("create view events as select * from '%s/events/*.parquet'", data))
	types := map[string]weir.AttributeType{}
	columns := func(view string) (names, kinds []string) {
		for _, what := range []string{"column_name", "column_type"} {
			found, err := column[string](t.Context(), sess, "select "+what+" from (describe "+view+")")
			if err != nil {
				t.Fatal(err)
			}
			names, kinds = kinds, found
		}
		return names, kinds
	}
	names, kinds := columns("profiles")
	shown := "profile_id, 'person' as kind"
	for i, name := range names {
		if name == "profile_id" {
			continue
		}
		types[name] = map[string]weir.AttributeType{"DATE": weir.Date, "INTEGER": weir.Number, "BOOLEAN": weir.Boolean, "TIMESTAMP": weir.Instant}[kinds[i]]
		switch types[name] {
		case weir.Number:
			shown += ", " + name + "::decimal(38,9) as " + name
		case weir.Instant:
			shown += ", " + name + " at time zone 'UTC' as " + name
		case "":
			types[name] = weir.Text
			shown += ", " + name
		default:
			shown += ", " + name
		}
	}
	var entries []string
	properties := map[string]string{}
	names, _ = columns("events")
	for _, name := range names {
		if name != "event_id" && name != "profile_id" && name != "name" && name != "occurred_at" {
			entries = append(entries, fmt.Sprintf("{k: '%s', v: %s::varchar}", name, name))
			properties[name] = name
		}
	}
	exec("create schema core")
	exec("create schema identity")
	exec("create view core.profiles as select " + shown + " from main.profiles")
	exec(`create view core.events as select lpad(event_id::varchar, 12, '0') as event_id, name, occurred_at at time zone 'UTC' as occurred_at,
		map {'customer_id': [profile_id]} as identifiers, map_from_entries(list_filter([` + strings.Join(entries, ", ") + `], lambda e: e.v is not null)) as properties from main.events`)
	exec("create view identity.identifiers as select 'customer_id' as kind, profile_id as value, profile_id, false as ambiguous from main.profiles")

	took := func(what string, f func()) {
		before, wall := cpu(t), time.Now()
		f()
		t.Logf("%-44s %6.1f s of CPU, %6.1f s, resident at most %d MB", what, (cpu(t) - before).Seconds(), time.Since(wall).Seconds(), peak(t))
	}
	dir := os.Getenv("WEIR_TIMELINES")
	if dir == "" {
		dir = t.TempDir()
	}
	if _, err := os.Stat(filepath.Join(dir, timelineIndexFile)); err != nil {
		took("build", func() {
			b := timelineBuilder{sess: sess, dir: dir, kinds: []string{"customer_id"}, profiles: schema.Profiles(types)}
			if err := b.build(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	}
	p := &project.Project{Timezone: "UTC", Sources: []project.Source{{Streams: []project.Stream{{Mapping: weir.Mapping{As: "event", Attributes: map[string]string{}, Properties: properties}}}}}}
	for name := range types {
		p.Sources[0].Streams[0].Mapping.Attributes[name] = name
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var src *timelineFiles
	count := func(name string) int64 {
		text, err := os.ReadFile(filepath.Join(kit, "segments", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		s, err := p.Unsaved(name, name, text)
		if err != nil {
			t.Fatal(err)
		}
		if src, err = openTimelines(dir); err != nil { // each as a process of its own
			t.Fatal(err)
		}
		a, err := live.Run(t.Context(), live.Question{Definitions: tally.Definitions{Segments: []weir.SegmentDef{s}, AttributeTypes: types}, Segments: []string{name}, Now: now, Workers: 2}, src)
		if err != nil {
			t.Fatal(err)
		}
		return a.Sizes[name]
	}
	compared := 0
	for _, m := range regexp.MustCompile(`(?s)-- (\w+)\n(select .*?);`).FindAllStringSubmatch(string(reference), -1) {
		var got int64
		took(m[1], func() { got = count(m[1]) })
		if os.Getenv("WEIR_COMPARE") == "" {
			continue
		}
		want, err := column[int64](t.Context(), sess, "select count(*) from ("+m[2]+")")
		if err != nil {
			t.Fatal(err)
		}
		if compared++; got != want[0] {
			t.Errorf("%s: counted %d, DuckDB %d", m[1], got, want[0])
		}
	}
	t.Logf("%d of %d profiles' segments compared with DuckDB", compared, src.index.Profiles)
}
