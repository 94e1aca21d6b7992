package stages

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/policies/permit"
)

// belong writes who is in which segment, computed by a run of these definitions.
func (w *world) belong(segments map[string][]string) {
	w.t.Helper()
	ctx := w.t.Context()
	digests := map[string]string{}
	out, err := rowfile.NewTableWriter[weir.Membership](ctx, w.Lake.Store(), schema.Named("segment.memberships"), "")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(segments)) {
		digests[name] = "d"
		for _, id := range slices.Sorted(slices.Values(segments[name])) {
			if err := out.Write(weir.Membership{Segment: name, ProfileID: id, EnteredAt: noon}); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	files, err := out.Close()
	if err != nil {
		w.t.Fatal(err)
	}
	key, err := w.writeDefinitions(ctx, digests)
	if err != nil {
		w.t.Fatal(err)
	}
	w.n++
	run := weir.Run{Workspace: "shop", ID: weir.NewRunID(noon.Add(time.Duration(w.n)*time.Second), "bb"), Now: noon}
	if _, err := w.House.commit(ctx, result{Follows: map[string]string{followsDefinitions: key}, Manifest: weir.Manifest{Run: run, Stage: weir.Segment,
		Tables: []weir.TableFiles{{Table: "segment.memberships", Replace: true, Files: files}}, Counts: map[string]int64{}}}); err != nil {
		w.t.Fatal(err)
	}
}

// town4 is four people who all agree, in the segment all.
func town4(t *testing.T) *world {
	w := newWorld(t)
	for i := range 4 {
		email := fmt.Sprintf("p%d@x.org", i)
		w.say(email, weir.Granted)
		w.people[fmt.Sprintf("p%d", i)] = citizen{email, "Ann", true}
	}
	w.settle()
	w.project.Segments = append(w.project.Segments, weir.SegmentDef{Name: "vip", Of: weir.Person}, weir.SegmentDef{Name: "hands_off", Of: weir.Person})
	return w
}

var everybody = []string{"p0", "p1", "p2", "p3"}

func (w *world) heldBack() map[string]string {
	out := map[string]string{}
	for _, r := range ledger[weir.HeldBack](w, heldBackTable, "order by all") {
		out[r.Activation+" "+r.ProfileID] = r.Reason + " " + r.By
	}
	return out
}

// inAudience are the profiles that an activation is to hold.
func (w *world) inAudience(activation string) []string {
	out := []string{}
	for _, r := range ledger[weir.AudienceRow](w, "activation.audience", "where activation = '"+activation+"' order by profile_id") {
		out = append(out, r.ProfileID)
	}
	return out
}

func (w *world) wants(what string, got, want any) {
	w.t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		w.t.Errorf("%s: -want +got\n%s", what, d)
	}
}

func TestTheSuppressedAreTakenAwayAndNotAskedAbout(t *testing.T) {
	for _, mode := range []weir.Mode{weir.Mirror, weir.Upsert} {
		w := town4(t)
		w.project.Activations[0].Mode = mode
		w.project.Contact.Suppress = []string{"hands_off"}
		w.belong(map[string][]string{"all": everybody, "hands_off": {"p1"}})
		row, _ := w.deliver()
		w.wants("sent", slices.Sorted(maps.Keys(w.tool.holds)), []string{"p0@x.org", "p2@x.org", "p3@x.org"})
		w.wants("held back", w.heldBack(), map[string]string{"news p1": "suppressed hands_off"})
		if row.Counts["news.suppressed"] != 1 || row.Counts["held_back"] != 1 || row.Counts["rows_in"] != 3 || row.Counts["decisions"] != 3 {
			t.Errorf("%s: counts %v", mode, row.Counts)
		}
		w.project.Contact.Suppress, w.project.Activations[0].Suppress = nil, []string{"hands_off", "vip"}
		w.belong(map[string][]string{"all": everybody[:3], "hands_off": {"p0", "p3"}, "vip": {}}) // p3 left, too
		w.deliver()
		w.wants("sent", slices.Sorted(maps.Keys(w.tool.holds)), []string{"p1@x.org", "p2@x.org"})
		preview, err := w.PreviewActivation(t.Context(), w.project, "news", 0)
		held := map[string]int64{"suppressed": map[weir.Mode]int64{weir.Mirror: 1, weir.Upsert: 2}[mode]}
		if err != nil || cmp.Diff(held, preview.HeldBack) != "" {
			t.Errorf("%s: preview %v, %v", mode, preview.HeldBack, err)
		}
		w.belong(map[string][]string{"all": everybody, "hands_off": {}, "vip": {}})
		w.deliver()
		w.wants("sent at the end", len(w.tool.holds), 4)
		w.wants("held back at the end", w.heldBack(), map[string]string{})
	}
}

func TestSuppressionNeedsNoPolicy(t *testing.T) { // invariant 7
	w := town4(t)
	w.project.Contact.Suppress = []string{"hands_off"}
	w.belong(map[string][]string{"all": everybody, "hands_off": {}})
	w.deliver()
	w.gate = brokenPolicy(t, func(rel, text string) string { return "not rego at all" })
	w.belong(map[string][]string{"all": everybody, "hands_off": {"p2"}})
	w.deliver()
	w.wants("sent", slices.Sorted(maps.Keys(w.tool.holds)), []string{"p0@x.org", "p1@x.org", "p3@x.org"})
}

func TestNothingNewGoesPastASegmentThatNobodyComputed(t *testing.T) {
	w := town4(t)
	w.belong(map[string][]string{"all": everybody[:2]})
	w.deliver()
	w.project.Contact.Suppress = []string{"hands_off"} // a new file, whose segment fails
	w.belong(map[string][]string{"all": everybody})
	w.deliver()
	w.wants("sent", slices.Sorted(maps.Keys(w.tool.holds)), []string{"p0@x.org", "p1@x.org"})
	w.wants("held back", w.heldBack(), map[string]string{"news p2": "not_computed hands_off", "news p3": "not_computed hands_off"})
	w.belong(map[string][]string{"all": everybody, "hands_off": {}})
	w.deliver()
	w.wants("sent", len(w.tool.holds), 4)
}

func TestAProfileCountsForTheFirstSegmentOfAWaterfall(t *testing.T) {
	for _, mode := range []weir.Mode{weir.Mirror, weir.Upsert} {
		w := town4(t)
		w.project.Contact.Waterfalls = []weir.WaterfallDef{{Name: "tiers", Segments: []string{"vip", "all", "hands_off"}}}
		w.project.Activations[0].Waterfall, w.project.Activations[0].Mode = "tiers", mode
		letter := w.project.Activations[0]
		letter.Name, letter.Segment = "letter", "vip"
		w.project.Activations = append(w.project.Activations, letter)
		w.belong(map[string][]string{"all": everybody, "vip": {"p0"}, "hands_off": everybody})
		row, _ := w.deliver()
		w.wants("news", w.inAudience("news"), []string{"p1", "p2", "p3"})
		w.wants("letter", w.inAudience("letter"), []string{"p0"})
		w.wants("held back", w.heldBack(), map[string]string{"news p0": "waterfall vip"})
		w.wants("count", row.Counts["news.waterfall"], int64(1))
		w.belong(map[string][]string{"all": everybody, "vip": {"p1"}, "hands_off": everybody})
		w.deliver()
		moved := map[weir.Mode][]string{weir.Mirror: {"p0", "p2", "p3"}, weir.Upsert: everybody}[mode] // upsert removes nobody who merely left
		w.wants("news", w.inAudience("news"), moved)
	}
}

// pressed is a run of the naive evaluator.
type pressed struct {
	now  time.Time
	sent map[string][]time.Time // profile and channel: when something was sent
	held map[string]bool        // activation and profile
}

// TestPressureIsThatOfANaiveEvaluator holds decide and activate, over random
// projects and days, against a loop over people, activations and limits.
func TestPressureIsThatOfANaiveEvaluator(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 7))
			w := newWorld(t)
			agrees := map[string]bool{}
			for i := range 6 {
				id, email := fmt.Sprintf("p%d", i), fmt.Sprintf("p%d@x.org", i)
				w.people[id] = citizen{email, "Ann", true}
				for _, channel := range []string{"email", "sms"} {
					if r.IntN(4) > 0 {
						agrees[id+channel] = true
						w.say(email, weir.Granted)
						w.entries[len(w.entries)-1].Channel = channel
					}
				}
			}
			w.settle()
			base := w.project.Activations[0]
			w.project.Activations = nil
			for i := range 4 {
				a := base
				a.Name, a.Channel = fmt.Sprintf("a%d", i), []string{"email", "sms"}[r.IntN(2)]
				a.Mode = []weir.Mode{weir.Mirror, weir.Upsert}[r.IntN(2)]
				a.Pressure = []string{"", "held", "counted", "exempt", ""}[r.IntN(5)]
				a.Segment = fmt.Sprintf("s%d", i)
				w.project.Activations = append(w.project.Activations, a)
				w.project.Segments = append(w.project.Segments, weir.SegmentDef{Name: a.Segment, Of: weir.Person})
			}
			w.project.Contact.Pressure = []weir.PressureDef{{Channel: "email", AtMost: 1 + r.IntN(2), Within: 3 * 24 * time.Hour},
				{AtMost: 1 + r.IntN(3), Within: 2 * 24 * time.Hour}}
			for _, i := range r.Perm(4)[:2] {
				w.project.Contact.Priority = append(w.project.Contact.Priority, fmt.Sprintf("a%d", i))
			}
			naive := pressed{sent: map[string][]time.Time{}, held: map[string]bool{}}
			for range 5 {
				in := map[string][]string{}
				for i := range 4 {
					for p := range 6 {
						if r.IntN(3) > 0 {
							in[fmt.Sprintf("s%d", i)] = append(in[fmt.Sprintf("s%d", i)], fmt.Sprintf("p%d", p))
						}
					}
				}
				w.belong(in)
				w.at = w.at.Add(time.Duration(12+r.IntN(36)) * time.Hour)
				r.Shuffle(4, func(i, j int) { // the order of definitions says nothing
					w.project.Activations[i], w.project.Activations[j] = w.project.Activations[j], w.project.Activations[i]
				})
				naive.now = w.at.Add(time.Minute) // of next
				w.must(weir.Decide, "")
				want, back := naive.run(w, in, agrees)
				for _, a := range w.project.Activations {
					w.wants(a.Name, w.inAudience(a.Name), want[a.Name])
				}
				got := map[string]string{}
				for who, why := range w.heldBack() {
					got[who] = why[:len("pressure")]
				}
				w.wants("held back", got, back)
				w.at = w.at.Add(-time.Minute)
				w.must(weir.Activate, "esp")
			}
		})
	}
}

// run decides and delivers for everybody, one after the other.
func (n *pressed) run(w *world, in map[string][]string, agrees map[string]bool) (audience map[string][]string, back map[string]string) {
	audience, back = map[string][]string{}, map[string]string{}
	order := []string{}
	for _, name := range slices.Concat(w.project.Contact.Priority, []string{"a0", "a1", "a2", "a3"}) {
		if !slices.Contains(order, name) {
			order = append(order, name)
		}
	}
	for _, name := range order {
		audience[name] = []string{}
	}
	for _, id := range slices.Sorted(maps.Keys(w.people)) {
		for _, name := range order {
			a, _ := w.project.Activation(name)
			held, member := n.held[name+id], slices.Contains(in[a.Segment], id)
			if !held && !member {
				continue
			}
			full := false
			for _, limit := range w.project.Contact.Pressure {
				if limit.Channel != "" && limit.Channel != a.Channel || held || a.Pressure == "counted" || a.Pressure == "exempt" {
					continue
				}
				times := slices.Concat(n.sent[id+"email"], n.sent[id+"sms"])
				if limit.Channel != "" {
					times = n.sent[id+limit.Channel]
				}
				count := 0
				for _, at := range times {
					if n.now.Sub(at) < limit.Within {
						count++
					}
				}
				full = full || count >= limit.AtMost
			}
			switch {
			case full:
				back[name+" "+id] = "pressure"
			case !agrees[id+a.Channel] || (!member && a.Mode == weir.Mirror):
				delete(n.held, name+id)
			default:
				audience[name] = append(audience[name], id)
				if !held && a.Pressure != "exempt" {
					n.sent[id+a.Channel] = append(n.sent[id+a.Channel], n.now)
				}
				n.held[name+id] = true
			}
		}
	}
	return audience, back
}

func TestDeliveriesToAMergedProfileCountForTheOneThatTookOver(t *testing.T) {
	w := town4(t)
	w.project.Contact.Pressure = []weir.PressureDef{{Channel: "email", AtMost: 1, Window: &weir.Window{During: "this_week"}}}
	w.belong(map[string][]string{"all": {"p0"}})
	w.deliver()
	second := w.project.Activations[0]
	second.Name, second.Segment = "second", "vip"
	w.project.Activations = append(w.project.Activations, second)
	delete(w.people, "p0")
	w.settle()
	putNamed(w.village, "identity.merges", weir.Resolve, weir.Merge{RunID: "r1", At: noon, Change: "merge", From: "p0", To: "p9"},
		weir.Merge{RunID: "r2", At: noon.Add(time.Second), Change: "redirect", From: "p0", To: "p9"}, weir.Merge{RunID: "r2", At: noon.Add(time.Second), Change: "merge", From: "p9", To: "p1"})
	w.belong(map[string][]string{"all": {}, "vip": {"p1", "p2"}})
	w.deliver()
	w.wants("second", w.inAudience("second"), []string{"p2"})
	w.wants("held back", w.heldBack(), map[string]string{"second p1": "pressure email: at most 1 during this_week"})
	w.at = w.at.Add(7 * 24 * time.Hour)
	w.deliver()
	w.wants("a week later", w.inAudience("second"), []string{"p1", "p2"})
}

// Who is refused for good by one destination is not kept from the others for it.
func TestWhatADestinationRefusedTakesNoRoom(t *testing.T) {
	for name, gate := range map[string]func() (*policies.Gate, error){"as it is": builtin,
		"under an obligation": obliging(t, `due contains {"name": "set", "value": "express=yes"}`)} {
		t.Run(name, func(t *testing.T) { refusedTakesNoRoom(t, gate) })
	}
}

func refusedTakesNoRoom(t *testing.T, gate func() (*policies.Gate, error)) {
	w := town4(t)
	w.gate = gate
	w.project.Contact = weir.ContactDef{Priority: []string{"news", "second"}, Pressure: []weir.PressureDef{{Channel: "email", AtMost: 1, Within: 7 * 24 * time.Hour}}}
	second := w.project.Activations[0]
	second.Name, second.Fields = "second", map[string]string{"email": "email"}
	w.project.Activations = append(w.project.Activations, second)
	w.tool.answer = func(r permit.Row) *connectors.Outcome {
		if named := slices.ContainsFunc(r.Fields, func(f permit.Field) bool { return f.Name == "first_name" }); named && r.Key == "p1@x.org" {
			return &connectors.Outcome{Status: connectors.Rejected, Reply: "no such mailbox"}
		}
		return nil
	}
	w.belong(map[string][]string{"all": everybody})
	w.deliver()
	w.wants("second, at first", w.inAudience("second"), []string{})
	w.deliver()
	w.wants("second, once it is known", w.inAudience("second"), []string{"p1"})
	w.people["p1"] = citizen{"p1@x.org", "Bo", true} // changed: it is tried again
	w.settle()
	w.belong(map[string][]string{"all": everybody})
	w.deliver()
	w.wants("held back", w.heldBack()["news p1"], "pressure email: at most 1 in 7d")
	w.wants("nothing was sent again", w.tool.holds["p1@x.org"] != "", true)
}
