package resolve_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/resolve"
	"github.com/weir-cdp/weir/pipelines/resolve/index"
	"github.com/weir-cdp/weir/pipelines/resolve/stableid"
)

// growing runs a lake's history in increments, beside full runs from the same
// prior tables.
type growing struct {
	*lake
	runs     int
	index    string // key of the manifest of the last index; "" before the first run
	cut      int    // files of core.records
	refused  map[string]int
	touching int64
}

func grow(l *lake) *growing { return &growing{lake: l, cut: 4, refused: map[string]int{}} }

// spec is a run over the lake as it is now.
func (g *growing) spec(kind string) pipelines.Spec {
	run := weir.Run{Workspace: "shop", ID: weir.RunID(fmt.Sprintf("run-%03d", g.runs)), Now: time.Unix(int64(1000+g.runs), 0).UTC()}
	base := fmt.Sprintf("runs/%d/%s/", g.runs, kind)
	cut := 1 + g.runs%3 // as a lake that grows and shrinks has it
	s := pipelines.Spec{Run: run, Stage: weir.Resolve, Schemas: g.tables, Partitions: cut, Scratch: base + "scratch", Manifest: base + "manifest.json",
		Inputs: map[string][]weir.DataFile{"core.events": write(g.lake, "core.events", 1, g.events), "core.consents": write(g.lake, "core.consents", 1, g.consent)}}
	for table, files := range g.prior {
		s.Inputs[table] = files
	}
	s.Inputs["core.records"] = g.recordFiles()
	return s
}

// recordFiles writes each record into a file that its id chooses, so that few
// changes leave most files as they are.
func (g *growing) recordFiles() []weir.DataFile {
	parts := make([][]weir.Record, g.cut)
	for id, r := range g.records {
		h := fnv.New32a()
		h.Write([]byte(id))
		i := int(h.Sum32()) % g.cut
		parts[i] = append(parts[i], r)
	}
	var files []weir.DataFile
	for _, part := range parts {
		slices.SortFunc(part, func(a, b weir.Record) int { return strings.Compare(a.ID, b.ID) })
		files = append(files, write(g.lake, "core.records", 1, part)...)
	}
	return files
}

func (g *growing) local(p pipelines.Pipeline, s pipelines.Spec, params any) (weir.Manifest, error) {
	g.t.Helper()
	data, err := json.Marshal(params)
	if err != nil {
		g.t.Fatal(err)
	}
	s.Params, s.Stage = data, p.Stage
	key := strings.TrimSuffix(s.Manifest, "manifest.json") + "spec.json"
	if err := pipelines.WriteSpec(g.t.Context(), g.store, key, &s); err != nil {
		g.t.Fatal(err)
	}
	return pipelines.RunLocal(g.t.Context(), g.store, key, p, nil)
}

// full runs all of it, leaving an index where told to.
func (g *growing) full(kind string, keep *pipelines.Keep) weir.Manifest {
	g.t.Helper()
	p := g.params
	p.Keep = keep
	m, err := g.local(resolve.Pipeline, g.spec(kind), p)
	if err != nil {
		g.t.Fatal(err)
	}
	return m
}

// increment goes on from the index.
func (g *growing) increment(kind string, keep *pipelines.Keep) (weir.Manifest, error) {
	g.t.Helper()
	s := g.spec(kind)
	data, err := g.store.ReadFile(g.t.Context(), g.index)
	if err != nil {
		g.t.Fatal(err)
	}
	m, err := index.Parse(data)
	if err != nil {
		g.t.Fatal(err)
	}
	p := resolve.IncrementParams{Params: g.params}
	keep.From, p.Keep, s.Partitions = g.index, keep, m.Partitions
	s.Inputs["core.records"], p.Lost = m.Changes(s.Inputs["core.records"])
	delete(s.Inputs, "identity.links")
	if !m.Seen && len(s.Inputs["core.events"])+len(s.Inputs["core.consents"]) == 0 {
		p.Owners = s.Inputs["identity.identifiers"]
		delete(s.Inputs, "identity.identifiers")
	}
	if !slices.ContainsFunc(resolve.Increment.Sources, func(table string) bool { return len(s.Inputs[table]) > 0 }) {
		if err := g.store.Put(g.t.Context(), pipelines.RefusedKey(keep.Prefix), strings.NewReader("nothing_to_read"), 15); err != nil {
			g.t.Fatal(err)
		}
		return weir.Manifest{}, weir.Errorf(weir.Conflict, "no source")
	}
	return g.local(resolve.Increment, s, p)
}

// step runs the lake as it is: an increment where one is allowed, beside a full run
// of which it may differ in nothing.
func (g *growing) step() weir.Manifest {
	g.t.Helper()
	g.runs++
	keep := &pipelines.Keep{Prefix: fmt.Sprintf("index/resolve/run-%03d/", g.runs), Basis: "b"}
	want := g.full("full", nil)
	got := want
	again := g.index == ""
	if !again {
		var err error
		if got, err = g.increment("increment", keep); err != nil {
			why, missing := g.store.ReadFile(g.t.Context(), pipelines.RefusedKey(keep.Prefix))
			if missing != nil {
				g.t.Fatal(err)
			}
			g.refused[string(why)]++
			again = true
		}
	}
	if again {
		got = g.full("kept", keep)
	} else {
		g.same(want, got)
		g.repeat(keep, got)
		g.touching += got.Counts["records_touched"]
	}
	g.index = pipelines.IndexManifest(keep.Prefix)
	g.commit(got)
	return got
}

// repeat does an increment again, as after a crash: the same bytes.
func (g *growing) repeat(keep *pipelines.Keep, first weir.Manifest) {
	g.t.Helper()
	state, err := g.store.ReadFile(g.t.Context(), keep.Prefix+"state")
	if err != nil {
		g.t.Fatal(err)
	}
	second, err := g.increment("repeated", keep)
	if err != nil {
		g.t.Fatal(err)
	}
	if d := cmp.Diff(first.Tables, second.Tables); d != "" {
		g.t.Fatalf("the increment was repeated, and gave other files: %s", d)
	}
	if now, err := g.store.ReadFile(g.t.Context(), keep.Prefix+"state"); err != nil || !bytes.Equal(now, state) {
		g.t.Fatalf("the increment was repeated, and left another index: %v", err)
	}
}

func (g *growing) commit(m weir.Manifest) {
	for _, tf := range m.Tables {
		switch tf.Table {
		case "identity.merges", "identity.moves":
			g.prior[tf.Table] = append(slices.Clip(g.prior[tf.Table]), tf.Files...)
		case "identity.links", "identity.identifiers", "identity.models":
			g.prior[tf.Table] = tf.Files
		}
	}
	g.merges = append(g.merges, scan[weir.Merge](g.lake, m, "identity.merges")...)
}

// same compares all tables of two runs, as sets of rows.
func (g *growing) same(want, got weir.Manifest) {
	g.t.Helper()
	compareRows[weir.Link](g.lake, want, got, "identity.links")
	compareRows[weir.Edge](g.lake, want, got, "identity.edges")
	compareRows[weir.IdentifierOwner](g.lake, want, got, "identity.identifiers")
	compareRows[weir.AccountLink](g.lake, want, got, "identity.accounts")
	compareRows[weir.Merge](g.lake, want, got, "identity.merges")
	compareRows[weir.RecordMove](g.lake, want, got, "identity.moves")
	compareRows[weir.Candidate](g.lake, want, got, "identity.candidates")
	compareRows[weir.IdentityModel](g.lake, want, got, "identity.models")
	compareRows[weir.IdentityFigure](g.lake, want, got, "identity.runs")
	compareRows[weir.Quarantined](g.lake, want, got, "ops.quarantine")
}

func compareRows[T any](l *lake, want, got weir.Manifest, table string) {
	l.t.Helper()
	rows := func(m weir.Manifest) (out []string) {
		for _, row := range scan[T](l, m, table) {
			if f, ok := any(row).(weir.IdentityFigure); ok && strings.HasPrefix(f.Measure, "drift_") {
				continue // measured by full runs
			}
			out = append(out, fmt.Sprintf("%+v", row))
		}
		slices.Sort(out)
		return out
	}
	if d := cmp.Diff(rows(want), rows(got)); d != "" {
		l.t.Fatalf("run %s: %s of the increment differs from a full run's:\n%s", got.Run.ID, table, d)
	}
}

// TestIncrementsGiveWhatFullRunsGive: over random histories, each increment's tables
// are those of a full run from the same prior tables.
func TestIncrementsGiveWhatFullRunsGive(t *testing.T) {
	for _, modelled := range []bool{false, true} {
		for seed := range uint64(6) {
			t.Run(fmt.Sprintf("modelled=%v/%d", modelled, seed), func(t *testing.T) {
				r := rand.New(rand.NewPCG(seed, 77))
				g := grow(village(t, modelled))
				const names = 14
				g.params.Decisions = []resolve.Decision{{ID: "d1", Stays: contacts("1", "2"), Moves: contacts("3", "90")}, {ID: "d2", Together: contacts("4", "5", "91")}}
				for i := range 40 {
					villager(g.lake, r, fmt.Sprint(i), names)
				}
				counts := map[string]int64{}
				for range 12 {
					for range 1 + r.IntN(6) {
						key := fmt.Sprint(r.IntN(100))
						switch r.IntN(8) {
						case 0, 1:
							delete(g.records, "crm/contacts/"+key)
						case 2:
							g.addTo(weir.Account, "acc"+key, fmt.Sprintf("account_id=k%d", r.IntN(8)), fmt.Sprintf("domain=x%d.fr", r.IntN(3)))
						case 3:
							if seed%2 == 0 { // without events the way is another
								continue
							}
							g.event(fmt.Sprintf("anonymous_id=a%d", r.IntN(30)), fmt.Sprintf("session_id=s%d", r.IntN(40)), fmt.Sprintf("email=e%d@x0.fr", r.IntN(30)))
						default:
							villager(g.lake, r, key, names)
						}
					}
					for name, n := range g.step().Counts {
						counts[name] += n
					}
				}
				t.Logf("refused %v, hubs %d, refused edges %d, changes of ids %d, compared again %d", g.refused, counts["hubs"], counts["edges_refused"], len(g.merges), counts["records_compared_again"])
				if g.touching == 0 || counts["hubs"] == 0 || len(g.merges) == 0 || modelled && counts["records_compared_again"] == 0 {
					t.Errorf("the history tests little: %v", counts)
				}
			})
		}
	}
}

func contacts(keys ...string) (out []string) {
	for _, k := range keys {
		out = append(out, "crm/contacts/"+k)
	}
	return out
}

// TestTenIncrementsAreOneRun: records that come in ten increments, or all at once,
// under one model are the same partition, and every id that ever was leads to a
// living profile (invariants 4 and 11).
func TestTenIncrementsAreOneRun(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	g, once := grow(village(t, true)), grow(village(t, true))
	g.cut = 8
	for i := range 150 {
		villager(once.lake, r, fmt.Sprint(i), 60)
	}
	for i := range 100 {
		id := fmt.Sprint("crm/contacts/", i)
		g.records[id] = once.records[id]
	}
	g.step()
	ever := map[string]bool{}
	for n := range 10 {
		for i := 100 + 5*n; i < 105+5*n; i++ {
			id := fmt.Sprint("crm/contacts/", i)
			g.records[id] = once.records[id]
		}
		for _, l := range scan[weir.Link](g.lake, g.step(), "identity.links") {
			ever[l.ProfileID] = true
		}
	}
	if len(g.refused) > 0 {
		t.Fatalf("refused: %v", g.refused)
	}
	g.runs++
	once.runs++
	ten := g.full("last", nil)
	parts := func(l *lake, m weir.Manifest) []string {
		of := map[string][]string{}
		for _, k := range scan[weir.Link](l, m, "identity.links") {
			of[k.ProfileID] = append(of[k.ProfileID], k.RecordID)
		}
		var out []string
		for _, ids := range of {
			slices.Sort(ids)
			out = append(out, strings.Join(ids, " "))
		}
		slices.Sort(out)
		return out
	}
	if d := cmp.Diff(parts(once.lake, once.full("once", nil)), parts(g.lake, ten)); d != "" {
		t.Errorf("ten increments are not one run: %s", d)
	}
	if len(scan[weir.Merge](g.lake, ten, "identity.merges")) > 0 {
		t.Error("a full run after the increments changes ids")
	}
	living := map[string]bool{}
	for _, l := range scan[weir.Link](g.lake, ten, "identity.links") {
		living[l.ProfileID] = true
	}
	h := stableid.NewHistory(g.merges)
	for id := range ever {
		if now, alive := h.Resolve(id); alive != living[now] || !alive {
			t.Errorf("%s leads to %q", id, now)
		}
	}
}
