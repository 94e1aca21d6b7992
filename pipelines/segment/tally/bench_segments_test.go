package tally_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/tally"
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// benchFolder is the kit with the hundred segments, beside the repository.
func benchFolder(t testing.TB) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "..", "shared", "bench")
	if _, err := os.Stat(filepath.Join(dir, "segments")); err != nil {
		t.Skipf("the bench kit is not there: put its folder shared/bench beside the repository (%v)", err)
	}
	return dir
}

func load(t testing.TB, dir string, each func(name string, doc map[string]any)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no definitions in %s (%v)", dir, err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var doc map[string]any
		if err := yaml.Unmarshal(data, &doc); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		each(strings.TrimSuffix(filepath.Base(f), ".yaml"), doc)
	}
}

func comparisons(m map[string]any) []weir.Comparison {
	var out []weir.Comparison
	for _, op := range value.Operators() {
		switch v := m[op].(type) {
		case nil:
		case []any:
			c := weir.Comparison{Op: op}
			for _, x := range v {
				c.Values = append(c.Values, fmt.Sprint(x))
			}
			out = append(out, c)
		default:
			out = append(out, weir.Comparison{Op: op, Values: []string{fmt.Sprint(v)}})
		}
	}
	return out
}

func window(t testing.TB, m map[string]any) time.Duration {
	t.Helper()
	s, ok := m["within"].(string)
	if !ok {
		return 0
	}
	span, err := value.ParseSpan(s)
	if err != nil {
		t.Fatal(err)
	}
	return span.Fixed
}

func wheres(m map[string]any) map[string][]weir.Comparison {
	w, _ := m["where"].(map[string]any)
	out := map[string][]weir.Comparison{}
	for p, c := range w {
		out[p] = comparisons(c.(map[string]any))
	}
	return out
}

func conditionOf(t testing.TB, m map[string]any) weir.Condition {
	t.Helper()
	var c weir.Condition
	for word, into := range map[string]*[]weir.Condition{"all": &c.All, "any": &c.Any, "none": &c.None} {
		if list, ok := m[word].([]any); ok {
			for _, x := range list {
				*into = append(*into, conditionOf(t, x.(map[string]any)))
			}
			return c
		}
	}
	c.Attribute, _ = m["attribute"].(string)
	c.Trait, _ = m["trait"].(string)
	if c.Attribute != "" || c.Trait != "" {
		c.Compare = comparisons(m)
		return c
	}
	c.IsEvent, c.Within, c.Where = true, window(t, m), wheres(m)
	c.Event, _ = m["event"].(string)
	if n, ok := m["count"].(map[string]any); ok {
		c.Count = comparisons(n)
	}
	return c
}

func benchDefinitions(t testing.TB) tally.Definitions {
	dir := benchFolder(t)
	d := tally.Definitions{AttributeTypes: map[string]weir.AttributeType{
		"country": weir.Text, "city": weir.Text, "language": weir.Text, "gender": weir.Text, "birth_date": weir.Date, "created_at": weir.Instant,
		"loyalty_tier": weir.Text, "acquisition_channel": weir.Text, "email_domain": weir.Text, "marketing_opt_in": weir.Boolean,
		"points": weir.Number, "has_app": weir.Boolean, "store_id": weir.Text,
	}}
	load(t, filepath.Join(dir, "segments"), func(name string, doc map[string]any) {
		d.Segments = append(d.Segments, weir.SegmentDef{Name: name, Of: weir.Person, Where: conditionOf(t, doc["where"].(map[string]any))})
	})
	load(t, filepath.Join(dir, "traits"), func(name string, doc map[string]any) {
		m := doc["compute"].(map[string]any)
		def := weir.TraitDef{Name: name, Of: weir.Person, Where: wheres(m), Within: window(t, m)}
		def.Event, _ = m["event"].(string)
		for _, how := range []string{"sum", "avg", "min", "max", "count", "distinct", "first", "last"} {
			if f, ok := m[how].(string); ok {
				def.Aggregate, def.Field = how, f
			}
		}
		d.Traits = append(d.Traits, def)
	})
	return d
}

var benchNow = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// shopper draws a profile with the attributes and habits of the kit's generator.
func shopper(g gen, i int) (weir.Profile, []weir.Event) {
	p := weir.Profile{ID: fmt.Sprintf("p%05d", i), Kind: weir.Person, Attributes: map[string]string{}}
	joined := benchNow.Add(-time.Duration(g.IntN(1500*24)) * time.Hour)
	for name, values := range map[string][]string{
		"country": {"FR", "DE", "GB", "BE", "NL", ""}, "city": {"city_000", "city_001", "city_007", ""}, "language": {"fr", "de", "en"},
		"gender": {"female", "male", ""}, "loyalty_tier": {"none", "bronze", "silver", "gold", "platinum"},
		"acquisition_channel": {"organic", "paid_search", "social", ""}, "email_domain": {"gmail.com", "web.de", ""},
		"marketing_opt_in": {"true", "false"}, "has_app": {"true", "false"}, "store_id": {"store_01", ""}, "points": {"0", "100", "350", "500", "1000", "4000"},
	} {
		if v := pick(g, values); v != "" {
			p.Attributes[name] = v
		}
	}
	p.Attributes["created_at"] = joined.Format(time.RFC3339)
	if g.IntN(3) > 0 {
		p.Attributes["birth_date"] = time.Date(1945+g.IntN(62), 1, 1+g.IntN(365), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	}
	var events []weir.Event
	reach := []int{5, 20, 60, 120, 400}[g.IntN(5)]
	viewer, quiet := g.IntN(40) == 0, time.Duration(0)
	if g.IntN(8) == 0 {
		quiet = 200 * 24 * time.Hour
	}
	for j := range []int{0, 2, 10, 30, 120}[g.IntN(5)] {
		e := weir.Event{ID: fmt.Sprintf("e%05d-%03d", i, j), OccurredAt: benchNow.Add(-time.Duration(g.IntN(reach*24*60)) * time.Minute)}
		if g.IntN(3) == 0 {
			e.OccurredAt = benchNow.Add(-time.Duration(g.IntN(reach)) * 24 * time.Hour) // on windows' edges, many at once
		}
		e.Name = pick(g, []string{"Product Viewed", "Product Viewed", "Product Added", "Order Completed", "Order Completed", "Page Viewed", "Email Opened",
			"Email Clicked", "Checkout Started", "Signed In", "Coupon Applied", "Product Reviewed", "Email Unsubscribed", "Order Refunded", "Push Opened"})
		if e.OccurredAt = e.OccurredAt.Add(-quiet); viewer {
			e.Name = "Product Viewed"
		}
		e.Properties = map[string]string{
			"category": pick(g, []string{"shoes", "bags", "kids", "home", "garden", "sport"}), "product": fmt.Sprint("sku_", g.IntN(60)),
			"campaign": fmt.Sprintf("campaign_%02d", g.IntN(12)), "device": pick(g, []string{"mobile", "desktop", "app"}), "quantity": fmt.Sprint(1 + g.IntN(3)),
		}
		if strings.HasPrefix(e.Name, "Order") {
			e.Properties["revenue"] = fmt.Sprintf("%d.%02d", g.IntN([]int{20, 60, 400}[g.IntN(3)]), g.IntN(100))
		}
		events = append(events, e)
	}
	return p, events
}

// TestBenchSegments: the kit's 100 segments and 25 traits over generated
// shoppers, each profile and segment against the plain computation.
func TestBenchSegments(t *testing.T) {
	d := benchDefinitions(t)
	plan, broken, err := tally.New(d)
	if err != nil || len(broken) > 0 {
		t.Fatalf("%v, broken %+v", err, broken)
	}
	if len(d.Segments) != 100 || len(d.Traits) != 25 {
		t.Fatalf("%d segments, %d traits", len(d.Segments), len(d.Traits))
	}
	g := gen{rand.New(rand.NewPCG(100, 25)), benchNow}
	sizes := map[string]int{}
	const people = 2000
	var crowd []person
	for i := range people {
		w := world{traits: map[string]weir.TraitDef{}, types: d.AttributeTypes, now: benchNow, zone: time.UTC}
		w.profile, w.events = shopper(g, i)
		for _, def := range d.Traits {
			w.traits[def.Name] = def
		}
		state := plan.NewState()
		for j := range w.events {
			e := plan.Event(&w.events[j])
			plan.Add(state, &e, benchNow)
		}
		out := plan.Outcome(&w.profile, state, benchNow)
		crowd = append(crowd, person{w.profile, w.events})
		checkTraits(t, w, d, out, nil)
		for _, s := range d.Segments {
			want := w.holds(s.Where)
			if got := contains(out.Segments, s.Name); got != want {
				t.Fatalf("%s of %s: got %v, want %v\n%+v", s.Name, w.profile.ID, got, want, w.events)
			}
			if want {
				sizes[s.Name]++
			}
		}
	}
	checkCohort(t, plan, crowd, benchNow, g.Perm)
	for _, s := range d.Segments {
		if n := sizes[s.Name]; n == 0 || n == people {
			t.Errorf("segment %s holds %d of %d: the generator does not test it", s.Name, n, people)
		}
	}
	if !plan.Needs() {
		t.Error("the segments do not depend on now")
	}
}

// BenchmarkHundred adds events to a profile under the kit's hundred segments.
func BenchmarkHundred(b *testing.B) {
	plan, _, err := tally.New(benchDefinitions(b))
	if err != nil {
		b.Fatal(err)
	}
	g := gen{rand.New(rand.NewPCG(100, 25)), benchNow}
	p, events := shopper(g, 0)
	for len(events) < 100 {
		p, events = shopper(g, 0)
	}
	cut := make([]timeline.Event, len(events))
	for i := range events {
		cut[i] = plan.Event(&events[i])
	}
	b.ReportAllocs()
	for b.Loop() {
		state := plan.NewState()
		for i := range cut {
			plan.Add(state, &cut[i], benchNow)
		}
		plan.Outcome(&p, state, benchNow)
	}
	b.ReportMetric(float64(b.N*len(cut))/b.Elapsed().Seconds(), "events/s")
}
