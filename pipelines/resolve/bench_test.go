package resolve_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/lakehouse/object/objecttest"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve"
)

// lake runs the stage on rows and keeps its tables as the next run's prior.
type lake struct {
	t       testing.TB
	store   *object.Store
	tables  map[string]schema.Table
	params  resolve.Params
	files   int // into how many files the records go
	order   *rand.Rand
	budget  int // of the training sample; 0: the default
	run     int
	prior   map[string][]weir.DataFile
	merges  []weir.Merge
	records map[string]weir.Record
	events  []weir.Event
	consent []weir.Consent
}

func newLake(t testing.TB, person weir.IdentityDef, attributes ...string) *lake {
	person.Kind = weir.Person
	types := map[string]weir.AttributeType{}
	for _, a := range attributes {
		types[a] = weir.Text
	}
	l := &lake{t: t, store: objecttest.Open(t), tables: map[string]schema.Table{}, files: 1,
		params: resolve.Params{Identity: []weir.IdentityDef{person}},
		prior:  map[string][]weir.DataFile{}, records: map[string]weir.Record{}}
	for _, d := range schema.Fixed() {
		l.tables[d.Name] = d.WithIDs()
	}
	l.tables["core.records"] = schema.Records(types).WithIDs()
	return l
}

// add tells of a record: its key, then kind=value of identifiers and
// @attribute=value.
func (l *lake) add(key string, fields ...string) { l.addTo(weir.Person, key, fields...) }

func (l *lake) addTo(kind weir.Kind, key string, fields ...string) {
	r := weir.Record{ID: "crm/contacts/" + key, Kind: kind, Source: "crm", Stream: "contacts",
		Attributes: map[string]string{}, Identifiers: weir.Identifiers{}}
	for _, f := range fields {
		k, v, _ := strings.Cut(f, "=")
		if a, ok := strings.CutPrefix(k, "@"); ok {
			r.Attributes[a] = v
		} else {
			r.Identifiers.Add(k, v)
		}
	}
	l.records[r.ID] = r
}

func (l *lake) event(fields ...string) {
	e := weir.Event{ID: fmt.Sprintf("web/events/%d", len(l.events)), Name: "Page", OccurredAt: time.Unix(0, 0).UTC(), Identifiers: weir.Identifiers{}}
	for _, f := range fields {
		k, v, _ := strings.Cut(f, "=")
		e.Identifiers.Add(k, v)
	}
	l.events = append(l.events, e)
}

// result is what one run says.
type result struct {
	weir.Manifest
	links       map[string]string // by record key
	identifiers map[string]string // by kind=value; "?" when ambiguous
	edges       []weir.Edge
	merges      []weir.Merge // of this run
	quarantine  []weir.Quarantined
}

func (l *lake) resolve() result {
	l.t.Helper()
	var recs []weir.Record
	for _, r := range l.records {
		recs = append(recs, r)
	}
	slices.SortFunc(recs, func(a, b weir.Record) int { return strings.Compare(a.ID, b.ID) })
	if l.order != nil {
		l.order.Shuffle(len(recs), func(a, b int) { recs[a], recs[b] = recs[b], recs[a] })
		l.order.Shuffle(len(l.events), func(a, b int) { l.events[a], l.events[b] = l.events[b], l.events[a] })
	}
	l.run++
	base := fmt.Sprintf("runs/%d/", l.run)
	params, err := json.Marshal(l.params)
	if err != nil {
		l.t.Fatal(err)
	}
	spec := pipelines.Spec{
		Run:   weir.Run{Workspace: "shop", ID: weir.RunID(fmt.Sprintf("run-%03d", l.run)), Now: time.Unix(int64(1000+l.run), 0).UTC()},
		Stage: weir.Resolve, Schemas: l.tables, Params: params, Partitions: 3, Scratch: base + "scratch", Manifest: base + "manifest.json",
		Inputs: map[string][]weir.DataFile{
			"core.records":  write(l, "core.records", l.files, recs),
			"core.events":   write(l, "core.events", 1, l.events),
			"core.consents": write(l, "core.consents", 1, l.consent),
		},
	}
	for table, files := range l.prior {
		spec.Inputs[table] = files
	}
	if err := pipelines.WriteSpec(l.t.Context(), l.store, base+"spec.json", &spec); err != nil {
		l.t.Fatal(err)
	}
	m, err := pipelines.RunLocal(l.t.Context(), l.store, base+"spec.json", resolve.Pipeline, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	return l.read(m)
}

func write[T any](l *lake, table string, files int, rows []T) []weir.DataFile {
	l.t.Helper()
	var out []weir.DataFile
	for i := range files {
		w, err := rowfile.NewTableWriter[T](l.t.Context(), l.store, l.tables[table], "")
		if err != nil {
			l.t.Fatal(err)
		}
		for j := i; j < len(rows); j += files {
			if err := w.Write(rows[j]); err != nil {
				l.t.Fatal(err)
			}
		}
		fs, err := w.Close()
		if err != nil {
			l.t.Fatal(err)
		}
		out = append(out, fs...)
	}
	return out
}

func scan[T any](l *lake, m weir.Manifest, table string) []T {
	l.t.Helper()
	var rows []T
	for _, tf := range m.Tables {
		if tf.Table != table {
			continue
		}
		for row, err := range rowfile.Scan[T](l.t.Context(), l.store, l.tables[table], tf.Files) {
			if err != nil {
				l.t.Fatal(err)
			}
			rows = append(rows, row)
		}
	}
	return rows
}

func (l *lake) read(m weir.Manifest) result {
	l.t.Helper()
	r := result{Manifest: m, links: map[string]string{}, identifiers: map[string]string{},
		edges: scan[weir.Edge](l, m, "identity.edges"), merges: scan[weir.Merge](l, m, "identity.merges"),
		quarantine: scan[weir.Quarantined](l, m, "ops.quarantine")}
	for _, k := range scan[weir.Link](l, m, "identity.links") {
		r.links[strings.TrimPrefix(k.RecordID, "crm/contacts/")] = k.ProfileID
	}
	for _, o := range scan[weir.IdentifierOwner](l, m, "identity.identifiers") {
		if o.Ambiguous != (o.ProfileID == "") {
			l.t.Fatalf("%s of %q is ambiguous: %v", o.Kind, o.ProfileID, o.Ambiguous)
		}
		r.identifiers[o.Kind+"="+o.Value] = o.ProfileID
		if o.Ambiguous {
			r.identifiers[o.Kind+"="+o.Value] = "?"
		}
	}
	for _, tf := range m.Tables {
		switch tf.Table {
		case "identity.merges", "identity.moves":
			l.prior[tf.Table] = append(l.prior[tf.Table], tf.Files...)
		case "identity.links", "identity.identifiers":
			l.prior[tf.Table] = tf.Files
		}
	}
	l.merges = append(l.merges, r.merges...)
	return r
}

// same asserts which of the keys are one profile: "a b | c" is two profiles.
func (r result) same(t testing.TB, want string) {
	t.Helper()
	var profiles []string
	for _, part := range strings.Split(want, "|") {
		keys := strings.Fields(part)
		for _, k := range keys {
			if r.links[k] == "" || r.links[k] != r.links[keys[0]] {
				t.Fatalf("%s is in %q, %s in %q", k, r.links[k], keys[0], r.links[keys[0]])
			}
		}
		if slices.Contains(profiles, r.links[keys[0]]) {
			t.Fatalf("%s is with others in %s: want %s", keys[0], r.links[keys[0]], want)
		}
		profiles = append(profiles, r.links[keys[0]])
	}
}

// files lists a table's files, named by content.
func (r result) files(table string) (paths []string) {
	for _, tf := range r.Tables {
		if tf.Table == table {
			for _, f := range tf.Files {
				paths = append(paths, f.Path)
			}
		}
	}
	return paths
}
