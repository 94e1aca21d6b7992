package stages

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/explain"
)

var three = []weir.Stage{weir.Resolve, weir.Unify, weir.Segment}

// couple is two people who share a mailbox: crm/1 and shop/1 are hers, crm/2 and
// shop/2 are his.
func couple(t *testing.T) *registry { return newRegistry(t).couple() }

func (r *registry) couple() *registry {
	r.add("crm/1", "email=home@x.fr", "phone=+33600000001")
	r.add("shop/1", "phone=+33600000001", "customer_id=7")
	r.add("crm/2", "email=home@x.fr", "phone=+33600000002")
	r.add("shop/2", "phone=+33600000002")
	r.add("crm/3", "email=other@x.fr")
	r.order("customer_id", "7")
	r.order("phone", "+33600000002")
	r.settle(three...)
	return r
}

// What a preview shows is what a run then does, and an undo gives the state before.
func TestSplitAsPreviewedAndUndone(t *testing.T) {
	r := couple(t)
	before := r.links()
	if before["crm/c/1"] != before["shop/c/2"] || before["crm/c/1"] == before["crm/c/3"] {
		t.Fatalf("links %v", before)
	}
	d := r.draft(DecisionOrder{Do: DoSplit, A: "email:home@x.fr", Identifiers: []string{"phone:+33600000002"}, Reason: "two people"})
	v, err := r.PreviewDecision(t.Context(), r.project, d, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(before, r.links()) || v.Pending || v.Moved != 2 || len(v.Profiles) != 2 {
		t.Fatalf("a preview changed something, or shows too little: %+v", v)
	}
	if len(v.Events) != 1 || v.Events[0].Events != 1 || v.Events[0].From != before["crm/c/1"] {
		t.Errorf("events %+v", v.Events)
	}
	for _, p := range v.Profiles {
		switch p.State {
		case "stays":
			if want := []SegmentShift{{"buyers", "exit"}}; !slices.Equal(p.Segments, want) || p.Records != [2]int64{4, 2} {
				t.Errorf("%+v", p)
			}
		default:
			if p.State != "new" || p.Records != [2]int64{0, 2} || len(p.Fields) == 0 {
				t.Errorf("%+v", p)
			}
		}
	}
	shared := IdentifierEffect{"email", "home@x.fr", before["crm/c/1"], ""}
	if !slices.Contains(v.Identifiers, shared) {
		t.Errorf("the mailbox of both leads to nobody: %+v", v.Identifiers)
	}
	if err := r.RecordDecision(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if err := r.RecordDecision(t.Context(), d); err != nil { // asked again after a crash
		t.Fatal(err)
	}
	if rows := rowsOf[weir.IdentityDecision](r, decisionsTable, ""); len(rows) != 4 {
		t.Fatalf("%d rows of one decision about 4 records", len(rows))
	}
	r.settle(three...)
	split := r.links()
	moves := rowsOf[weir.RecordMove](r, "identity.moves", "order by record_id")
	if len(moves) != len(v.Moves) {
		t.Fatalf("moves %+v, previewed %+v", moves, v.Moves)
	}
	for i, m := range moves {
		if want := v.Moves[i]; m.RecordID != want.RecordID || m.From != want.From || m.To != want.To {
			t.Errorf("%+v moved, previewed was %+v", m, want)
		}
	}
	merges := rowsOf[weir.Merge](r, "identity.merges", "")
	if len(merges) != 1 || merges[0].Change != "split" || merges[0].Author != "ann" || merges[0].Reason != d.ID+": two people" {
		t.Errorf("merges %+v", merges)
	}
	if members := rowsOf[weir.Membership](r, "segment.memberships", ""); len(members) != 0 {
		t.Errorf("members %+v", members)
	}
	if rows := r.settle(three...); rows[0].Status != Unchanged {
		t.Errorf("nothing is new, and resolve is %s", rows[0].Status)
	}
	e, err := r.ExplainIdentity(t.Context(), r.project, "crm/c/1", "shop/c/2")
	if err != nil || e.Same || len(e.Decisions) != 1 || e.Decisions[0].Author != "ann" || !slices.ContainsFunc(e.Path, func(h explain.Hop) bool { return h.Edge.RefusedBy == "do_not_link: "+d.ID }) {
		t.Errorf("why they are apart: %+v %v", e, err)
	}
	undo := r.decide(DecisionOrder{Do: DoUndo, A: d.ID, Reason: "one after all"})
	r.settle(three...)
	if got := r.links(); !maps.Equal(before, got) {
		t.Fatalf("after the undo %v, before the split %v", got, before)
	}
	merges = rowsOf[weir.Merge](r, "identity.merges", "where change = 'merge'")
	if len(merges) != 1 || merges[0].Reason != undo.ID+": one after all" {
		t.Errorf("merges %+v", merges)
	}
	r.decide(DecisionOrder{Do: DoUndo, A: undo.ID})
	r.settle(three...)
	if got := r.links(); !maps.Equal(split, got) {
		t.Fatalf("after the undo of the undo %v, with the split %v", got, split)
	}
	report, err := r.ReportIdentity(t.Context(), r.project, 5)
	if err != nil || len(report.Runs) != 4 || report.Runs[0].Records != 5 || report.Runs[0].Profiles != 3 || report.Runs[0].Largest != 2 {
		t.Errorf("report %+v %v", report, err)
	}
	if want := (MatchRate{Kind: "person", Source: "crm", Records: 3, Matched: 2}); !slices.Contains(report.Rates, want) {
		t.Errorf("rates %+v", report.Rates)
	}
	if want := (MatchRate{Kind: "person", Rule: "same_phone", Records: 5, Matched: 4}); !slices.Contains(report.Rates, want) {
		t.Errorf("rates %+v", report.Rates)
	}
	p, err := r.Profile(t.Context(), split["shop/c/2"])
	if err != nil || len(p.Records) != 2 {
		t.Errorf("%+v %v", p, err)
	}
}

func TestLinkThatALimitRefusesSaysSo(t *testing.T) {
	r := couple(t)
	r.add("shop/9", "customer_id=9")
	r.settle(three...)
	v, err := r.PreviewDecision(t.Context(), r.project, r.draft(DecisionOrder{Do: DoLink, A: "shop/c/9", B: "shop/c/1"}), nil)
	if err != nil || v.Moved != 0 || !slices.Equal(v.Refused, []string{"limit: customer_id"}) {
		t.Fatalf("%+v %v", v, err)
	}
	r.add("crm/4", "email=four@x.fr") // waits for the next run
	r.settle()
	v, err = r.PreviewDecision(t.Context(), r.project, r.draft(DecisionOrder{Do: DoLink, A: "crm/c/1", B: "crm/c/3"}), nil)
	if err != nil || !v.Pending {
		t.Errorf("other changes wait, and the preview does not say so: %v %v", v.Pending, err)
	}
}

func TestOrdersThatMakeNoSense(t *testing.T) {
	r := couple(t)
	r.records["crm/c/a"] = weir.Record{ID: "crm/c/a", Kind: weir.Account, Source: "crm", Stream: "c", Identifiers: weir.Identifiers{}}
	r.order("email", "later@x.fr") // seen in events only
	r.settle(three...)
	first := r.decide(DecisionOrder{Do: DoUnlink, A: "crm/c/1", B: "crm/c/3"})
	undone := r.decide(DecisionOrder{Do: DoUndo, A: first.ID})
	for name, c := range map[string]struct {
		o    DecisionOrder
		code weir.Code
		says string
	}{
		"no reason":        {DecisionOrder{Do: DoLink, A: "crm/c/1", B: "crm/c/3", Reason: "  "}, weir.Invalid, "reason"},
		"two lines":        {DecisionOrder{Do: DoLink, A: "crm/c/1", B: "crm/c/3", Reason: "a\nb"}, weir.Invalid, "one line"},
		"unknown record":   {DecisionOrder{Do: DoLink, A: "crm/c/1", B: "crm/c/99"}, weir.NotFound, "crm/c/99"},
		"unknown profile":  {DecisionOrder{Do: DoLink, A: "crm/c/1", B: "p_none"}, weir.NotFound, "never was"},
		"unknown value":    {DecisionOrder{Do: DoUnlink, A: "email:none@x.fr", B: "crm/c/1"}, weir.NotFound, "nobody holds"},
		"itself":           {DecisionOrder{Do: DoLink, A: "crm/c/1", B: "crm/c/1"}, weir.Invalid, "both sides"},
		"its own profile":  {DecisionOrder{Do: DoUnlink, A: "crm/c/1", B: r.links()["crm/c/1"]}, weir.Invalid, "both sides"},
		"other kind":       {DecisionOrder{Do: DoLink, A: "crm/c/1", B: "crm/c/a"}, weir.Invalid, "account"},
		"events only":      {DecisionOrder{Do: DoLink, A: "crm/c/1", B: "email:later@x.fr"}, weir.Invalid, "only seen in events"},
		"one record":       {DecisionOrder{Do: DoSplit, A: "crm/c/3", Records: []string{"crm/c/3"}}, weir.Invalid, "nothing to split"},
		"nothing moves":    {DecisionOrder{Do: DoSplit, A: "crm/c/1"}, weir.Invalid, "--record"},
		"everything moves": {DecisionOrder{Do: DoSplit, A: "crm/c/1", Sources: []string{"crm", "shop"}}, weir.Invalid, "none stay"},
		"foreign record":   {DecisionOrder{Do: DoSplit, A: "crm/c/1", Records: []string{"crm/c/3"}}, weir.Invalid, "no record with the id crm/c/3"},
		"foreign source":   {DecisionOrder{Do: DoSplit, A: "crm/c/1", Sources: []string{"web"}}, weir.Invalid, "source web"},
		"no identifier":    {DecisionOrder{Do: DoSplit, A: "crm/c/1", Identifiers: []string{"x"}}, weir.Invalid, "KIND:VALUE"},
		"unknown decision": {DecisionOrder{Do: DoUndo, A: "d_x"}, weir.NotFound, "weir identity decisions"},
		"undone already":   {DecisionOrder{Do: DoUndo, A: first.ID}, weir.Invalid, "undo " + undone.ID},
	} {
		o := c.o
		if o.Author = "ann"; o.Reason == "" {
			o.Reason = "because"
		}
		if _, err := r.DraftDecision(t.Context(), o); weir.CodeOf(err) != c.code || !strings.Contains(fmt.Sprint(err), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestContradictingDecisionsAndThoseThatWait(t *testing.T) {
	r := couple(t)
	apart := r.decide(DecisionOrder{Do: DoUnlink, A: "crm/c/1", B: "crm/c/3"})
	link := r.draft(DecisionOrder{Do: DoLink, A: "crm/c/1", B: "crm/c/3"})
	if !slices.Equal(link.Overrules, []string{apart.ID}) || !link.At.After(apart.At) {
		t.Fatalf("a link of what was unlinked: %+v", link)
	}
	if err := r.RecordDecision(t.Context(), link); err != nil {
		t.Fatal(err)
	}
	r.settle(three...)
	if l := r.links(); l["crm/c/1"] != l["crm/c/3"] {
		t.Fatalf("the later decision counts: %v", l)
	}
	delete(r.records, "crm/c/3")
	rows := r.settle(three...)
	if rows[0].Counts["decisions_idle"] != 1 {
		t.Errorf("counts %v", rows[0].Counts)
	}
	all, err := r.IdentityDecisions(t.Context())
	if err != nil || len(all) != 2 || all[0].ID != link.ID || !all[0].Idle || all[0].Missing != 1 || !all[1].Past {
		t.Errorf("%+v %v", all, err)
	}
	r.add("crm/3", "email=other@x.fr") // it comes back, and the decision with it
	r.settle(three...)
	if l := r.links(); l["crm/c/1"] != l["crm/c/3"] {
		t.Errorf("links %v", l)
	}
}
