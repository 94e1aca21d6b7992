package train_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
	"github.com/weir-cdp/weir/pipelines/resolve/train"
)

func artefact(t *testing.T, rs []weir.Record, def weir.IdentityDef, o train.Options, labels ...train.Label) (*model.Model, []byte) {
	t.Helper()
	m, _, err := train.Train(&train.Sample{Records: rs, Labels: labels}, def, o)
	if err != nil {
		t.Fatal(err)
	}
	data, err := m.JSON()
	if err != nil {
		t.Fatal(err)
	}
	return m, data
}

// invariant 11: the same sample in any order, on any number of workers, gives the
// same artefact, byte by byte.
func TestTrainingKnowsNoOrder(t *testing.T) {
	for _, n := range []int{600, 3000} { // all pairs are looked at, and some
		rs := town(n, 7)
		_, want := artefact(t, rs, auto, train.Options{Seed: 3, Workers: 1})
		for k := range uint64(3) {
			rand.New(rand.NewPCG(k, 1)).Shuffle(len(rs), func(i, j int) { rs[i], rs[j] = rs[j], rs[i] })
			if _, got := artefact(t, rs, auto, train.Options{Seed: 3, Workers: int(k) + 1}); !bytes.Equal(got, want) {
				t.Fatalf("%d records in another order: another artefact", n)
			}
		}
	}
}

// The artefact holds nothing that a record says.
func TestArtefactHoldsNoValue(t *testing.T) {
	_, data := artefact(t, town(600, 7), auto, train.Options{Seed: 3})
	for _, v := range []string{"anna", "martina", "villea", "chloe"} {
		if bytes.Contains(data, []byte(v)) {
			t.Errorf("the artefact says %s", v)
		}
	}
}

// Bad input gives a model that links nothing, and says so; no crash.
func TestSamplesThatTeachNothing(t *testing.T) {
	rec := func(i int, a map[string]string) weir.Record {
		return weir.Record{ID: fmt.Sprintf("s/t/%d", i), Kind: weir.Person, Source: "s", Attributes: a, Identifiers: weir.Identifiers{}}
	}
	var same, unique, odd, dates []weir.Record
	for i := range 60 {
		same = append(same, rec(i, map[string]string{"city": "Paris"}))
		unique = append(unique, rec(i, map[string]string{"code": fmt.Sprint(i * 7919)}))
		odd = append(odd, rec(i, map[string]string{"given_name": "a\xff\xfeb", "family_name": string([]byte{0xff, byte(i % 3)}), "": "x"}))
		dates = append(dates, rec(i, map[string]string{"birth_date": []string{"0001-01-01", "9999-12-31", "0000-00-00", "10000-01-01"}[i%4], "given_name": "ann"}))
	}
	for name, rs := range map[string][]weir.Record{
		"no record": nil, "one record": {rec(0, map[string]string{"given_name": "a"})}, "nothing said": {rec(0, nil), rec(1, nil), rec(2, nil)},
		"one value": same, "values that never repeat": unique, "invalid UTF-8": odd, "dates of year 1 and 9999": dates,
	} {
		m, report, err := train.Train(&train.Sample{Records: rs}, auto, train.Options{Seed: 1})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(m.Columns) == 0 && len(report.Notes) == 0 {
			t.Errorf("%s: nothing is compared and nothing said", name)
		}
		data, err := m.JSON()
		if err != nil {
			t.Fatal(err)
		}
		again, err := model.Parse(data)
		if err != nil || again.Version() != m.Version() {
			t.Errorf("%s: %v", name, err)
		}
		for i := range rs {
			f, g := m.Prepare(&rs[i]), m.Prepare(&rs[0])
			if s := m.Score(&f, &g); s != s || len(m.Columns) == 0 && s >= m.Threshold() {
				t.Errorf("%s: score %v", name, s)
			}
		}
	}
}

func TestWhatIsDeclaredWrongIsRefused(t *testing.T) {
	rs := town(100, 1)
	for want, d := range map[string]weir.ModelDef{
		"unknown comparison":     {Compare: map[string]string{"city": "fuzzy"}},
		"no record holds":        {Compare: map[string]string{"cty": "place"}},
		"unknown transform":      {Block: [][]string{{"city:soundex"}}},
		"no record holds street": {Block: [][]string{{"street"}}},
		"is empty":               {Block: [][]string{{}}},
		"threshold":              {Threshold: 95},
		"needs a given and a":    {Compare: map[string]string{"city": "place"}, Block: [][]string{{"city:names"}}},
		"is not compared":        {Compare: map[string]string{"city": "place"}, Block: [][]string{{"given_name"}}},
	} {
		def := auto
		def.Model = &d
		_, _, err := train.Train(&train.Sample{Records: rs}, def, train.Options{})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "identity.yaml: ") {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestWhatIsDeclaredIsTaken(t *testing.T) {
	def := auto
	def.Model = &weir.ModelDef{Compare: map[string]string{"given_name": "name", "family_name": "name", "birth_date": "date"},
		Block: [][]string{{"family_name:phonetic", "birth_date:year"}, {"birth_date"}}, Threshold: 0.99}
	m, _ := artefact(t, town(600, 7), def, train.Options{Seed: 3})
	if len(m.Columns) != 3 || len(m.Rules) != 2 || m.RuleName(0) != "family_name:phonetic + birth_date:year" || m.Threshold() < 6.6 || m.Threshold() > 6.7 {
		t.Errorf("%d columns, rules %+v, threshold %v", len(m.Columns), m.Rules, m.Threshold())
	}
}

// Answers move the model towards what people say.
func TestAnswersAreLearned(t *testing.T) {
	rs := town(600, 7)
	before, _ := artefact(t, rs, auto, train.Options{Seed: 3})
	type scored struct {
		a, b  int
		score float64
	}
	var near []scored
	for i := range rs {
		for j := range i {
			a, b := before.Prepare(&rs[i]), before.Prepare(&rs[j])
			if s := before.Score(&a, &b); s > 2 && s < 8 {
				near = append(near, scored{i, j, s})
			}
		}
	}
	if len(near) < 10 {
		t.Fatalf("only %d uncertain pairs", len(near))
	}
	mean := func(same bool) float64 {
		var labels []train.Label
		for _, p := range near {
			labels = append(labels, train.Label{A: rs[p.a].ID, B: rs[p.b].ID, Same: same})
		}
		m, _ := artefact(t, rs, auto, train.Options{Seed: 3}, labels...)
		if m.Trained.Labels != len(near) {
			t.Errorf("%d of %d answers used", m.Trained.Labels, len(near))
		}
		sum := 0.0
		for _, p := range near {
			a, b := m.Prepare(&rs[p.a]), m.Prepare(&rs[p.b])
			sum += m.Score(&a, &b) - p.score
		}
		return sum / float64(len(near))
	}
	if yes, no := mean(true), mean(false); yes < no+2 {
		t.Errorf("uncertain pairs move by %.1f when people say the same, by %.1f when not", yes, no)
	}
}

func TestSamplerTakesAShareThatDependsOnTheRecordAlone(t *testing.T) {
	s := train.NewSampler(100_000, 10_000, 5)
	n := 0
	for i := range 100_000 {
		if s.Keep(fmt.Sprintf("crm/contacts/%d", i)) {
			n++
		}
	}
	if n < 9_500 || n > 10_500 {
		t.Errorf("%d of 100,000 records, wanted about 10,000", n)
	}
	if all := train.NewSampler(50, 100, 5); !all.Keep("x") || !all.Keep("y") {
		t.Error("a small table is its own sample")
	}
}
