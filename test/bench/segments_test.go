package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/connectors/files"
	"github.com/weir-cdp/weir/lakehouse"
	"github.com/weir-cdp/weir/lakehouse/object/objecttest"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/lakehouse/sql"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/segment"
	"github.com/weir-cdp/weir/project"
	"github.com/weir-cdp/weir/stages"
)

// segmentPeople are those of the test.
const segmentPeople = 20_000

// TestSegmentsAgainstDuckDB: the kit's hundred segments, and variants of them,
// through the stage; DuckDB's queries of the hundred over the same tables find as
// many members of each.
func TestSegmentsAgainstDuckDB(t *testing.T) {
	kit := filepath.Join("..", "..", "..", "shared", "bench")
	queries, err := os.ReadFile(filepath.Join(kit, "segments.sql"))
	if err != nil {
		t.Skipf("the bench kit is not there: put its folder shared/bench beside the repository (%v)", err)
	}
	h := segmentHouse(t)
	fillShoppers(t, h)
	dir := t.TempDir()
	if err := kitProject(kit, dir, 3); err != nil {
		t.Fatal(err)
	}
	p, err := project.Load(dir, map[string]connectors.Connector{"files": files.Connector()})
	if err != nil {
		t.Fatal(err)
	}
	run := weir.Run{Workspace: "bench", ID: weir.NewRunID(benchNow, "segments"), Now: benchNow}
	if run.Project, err = h.Apply(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	row, err := refreshStage(t.Context(), h.All()[weir.Segment], run)
	if err != nil || row.Counts["segments_broken"] != 0 {
		t.Fatalf("%v, counts %v", err, row.Counts)
	}
	counts, err := h.CountSegments(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	ours := map[string]int64{}
	for _, c := range counts {
		if !strings.Contains(c.Segment, "_variant_") {
			ours[c.Segment] = c.Members
		}
	}
	theirs := askSizes(t, h, string(queries))
	if err := equalSizes(ours, theirs); err != nil {
		t.Error(err)
	}
	for name, n := range theirs {
		if n == 0 || n == segmentPeople {
			t.Errorf("%s holds %d of %d: the events do not test it", name, n, segmentPeople)
		}
	}
	if len(counts) != 300 {
		t.Errorf("%d segments, with variants 300 were wanted", len(counts))
	}
}

// segmentHouse is the stages over a new lake, their pipelines in this process.
func segmentHouse(t *testing.T) *stages.House {
	t.Helper()
	dir := t.TempDir()
	c := objecttest.Config(t, nil)
	lake, err := lakehouse.Open(t.Context(), lakehouse.Config{Object: c, Catalog: lakehouse.CatalogConfig{Type: "sqlite", Path: filepath.Join(dir, "catalog.db")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lake.Close() })
	return &stages.House{Lake: lake, Dir: dir, Log: slog.New(slog.DiscardHandler), Clock: time.Now,
		Pipeline: func(ctx context.Context, spec string, _ func(weir.Progress)) error {
			_, err := pipelines.RunLocal(ctx, lake.Store(), spec, segment.Pipeline, nil)
			return err
		},
		Session: func(ctx context.Context) (*sql.Internal, error) {
			return sql.OpenInternal(ctx, sql.Options{Store: lake.Store(), TempDir: dir, MemoryLimit: 1 << 30, Threads: 2})
		},
	}
}

// fillShoppers makes profiles and events with the words of the kit's generator.
func fillShoppers(t *testing.T, h *stages.House) {
	t.Helper()
	r := rand.New(rand.NewPCG(7, 7))
	profiles, events := make([]weir.Profile, segmentPeople), []weir.Event{}
	for i := range profiles {
		profiles[i] = shopper(r, i)
		events = append(events, shopping(r, profiles[i].ID)...)
	}
	r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	for i := range events {
		events[i].ID = fmt.Sprintf("kit/events/%010d", i)
	}
	pins := map[string]int64{}
	pin := func(table string, id int64, err error) {
		if err != nil {
			t.Fatal(err)
		}
		pins[table] = id
	}
	ctx := t.Context()
	if _, err := h.Lake.Ensure(ctx, schema.Records(kitAttributes)); err != nil {
		t.Fatal(err)
	}
	id, err := fillRows(ctx, h.Lake, schema.Profiles(kitAttributes), slices.Values(profiles))
	pin("core.profiles", id, err)
	id, err = fillRows(ctx, h.Lake, schema.Named("core.events"), slices.Values(events))
	pin("core.events", id, err)
	id, err = fillRows(ctx, h.Lake, schema.Named("identity.identifiers"), func(yield func(weir.IdentifierOwner) bool) {
		for i := range profiles {
			if !yield(weir.IdentifierOwner{Kind: customerKind, Value: customer(profiles[i].ID), ProfileID: profiles[i].ID}) {
				return
			}
		}
	})
	pin("identity.identifiers", id, err)
	if err := h.Lake.RecordRun(ctx, weir.StageRun{RunID: "filled", Stage: weir.Unify, Status: "done", StartedAt: benchNow, EndedAt: benchNow, Now: benchNow, Snapshots: pins}); err != nil {
		t.Fatal(err)
	}
}

func oneOf(r *rand.Rand, values ...string) string { return values[r.IntN(len(values))] }

func shopper(r *rand.Rand, i int) weir.Profile {
	p := weir.Profile{ID: fmt.Sprintf("p%08x%04d", uint32(i)<<12, i%4096), Kind: weir.Person, FirstSeenAt: benchNow, LastSeenAt: benchNow, Records: 1}
	p.Identifiers = weir.Identifiers{customerKind: {customer(p.ID)}}
	p.Attributes = map[string]string{
		"country": oneOf(r, "FR", "FR", "DE", "GB", "BE", "NL", ""), "city": fmt.Sprintf("city_%03d", r.IntN(12)), "language": oneOf(r, "fr", "de", "en", ""),
		"gender": oneOf(r, "female", "male", "other", ""), "loyalty_tier": oneOf(r, "none", "bronze", "silver", "gold", "platinum"),
		"acquisition_channel": oneOf(r, "organic", "paid_search", "social", ""), "email_domain": oneOf(r, "gmail.com", "web.de", ""),
		"marketing_opt_in": oneOf(r, "true", "false"), "has_app": oneOf(r, "true", "false"), "store_id": oneOf(r, "store_01", "", ""),
		"points":     fmt.Sprint(oneOf(r, "0", "100", "350", "500", "999", "1000", "4000")),
		"created_at": benchNow.Add(-time.Duration(r.Int64N(int64(1500 * 24 * time.Hour)))).Truncate(time.Microsecond).Format(time.RFC3339Nano),
	}
	if r.IntN(3) > 0 {
		p.Attributes["birth_date"] = time.Date(1940+r.IntN(66), 1, 1+r.IntN(365), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	}
	maps.DeleteFunc(p.Attributes, func(_, v string) bool { return v == "" })
	return p
}

// shopping is what one profile did, the more of it the longer ago it began.
func shopping(r *rand.Rand, profile string) []weir.Event {
	reach := []int{6, 25, 60, 130, 400}[r.IntN(5)]
	quiet := time.Duration([]int{0, 0, 0, 0, 0, 50, 70, 190, 250}[r.IntN(9)]) * 24 * time.Hour
	viewer := r.IntN(40) == 0
	var out []weir.Event
	for range []int{0, 2, 8, 20, 60}[r.IntN(5)] {
		// No moment is on a window's edge, where the kit's windows and Weir's differ.
		at := benchNow.Add(-quiet - time.Duration(r.Int64N(int64(reach)*86_400_000_000)*1000) - time.Microsecond)
		e := weir.Event{OccurredAt: at, ReceivedAt: at, Source: "kit", Stream: "events", Identifiers: weir.Identifiers{customerKind: {customer(profile)}}}
		e.Name = oneOf(r, "Product Viewed", "Product Viewed", "Product Added", "Order Completed", "Order Completed", "Page Viewed", "Email Opened",
			"Email Clicked", "Checkout Started", "Signed In", "Coupon Applied", "Product Reviewed", "Email Unsubscribed", "Order Refunded", "Push Opened")
		if viewer {
			e.Name = "Product Viewed"
		}
		e.Properties = map[string]string{"device": oneOf(r, "mobile", "desktop", "app")}
		switch {
		case strings.HasPrefix(e.Name, "Email") || e.Name == "Push Opened":
			e.Properties["campaign"] = fmt.Sprintf("campaign_%02d", r.IntN(12))
		case e.Name != "Page Viewed" && e.Name != "Signed In":
			e.Properties["category"] = oneOf(r, "shoes", "bags", "kids", "home", "garden", "sport")
			e.Properties["product"], e.Properties["quantity"] = fmt.Sprintf("sku_%04d", r.IntN(60)), fmt.Sprint(1+r.IntN(3))
		}
		if strings.HasPrefix(e.Name, "Order") {
			e.Properties["revenue"] = fmt.Sprintf("%d.%02d", r.IntN([]int{20, 60, 400}[r.IntN(3)]), 25*r.IntN(4))
		}
		out = append(out, e)
	}
	return out
}

// askSizes runs the kit's queries, each after its name in a comment.
func askSizes(t *testing.T, h *stages.House, queries string) map[string]int64 {
	t.Helper()
	ctx := t.Context()
	sess, err := h.Session(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer sess.Close()
	pins, err := h.Lake.Pins(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"core.profiles", "core.events", "identity.identifiers"} {
		d, err := h.Lake.Describe(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		files, err := h.Lake.Files(ctx, name, pins[name])
		if err != nil {
			t.Fatal(err)
		}
		if err := sess.Attach(ctx, d, files); err != nil {
			t.Fatal(err)
		}
	}
	property := func(name, typ string) string {
		return fmt.Sprintf("cast(properties['%s'] as %s) as %s", name, typ, name)
	}
	for _, statement := range []string{
		"set timezone = 'UTC'",
		"create temp table profiles as select * replace (created_at::timestamp as created_at) from core.profiles",
		"create temp table events as select profile_id, name, occurred_at::timestamp as occurred_at, " + strings.Join([]string{property("revenue", "decimal(18,2)"),
			property("product", "varchar"), property("category", "varchar"), property("quantity", "integer"), property("campaign", "varchar"), property("device", "varchar")}, ", ") +
			" from core.events join identity.identifiers i on i.value = identifiers['" + customerKind + "'][1]",
	} {
		if _, err := sess.Exec(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	out := map[string]int64{}
	for part := range strings.SplitSeq(queries, "-- ") {
		name, query, ok := strings.Cut(part, "\n")
		if !ok {
			continue
		}
		rows, err := sess.Query(ctx, "select count(*) from ("+strings.TrimSuffix(strings.TrimSpace(query), ";")+")")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for rows.Next() {
			out[name], _ = rows.Values()[0].(int64)
		}
		if err := rows.Err(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		rows.Close()
	}
	return out
}
