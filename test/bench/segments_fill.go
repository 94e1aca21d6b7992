package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/stages"
)

// kitAttributes are those of the kit's profiles.
var kitAttributes = map[string]weir.AttributeType{
	"country": weir.Text, "city": weir.Text, "language": weir.Text, "gender": weir.Text, "birth_date": weir.Date, "created_at": weir.Instant,
	"loyalty_tier": weir.Text, "acquisition_channel": weir.Text, "email_domain": weir.Text, "marketing_opt_in": weir.Boolean,
	"points": weir.Number, "has_app": weir.Boolean, "store_id": weir.Text,
}

// kitProperties are those of its events.
var kitProperties = []string{"revenue", "currency", "product", "category", "quantity", "campaign", "device"}

// customerKind is the identifier by which events name their profile.
const customerKind = "customer_id"

// customer is the identifier of a profile of the kit.
func customer(profile string) string { return "c-" + strings.TrimPrefix(profile, "p") }

// fillKit writes profiles, their identifiers and events of the kit into the lake's
// tables, as conform, resolve and unify leave them, and pins them.
func fillKit(ctx context.Context, h *stages.House, data string) error {
	if _, err := h.Lake.Ensure(ctx, schema.Records(kitAttributes)); err != nil {
		return err
	}
	profiles, err := readKit(ctx, filepath.Join(data, "profiles.parquet"), kitProfile)
	if err != nil {
		return err
	}
	slices.SortFunc(profiles, func(a, b weir.Profile) int { return strings.Compare(a.ID, b.ID) })
	pins := map[string]int64{}
	d := schema.Profiles(kitAttributes)
	if pins[d.Name], err = fillRows(ctx, h.Lake, d, slices.Values(profiles)); err != nil {
		return err
	}
	owners := func(yield func(weir.IdentifierOwner) bool) {
		for i := range profiles { // customer keeps the order
			if !yield(weir.IdentifierOwner{Kind: customerKind, Value: customer(profiles[i].ID), ProfileID: profiles[i].ID}) {
				return
			}
		}
	}
	if pins["identity.identifiers"], err = fillRows(ctx, h.Lake, schema.Named("identity.identifiers"), owners); err != nil {
		return err
	}
	if pins["core.events"], err = fillEvents(ctx, h.Lake, data); err != nil {
		return err
	}
	return h.Lake.RecordRun(ctx, weir.StageRun{RunID: "filled", Stage: weir.Unify, Status: "done", StartedAt: benchNow, EndedAt: benchNow, Now: benchNow, Snapshots: pins})
}

func fillRows[T any](ctx context.Context, lake *lakehouse.Lake, d schema.Table, rows func(yield func(T) bool)) (int64, error) {
	t, err := lake.Ensure(ctx, d)
	if err != nil {
		return 0, err
	}
	w, err := rowfile.NewTableWriter[T](ctx, lake.Store(), t, "")
	if err != nil {
		return 0, err
	}
	for row := range rows {
		if err := w.Write(row); err != nil {
			return 0, err
		}
	}
	files, err := w.Close()
	if err != nil {
		return 0, err
	}
	s, err := lake.Commit(ctx, lakehouse.Commit{ID: "fill/" + d.Name, Table: d.Name, Scopes: []weir.TableFiles{{Table: d.Name, Files: files}}})
	return s.ID, err
}

// fillEvents writes the events, two streams of files at a time.
func fillEvents(ctx context.Context, lake *lakehouse.Lake, data string) (int64, error) {
	const scope = "kit/events"
	t, err := lake.Ensure(ctx, schema.Named("core.events"))
	if err != nil {
		return 0, err
	}
	names, err := filepath.Glob(filepath.Join(data, "events", "*.parquet"))
	if err != nil || len(names) == 0 {
		return 0, fmt.Errorf("no events in %s: %w", data, err)
	}
	var files [2][]weir.DataFile
	var errs [2]error
	var all sync.WaitGroup
	for i := range files {
		all.Go(func() {
			files[i], errs[i] = fillPart(ctx, lake, t, scope, names[i*len(names)/2:(i+1)*len(names)/2])
		})
	}
	all.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		return 0, err
	}
	s, err := lake.Commit(ctx, lakehouse.Commit{ID: "fill/core.events", Table: t.Name,
		Scopes: []weir.TableFiles{{Table: t.Name, Scope: scope, Files: slices.Concat(files[:]...)}}})
	return s.ID, err
}

func fillPart(ctx context.Context, lake *lakehouse.Lake, t schema.Table, scope string, names []string) ([]weir.DataFile, error) {
	w, err := rowfile.NewTableWriter[weir.Event](ctx, lake.Store(), t, scope)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		events, err := readKit(ctx, name, kitEvent)
		if err != nil {
			return nil, err
		}
		for i := range events {
			if err := w.Write(events[i]); err != nil {
				return nil, err
			}
		}
	}
	return w.Close()
}

// readKit makes rows of a file of the kit; row sees its columns' canonical texts.
func readKit[T any](ctx context.Context, path string, row func(text map[string]string) T) (out []T, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	pq, err := file.NewParquetReader(f)
	if err != nil {
		return nil, err
	}
	r, err := pqarrow.NewFileReader(pq, pqarrow.ArrowReadProperties{BatchSize: 1 << 16}, memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	rr, err := r.GetRecordReader(ctx, nil, nil)
	if err != nil {
		return nil, err
	}
	defer rr.Release()
	text := map[string]string{}
	for rr.Next() {
		rec := rr.RecordBatch()
		for i := range int(rec.NumRows()) {
			clear(text)
			for c, f := range rec.Schema().Fields() {
				if rec.Column(c).IsValid(i) {
					text[f.Name] = kitText(rec.Column(c), i)
				}
			}
			out = append(out, row(text))
		}
	}
	return out, rr.Err()
}

// kitText is a value's canonical text.
func kitText(a arrow.Array, i int) string {
	switch a := a.(type) {
	case *array.String:
		return strings.Clone(a.Value(i))
	case *array.Float64:
		return strconv.FormatFloat(a.Value(i), 'f', -1, 64)
	case *array.Date32:
		return a.Value(i).ToTime().Format(time.DateOnly)
	case *array.Timestamp:
		return time.UnixMicro(int64(a.Value(i))).UTC().Format(time.RFC3339Nano)
	}
	return a.ValueStr(i)
}

func kitProfile(text map[string]string) weir.Profile {
	p := weir.Profile{ID: text["profile_id"], Kind: weir.Person, Attributes: maps.Clone(text), FirstSeenAt: benchNow, LastSeenAt: benchNow, Records: 1,
		Identifiers: weir.Identifiers{customerKind: {customer(text["profile_id"])}}}
	delete(p.Attributes, "profile_id")
	return p
}

func kitEvent(text map[string]string) weir.Event {
	at, _ := time.Parse(time.RFC3339Nano, text["occurred_at"]) // kitText wrote it
	number, _ := strconv.Atoi(text["event_id"])
	e := weir.Event{ID: fmt.Sprintf("kit/events/%010d", number), Name: text["name"], OccurredAt: at, ReceivedAt: at, Source: "kit", Stream: "events",
		Identifiers: weir.Identifiers{customerKind: {customer(text["profile_id"])}}, Properties: map[string]string{}}
	for _, name := range kitProperties {
		if v, ok := text[name]; ok {
			e.Properties[name] = v
		}
	}
	return e
}
