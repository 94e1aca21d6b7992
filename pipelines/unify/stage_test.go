package unify

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/lakehouse/object/objecttest"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/unify/survivorship"
)

var (
	now        = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	attributes = map[string]weir.AttributeType{"name": weir.Text, "points": weir.Number, "birth_date": weir.Date, "street": weir.Text, "city": weir.Text}
	identity   = []weir.IdentityDef{
		{Kind: weir.Person, Survivorship: weir.Survivorship{Fields: map[string][]string{"name": {"source(crm)", "longest"}}, Groups: map[string][]string{"address": {"street", "city"}}}},
		{Kind: weir.Account, Survivorship: weir.Survivorship{Default: []string{"first"}}},
	}
)

type world struct {
	records []weir.Record
	links   []weir.Link
	owners  []weir.IdentifierOwner
}

// newWorld has 300 records of 100 profiles, some of them accounts, two records
// without a link, and identifiers that no record holds.
func newWorld() world {
	var w world
	for i := range 302 {
		r := weir.Record{ID: fmt.Sprintf("%s/c/%03d", []string{"crm", "shop", "web"}[i%3], i), Kind: weir.Person, Source: []string{"crm", "shop", "web"}[i%3], Stream: "c",
			Attributes: map[string]string{"name": fmt.Sprint("n", i%7), "points": fmt.Sprintf("%d.5", i)}, Identifiers: weir.Identifiers{"email": {fmt.Sprint("e", i/2)}}}
		if i/3%10 == 9 {
			r.Kind = weir.Account
		}
		if i%4 > 0 {
			r.ObservedAt = now.Add(-time.Duration(i*7919%1000) * time.Hour)
		}
		if i%5 == 0 {
			r.Attributes["street"], r.Attributes["birth_date"] = fmt.Sprint(i, " street"), "1990-05-10"
		}
		if i%7 == 0 {
			r.Attributes["city"] = fmt.Sprint("city", i)
		}
		w.records = append(w.records, r)
		if i < 300 {
			w.links = append(w.links, weir.Link{RecordID: r.ID, ProfileID: fmt.Sprintf("p%03d", i/3)})
		}
	}
	w.owners = []weir.IdentifierOwner{
		{Kind: "anonymous_id", Value: "known", ProfileID: "p007"},
		{Kind: "anonymous_id", Value: "lonely", ProfileID: "q1"}, {Kind: "email", Value: "lonely@x", ProfileID: "q1"},
		{Kind: "email", Value: "shared", Ambiguous: true},
	}
	return w
}

func write[T any](t *testing.T, s *object.Store, d schema.Table, rows []T, perFile int) (files []weir.DataFile) {
	t.Helper()
	for chunk := range slices.Chunk(rows, perFile) {
		w, err := rowfile.NewTableWriter[T](t.Context(), s, d, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range chunk {
			if err := w.Write(row); err != nil {
				t.Fatal(err)
			}
		}
		written, err := w.Close()
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, written...)
	}
	return files
}

var secrets = map[string]string{LineageSecret: "pepper"}

func run(t *testing.T, s *object.Store, w world, partitions, perFile int, name string, secrets map[string]string) (weir.Manifest, map[string]schema.Table, error) {
	t.Helper()
	text, err := json.Marshal(Params{Identity: identity, AttributeTypes: attributes})
	if err != nil {
		t.Fatal(err)
	}
	d := map[string]schema.Table{}
	for _, fixed := range schema.Fixed() {
		d[fixed.Name] = fixed.WithIDs()
	}
	d["core.records"], d["core.profiles"] = schema.Records(attributes).WithIDs(), schema.Profiles(attributes).WithIDs()
	spec := pipelines.Spec{
		Run: weir.Run{Workspace: "shop", ID: "r1", Now: now}, Stage: weir.Unify, Schemas: d, Params: text, Partitions: partitions,
		Scratch: "scratch/" + name, Manifest: "runs/" + name + "/manifest.json",
		Inputs: map[string][]weir.DataFile{
			"core.records":         write(t, s, d["core.records"], w.records, perFile),
			"identity.links":       write(t, s, d["identity.links"], w.links, perFile),
			"identity.identifiers": write(t, s, d["identity.identifiers"], w.owners, perFile),
		},
	}
	key := "runs/" + name + "/spec.json"
	if err := pipelines.WriteSpec(t.Context(), s, key, &spec); err != nil {
		t.Fatal(err)
	}
	m, err := pipelines.RunLocal(t.Context(), s, key, Pipeline, secrets)
	return m, d, err
}

func rows[T any](t *testing.T, s *object.Store, m weir.Manifest, d map[string]schema.Table, table string, order func(a, b T) int) (out []T) {
	t.Helper()
	for _, tf := range m.Tables {
		if tf.Table != table {
			continue
		}
		if !tf.Replace {
			t.Errorf("%s is not replaced", table)
		}
		for _, f := range tf.Files {
			var file []T
			for row, err := range rowfile.Scan[T](t.Context(), s, d[table], []weir.DataFile{f}) {
				if err != nil {
					t.Fatal(err)
				}
				file = append(file, row)
			}
			if !slices.IsSortedFunc(file, order) {
				t.Errorf("a file of %s is not sorted", table)
			}
			out = append(out, file...)
		}
	}
	slices.SortFunc(out, order)
	return out
}

func byProfile(a, b weir.Profile) int { return cmp.Compare(a.ID, b.ID) }

func byField(a, b weir.Lineage) int {
	return cmp.Or(cmp.Compare(a.ProfileID, b.ProfileID), cmp.Compare(a.Field, b.Field))
}

// expected makes the profiles without partitions.
func expected(t *testing.T, w world) (profiles []weir.Profile, lineage []weir.Lineage) {
	t.Helper()
	for i := range 100 {
		id := fmt.Sprintf("p%03d", i)
		kind := 0
		if i%10 == 9 {
			kind = 1
		}
		rules, err := survivorship.Compile(identity[kind].Survivorship, []byte("pepper"))
		if err != nil {
			t.Fatal(err)
		}
		p, l := rules.Golden(id, w.records[3*i:3*i+3])
		if id == "p007" {
			p.Identifiers["anonymous_id"] = []string{"known"}
		}
		profiles, lineage = append(profiles, p), append(lineage, l...)
	}
	return append(profiles, weir.Profile{ID: "q1", Kind: weir.Anonymous, Attributes: map[string]string{},
		Identifiers: weir.Identifiers{"anonymous_id": {"lonely"}, "email": {"lonely@x"}}}), lineage
}

func TestStage(t *testing.T) {
	s := objecttest.Open(t)
	w := newWorld()
	m, d, err := run(t, s, w, 4, 50, "a", secrets)
	if err != nil {
		t.Fatal(err)
	}
	wantProfiles, wantLineage := expected(t, w)
	profiles, lineage := rows(t, s, m, d, "core.profiles", byProfile), rows(t, s, m, d, "core.lineage", byField)
	if len(profiles) != len(wantProfiles) {
		t.Fatalf("%d profiles, want %d", len(profiles), len(wantProfiles))
	}
	for i, want := range wantProfiles {
		if !reflect.DeepEqual(profiles[i], want) {
			t.Errorf("profile %+v\nwant    %+v", profiles[i], want)
		}
	}
	if !reflect.DeepEqual(lineage, wantLineage) {
		t.Errorf("%d rows of lineage, want %d", len(lineage), len(wantLineage))
	}
	want := map[string]int64{"unlinked": 2, "profiles_person": 90, "profiles_account": 10, "profiles_anonymous": 1}
	for name, n := range want {
		if m.Counts[name] != n {
			t.Errorf("%s: %d, want %d", name, m.Counts[name], n)
		}
	}

	slices.Reverse(w.records)
	slices.Reverse(w.links)
	slices.Reverse(w.owners)
	same, _, err := run(t, s, w, 4, 77, "b", secrets)
	if err != nil || !reflect.DeepEqual(same.Tables, m.Tables) {
		t.Errorf("other input files give other output files (%v)", err)
	}
	one, _, err := run(t, s, w, 1, 1000, "c", secrets)
	if err != nil || !reflect.DeepEqual(rows(t, s, one, d, "core.profiles", byProfile), profiles) {
		t.Errorf("one partition gives other rows (%v)", err)
	}
}

// TestNoSecret: without its secret the stage fails, rather than write hashes
// that anybody can look up.
func TestNoSecret(t *testing.T) {
	s := objecttest.Open(t)
	if _, _, err := run(t, s, newWorld(), 2, 100, "a", nil); err == nil {
		t.Error("unify ran without the lineage secret")
	}
}
