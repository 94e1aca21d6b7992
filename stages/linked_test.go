package stages

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
)

func linkedSegments(r *rand.Rand) (out []weir.SegmentDef) {
	for _, s := range crowdRules(r, 0) {
		if asksLinked([]weir.SegmentDef{s}) {
			out = append(out, s)
		} else {
			out = append([]weir.SegmentDef{s}, out...) // they may be named
		}
	}
	return out
}

// TestLinkedExplained: what explain says of each profile is what the stage wrote, and
// it names those who make it so.
func TestLinkedExplained(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 3))
	w := crowd(t, r, 60)
	w.project.Segments = linkedSegments(r)
	run := w.next()
	if _, err := w.pass(weir.Segment, "", run); err != nil {
		t.Fatal(err)
	}
	members := map[string]bool{}
	for _, m := range ledger[weir.Membership](w.world, "segment.memberships", "") {
		members[m.Segment+" "+m.ProfileID] = true
	}
	told, holding := 0, 0
	for _, s := range w.project.Segments {
		if s.Where.Related == nil {
			continue
		}
		for i := 0; i < 60; i += 3 {
			id := fmt.Sprintf("p%04d", i)
			x, err := w.ExplainSegment(t.Context(), w.project, s.Name, id, run.Now)
			if err != nil {
				t.Fatal(err)
			}
			if in := members[s.Name+" "+id]; x.Verdict.Holds != in || x.Member != in {
				t.Errorf("%s of %s: explained as %v, and the stage wrote %v", id, s.Name, x.Verdict.Holds, in)
			}
			v := x.Verdict.Children[0]
			shown := v.Linked != nil && (v.Linked.Fit > 0 || v.Linked.All > 0 && s.Where.Related.How != "none")
			if v.Linked == nil || shown != (len(v.Children) > 0) || v.Value != fmt.Sprintf("%d of %d", v.Linked.Fit, v.Linked.All) {
				t.Errorf("%+v", v)
			}
			for _, c := range v.Children {
				if told++; c.Holds {
					holding++
				}
				if !strings.HasPrefix(c.What, string(s.Where.Related.Kind)+" p0") || c.Holds != c.Children[0].Holds {
					t.Errorf("%+v", c)
				}
			}
		}
	}
	if told < 20 || holding < 3 || holding == told {
		t.Errorf("%d linked profiles were named, %d of them fit: the crowd shows little", told, holding)
	}
}

// TestLinksAreAReasonToRun where a rule asks for them, and else are none.
func TestLinksAreAReasonToRun(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	w := crowd(t, r, 20)
	plain := w.project.Segments
	for _, asks := range []bool{false, true} {
		w.project.Segments = plain
		if asks {
			w.project.Segments = append(w.project.Segments, weir.SegmentDef{Name: "staffed", Of: weir.Account, Where: weir.Condition{Related: &weir.Related{Kind: weir.Person, How: "any"}}})
		}
		run := w.next()
		if _, err := w.pass(weir.Segment, "", run); err != nil {
			t.Fatal(err)
		}
		for i, links := range []bool{false, true} {
			if links {
				putNamed(w.village, "identity.accounts", weir.Resolve, weir.AccountLink{ProfileID: "p0001", AccountID: fmt.Sprint("p000", i), By: fmt.Sprint(asks)})
			}
			again := run
			again.ID = weir.RunID(fmt.Sprint(run.ID, "_", i))
			plan, err := w.All()[weir.Segment].Plan(t.Context(), again, "")
			if err != nil {
				t.Fatal(err)
			}
			if runs := !plan.Unchanged; runs != (asks && links) {
				t.Errorf("rules ask for links: %v, there are new ones: %v, and the stage runs: %v", asks, links, runs)
			}
		}
	}
}

// TestLinkedSampleIsMasked: a sample tells how many are linked and fit, and of none of
// them who it is.
func TestLinkedSampleIsMasked(t *testing.T) {
	w := crowd(t, rand.New(rand.NewPCG(2, 2)), 60)
	where := weir.Condition{All: []weir.Condition{{Attribute: "country", Compare: []weir.Comparison{{Op: "in", Values: []string{"FR", "BE"}}}}, {Attribute: "birth_date", Compare: []weir.Comparison{{Op: "older_than", Values: []string{"1d"}}}}}}
	unsaved := &weir.SegmentDef{Name: "unsaved", Of: weir.Account, Where: weir.Condition{Related: &weir.Related{Kind: weir.Person, How: "any", Where: &where}}}
	v, err := w.CountLive(t.Context(), w.project, LiveOrder{Segments: []string{"unsaved"}, Unsaved: unsaved, Now: noon, Sample: 2, Seed: "a"}, nil)
	if err != nil || len(v.Sample) != 2 {
		t.Fatalf("%+v, %v", v, err)
	}
	for _, m := range v.Sample {
		why := m.Why.Children[0]
		if !m.Why.Holds || why.Linked == nil || why.Linked.Fit < 1 || why.Value != fmt.Sprintf("%d of %d", why.Linked.Fit, why.Linked.All) || len(why.Children) > 0 {
			t.Errorf("%+v", m.Why)
		}
		if why.What != "at least one of its people fits this: all of these (country is one of FR, BE; birth_date is longer ago than 1d)" {
			t.Error(why.What)
		}
		if len(m.Values) > 0 {
			t.Errorf("values of others: %v", m.Values)
		}
	}
}
