package resolve_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve"
	"github.com/weir-cdp/weir/pipelines/resolve/index"
)

// TestPeopleIncrement prints what increments of 0.1, 1 and 10 % cost beside full runs
// of the same records, on the people of WEIR_PEOPLE.
func TestPeopleIncrement(t *testing.T) {
	dir := os.Getenv("WEIR_PEOPLE")
	if dir == "" {
		t.Skip("set WEIR_PEOPLE to a folder of generated people to run this")
	}
	def := weir.IdentityDef{Kind: weir.Person, Model: &weir.ModelDef{Auto: true}, Identifiers: map[string]weir.IdentifierRule{
		"email": {Limit: 5, NoLink: true}, "phone": {NoLink: true}}, Order: []string{"email", "phone"}}
	l := newLake(t, def, "given_name", "family_name", "birth_date", "street", "city", "postcode", "country", "customer_id")
	rows := readAll[generated](t, filepath.Join(dir, "people.parquet"))
	known := len(rows) * 89 / 100
	var files []weir.DataFile
	for p := range 8 {
		files = append(files, l.peopleFile(rows[p*known/8:(p+1)*known/8])...)
	}
	const key = "models/person/x.json"
	training := resolve.TrainParams{Identity: []weir.IdentityDef{def}, Models: []resolve.ModelRef{{Kind: weir.Person, Key: key}}, Records: int64(known), Seed: 1}
	l.run1(resolve.Training, weir.Train, training, files, 1)
	l.params.Identity, l.params.Models = training.Identity, training.Models

	n := 0
	run := func(what string, p pipelines.Pipeline, params any, files []weir.DataFile, prior weir.Manifest) weir.Manifest {
		t.Helper()
		n++
		base := fmt.Sprintf("large/%d/", n)
		data, err := json.Marshal(params)
		if err != nil {
			t.Fatal(err)
		}
		spec := pipelines.Spec{Run: weir.Run{Workspace: "shop", ID: "large", Now: time.Unix(0, 0).UTC()}, Stage: p.Stage, Schemas: l.tables,
			Params: data, Partitions: pipelines.Partitions(int64(len(rows))), Scratch: base + "scratch", Manifest: base + "manifest.json",
			Inputs: map[string][]weir.DataFile{"core.records": files}}
		for _, tf := range prior.Tables {
			if tf.Table == "identity.links" && p.Stage == weir.Resolve || tf.Table == "identity.identifiers" && p.Stage == weir.Resolve || tf.Table == "identity.models" {
				spec.Inputs[tf.Table] = tf.Files
			}
		}
		if err := pipelines.WriteSpec(t.Context(), l.store, base+"spec.json", &spec); err != nil {
			t.Fatal(err)
		}
		cpu, start := cpuTime(t), time.Now()
		m, err := pipelines.RunLocal(t.Context(), l.store, base+"spec.json", p, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%-16s %6.2f s CPU, %6.2f s wall, peak %s, new %d, touched %d, compared %d, anchors %d, blocks %d", what, (cpuTime(t) - cpu).Seconds(), time.Since(start).Seconds(), peak(),
			m.Counts["records_new"], m.Counts["records_touched"], m.Counts["pairs_compared"], m.Counts["anchors_touched"], m.Counts["blocks_touched"])
		return m
	}
	keep := &pipelines.Keep{Prefix: "index/base/", Basis: "x"}
	params := l.params
	run("full, no index", resolve.Pipeline, params, files, weir.Manifest{})
	params.Keep = keep
	base := run("full", resolve.Pipeline, params, files, weir.Manifest{})
	data, err := l.store.ReadFile(t.Context(), pipelines.IndexManifest(keep.Prefix))
	if err != nil {
		t.Fatal(err)
	}
	m, err := index.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, share := range []int{1, 10, 100} {
		more := append(files[:8:8], l.peopleFile(rows[known:known+len(rows)*share/1000])...)
		p := resolve.IncrementParams{Params: l.params}
		p.Keep = &pipelines.Keep{Prefix: fmt.Sprintf("index/%d/", share), Basis: "x", From: pipelines.IndexManifest(keep.Prefix)}
		read, lost := m.Changes(more)
		p.Lost = lost
		for _, tf := range base.Tables {
			if tf.Table == "identity.identifiers" {
				p.Owners = tf.Files
			}
		}
		got := run(fmt.Sprintf("%.1f %% new", float64(share)/10), resolve.Increment, p, read, base)
		want := run("full of the same", resolve.Pipeline, l.params, more, base)
		compareRows[weir.Link](l, want, got, "identity.links")
		compareRows[weir.Edge](l, want, got, "identity.edges")
		compareRows[weir.IdentifierOwner](l, want, got, "identity.identifiers")
		compareRows[weir.Merge](l, want, got, "identity.merges")
		compareRows[weir.Candidate](l, want, got, "identity.candidates")
	}
}

func cpuTime(t testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (l *lake) peopleFile(rows []generated) []weir.DataFile {
	l.t.Helper()
	w, err := rowfile.NewTableWriter[weir.Record](l.t.Context(), l.store, l.tables["core.records"], fmt.Sprint("part", rows[0].RecordID))
	if err != nil {
		l.t.Fatal(err)
	}
	for i := range rows {
		if err := w.Write(rows[i].record()); err != nil {
			l.t.Fatal(err)
		}
	}
	files, err := w.Close()
	if err != nil {
		l.t.Fatal(err)
	}
	return files
}
