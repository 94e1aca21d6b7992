package rowfile_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/lakehouse/object/objecttest"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

var (
	anyText = rapid.StringN(0, 40, -1)
	name    = rapid.StringMatching(`[a-z_]{1,12}`)
	instant = rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.IntRange(0, 4).Draw(t, "zero") == 0 {
			return time.Time{}
		}
		return time.UnixMicro(rapid.Int64Range(-2e15, 4e15).Draw(t, "micros")).UTC()
	})
	said = rapid.Custom(func(t *rapid.T) time.Time {
		return time.UnixMicro(rapid.Int64Range(-2e15, 4e15).Draw(t, "micros")).UTC()
	})
	texts = rapid.Custom(func(t *rapid.T) map[string]string {
		if rapid.Bool().Draw(t, "nil") {
			return nil
		}
		return rapid.MapOfN(anyText, anyText, 0, 6).Draw(t, "map")
	})
	identifiers = rapid.Custom(func(t *rapid.T) weir.Identifiers {
		if rapid.Bool().Draw(t, "nil") {
			return nil
		}
		return rapid.MapOfN(name, rapid.SliceOfN(anyText, 0, 3), 0, 4).Draw(t, "identifiers")
	})
	event = rapid.Custom(func(t *rapid.T) weir.Event {
		return weir.Event{ID: anyText.Draw(t, "id"), Name: anyText.Draw(t, "name"), OccurredAt: instant.Draw(t, "at"),
			ReceivedAt: instant.Draw(t, "received"), Source: name.Draw(t, "source"), Stream: name.Draw(t, "stream"),
			Identifiers: identifiers.Draw(t, "identifiers"), Properties: texts.Draw(t, "properties")}
	})
	stageRun = rapid.Custom(func(t *rapid.T) weir.StageRun {
		return weir.StageRun{RunID: weir.RunID(name.Draw(t, "run")), Stage: weir.Resolve, Part: anyText.Draw(t, "part"),
			StartedAt: said.Draw(t, "from"), EndedAt: instant.Draw(t, "to"), Now: said.Draw(t, "now"), Status: "done",
			RowsIn: rapid.Int64().Draw(t, "in"), RowsOut: rapid.Int64().Draw(t, "out"),
			Counts:    rapid.MapOfN(name, rapid.Int64(), 0, 4).Draw(t, "counts"),
			Snapshots: rapid.MapOfN(name, rapid.Int64(), 0, 4).Draw(t, "snapshots"), Error: anyText.Draw(t, "error")}
	})
	class = rapid.Custom(func(t *rapid.T) weir.DecisionClass {
		return weir.DecisionClass{ID: name.Draw(t, "id"), Activation: name.Draw(t, "activation"), Inputs: anyText.Draw(t, "inputs"),
			Allow: rapid.Bool().Draw(t, "allow"), Reasons: rapid.SliceOfN(anyText, 0, 3).Draw(t, "reasons"),
			Rules: rapid.SliceOfN(anyText, 0, 3).Draw(t, "rules")}
	})
	edge = rapid.Custom(func(t *rapid.T) weir.Edge {
		return weir.Edge{Left: name.Draw(t, "l"), Right: name.Draw(t, "r"), Rule: name.Draw(t, "rule"),
			Weight: rapid.Float64().Draw(t, "w"), Probability: rapid.Float64().Draw(t, "p"), Used: rapid.Bool().Draw(t, "used")}
	})
	trait = rapid.Custom(func(t *rapid.T) weir.TraitValue {
		return weir.TraitValue{ProfileID: name.Draw(t, "id"), Trait: name.Draw(t, "trait"),
			Number: rapid.SampledFrom([]string{"", "0", "-1.5", "12345678901234567890123456789.123456789", "0.000000001"}).Draw(t, "n"),
			Text:   anyText.Draw(t, "text"), Time: instant.Draw(t, "time")}
	})
)

var attributes = map[string]weir.AttributeType{"given_name": weir.Text, "age": weir.Number, "birth_date": weir.Date,
	"seen": weir.Instant, "vip": weir.Boolean}

var attributeMap = rapid.Custom(func(t *rapid.T) map[string]string {
	all := map[string]string{
		"given_name": anyText.Draw(t, "text"),
		"age":        rapid.SampledFrom([]string{"0", "-7", "12.5", "99999999999999999999999999999.999999999"}).Draw(t, "n"),
		"birth_date": time.Unix(rapid.Int64Range(-1e10, 1e10).Draw(t, "d"), 0).UTC().Format("2006-01-02"),
		"seen":       said.Draw(t, "seen").Format("2006-01-02T15:04:05.999999Z07:00"),
		"vip":        rapid.SampledFrom([]string{"true", "false"}).Draw(t, "vip"),
	}
	for _, k := range slices.Sorted(maps.Keys(all)) {
		if rapid.Bool().Draw(t, "absent") {
			delete(all, k)
		}
	}
	return all
})

var (
	record = rapid.Custom(func(t *rapid.T) weir.Record {
		return weir.Record{ID: name.Draw(t, "id"), Kind: weir.Person, Source: name.Draw(t, "source"), Stream: name.Draw(t, "stream"),
			ObservedAt: instant.Draw(t, "observed"), Attributes: attributeMap.Draw(t, "attributes"), Identifiers: identifiers.Draw(t, "ids")}
	})
	profile = rapid.Custom(func(t *rapid.T) weir.Profile {
		return weir.Profile{ID: name.Draw(t, "id"), Kind: weir.Anonymous, Attributes: attributeMap.Draw(t, "attributes"),
			Identifiers: identifiers.Draw(t, "ids"), FirstSeenAt: instant.Draw(t, "first"), LastSeenAt: instant.Draw(t, "last"),
			Records: rapid.Int64().Draw(t, "records")}
	})
)

// equal lets nil and empty be the same, and no two times that differ.
var equal = cmp.Options{cmpopts.EquateEmpty(), cmpopts.EquateApproxTime(0), cmpopts.EquateNaNs()}

func TestEveryNounSurvivesItsTable(t *testing.T) {
	s := objecttest.Open(t)
	t.Run("events", func(t *testing.T) { survives(t, s, schema.Named("core.events"), event) })
	t.Run("runs", func(t *testing.T) { survives(t, s, schema.Named("ops.runs"), stageRun) })
	t.Run("classes", func(t *testing.T) { survives(t, s, schema.Named("consent.classes"), class) })
	t.Run("edges", func(t *testing.T) { survives(t, s, schema.Named("identity.edges"), edge) })
	t.Run("traits", func(t *testing.T) { survives(t, s, schema.Named("core.traits"), trait) })
	t.Run("records", func(t *testing.T) { survives(t, s, schema.Records(attributes).WithIDs(), record) })
	t.Run("profiles", func(t *testing.T) { survives(t, s, schema.Profiles(attributes).WithIDs(), profile) })
}

func survives[T any](t *testing.T, s *object.Store, table schema.Table, gen *rapid.Generator[T]) {
	rapid.Check(t, func(r *rapid.T) {
		rows := rapid.SliceOfN(gen, 1, 40).Draw(r, "rows")
		group := rapid.IntRange(1, 50).Draw(r, "group")
		files := write(t, s, table, rows, rowfile.GroupRows(group))
		got := collect(t, rowfile.Scan[T](t.Context(), s, table, files))
		if d := cmp.Diff(rows, got, equal); d != "" {
			r.Fatal(d)
		}
		if again := write(t, s, table, rows, rowfile.GroupRows(group)); !cmp.Equal(files, again) {
			r.Fatalf("the same rows gave %v and %v", files, again)
		}
		var byGroup []T
		groups, err := rowfile.Groups(t.Context(), s, files[0])
		if err != nil {
			r.Fatal(err)
		}
		if want := (len(rows) + group - 1) / group; len(groups) != want {
			r.Fatalf("%d row groups, want %d", len(groups), want)
		}
		for g, n := range groups {
			part := collect(t, rowfile.ScanGroup[T](t.Context(), s, table, files[0], g))
			if int64(len(part)) != n {
				r.Fatalf("row group %d is said to have %d rows, and has %d", g, n, len(part))
			}
			byGroup = append(byGroup, part...)
		}
		if d := cmp.Diff(rows, byGroup, equal); d != "" {
			r.Fatal(d)
		}
	})
}

func TestEveryNounSurvivesScratch(t *testing.T) {
	s := objecttest.Open(t)
	t.Run("events", func(t *testing.T) { survivesScratch(t, s, event) })
	t.Run("runs", func(t *testing.T) { survivesScratch(t, s, stageRun) })
	t.Run("classes", func(t *testing.T) { survivesScratch(t, s, class) })
	t.Run("traits", func(t *testing.T) { survivesScratch(t, s, trait) })
	t.Run("records", func(t *testing.T) { survivesScratch(t, s, record) })
	t.Run("profiles", func(t *testing.T) { survivesScratch(t, s, profile) })
}

func survivesScratch[T any](t *testing.T, s *object.Store, gen *rapid.Generator[T]) {
	type wrapped struct {
		Partition int32 `parquet:"partition"`
		Row       T     `parquet:"row"`
	}
	rapid.Check(t, func(r *rapid.T) {
		groups := rapid.SliceOfN(rapid.SliceOfN(gen, 0, 20), 1, 4).Draw(r, "groups")
		w, err := rowfile.NewScratchWriter[wrapped](t.Context(), s, "scratch/one", 0)
		if err != nil {
			r.Fatal(err)
		}
		want := make([][]wrapped, len(groups))
		for i, g := range groups {
			for _, row := range g {
				want[i] = append(want[i], wrapped{int32(i), row})
			}
			if err := w.WriteGroup(want[i]); err != nil {
				r.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			r.Fatal(err)
		}
		for i := range want {
			got, err := rowfile.ReadGroup[wrapped](t.Context(), s, "scratch/one", i)
			if err != nil {
				r.Fatal(err)
			}
			if d := cmp.Diff(want[i], got, equal); d != "" {
				r.Fatalf("group %d: %s", i, d)
			}
		}
	})
}

func write[T any](t testing.TB, s *object.Store, table schema.Table, rows []T, opts ...rowfile.Option) []weir.DataFile {
	t.Helper()
	w, err := rowfile.NewTableWriter[T](t.Context(), s, table, "a/b", opts...)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	files, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func collect[T any](t testing.TB, rows func(yield func(T, error) bool)) []T {
	t.Helper()
	var out []T
	for r, err := range rows {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}
