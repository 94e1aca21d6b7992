package segment

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object/objecttest"
	"github.com/weir-cdp/weir/pipelines/segment/score"
)

// cdnow makes events and profiles of the CDNOW sample: a customer each line.
func cdnow(t *testing.T) world {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "tx_cdnow", "CDNOW_sample.txt"))
	if err != nil {
		t.Skipf("the CDNOW data is not there (%v); put it into ../shared/data/tx_cdnow", err)
	}
	var w world
	seen := map[string]bool{}
	for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		f := strings.Fields(line)
		id := "p" + f[1]
		at, err := time.Parse("20060102", f[2])
		if err != nil {
			t.Fatal(err)
		}
		if !seen[id] {
			seen[id] = true
			w.profiles = append(w.profiles, weir.Profile{ID: id, Kind: weir.Person, Attributes: map[string]string{}, Identifiers: weir.Identifiers{}, Records: 1})
			w.owners = append(w.owners, weir.IdentifierOwner{Kind: "customer_id", Value: f[1], ProfileID: id})
		}
		w.events = append(w.events, weir.Event{ID: fmt.Sprintf("e%05d", i), Name: "Order Completed", OccurredAt: at, ReceivedAt: at, Source: "shop", Stream: "orders",
			Identifiers: weir.Identifiers{"customer_id": {f[1]}}, Properties: map[string]string{"revenue": f[4], "cds": f[3]}})
	}
	return w
}

func byScore(a, b weir.FittedScore) int { return cmp.Compare(a.Trait, b.Trait) }

func scoreParams(defs ...weir.ScoreDef) Params {
	p := Params{IdentifierOrder: []string{"customer_id"}, AttributeTypes: map[string]weir.AttributeType{}}
	for i := range defs {
		p.Traits = append(p.Traits, defs[i].Traits(weir.Person, nil)...)
	}
	return p
}

// The whole stage on the paper's data, at the end of its calibration and of its
// hold-out: parameters, expectations, and how the check of the cut-off comes out.
func TestCDNOWThroughTheStage(t *testing.T) {
	s := objecttest.Open(t)
	w := cdnow(t)
	saved := now
	t.Cleanup(func() { now = saved })
	clv := weir.ScoreDef{Kind: "clv", Trait: "clv", Event: "Order Completed", Value: "properties.revenue", Horizon: 39 * 7 * 24 * time.Hour}
	params := scoreParams(clv)
	params.Segments = []weir.SegmentDef{{Name: "alive", Where: weir.Condition{Trait: "clv_probability_alive", Compare: compare("at_least", "0.5")}}}

	now = time.Date(1997, 9, 30, 20, 0, 0, 0, time.UTC)
	m, d := run(t, s, w, params, 3, 2000, "calibration")
	fitted := rows(t, s, m, d, "segment.scores", byScore)
	if len(fitted) != 1 || fitted[0].Refused != "" || m.Counts["events_later"] == 0 {
		t.Fatalf("%+v", fitted)
	}
	var model score.Model
	if err := json.Unmarshal([]byte(fitted[0].Model), &model); err != nil {
		t.Fatal(err)
	}
	within := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got/want-1) > 0.01 {
			t.Errorf("%s: %g, published %g", what, got, want)
		}
	}
	within("r", model.CLV.NBD.R, 0.243)
	within("alpha", model.CLV.NBD.Alpha, 4.414)
	within("a", model.CLV.NBD.A, 0.793)
	within("b", model.CLV.NBD.B, 2.426)
	within("p", model.CLV.Spending.P, 6.25)
	within("q", model.CLV.Spending.Q, 3.74)
	within("gamma", model.CLV.Spending.Gamma, 15.44)
	values := map[string]float64{}
	for _, v := range rows(t, s, m, d, "core.traits", byTrait) {
		values[v.ProfileID+" "+v.Trait], _ = strconv.ParseFloat(v.Number, 64)
	}
	within("customer 1 alive", values["p0001 clv_probability_alive"], 0.72662)
	within("customer 1 orders", values["p0001 clv_expected_orders"], 1.22599)
	within("customer 1 value", values["p0001 clv_expected_value"], 24.6539)
	within("customer 1 worth", values["p0001 clv"], 1.22599*24.6539) // no discount
	members := rows(t, s, m, d, "segment.memberships", byMember)
	alive := 0
	for _, p := range w.profiles {
		if values[p.ID+" clv_probability_alive"] >= 0.5 {
			alive++
		}
	}
	if alive == 0 || alive != len(members) {
		t.Errorf("%d are alive, %d members", alive, len(members))
	}

	now = time.Date(1998, 6, 30, 20, 0, 0, 0, time.UTC)
	m, d = run(t, s, w, params, 3, 2000, "holdout")
	var q score.Quality
	if err := json.Unmarshal([]byte(rows(t, s, m, d, "segment.scores", byScore)[0].Quality), &q); err != nil {
		t.Fatal(err)
	}
	c := q.CLV.Check
	within("r at the cut-off", c.NBD.R, 0.243)
	within("expected in 39 weeks", c.Expected, 1653.4)
	within("bought in 39 weeks", c.Actual, 1882)
	within("mean error", c.MAE, 0.78545)
	within("root mean square error", c.RMSE, 1.6080)
	within("naive error", c.NaiveMAE, 1.02367)
}

// Scores in many partitions and cuts, with a refused one: those that go by it keep
// their members.
func TestScoresInTheStage(t *testing.T) {
	s := objecttest.Open(t)
	w, params := newWorld(), testParams()
	for _, def := range []weir.ScoreDef{
		{Kind: "rfm", Trait: "rfm", Event: "Order Completed", Value: "properties.revenue", Order: "properties.product"},
		{Kind: "churn", Trait: "churn", Event: "Order Completed", Horizon: 30 * 24 * time.Hour, At: "traits/churn.yaml:2"}, // too few people
	} {
		params.Traits = append(params.Traits, def.Traits(weir.Person, nil)...)
	}
	params.Segments = append(params.Segments,
		weir.SegmentDef{Name: "best", Where: weir.Condition{All: []weir.Condition{{Trait: "rfm_r", Compare: compare("at_least", "4")}, {Trait: "rfm_m", Compare: compare("at_least", "4")}}}},
		weir.SegmentDef{Name: "leaving", Where: weir.Condition{Trait: "churn", Compare: compare("at_least", "0.8")}},
		weir.SegmentDef{Name: "told", Where: weir.Condition{Segment: "leaving"}}, // goes by it over another
		weir.SegmentDef{Name: "twice", Where: weir.Condition{Trait: "doubled", Compare: compare("at_least", "0.8")}})
	params.Traits = append(params.Traits, weir.TraitDef{Name: "doubled", Of: weir.Person, Aggregate: "expression", Expression: "trait.churn * 2.0"})
	for _, name := range []string{"leaving", "told", "twice"} {
		w.prior = append(w.prior, weir.Membership{Segment: name, ProfileID: "p002", EnteredAt: now.AddDate(0, 0, -9)})
	}
	m, d := run(t, s, w, params, 4, 100, "a")
	traits := rows(t, s, m, d, "core.traits", byTrait)
	good := map[string]int{}
	for _, v := range traits {
		if v.Trait == "churn" {
			t.Errorf("%+v", v)
		}
		if v.Trait == "rfm_r" || v.Trait == "rfm_m" {
			if n, _ := strconv.Atoi(v.Number); n >= 4 {
				good[v.ProfileID]++
			}
		}
	}
	var best, leaving, want []string
	for _, x := range rows(t, s, m, d, "segment.memberships", byMember) {
		switch x.Segment {
		case "best":
			best = append(best, x.ProfileID)
		case "leaving", "told", "twice":
			leaving = append(leaving, x.Segment+" "+x.ProfileID)
		}
	}
	for id, n := range good {
		if n == 2 {
			want = append(want, id)
		}
	}
	slices.Sort(want)
	if len(want) == 0 || !reflect.DeepEqual(best, want) {
		t.Errorf("best %v, want %v", best, want)
	}
	if !reflect.DeepEqual(leaving, []string{"leaving p002", "told p002", "twice p002"}) {
		t.Errorf("leaving %v", leaving)
	}
	broken := rows(t, s, m, d, "ops.quarantine", func(a, b weir.Quarantined) int { return cmp.Compare(a.Field, b.Field) })
	if !slices.ContainsFunc(broken, func(q weir.Quarantined) bool {
		return q.Field == "trait churn" && q.Origin == "traits/churn.yaml:2" && strings.Contains(q.Reason, "too little")
	}) {
		t.Errorf("quarantine %+v", broken)
	}
	r := rand.New(rand.NewPCG(5, 6))
	r.Shuffle(len(w.events), func(i, j int) { w.events[i], w.events[j] = w.events[j], w.events[i] })
	same, _ := run(t, s, w, params, 4, 333, "b")
	if !reflect.DeepEqual(same.Tables, m.Tables) {
		t.Error("other input files give other output files")
	}
	one, _ := run(t, s, w, params, 1, 10_000, "c")
	if !reflect.DeepEqual(rows(t, s, one, d, "core.traits", byTrait), traits) {
		t.Error("one partition gives other traits")
	}
}
