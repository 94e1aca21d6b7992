package train_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
	"github.com/weir-cdp/weir/pipelines/resolve/train"
)

var auto = weir.IdentityDef{Kind: weir.Person, Model: &weir.ModelDef{Auto: true}, Identifiers: map[string]weir.IdentifierRule{}}

// town is n records of people, half of whom are there twice, some with little said
// of them.
func town(n int, seed uint64) []weir.Record {
	r := rand.New(rand.NewPCG(seed, 1))
	given := []string{"anna", "marc", "lucie", "paul", "emma", "hugo", "lea", "louis", "chloe", "jules", "nina", "felix"}
	var out []weir.Record
	for i := 0; len(out) < n; i++ {
		a := map[string]string{"given_name": given[r.IntN(len(given))], "family_name": fmt.Sprint("martin", string(rune('a'+r.IntN(26))), string(rune('a'+r.IntN(26)))),
			"birth_date": fmt.Sprintf("%d-%02d-%02d", 1940+r.IntN(65), 1+r.IntN(12), 1+r.IntN(28)), "city": fmt.Sprint("ville", string(rune('a'+r.IntN(20))))}
		for k := range 1 + r.IntN(2) {
			c := map[string]string{}
			for name, v := range a {
				if r.IntN(10) > 0 {
					c[name] = v
				}
			}
			out = append(out, weir.Record{ID: fmt.Sprintf("s/t/%06d-%d", i, k), Kind: weir.Person, Source: "s", Attributes: c, Identifiers: weir.Identifiers{}})
		}
	}
	return out[:n]
}

// The bins say what scoring every pair of a small sample with the model says.
func TestCurvesAreWhatTheModelSays(t *testing.T) {
	rs := town(600, 7)
	m, report, err := train.Train(&train.Sample{Records: rs}, auto, train.Options{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Scores) < 5 || len(report.Unlinkable) < 5 {
		t.Fatalf("too few bins: %v %v", report.Scores, report.Unlinkable)
	}
	bin := func(score float64) float64 { return math.Floor(min(max(score, -30), 60)/0.5) * 0.5 }
	fs := make([]model.Features, len(rs))
	own := map[float64]int{}
	for i := range rs {
		fs[i] = m.Prepare(&rs[i])
		own[bin(m.Score(&fs[i], &fs[i]))]++
	}
	for _, b := range report.Unlinkable {
		if own[b.From] != b.Records {
			t.Errorf("%d records have their best score at %v, not %d", own[b.From], b.From, b.Records)
		}
		delete(own, b.From)
	}
	if len(own) > 0 {
		t.Errorf("records that no bin counts: %v", own)
	}
	// All pairs were looked at. The artefact keeps six digits, so a pair may be one
	// bin off: what lies above a score is compared with a bin to spare.
	var scores []float64
	pairs, matches := 0.0, 0.0
	for i := range fs {
		for j := range i {
			scores = append(scores, m.Score(&fs[i], &fs[j]))
		}
	}
	for _, s := range scores {
		matches += 1 / (1 + math.Exp2(-s))
	}
	sum := 0.0
	for _, b := range report.Scores {
		pairs += b.Pairs
		sum += b.Matches
	}
	if int(pairs) != len(scores) || report.SamplePairs != float64(len(scores)) {
		t.Errorf("%v of %d pairs counted", pairs, len(scores))
	}
	if math.Abs(sum-matches) > 0.01*matches {
		t.Errorf("%v matches expected, the model says %v", sum, matches)
	}
	above := func(at float64) (n int) {
		for _, s := range scores {
			if s >= at {
				n++
			}
		}
		return n
	}
	left := 0.0
	for i := len(report.Scores) - 1; i >= 0; i-- {
		b := report.Scores[i]
		left += b.Pairs
		if b.From > -30 && (int(left) < above(b.From+0.01) || int(left) > above(b.From-0.01)) {
			t.Errorf("%v pairs from %v up, the model says %d", left, b.From, above(b.From))
		}
	}
}

func TestCurvesKnowNoOrder(t *testing.T) {
	rs := town(500, 2)
	_, a, err := train.Train(&train.Sample{Records: rs}, auto, train.Options{Seed: 3, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(rs), func(i, j int) { rs[i], rs[j] = rs[j], rs[i] })
	_, b, err := train.Train(&train.Sample{Records: rs}, auto, train.Options{Seed: 3, Workers: 4})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(a.Scores, b.Scores) + cmp.Diff(a.Unlinkable, b.Unlinkable); d != "" {
		t.Error(d)
	}
}

func TestAgreementCountsAnswersThatTheModelGives(t *testing.T) {
	rs := town(600, 7)
	m, _, err := train.Train(&train.Sample{Records: rs}, auto, train.Options{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	var labels []train.Label
	for i := range 40 {
		a, b := m.Prepare(&rs[i]), m.Prepare(&rs[i+1])
		labels = append(labels, train.Label{A: rs[i].ID, B: rs[i+1].ID, Same: (m.Score(&a, &b) >= m.Threshold()) == (i%4 > 0)})
	}
	labels = append(labels, train.Label{A: rs[0].ID, B: "gone", Same: true})
	if agree, of := train.Agreement(m, rs, labels); agree != 30 || of != 40 {
		t.Errorf("%d of %d", agree, of)
	}
	check, err := train.CheckLabels(&train.Sample{Records: rs, Labels: labels}, auto, train.Options{Seed: 3}, m)
	if err != nil || check.Given != 40 || check.Unknown != 1 || check.HeldOut != 0 {
		t.Errorf("%+v %v", check, err)
	}
}

// Each answer is held out once, and neither arm has seen it.
func TestAnswersAreHeldOut(t *testing.T) {
	rs := town(600, 7)
	person := func(r weir.Record) string { return strings.Split(r.ID, "-")[0] }
	var labels []train.Label
	for i := range 60 {
		labels = append(labels, train.Label{A: rs[i].ID, B: rs[i+1].ID, Same: person(rs[i]) == person(rs[i+1])})
	}
	s := &train.Sample{Records: rs, Labels: labels}
	m, _, err := train.Train(s, auto, train.Options{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	check, err := train.CheckLabels(s, auto, train.Options{Seed: 3}, m)
	if err != nil {
		t.Fatal(err)
	}
	if m.Trained.Labels != 60 {
		t.Fatalf("trained with %d answers", m.Trained.Labels)
	}
	// These people are easy: both arms know nearly all.
	if check.HeldOut != 60 || check.With < 50 || check.Without < 50 || check.With > 60 || check.Without > 60 {
		t.Errorf("%+v", check)
	}
	again, err := train.CheckLabels(&train.Sample{Records: rs, Labels: reversed(labels)}, auto, train.Options{Seed: 3}, m)
	if err != nil || *again != *check {
		t.Errorf("in another order %+v, not %+v", again, check)
	}
}

func reversed(in []train.Label) []train.Label {
	out := slices.Clone(in)
	slices.Reverse(out)
	return out
}
