package segment

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object/objecttest"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/segment/index"
)

// inputs writes what has changed.
func (c *chain) inputs() map[string][]weir.DataFile {
	var profiles []weir.Profile
	for _, id := range slices.Sorted(maps.Keys(c.people)) {
		profiles = append(profiles, c.people[id])
	}
	var owners []weir.IdentifierOwner
	for _, k := range slices.SortedFunc(maps.Keys(c.owners), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		owners = append(owners, weir.IdentifierOwner{Kind: k[0], Value: k[1], ProfileID: c.owners[k]})
	}
	if len(c.fresh) > 0 {
		c.events = append(c.events, write(c.t, c.s, c.d["core.events"], c.fresh, 50)...)
		c.fresh = nil
	}
	return map[string][]weir.DataFile{"core.profiles": write(c.t, c.s, c.d["core.profiles"], profiles, 15), "core.events": slices.Clone(c.events),
		"identity.identifiers": write(c.t, c.s, c.d["identity.identifiers"], owners, 30), "identity.merges": write(c.t, c.s, c.d["identity.merges"], c.merges, 100),
		"segment.memberships": c.members}
}

func (c *chain) spec(name string, keep *Keep) pipelines.Spec {
	p := c.params
	p.Keep = keep
	text, err := json.Marshal(p)
	if err != nil {
		c.t.Fatal(err)
	}
	at := fmt.Sprintf("%s/%d/%s", c.name, c.runs, name)
	return pipelines.Spec{Run: weir.Run{Workspace: "shop", ID: weir.RunID(fmt.Sprint("r", c.runs)), Now: c.now}, Stage: weir.Segment, Schemas: c.d, Params: text,
		Partitions: 3, Scratch: at + "/scratch", Manifest: at + "/manifest.json"}
}

func (c *chain) run(p pipelines.Pipeline, spec pipelines.Spec) (weir.Manifest, error) {
	key := spec.Manifest + ".spec"
	if err := pipelines.WriteSpec(c.t.Context(), c.s, key, &spec); err != nil {
		c.t.Fatal(err)
	}
	return pipelines.RunLocal(c.t.Context(), c.s, key, p, nil)
}

// step runs once, in the way that is possible, and compares with a run from scratch.
func (c *chain) step() (weir.Manifest, string) {
	c.t.Helper()
	c.runs++
	c.params.PriorNow = c.priorAt
	in := c.inputs()
	scratch := c.spec("scratch", nil)
	scratch.Inputs = in
	want, err := c.run(Pipeline, scratch)
	if err != nil {
		c.t.Fatal(err)
	}
	k := &Keep{Keep: pipelines.Keep{Prefix: fmt.Sprintf("%s/index/%d/", c.name, c.runs), Basis: "b", From: c.index}, Traits: c.traits}
	full := c.spec("full", k)
	full.Inputs = in
	got, way := c.increase(full)
	if way != "increment" {
		c.since = 0
		if got, err = c.run(Pipeline, full); err != nil {
			c.t.Fatal(err)
		}
	}
	c.ways[way]++
	for name, n := range got.Counts {
		if way == "increment" {
			c.counts[name] += n
		}
	}
	if !reflect.DeepEqual(got.Tables, want.Tables) {
		c.t.Errorf("%s, run %d at %s went the way %q, and its files are not those of a run from scratch", c.name, c.runs, c.now, way)
		c.differ(got, want)
		c.t.FailNow()
	}
	c.index, c.traits, c.members = pipelines.IndexManifest(k.Prefix), filesOf(got, "core.traits"), filesOf(got, "segment.memberships")
	if c.params.PriorDigests, err = c.params.Digests(); err != nil {
		c.t.Fatal(err)
	}
	return got, way
}

func (c *chain) increase(full pipelines.Spec) (weir.Manifest, string) {
	if c.index == "" {
		return weir.Manifest{}, "no_index"
	}
	data, err := c.s.ReadFile(c.t.Context(), c.index)
	if err != nil {
		c.t.Fatal(err)
	}
	m, err := index.Parse(data)
	if err != nil {
		c.t.Fatal(err)
	}
	if c.since++; m.Increments != c.since-1 {
		c.t.Fatalf("%d increments since the last full run, the index has %d", c.since-1, m.Increments)
	}
	worn := *m
	worn.Increments = MostIncrements
	if _, why, err := GoOn(&worn, &full, 1<<62); err != nil || why != "index_worn" {
		c.t.Fatalf("after %d increments: %q, %v", MostIncrements, why, err)
	}
	spec, why, err := GoOn(m, &full, 30*24*time.Hour)
	if err != nil {
		c.t.Fatal(err)
	}
	if why != "" {
		return weir.Manifest{}, why
	}
	spec.Scratch, spec.Manifest = full.Scratch+"-increment", full.Manifest+"-increment"
	out, err := c.run(Increment, spec)
	if err == nil {
		return out, "increment"
	}
	data, missing := c.s.ReadFile(c.t.Context(), pipelines.RefusedKey(fmt.Sprintf("%s/index/%d/", c.name, c.runs)))
	if missing != nil {
		c.t.Fatal(err)
	}
	return weir.Manifest{}, string(data)
}

func filesOf(m weir.Manifest, table string) []weir.DataFile {
	for _, t := range m.Tables {
		if t.Table == table {
			return t.Files
		}
	}
	return nil
}

// differ tells the rows in which two manifests differ.
func (c *chain) differ(got, want weir.Manifest) {
	c.t.Helper()
	told := func(table string, got, want []string) {
		for _, row := range got {
			if !slices.Contains(want, row) {
				c.t.Errorf("%s has %s", table, row)
			}
		}
		for _, row := range want {
			if !slices.Contains(got, row) {
				c.t.Errorf("%s lacks %s", table, row)
			}
		}
	}
	told("core.traits", printed(rows(c.t, c.s, got, c.d, "core.traits", byTrait)), printed(rows(c.t, c.s, want, c.d, "core.traits", byTrait)))
	told("segment.memberships", printed(rows(c.t, c.s, got, c.d, "segment.memberships", byMember)), printed(rows(c.t, c.s, want, c.d, "segment.memberships", byMember)))
	for i, tf := range want.Tables {
		if i < len(got.Tables) && !reflect.DeepEqual(tf, got.Tables[i]) {
			c.t.Errorf("wanted %+v, got %+v", tf, got.Tables[i])
		}
	}
	told("segment.changes", printed(rows(c.t, c.s, got, c.d, "segment.changes", byChange)), printed(rows(c.t, c.s, want, c.d, "segment.changes", byChange)))
}

func printed[T any](rows []T) (out []string) {
	for _, r := range rows {
		out = append(out, fmt.Sprintf("%+v", r))
	}
	return out
}

// TestIncrementsGiveWhatFullRunsGive: random shops over random clocks; the files of
// every increment are those of a run from scratch, byte for byte.
func TestIncrementsGiveWhatFullRunsGive(t *testing.T) {
	if _, err := time.LoadLocation("Europe/Paris"); err != nil {
		t.Skipf("no time zones on this machine, install tzdata: %v", err)
	}
	s := objecttest.Open(t)
	few, kept := fewRows, keptBytes
	defer func() { fewRows, keptBytes = few, kept }()
	ways, counts := map[string]int64{}, map[string]int64{}
	for seed := range uint64(24) {
		if fewRows, keptBytes = few, kept; seed%2 == 0 {
			fewRows, keptBytes = int(seed%5), 1000
		}
		c := newChain(t, s, seed)
		c.step()
		c.spoil()
		for range 7 {
			c.happen()
			c.step()
		}
		for way, n := range c.ways {
			ways[way] += n
		}
		for name, n := range c.counts {
			counts[name] += n
		}
	}
	t.Log(ways, counts)
	if ways["increment"] < 70 || ways[refusedIdentifiers] == 0 || ways[refusedProfile] == 0 || ways["index_old"] == 0 {
		t.Errorf("the runs went %v", ways)
	}
	if counts["computed"] == 0 || counts["kept"] < counts["computed"]/4 || counts["entered"] == 0 || counts["exited"] == 0 || counts["profiles_gone"] == 0 {
		t.Errorf("increments counted %v", counts)
	}
}
