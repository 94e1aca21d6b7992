package stages

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/rowfile"
	"github.com/weir-cdp/weir/policies"
	"github.com/weir-cdp/weir/policies/permit"
)

// Of a delivery that is planned, only those are described anew whom an entry concerns
// that came since; what the gate then admits is what it admits where everybody is.
func TestOnlyWhomNewConsentsConcernIsDescribedAnew(t *testing.T) {
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 7))
		w := newWorld(t)
		for i := range 12 {
			email := fmt.Sprintf("p%d@x.org", i-i%6/5) // two share an address
			w.say(email, weir.Granted)
			w.people[fmt.Sprintf("p%02d", i)] = citizen{email, "Ann", true}
		}
		w.settle()
		w.must(weir.Decide, "")
		run := w.next()
		a := &activate{w.House}
		plan, err := a.Plan(t.Context(), run, "esp")
		if err != nil {
			t.Fatal(err)
		}
		var sp activateSpec
		if err := w.readJSON(t.Context(), plan.Spec, &sp); err != nil {
			t.Fatal(err)
		}
		touched := map[string]bool{}
		told := func(i int, action weir.Action) {
			email := w.people[fmt.Sprintf("p%02d", i)].email
			w.say(email, action)
			for id, c := range w.people {
				touched[id] = touched[id] || c.email == email
			}
		}
		for range 1 + r.IntN(3) {
			told(r.IntN(12), []weir.Action{weir.Withdrawn, weir.Granted, weir.Objected}[r.IntN(3)])
		}
		if seed == 3 { // an entry that is gone concerns whom it was about too
			gone := w.entries[0]
			w.entries = w.entries[1:]
			for id, c := range w.people {
				touched[id] = touched[id] || c.email == gone.Value
			}
		}
		w.tell()
		check := func(what string, sp activateSpec, describes func(id string) bool) map[string][]string {
			t.Helper()
			d, err := a.delivering(t.Context(), sp, journal{House: w.House, destination: "esp", run: run.ID})
			if err != nil {
				t.Fatal(err)
			}
			changes, err := rowfile.ReadGroup[change](t.Context(), w.store(), sp.planKey(d.j), 0)
			if err != nil {
				t.Fatal(err)
			}
			def := w.project.Activations[0]
			planned := map[string]change{}
			var rows []permit.Row
			var decided []policies.Decided
			want := 0
			for _, c := range changes {
				row, err := c.row(def.Fields)
				if err != nil {
					t.Fatal(err)
				}
				rows, planned[c.ID] = append(rows, row), c
				if describes(c.ProfileID) {
					want++
				}
				decided = append(decided, policies.Decided{Class: d.classes[c.ClassID], Decision: weir.Decision{ID: c.DecisionID, Activation: def.Name, ProfileID: c.ProfileID,
					ClassID: c.ClassID, Allow: true, At: c.DecidedAt, ValidUntil: c.ValidUntil}})
			}
			decider, err := d.gate.Decider(policies.Question{Run: weir.Run{Workspace: "shop", ID: run.ID, Now: d.sp.Run.Now}, Activation: def,
				Destination: w.project.Destinations[0].Privacy, Subject: w.project.Subject})
			if err != nil {
				t.Fatal(err)
			}
			fresh, unknown, err := d.fresh(t.Context(), decider, def, rows, planned)
			if err != nil || len(fresh) != want || len(unknown) != 0 {
				t.Fatalf("seed %d, %s: %d described, want %d; %v %v", seed, what, len(fresh), want, unknown, err)
			}
			checked, refused, err := decider.Recheck(t.Context(), decided, fresh)
			if err != nil {
				t.Fatal(err)
			}
			out := map[string][]string{}
			for _, r := range refused {
				out[r.ProfileID] = r.Reasons
			}
			batches, _ := policies.Admit(checked, policies.Delivery{Now: d.sp.Run.Now}, rows)
			for _, b := range batches {
				for _, row := range b.Rows() {
					out[row.ProfileID] = []string{"goes", row.Key, b.ValidUntil().String()}
				}
			}
			return out
		}
		all := sp
		all.Decided = nil // as if it were not known what was decided on
		want := check("everybody", all, func(string) bool { return true })
		concerned := func(id string) bool { return touched[id] }
		if d := cmp.Diff(want, check("those concerned", sp, concerned)); d != "" {
			t.Errorf("seed %d: %s", seed, d)
		}
		w.settle() // the profiles are written anew, as the same: nothing changes
		check("after a run that changed nothing", sp, concerned)
		w.people["p00"] = citizen{w.people["p00"].email, "Other", true}
		w.settle()
		d, err := a.delivering(t.Context(), sp, journal{House: w.House, destination: "esp", run: run.ID})
		if err != nil {
			t.Fatal(err)
		}
		pins, err := w.Lake.Pins(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if whom, err := d.concerned(t.Context(), pins, pins[consentsTable], []string{"p01", "p02"}); err != nil || len(whom) != 2 {
			t.Errorf("other tables changed, so everybody counts: %v %v", whom, err)
		}
	}
}
