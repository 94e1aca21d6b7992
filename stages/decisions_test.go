package stages

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/pipelines"
	resolver "github.com/weir-cdp/weir/pipelines/resolve"
	"github.com/weir-cdp/weir/pipelines/resolve/decisions"
	"github.com/weir-cdp/weir/pipelines/resolve/stableid"
	segments "github.com/weir-cdp/weir/pipelines/segment"
	unifier "github.com/weir-cdp/weir/pipelines/unify"
	"github.com/weir-cdp/weir/project"
)

// registry is a village whose records are resolved by the real stages.
type registry struct {
	*village
	project *project.Project
	records map[string]weir.Record
	events  []weir.Event
	runs    int
}

func newRegistry(t *testing.T) *registry {
	r := &registry{village: newVillage(t), records: map[string]weir.Record{}, project: &project.Project{Name: "shop", Timezone: "UTC",
		Identity: []weir.IdentityDef{{Kind: weir.Person, Order: []string{"customer_id", "email", "phone"},
			Identifiers: map[string]weir.IdentifierRule{"customer_id": {Limit: 1, Hard: true}, "email": {}, "phone": {}}}},
		Segments: []weir.SegmentDef{{Name: "buyers", Of: weir.Person,
			Where: weir.Condition{IsEvent: true, Event: "Order Completed", Count: []weir.Comparison{{Op: "at_least", Values: []string{"2"}}}}}}}}
	stage := map[weir.Stage]pipelines.Pipeline{weir.Resolve: resolver.Pipeline, weir.Unify: unifier.Pipeline, weir.Segment: segments.Pipeline}
	r.Pipeline = func(ctx context.Context, key string, _ func(weir.Progress)) error {
		spec, err := pipelines.ReadSpec(ctx, r.Lake.Store(), key)
		if err != nil {
			return err
		}
		_, err = pipelines.RunLocal(ctx, r.Lake.Store(), key, stage[spec.Stage], map[string]string{unifier.LineageSecret: "s"})
		return err
	}
	return r
}

// add tells of a record SOURCE/KEY with kind=value of identifiers.
func (r *registry) add(id string, fields ...string) {
	source, key, _ := strings.Cut(id, "/")
	rec := weir.Record{ID: source + "/c/" + key, Kind: weir.Person, Source: source, Stream: "c", ObservedAt: noon, Attributes: map[string]string{"given_name": key}, Identifiers: weir.Identifiers{}}
	for _, f := range fields {
		k, v, _ := strings.Cut(f, "=")
		rec.Identifiers.Add(k, v)
	}
	r.records[rec.ID] = rec
}

func (r *registry) order(kind, value string) {
	ids := weir.Identifiers{}
	ids.Add(kind, value)
	r.events = append(r.events, weir.Event{ID: fmt.Sprintf("e%03d", len(r.events)), Name: "Order Completed", OccurredAt: noon.Add(-time.Hour), ReceivedAt: noon, Identifiers: ids})
}

// settle writes the records and runs stages; it returns the row of each.
func (r *registry) settle(stages ...weir.Stage) (rows []weir.StageRun) {
	r.t.Helper()
	var recs []weir.Record
	for _, id := range slices.Sorted(maps.Keys(r.records)) {
		recs = append(recs, r.records[id])
	}
	put(r.village, schema.Records(map[string]weir.AttributeType{"given_name": weir.Text}), weir.Conform, "", recs...)
	putNamed(r.village, "core.events", weir.Conform, r.events...)
	ctx := r.t.Context()
	key, err := r.Apply(ctx, r.project)
	if err != nil {
		r.t.Fatal(err)
	}
	r.runs++
	now := noon.Add(time.Duration(r.runs) * time.Minute)
	run := weir.Run{Workspace: "shop", ID: weir.NewRunID(now, "r"), Now: now, Project: key}
	for _, name := range stages {
		s := r.All()[name]
		plan, err := s.Plan(ctx, run, "")
		if err != nil {
			r.t.Fatal(err)
		}
		var row weir.StageRun
		if plan.Unchanged {
			row, err = s.Keep(ctx, run, "")
		} else {
			var manifest string
			if manifest, err = s.Run(ctx, plan.Spec, func(weir.Progress) {}); err == nil {
				row, err = s.Commit(ctx, manifest)
			}
		}
		if err != nil {
			r.t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rows
}

func rowsOf[T any](r *registry, table, rest string) []T {
	r.t.Helper()
	q, err := r.ask(r.t.Context(), table)
	if err != nil {
		r.t.Fatal(err)
	}
	defer q.close()
	rows, err := list[T](r.t.Context(), q, table, rest)
	if err != nil {
		r.t.Fatal(err)
	}
	return rows
}

// links is which profile each record is of.
func (r *registry) links() map[string]string {
	out := map[string]string{}
	for _, l := range rowsOf[weir.Link](r, "identity.links", "") {
		out[l.RecordID] = l.ProfileID
	}
	return out
}

func (r *registry) draft(o DecisionOrder) Draft {
	r.t.Helper()
	if o.Reason == "" {
		o.Reason = "because"
	}
	o.Author = "ann"
	d, err := r.DraftDecision(r.t.Context(), o)
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

func (r *registry) decide(o DecisionOrder) Draft {
	r.t.Helper()
	d := r.draft(o)
	if err := r.RecordDecision(r.t.Context(), d); err != nil {
		r.t.Fatal(err)
	}
	return d
}

var three = []weir.Stage{weir.Resolve, weir.Unify, weir.Segment}

// couple is two people who share a mailbox: crm/1 and shop/1 are hers, crm/2 and
// shop/2 are his.
func couple(t *testing.T) *registry {
	r := newRegistry(t)
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

// Random histories of records that come and go, decisions and their undoing: every
// run respects what stands, no id is lost, and a link that is split again, or undone,
// leaves what was before (invariants 4 and 5).
func TestHistoriesOfDecisions(t *testing.T) {
	for seed := range uint64(2) {
		rng := rand.New(rand.NewPCG(seed, 9))
		r := newRegistry(t)
		ever := map[string]bool{}
		resolve := func() map[string]string {
			r.settle(weir.Resolve)
			links := r.links()
			for _, p := range links {
				ever[p] = true
			}
			return links
		}
		links := map[string]string{}
		pick := func() string { return slices.Sorted(maps.Keys(links))[rng.IntN(len(links))] }
		linked := 0
		for range 5 {
			for range 4 {
				id := fmt.Sprintf("crm/%d", rng.IntN(12))
				if rng.IntN(5) == 0 && len(r.records) > 6 {
					delete(r.records, "crm/c/"+id[4:])
					continue
				}
				r.add(id, fmt.Sprintf("email=e%d@x.fr", rng.IntN(7)), fmt.Sprintf("phone=+3360000%04d", rng.IntN(9)))
			}
			links = resolve()
			a, b := pick(), pick()
			switch rng.IntN(4) {
			case 0:
				if a != b {
					r.decide(DecisionOrder{Do: DoUnlink, A: a, B: b})
				}
			case 1:
				if _, err := r.DraftDecision(t.Context(), DecisionOrder{Do: DoSplit, A: a, Records: []string{a}, Reason: "x", Author: "y"}); err == nil {
					r.decide(DecisionOrder{Do: DoSplit, A: a, Records: []string{a}})
				}
			case 2:
				if links[a] != links[b] {
					r.decide(DecisionOrder{Do: DoLink, A: a, B: b})
				}
			default:
				all, err := r.IdentityDecisions(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if all = slices.DeleteFunc(all, func(d ListedDecision) bool { return d.Gone }); len(all) > 0 {
					r.decide(DecisionOrder{Do: DoUndo, A: all[rng.IntN(len(all))].ID})
				}
			}
			links = resolve()
			r.respected(links)
			r.resolves(ever, links)
			if a, b = links[pick()], links[pick()]; a != b {
				linked += r.thereAndBack(links, a, b, resolve)
			}
		}
		if linked == 0 {
			t.Errorf("seed %d: no link joined anything: the history tests little", seed)
		}
	}
}

// respected checks every standing decision that sets records apart.
func (r *registry) respected(links map[string]string) {
	r.t.Helper()
	_, apart := decisions.Settle(decisions.List(rowsOf[weir.IdentityDecision](r, decisionsTable, "")))
	for _, d := range apart {
		for _, x := range d.Stays {
			for _, y := range d.Moves {
				if links[x] != "" && links[x] == links[y] {
					r.t.Fatalf("%s and %s are one, and were set apart", x, y)
				}
			}
		}
	}
}

// resolves checks that every id of old leads to a living profile, or is retired.
func (r *registry) resolves(ever map[string]bool, links map[string]string) {
	r.t.Helper()
	living := map[string]bool{}
	for _, p := range links {
		living[p] = true
	}
	h := stableid.NewHistory(rowsOf[weir.Merge](r, "identity.merges", ""))
	for id := range ever {
		if now, alive := h.Resolve(id); alive != living[now] || (living[id] && now != id) {
			r.t.Fatalf("%s leads to %q, alive %v", id, now, alive)
		}
	}
}

// thereAndBack links two profiles and splits them again, then undoes both: each way
// back leads to what was. It returns 1 if the link joined them.
func (r *registry) thereAndBack(before map[string]string, a, b string, resolve func() map[string]string) int {
	r.t.Helper()
	sizes := map[string]int{}
	var hers []string
	for rec, p := range before {
		sizes[p]++
		if p == a {
			hers = append(hers, rec)
		}
	}
	slices.Sort(hers)
	link := r.decide(DecisionOrder{Do: DoLink, A: a, B: b})
	joined := resolve()
	same := func(now map[string]string, what string) {
		r.t.Helper()
		for x := range before {
			for y := range before {
				if (before[x] == before[y]) != (now[x] == now[y]) {
					r.t.Fatalf("%s: %s and %s are not as before\n%s", what, x, y, cmp.Diff(before, now))
				}
			}
			if before[x] != now[x] && sizes[a] != sizes[b] {
				r.t.Fatalf("%s: %s was of %s, is of %s", what, x, before[x], now[x])
			}
		}
	}
	merged := 0
	if slices.ContainsFunc(slices.Collect(maps.Keys(before)), func(rec string) bool { return before[rec] == b && joined[rec] == joined[hers[0]] }) {
		merged = 1
		split := r.decide(DecisionOrder{Do: DoSplit, A: hers[0], Records: hers})
		same(resolve(), "linked and split")
		r.decide(DecisionOrder{Do: DoUndo, A: split.ID})
		if again := resolve(); !maps.Equal(joined, again) && sizes[a] != sizes[b] {
			r.t.Fatalf("the split undone: %s", cmp.Diff(joined, again))
		}
	}
	r.decide(DecisionOrder{Do: DoUndo, A: link.ID})
	same(resolve(), "the link undone")
	return merged
}
