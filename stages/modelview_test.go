package stages

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/project"
)

func TestModelIsShownAndReviewed(t *testing.T) {
	r := peopled(t, 150)
	ctx := t.Context()
	if _, err := r.IdentityModel(ctx, r.project, weir.Person); weir.CodeOf(err) != weir.NotFound {
		t.Errorf("before any run: %v", err)
	}
	r.settle(three...)
	v, err := r.IdentityModel(ctx, r.project, weir.Person)
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Columns) < 4 || len(v.Blocks) == 0 || len(v.Curve) == 0 || v.Unlinkable == nil || v.Trained.Records != len(r.records) || len(v.Notes) != 0 {
		t.Errorf("%+v", v)
	}
	counted := int64(0)
	for _, b := range v.Blocks {
		counted += b.Counted
	}
	if counted == 0 {
		t.Error("no pairs counted")
	}
	var page bytes.Buffer
	if err := v.HTML(&page); err != nil || !strings.Contains(page.String(), v.Version) {
		t.Error(err)
	}
	for _, rec := range r.records {
		for _, value := range []string{rec.Attributes["family_name"], rec.Attributes["birth_date"]} {
			if len(value) > 5 && strings.Contains(page.String(), value) {
				t.Fatalf("the page tells %q of a record", value)
			}
		}
	}
	if _, err := r.IdentityModel(ctx, r.project, weir.Account); weir.CodeOf(err) != weir.Invalid || !strings.Contains(err.Error(), "model: auto") {
		t.Errorf("no model asked for: %v", err)
	}
	if _, err := r.IdentityModel(ctx, r.project, "robot"); weir.CodeOf(err) != weir.Invalid {
		t.Errorf("unknown kind: %v", err)
	}
	r.reviewed()
}

// reviewed answers pairs, and trains with the answers.
func (r *registry) reviewed() {
	t, ctx := r.t, r.t.Context()
	all, err := r.ReviewPairs(ctx, r.project, "", 20)
	if err != nil || len(all.Pairs) == 0 {
		t.Fatalf("%+v %v", all, err)
	}
	first := all.Pairs[0]
	if len(first.Fields) < 3 || first.Left >= first.Right {
		t.Errorf("%+v", first)
	}
	r.project.Labels = []project.Label{{Left: first.Left, Right: first.Right, Answer: project.Same}, {Left: "gone/1", Right: "gone/2", Answer: project.Different}}
	again, err := r.ReviewPairs(ctx, r.project, weir.Person, 20)
	if err != nil || again.Answered != 2 || again.Gone != 1 {
		t.Errorf("%d answered, %d gone: %v", again.Answered, again.Gone, err)
	}
	for _, p := range again.Pairs {
		if p.Left == first.Left && p.Right == first.Right {
			t.Error("an answered pair is asked again")
		}
	}
	before, err := r.CurrentModels(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Retrain(ctx, weir.Person, "ann"); err != nil {
		t.Fatal(err)
	}
	v, err := r.IdentityModel(ctx, r.project, weir.Person)
	if err != nil || len(v.Notes) != 1 || !strings.Contains(v.Notes[0], "next run trains") {
		t.Errorf("notes %v %v", v, err)
	}
	r.settle(three...)
	learned, err := r.Learned(ctx, r.project, []weir.Kind{weir.Person}, before)
	if err != nil || len(learned) != 1 || learned[0].Gain == nil || learned[0].Gain.Answers != 1 || learned[0].Gain.Check == nil {
		t.Errorf("%+v %v", learned, err)
	}
	if c := learned[0].Gain.Check; c != nil && (c.Given != 1 || c.Unknown != 1) {
		t.Errorf("training was given %+v", c)
	}
}

func TestDriftIsReported(t *testing.T) {
	r := peopled(t, 150)
	r.settle(three...)
	_, drifted, err := r.MatchRates(t.Context())
	if err != nil || len(drifted) < 4 || slices.ContainsFunc(drifted, func(d Drift) bool { return d.Large }) {
		t.Fatalf("after training nothing drifted: %+v %v", drifted, err)
	}
	for id, rec := range r.records { // a system no longer tells birth dates
		rec.Attributes = maps.Clone(rec.Attributes)
		delete(rec.Attributes, "birth_date")
		r.records[id] = rec
	}
	r.settle(three...)
	report, err := r.ReportIdentity(t.Context(), r.project, 5)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Drift) == 0 || !report.Drift[0].Large || !strings.HasPrefix(report.Drift[0].Says, "birth_date was filled in ") || report.Drift[0].Now != 0 {
		t.Errorf("%+v", report.Drift)
	}
	v, err := r.IdentityModel(t.Context(), r.project, weir.Person)
	if err != nil || !slices.ContainsFunc(v.Notes, func(n string) bool { return strings.HasPrefix(n, "drift: birth_date") }) {
		t.Errorf("%v %v", v, err)
	}
}

func TestArtefactOfAnotherFormat(t *testing.T) {
	r := peopled(t, 40)
	r.settle(weir.Resolve)
	rows := rowsOf[weir.IdentityModel](r, "identity.models", "")
	rows[0].Artefact = `{"format": 99}`
	putNamed(r.village, "identity.models", weir.Resolve, rows...)
	if _, err := r.IdentityModel(t.Context(), r.project, weir.Person); weir.CodeOf(err) != weir.Invalid || !strings.Contains(err.Error(), "format 99") {
		t.Error(err)
	}
}
