package segment

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
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
	"github.com/weir-cdp/weir/pipelines/segment/tally"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func compare(op string, v ...string) []weir.Comparison { return []weir.Comparison{{Op: op, Values: v}} }

func testParams() Params {
	order := weir.Condition{IsEvent: true, Event: "Order Completed", Within: 30 * 24 * time.Hour}
	p := Params{
		Segments: []weir.SegmentDef{
			{Name: "recent", Where: order},
			{Name: "quiet_french", Where: weir.Condition{All: []weir.Condition{
				{Attribute: "country", Compare: compare("is", "FR")}, {None: []weir.Condition{order}}}}},
			{Name: "worth", Where: weir.Condition{Trait: "ltv", Compare: compare("at_least", "100")}},
			{Name: "firms", Of: weir.Account, Where: weir.Condition{None: []weir.Condition{{Attribute: "country", Compare: compare("is", "XX")}}}},
			{Name: "typo", Where: weir.Condition{Attribute: "contry", Compare: compare("is", "FR"), At: "segments/typo.yaml:3"}},
		},
		Traits: []weir.TraitDef{
			{Name: "ltv", Aggregate: "sum", Field: "properties.revenue", Event: "Order Completed"},
			{Name: "last_product", Aggregate: "last", Field: "properties.product"},
		},
		IdentifierOrder: []string{"customer_id", "email"},
		AttributeTypes:  map[string]weir.AttributeType{"country": weir.Text},
		PriorNow:        now.AddDate(0, 0, -1),
	}
	p.PriorDigests = tally.Digests(p.Definitions(), nil, nil)
	p.PriorDigests["worth"] = "of another definition"
	return p
}

// world is the input of one run.
type world struct {
	profiles []weir.Profile
	events   []weir.Event
	owners   []weir.IdentifierOwner
	prior    []weir.Membership
	merges   []weir.Merge
	links    []weir.AccountLink
	answers  []weir.TraitValue // of queries
}

func newWorld() world {
	r := rand.New(rand.NewPCG(11, 12))
	var w world
	for i := range 120 {
		id := fmt.Sprintf("p%03d", i)
		p := weir.Profile{ID: id, Kind: []weir.Kind{weir.Person, weir.Person, weir.Person, weir.Account, weir.Anonymous}[i%5],
			Attributes: map[string]string{}, Identifiers: weir.Identifiers{}, Records: 1}
		if c := []string{"FR", "DE", ""}[r.IntN(3)]; c != "" {
			p.Attributes["country"] = c
		}
		w.profiles = append(w.profiles, p)
		for _, kind := range []string{"customer_id", "email", "zz_cookie"} {
			o := weir.IdentifierOwner{Kind: kind, Value: fmt.Sprint(kind, i), ProfileID: id}
			if r.IntN(6) == 0 {
				o.ProfileID, o.Ambiguous = "", true
			}
			w.owners = append(w.owners, o)
		}
		if i%3 == 0 {
			for _, s := range []string{"recent", "worth", "typo", "deleted"} {
				w.prior = append(w.prior, weir.Membership{Segment: s, ProfileID: id, EnteredAt: now.AddDate(0, 0, -i-2)})
			}
		}
	}
	// Two profiles that are gone; one has a successor, found over two merges.
	for _, id := range []string{"gone1", "gone2"} {
		w.prior = append(w.prior, weir.Membership{Segment: "recent", ProfileID: id, EnteredAt: now.AddDate(-1, 0, 0)})
	}
	heir := "p001"
	w.merges = []weir.Merge{{At: now, Change: "merge", From: "between", To: heir}, {At: now, Change: "merge", From: "gone1", To: "between"}}
	w.owners = append(w.owners, weir.IdentifierOwner{Kind: "customer_id", Value: "heir", ProfileID: heir})
	w.events = append(w.events, weir.Event{ID: "heir", Name: "Order Completed", OccurredAt: now, Identifiers: weir.Identifiers{"customer_id": {"heir"}}})
	for i := range 1500 {
		e := weir.Event{ID: fmt.Sprintf("e%05d", i), Name: []string{"Order Completed", "Viewed", "Opened"}[r.IntN(3)],
			OccurredAt: now.Add(-time.Duration(r.IntN(90*24)-24) * time.Hour), ReceivedAt: now, Source: "shop", Stream: "orders", Identifiers: weir.Identifiers{},
			Properties: map[string]string{"revenue": fmt.Sprintf("%d.%02d", r.IntN(40), r.IntN(100)), "product": fmt.Sprint("sku", r.IntN(30)), "unused": "x"}}
		for _, kind := range []string{"customer_id", "email", "zz_cookie"} {
			for range r.IntN(3) {
				e.Identifiers.Add(kind, fmt.Sprint(kind, r.IntN(130)))
			}
		}
		w.events = append(w.events, e)
	}
	return w
}

// write puts rows into table files, about perFile rows in each.
func write[T any](t *testing.T, s *object.Store, d schema.Table, rows []T, perFile int) []weir.DataFile {
	t.Helper()
	var files []weir.DataFile
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

func tables(attributes map[string]weir.AttributeType) map[string]schema.Table {
	out := map[string]schema.Table{}
	for _, d := range schema.Fixed() {
		out[d.Name] = d.WithIDs()
	}
	out["core.profiles"] = schema.Profiles(attributes).WithIDs()
	return out
}

// run executes the stage and returns its manifest.
func run(t *testing.T, s *object.Store, w world, params Params, partitions, perFile int, name string) (weir.Manifest, map[string]schema.Table) {
	t.Helper()
	text, err := json.Marshal(params)
	if err != nil {
		t.Fatal(err)
	}
	d := tables(params.AttributeTypes)
	spec := pipelines.Spec{
		Run: weir.Run{Workspace: "shop", ID: "r1", Now: now}, Stage: weir.Segment, Schemas: d, Params: text, Partitions: partitions,
		Scratch: "scratch/" + name, Manifest: "runs/" + name + "/manifest.json",
		Inputs: map[string][]weir.DataFile{
			"core.profiles":        write(t, s, d["core.profiles"], w.profiles, perFile),
			"core.events":          write(t, s, d["core.events"], w.events, perFile),
			"identity.identifiers": write(t, s, d["identity.identifiers"], w.owners, perFile),
			"identity.merges":      write(t, s, d["identity.merges"], w.merges, perFile),
			"segment.memberships":  write(t, s, d["segment.memberships"], w.prior, perFile),
		},
	}
	if params.Relations() {
		spec.Inputs["identity.accounts"] = write(t, s, d["identity.accounts"], w.links, perFile)
	}
	if len(w.answers) > 0 {
		spec.Inputs["core.traits"] = write(t, s, d["core.traits"], w.answers, perFile)
	}
	key := "runs/" + name + "/spec.json"
	if err := pipelines.WriteSpec(t.Context(), s, key, &spec); err != nil {
		t.Fatal(err)
	}
	m, err := pipelines.RunLocal(t.Context(), s, key, Pipeline, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m, d
}

// rows reads a table of a manifest, and checks that each file is sorted.
func rows[T any](t *testing.T, s *object.Store, m weir.Manifest, d map[string]schema.Table, table string, order func(a, b T) int) []T {
	t.Helper()
	var out []T
	for _, tf := range m.Tables {
		if tf.Table != table {
			continue
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

func byTrait(a, b weir.TraitValue) int {
	return cmp.Or(cmp.Compare(a.ProfileID, b.ProfileID), cmp.Compare(a.Trait, b.Trait))
}

func byMember(a, b weir.Membership) int {
	return cmp.Or(cmp.Compare(a.Segment, b.Segment), cmp.Compare(a.ProfileID, b.ProfileID))
}

func byChange(a, b weir.MembershipChange) int {
	return cmp.Or(cmp.Compare(a.Segment, b.Segment), cmp.Compare(a.ProfileID, b.ProfileID))
}

// expected computes traits and matches without partitions.
func expected(t *testing.T, w world, params Params) (traits []weir.TraitValue, matches map[string]bool) {
	t.Helper()
	plan, _, err := tally.New(params.Definitions())
	if err != nil {
		t.Fatal(err)
	}
	owner := map[string]string{}
	for _, o := range w.owners {
		owner[o.Kind+" "+o.Value] = o.ProfileID
	}
	states, asked := map[string]*tally.State{}, map[string]*tally.State{} // asked: as linked profiles
	for _, p := range w.profiles {
		states[p.ID] = plan.NewState()
		if plan.Relations() {
			asked[p.ID] = plan.Related().NewState()
		}
	}
	for i := range w.events {
		e := &w.events[i]
		profile := ""
		for _, kind := range []string{"customer_id", "email", "zz_cookie"} { // strongest first
			for _, v := range e.Identifiers[kind] {
				if profile == "" {
					profile = owner[kind+" "+v]
				}
			}
		}
		if states[profile] != nil {
			cut := plan.Event(e)
			plan.Add(states[profile], &cut, now)
			if plan.Relations() {
				cut = plan.Related().Event(e)
				plan.Related().Add(asked[profile], &cut, now)
			}
		}
	}
	for _, a := range w.answers {
		n, _ := value.ParseNumber(a.Number)
		if states[a.ProfileID] != nil {
			plan.Give(states[a.ProfileID], plan.Given(a.Trait), value.OfNumber(n))
		}
		if asked[a.ProfileID] != nil {
			plan.Related().Give(asked[a.ProfileID], plan.Related().Given(a.Trait), value.OfNumber(n))
		}
	}
	w.relate(plan, states, asked)
	matches = map[string]bool{}
	for i := range w.profiles {
		p := &w.profiles[i]
		out := plan.Outcome(p, states[p.ID], now)
		traits = append(traits, out.Traits...)
		for _, s := range out.Segments {
			matches[s+" "+p.ID] = true
		}
	}
	return traits, matches
}

func TestStage(t *testing.T) {
	s := objecttest.Open(t)
	w, params := newWorld(), testParams()
	m, d := run(t, s, w, params, 4, 100, "a")
	wantTraits, matches := expected(t, w, params)
	slices.SortFunc(wantTraits, byTrait)
	traits := rows(t, s, m, d, "core.traits", byTrait)
	if len(traits) < 140 || !reflect.DeepEqual(traits, wantTraits) {
		t.Errorf("%d traits, want %d; first %+v, want %+v", len(traits), len(wantTraits), traits[0], wantTraits[0])
	}
	members := rows(t, s, m, d, "segment.memberships", byMember)
	prior := map[string]time.Time{}
	for _, x := range w.prior {
		prior[x.Segment+" "+x.ProfileID] = x.EnteredAt
		if x.Segment == "typo" {
			matches["typo "+x.ProfileID] = true // kept as it was
		}
	}
	prior["recent p001"] = now.AddDate(-1, 0, 0) // inherited from gone1
	for _, x := range members {
		k := x.Segment + " " + x.ProfileID
		since, was := prior[k]
		if !was {
			since = now
		}
		if !matches[k] || !x.EnteredAt.Equal(since) {
			t.Errorf("%s is a member since %s; matches %v, want since %s", k, x.EnteredAt, matches[k], since)
		}
		delete(matches, k)
	}
	if len(matches) > 0 {
		t.Errorf("not members: %v", matches)
	}
	checkHistory(t, rows(t, s, m, d, "segment.changes", byChange))
	broken := rows(t, s, m, d, "ops.quarantine", func(a, b weir.Quarantined) int { return cmp.Compare(a.Field, b.Field) })
	if len(broken) != 1 || broken[0].Field != "segment typo" || broken[0].Origin != "segments/typo.yaml:3" || !strings.Contains(broken[0].Reason, "did you mean country?") {
		t.Errorf("quarantine %+v", broken)
	}
	if m.Counts["segments_broken"] != 1 || m.Counts["events_later"] == 0 || m.Counts["events_unowned"] == 0 {
		t.Errorf("counts %v", m.Counts)
	}

	// The same rows in other files, another order and other partitions.
	r := rand.New(rand.NewPCG(5, 6))
	r.Shuffle(len(w.events), func(i, j int) { w.events[i], w.events[j] = w.events[j], w.events[i] })
	r.Shuffle(len(w.owners), func(i, j int) { w.owners[i], w.owners[j] = w.owners[j], w.owners[i] })
	r.Shuffle(len(w.prior), func(i, j int) { w.prior[i], w.prior[j] = w.prior[j], w.prior[i] })
	same, _ := run(t, s, w, params, 4, 333, "b")
	if !reflect.DeepEqual(same.Tables, m.Tables) {
		t.Error("other input files give other output files")
	}
	one, _ := run(t, s, w, params, 1, 10_000, "c")
	if !reflect.DeepEqual(rows(t, s, one, d, "core.traits", byTrait), traits) || !reflect.DeepEqual(rows(t, s, one, d, "segment.memberships", byMember), members) {
		t.Error("one partition gives other rows")
	}
}

func checkHistory(t *testing.T, changes []weir.MembershipChange) {
	t.Helper()
	causes := map[string]int{}
	for _, c := range changes {
		if c.RunID != "r1" || !c.At.Equal(now) {
			t.Errorf("change %+v", c)
		}
		causes[c.Segment+" "+c.Change+" "+c.Cause]++
		switch c.Segment + " " + c.ProfileID {
		case "recent gone1", "recent gone2":
			if c.Change != "exit" || c.Cause != "profile" {
				t.Errorf("change %+v", c)
			}
		case "recent p001":
			if c.Change != "enter" || c.Cause != "profile" {
				t.Errorf("change %+v", c)
			}
		}
	}
	for _, want := range []string{"recent enter data", "recent exit data", "recent exit profile", "recent enter profile",
		"worth enter definition", "worth exit definition", "deleted exit definition", "firms enter data"} {
		if causes[want] == 0 {
			t.Errorf("no change %q in %v", want, causes)
		}
	}
	if n := causes["typo exit data"] + causes["typo enter data"] + causes["typo exit definition"]; n > 0 {
		t.Errorf("a broken segment changed: %v", causes)
	}
}

// TestSecondRun: the output as the next run's prior changes nothing.
func TestSecondRun(t *testing.T) {
	s := objecttest.Open(t)
	w, params := newWorld(), testParams()
	first, d := run(t, s, w, params, 3, 500, "first")
	w.prior = rows(t, s, first, d, "segment.memberships", byMember)
	var err error
	if params.PriorDigests, err = params.Digests(); err != nil {
		t.Fatal(err)
	}
	params.PriorNow = now.Add(time.Second) // the merges are settled
	second, _ := run(t, s, w, params, 3, 500, "second")
	if changes := rows(t, s, second, d, "segment.changes", byChange); len(changes) > 0 {
		t.Errorf("nothing new, and yet %d changes: %+v", len(changes), changes[0])
	}
	for i, tf := range second.Tables {
		if tf.Table == "segment.memberships" && !reflect.DeepEqual(tf, first.Tables[i]) {
			t.Error("nothing new, and yet other files")
		}
	}
}

func TestNothing(t *testing.T) {
	s := objecttest.Open(t)
	m, _ := run(t, s, world{}, testParams(), 4, 10, "empty")
	for _, tf := range m.Tables {
		if len(tf.Files) > 0 {
			t.Errorf("files without input: %+v", tf)
		}
	}
	if len(m.Tables) != 5 {
		t.Errorf("tables %+v", m.Tables)
	}
}
