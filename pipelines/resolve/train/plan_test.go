package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weir-cdp/weir"
)

// crowd is a table of people with duplicates: half of them are on two records, of
// which the second may spell a name or write the address in another way.
func crowd(n int, seed uint64) []weir.Record {
	r := rand.New(rand.NewPCG(seed, 9))
	name := func() string {
		s := ""
		for range 2 + r.IntN(2) {
			s += string("bcdfglmnprst"[r.IntN(12)]) + string("aeiou"[r.IntN(5)])
		}
		return s
	}
	var given, family, city []string
	for range 150 {
		given, family, city = append(given, name()), append(family, name()), append(city, name())
	}
	var out []weir.Record
	for p := 0; len(out) < n; p++ {
		g, f, c := given[r.IntN(150)], family[r.IntN(150)], city[int(150*r.Float64()*r.Float64())]
		birth := fmt.Sprintf("19%02d-%02d-%02d", 30+r.IntN(70), 1+r.IntN(12), 1+r.IntN(28))
		mail := fmt.Sprintf("%s.%s@%s.org", name(), name(), name())
		for k := range 1 + r.IntN(2) {
			rec := weir.Record{ID: fmt.Sprintf("s/t/%d-%d", p, k), Kind: weir.Person, Source: "s", Identifiers: weir.Identifiers{},
				Attributes: map[string]string{"given_name": g, "family_name": f, "birth_date": birth, "city": c}}
			if r.IntN(4) > 0 {
				rec.Identifiers.Add("email", mail)
			}
			if k > 0 && r.IntN(4) == 0 {
				rec.Attributes["given_name"] = g[:1]
			}
			if k > 0 && r.IntN(5) == 0 {
				rec.Attributes["city"] = city[r.IntN(150)]
			}
			out = append(out, rec)
		}
	}
	return out[:n]
}

// draw samples a table as a run does: some records by their ids, then the plan's
// blocks.
func draw(all []weir.Record, uniform, blocks int, seed uint64) *Sample {
	s := &Sample{Total: len(all)}
	keep := NewSampler(len(all), uniform, seed)
	for i := range all {
		if keep.Keep(all[i].ID) {
			s.Records = append(s.Records, all[i])
		}
	}
	s.Plan = NewPlan(s, weir.IdentityDef{}, blocks, Options{Seed: seed})
	g := s.Plan.Gatherer()
	for i := range all {
		if g.Keep(&all[i]) {
			s.Blocks = append(s.Blocks, all[i])
		}
	}
	return s
}

// learner is a trainer with the pairs of a sample.
func learner(s *Sample, seed uint64) (*trainer, []weir.Record) {
	t := &trainer{opts: Options{Seed: seed}, total: s.Total, size: len(s.Records)}
	return t, t.withBlocks(inOrder(s.Records, seed), s)
}

// Whoever shares a drawn key is in the sample, and who shares none is not.
func TestBlocksAreKeptWhole(t *testing.T) {
	all := crowd(6000, 3)
	s := draw(all, 1500, 1200, 5)
	if s.Plan == nil || len(s.Plan.Rules) < 3 {
		t.Fatalf("plan %+v", s.Plan)
	}
	if n := len(s.Blocks); n < 900 || n > 1500 {
		t.Errorf("%d records in blocks, wanted about 1200", n)
	}
	kept := map[string]bool{}
	for i := range s.Blocks {
		kept[s.Blocks[i].ID] = true
	}
	g, below := s.Plan.Gatherer(), s.Plan.below()
	members := map[[2]uint64][]int{}
	for i := range all {
		drawn := false
		for r, k := range g.Keys(&all[i]) {
			if k != 0 && k <= below {
				drawn = true
				members[[2]uint64{uint64(r), k}] = append(members[[2]uint64{uint64(r), k}], i)
			}
		}
		if drawn != kept[all[i].ID] {
			t.Fatalf("%s: drawn %v, kept %v", all[i].ID, drawn, kept[all[i].ID])
		}
	}
	want := map[[2]string]bool{} // pairs of all blocks that were drawn
	for _, ms := range members {
		if len(ms) > maxTrainingBlock {
			continue
		}
		for x, i := range ms {
			for _, j := range ms[x+1:] {
				want[[2]string{min(all[i].ID, all[j].ID), max(all[i].ID, all[j].ID)}] = true
			}
		}
	}
	tr, records := learner(s, 5)
	for _, p := range tr.enumerate() {
		a, b := records[p.a].ID, records[p.b].ID
		k := [2]string{min(a, b), max(a, b)}
		if !want[k] {
			t.Fatalf("pair %v is of no drawn block, or there twice", k)
		}
		delete(want, k)
	}
	if len(want) > 0 {
		t.Errorf("%d pairs of drawn blocks are missing", len(want))
	}
}

// The pairs of the sample stand for those of the table: over many seeds their
// weights sum to what all records together have. So do those of a part of them,
// the pairs of one person.
func TestPairsOfBlocksAreCountedWithoutBias(t *testing.T) {
	all := crowd(4000, 8)
	person := func(r *weir.Record) string {
		var p, k int
		fmt.Sscanf(r.ID, "s/t/%d-%d", &p, &k)
		return fmt.Sprint(p)
	}
	const runs = 60
	var ratio, square, same [2]float64
	for seed := range uint64(runs) {
		s := draw(all, 800, 500, seed)
		tr, records := learner(s, seed)
		pairs, weight := tr.gathered()
		var got, want [2]float64
		for k, p := range pairs {
			w := weight[k] * tr.stands / tr.sampled
			got[0] += w
			if person(&records[p.a]) == person(&records[p.b]) {
				got[1] += w
			}
		}
		every := *s // the same rules, all keys
		plan := *s.Plan
		plan.Share = 1
		every.Plan, every.Blocks = &plan, all
		tr, records = learner(&every, seed)
		for _, p := range tr.enumerate() {
			want[0]++
			if person(&records[p.a]) == person(&records[p.b]) {
				want[1]++
			}
		}
		for i := range got {
			x := got[i] / want[i]
			ratio[i] += x / runs
			square[i] += x * x / runs
			same[i] += want[i] / runs
		}
	}
	for i, what := range []string{"all pairs", "pairs of one person"} {
		se := math.Sqrt((square[i] - ratio[i]*ratio[i]) / (runs - 1))
		t.Logf("%s: %.0f, estimated %.4f of them, standard error %.4f", what, same[i], ratio[i], se)
		if math.Abs(ratio[i]-1) > 4*se || se > 0.05 {
			t.Errorf("%s: estimates are %.4f of the truth on average, standard error %.4f", what, ratio[i], se)
		}
	}
}

// A table of which training sees a part has the matches that it has.
func TestMatchesOfALargeTable(t *testing.T) {
	all := crowd(12_000, 4)
	_, whole, err := Train(&Sample{Records: all}, weir.IdentityDef{}, Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	s := draw(all, 6000, 3000, 1)
	_, part, err := Train(s, weir.IdentityDef{}, Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.0f matches by all records, %.0f by %d and %d", whole.Matches, part.Matches, len(s.Records), len(s.Blocks))
	if r := part.Matches / whole.Matches; r < 0.75 || r > 1.33 {
		t.Errorf("%.0f matches by the sample, %.0f by all", part.Matches, whole.Matches)
	}
}

// invariant 11: records of a sample with blocks in any order, on any number of
// workers, give the same plan and the same model.
func TestSampleWithBlocksKnowsNoOrder(t *testing.T) {
	all := crowd(8000, 6)
	want := ""
	for k := range uint64(3) {
		rand.New(rand.NewPCG(k, 1)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		s := draw(all, 2000, 2500, 7)
		m, _, err := Train(s, weir.IdentityDef{}, Options{Seed: 7, Workers: 1 + int(k)})
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(*s.Plan, m.Version()); want == "" {
			want = got
		} else if got != want {
			t.Fatal("another order: another plan, or another model")
		}
	}
}

// What is asked of a record before it is made never leaves out one that is kept.
func TestARecordThatIsKeptMayBe(t *testing.T) {
	all := crowd(3000, 2)
	s := draw(all, 1000, 800, 3)
	g, may, kept := s.Plan.Gatherer(), 0, 0
	for i := range all {
		rec := &all[i]
		if i%7 == 0 {
			rec.Identifiers = weir.Identifiers{"email": {"nobody@example.org", rec.ID + "@x.org"}}
		}
		asked := s.Plan.Gatherer().May(func(part int) (string, int) {
			p := &s.Plan.Parts[part]
			if !p.IsIdentifier {
				return rec.Attributes[p.Column], 1
			}
			vs := rec.Identifiers[p.Column]
			return append(vs, "")[0], len(vs)
		})
		keep := g.Keep(rec)
		if several := len(rec.Identifiers["email"]) > 1; asked != (keep || several) {
			t.Fatalf("%s: may be %v, is %v, several values %v", rec.ID, asked, keep, several)
		}
		if asked {
			may++
		}
		if keep {
			kept++
		}
	}
	if kept == 0 || may == len(all) {
		t.Fatalf("%d kept, %d may be, of %d", kept, may, len(all))
	}
}

func TestKeysOfAPlan(t *testing.T) {
	whole, start, end, local := PlanPart{}, PlanPart{Start: 3}, PlanPart{End: 4}, PlanPart{Local: true}
	for _, c := range []struct {
		part PlanPart
		a, b string
		same bool
	}{
		{whole, "Saint-Jean", "SAINT JEAN", true}, {whole, "Saint-Jean", "Saint-Jeans", false}, {whole, "abcdefgh", "abcdefghi", false},
		{start, "Martin", "marie", true}, {start, "Martin", "Mercier", false},
		{end, "+33 612 3456", "0 3456", true}, {end, "3456", "4356", false},
		{local, "a.b@x.org", "AB@y.com", true}, {local, "ab@x.org", "ac@x.org", false},
	} {
		if (c.part.hash(c.a) == c.part.hash(c.b)) != c.same {
			t.Errorf("%+v: %q and %q, want same %v", c.part, c.a, c.b, c.same)
		}
	}
	for _, none := range []string{"", " - ", "ab"} {
		if start.hash(none) != 0 {
			t.Errorf("%q has a key", none)
		}
	}
	rec := crowd(1, 1)[0]
	g := (&Plan{Share: 0.5, Parts: []PlanPart{{Column: "city"}, {Column: "given_name", Start: 1}}, Rules: []PlanRule{{Parts: []int{0}}, {Parts: []int{0, 1}}}}).Gatherer()
	g.Keep(&rec)
	if n := testing.AllocsPerRun(100, func() { g.Keep(&rec) }); n > 0 {
		t.Errorf("%v allocations for a record", n)
	}
	if NewPlan(&Sample{Records: crowd(50, 1), Total: 50}, weir.IdentityDef{}, 0, Options{}) != nil {
		t.Error("a table that is its own sample has a plan")
	}
}
