package stages

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/project"
)

// gathering is a world of many activations, of which some are one question to the policy
// and some differ in one thing only.
func gathering(t *testing.T, r *rand.Rand) *world {
	t.Helper()
	w := newWorld(t)
	privacy := weir.Privacy{Role: "processor", Kind: "esp", Transfer: "none", Country: "FR", Mechanism: "adequacy", DPA: true,
		Purposes: []string{"marketing.newsletter", "analytics.profile", "service.transactional"}}
	vendor := privacy
	vendor.TCFVendor = 7
	other := privacy
	other.TCFVendor = 8
	w.project.Destinations = []project.Destination{{Name: "esp", Connector: "tool", Privacy: privacy}, {Name: "ads", Connector: "tool", Privacy: vendor}, {Name: "ads2", Connector: "tool", Privacy: other}}
	w.project.Segments = append(w.project.Segments, weir.SegmentDef{Name: "some", Of: weir.Person})
	w.project.Subject.BirthDate = []string{"attribute.birth_date"}
	w.project.Activations = nil
	for i := range 24 {
		a := weir.ActivationDef{Name: fmt.Sprintf("a%02d", i), Segment: []string{"all", "some"}[r.IntN(2)], Destination: []string{"esp", "esp", "ads", "ads2"}[r.IntN(4)],
			Purpose: privacy.Purposes[r.IntN(3)], Channel: []string{"email", "onsite"}[r.IntN(2)], Mode: []weir.Mode{weir.Mirror, weir.Upsert}[r.IntN(2)],
			Key: []string{"email", "work_email"}[r.IntN(2)], Fields: map[string]string{"to": "email"}}
		if r.IntN(2) == 0 {
			a.Fields["second"] = "work_email"
		}
		if r.IntN(3) == 0 {
			a.Fields["name"] = "given_name"
		}
		if r.IntN(4) == 0 {
			a.Categories = []string{"health"}
		}
		if r.IntN(2) == 0 {
			a.OptOutLink = "https://example.org/leave?{key}"
		}
		w.project.Activations = append(w.project.Activations, a)
	}
	return w
}

// settleGathering writes people at random, and what they said.
func settleGathering(w *world, r *rand.Rand, n int) {
	w.t.Helper()
	types := map[string]weir.AttributeType{"email": weir.Text, "work_email": weir.Text, "given_name": weir.Text, "country": weir.Text, "birth_date": weir.Text}
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	var profiles []weir.Profile
	var members []weir.Membership
	var entries []weir.Consent
	for i := range n {
		id := fmt.Sprintf("p%05d", i)
		p := weir.Profile{ID: id, Kind: weir.Person, Attributes: map[string]string{"given_name": "Ann", "country": pick("FR", "DE", "FR", "BR", "XX")}, Identifiers: weir.Identifiers{}, Records: 1}
		if r.IntN(10) > 0 {
			p.Attributes["birth_date"] = fmt.Sprintf("%d-03-04", 1940+r.IntN(75))
		}
		for _, kind := range []string{"email", "work_email"} {
			if r.IntN(6) == 0 {
				continue
			}
			p.Attributes[kind] = fmt.Sprintf("%s%d@x.org", kind[:1], i)
			p.Identifiers.Add(kind, p.Attributes[kind])
			for range r.IntN(3) {
				at := noon.AddDate(0, 0, -r.IntN(500))
				entries = append(entries, weir.Consent{ID: fmt.Sprintf("c%06d", len(entries)), Kind: kind, Value: p.Attributes[kind], Purpose: pick("marketing.newsletter", "analytics.profile"),
					Channel: pick("email", ""), Action: []weir.Action{weir.Granted, weir.Granted, weir.Granted, weir.Granted, weir.Granted, weir.Granted, weir.Withdrawn, weir.Objected, weir.Restricted}[r.IntN(9)],
					Basis: "consent", Explicit: r.IntN(2) == 0, OccurredAt: at, RecordedAt: at, Proof: pick("form", "form", "form", "form", "")})
			}
		}
		profiles = append(profiles, p)
		for _, segment := range []string{"all", "some"} {
			if r.IntN(5) > 0 {
				members = append(members, weir.Membership{Segment: segment, ProfileID: id, EnteredAt: noon})
			}
		}
	}
	put(w.village, schema.Profiles(types), weir.Unify, "", profiles...)
	putNamed(w.village, "segment.memberships", weir.Segment, members...)
	putNamed(w.village, "core.consents", weir.Conform, entries...)
}

// plainly is a rehearsal as one would write it without a thought for speed: each
// activation has a decider of its own, each row is counted by itself, and the decisions
// in force are read with all that they say.
func plainly(w *world, gate *policies.Gate, asOf weir.StageRun) []ActivationShift {
	w.t.Helper()
	ctx := w.t.Context()
	pins, err := w.Lake.Pins(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	people, err := w.openAudience(ctx, w.project, w.project.Activations, pins, asOf.Now)
	if err != nil {
		w.t.Fatal(err)
	}
	defer people.Close()
	classes := map[string]weir.DecisionClass{}
	for _, c := range ledger[weir.DecisionClass](w, "consent.classes", "") {
		classes[c.ID] = c
	}
	var everybody []*person
	for p, err := range people.people(ctx) {
		if err != nil {
			w.t.Fatal(err)
		}
		everybody = append(everybody, p)
	}
	x := &deciding{rehearses: true}
	questions := w.questions(w.project, weir.Run{Workspace: "shop", ID: "x", Now: asOf.Now})
	var out []ActivationShift
	for _, def := range w.project.Activations {
		d, err := questions.decider(ctx, gate, def)
		if err != nil {
			w.t.Fatal(err)
		}
		s := ActivationShift{Activation: def.Name, Reasons: []ReasonShift{}, Jurisdictions: []PlaceShift{}, Examples: []PolicyMove{}}
		reasons, places := map[string]*ReasonShift{}, map[string]*PlaceShift{}
		reason := func(code string) *ReasonShift {
			if reasons[code] == nil {
				reasons[code] = &ReasonShift{Code: code}
			}
			return reasons[code]
		}
		var gains, losses []PolicyMove
		one := &decidingFor{def: def, barrier: barrierOf(w.project, def, nil)}
		for _, p := range everybody {
			_, looked, err := x.belongs(one, p)
			if err != nil {
				w.t.Fatal(err)
			}
			key, addresses := reaches(def, p)
			if !looked || key == "" {
				continue
			}
			c := d.Describe(p.asked(addresses))
			now, err := d.Decide(ctx, []policies.Candidate{c})
			if err != nil {
				w.t.Fatal(err)
			}
			place := string(c.Subject.Jurisdictions)
			if places[place] == nil {
				places[place] = &PlaceShift{Jurisdictions: place}
			}
			at, codes := places[place], d.Reasons(0)
			prior, ruled := p.decided[def.Name]
			was := classes[prior.ClassID]
			s.Considered++
			at.Considered++
			for _, code := range codes {
				reason(code).After++
			}
			if now[0].Allow {
				s.Allowed[1]++
				at.Allowed[1]++
			}
			if !ruled {
				s.Undecided++
				continue
			}
			for _, code := range was.Reasons {
				reason(code).Before++
			}
			if prior.Allow {
				s.Allowed[0]++
				at.Allowed[0]++
			}
			if prior.Allow && !now[0].Allow {
				s.Lose++
				at.Lose++
				if _, held := p.state[def.Name]; held {
					s.Held++
				}
				for _, code := range codes {
					reason(code).Lose++
				}
				losses = append(losses, PolicyMove{"lose", p.profile, Masked(key), codes})
			}
			if now[0].Allow && !prior.Allow {
				s.Gain++
				at.Gain++
				for _, code := range was.Reasons {
					reason(code).Gain++
				}
				gains = append(gains, PolicyMove{"gain", p.profile, Masked(key), was.Reasons})
			}
		}
		s.Examples = append(s.Examples, slices.Concat(losses[:min(5, len(losses))], gains[:min(5, len(gains))])...)
		for _, code := range slices.Sorted(maps.Keys(reasons)) {
			s.Reasons = append(s.Reasons, *reasons[code])
		}
		for _, place := range slices.Sorted(maps.Keys(places)) {
			s.Jurisdictions = append(s.Jurisdictions, *places[place])
		}
		out = append(out, s)
	}
	return out
}

// A rehearsal shares facts, classes and answers between activations. What it says must
// be what each of them would be told alone.
func TestARehearsalSaysWhatEachActivationIsToldAlone(t *testing.T) {
	for seed := range uint64(2) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := gathering(t, r)
		w.tool.caps.Obligations = []string{policies.PartitionByClass}
		settleGathering(w, r, 300)
		w.must(weir.Decide, "")
		w.must(weir.Activate, "esp")
		for range 2 { // decisions in force of several runs, and of some people none
			settleGathering(w, r, 330)
			if r.IntN(2) == 0 {
				w.gate = shorter(t)
			}
			w.must(weir.Decide, "")
			settleGathering(w, r, 360)
		}
		last, ran, err := w.last(t.Context(), weir.Decide, "")
		if err != nil || !ran {
			t.Fatal(err)
		}
		allowed := map[string]int64{}
		for name, candidate := range map[string]func() (*policies.Gate, error){
			"built in": builtin, "shorter": shorter(t),
			"obliging": obliging(t, `due contains {"name": "include_optout_link", "value": "yes"} if input.subject.age_band == "adult"`),
			"older": brokenPolicy(t, func(rel, text string) string {
				if rel == "data/retention.yaml" {
					return strings.ReplaceAll(text, "consent_max_age_days: 730", "consent_max_age_days: 200")
				}
				return text
			}),
		} {
			gate, err := candidate()
			if err != nil {
				t.Fatal(err)
			}
			v, err := w.DiffPolicy(t.Context(), w.project, gate, PolicyDiffOptions{Keys: true})
			if err != nil {
				t.Fatal(err)
			}
			want := plainly(w, gate, last)
			if d := gocmp.Diff(want, v.Activations); d != "" {
				t.Fatalf("seed %d, %s:\n%s", seed, name, d)
			}
			var gain, lose, held int64
			for _, a := range want {
				gain, lose, held = gain+a.Gain, lose+a.Lose, held+a.Held
				allowed[name] += a.Allowed[1]
			}
			t.Logf("seed %d, %s: gain %d, lose %d of which %d held", seed, name, gain, lose, held)
		}
		if allowed["older"] >= allowed["built in"] || allowed["obliging"] >= allowed["built in"] {
			t.Errorf("the candidates change nothing, so the test shows nothing: %v", allowed)
		}
	}
}
