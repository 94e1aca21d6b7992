package train_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
	"github.com/weir-cdp/weir/pipelines/resolve/review"
	"github.com/weir-cdp/weir/pipelines/resolve/train"
)

// households generates people in households, who share a family name, a street and
// often a phone, with one to three records each, mistyped and incomplete. What
// comes before the dash of a record's id is the person.
func households(n int, seed uint64) []weir.Record {
	r := rand.New(rand.NewPCG(seed, 2))
	some := func(k int) int { return int(float64(k) * math.Pow(r.Float64(), 2)) } // the first are more frequent
	name := func(k int) string {
		const v, c = "aeiou", "bdfgklmnprstv"
		s := ""
		for h := k*7919 + 13; len(s) < 6; h /= 65 {
			s += string(c[h%len(c)]) + string(v[h/13%len(v)])
		}
		return s[:5+k%2]
	}
	typo := func(s string) string {
		if len(s) < 3 {
			return s
		}
		i := 1 + r.IntN(len(s)-2)
		switch r.IntN(3) {
		case 0:
			return s[:i] + s[i+1:]
		case 1:
			return s[:i] + string(rune('a'+r.IntN(26))) + s[i+1:]
		}
		return s[:i] + s[i+1:i+2] + s[i:i+1] + s[i+2:]
	}
	var out []weir.Record
	for p := 0; len(out) < n; {
		family, street, town := name(some(300)), fmt.Sprintf("%d rue %s", 1+r.IntN(60), name(400+some(80))), some(40)
		phone := fmt.Sprintf("06%08d", r.IntN(1e8))
		for range 1 + r.IntN(4) {
			person := map[string]string{"given_name": name(600 + some(120)), "family_name": family, "street": street, "city": name(800 + town), "postcode": fmt.Sprint(10000 + town*97),
				"birth_date": fmt.Sprintf("%d-%02d-%02d", 1940+r.IntN(65), 1+r.IntN(12), 1+r.IntN(28)), "phone": phone}
			person["email"] = person["given_name"] + "." + family + fmt.Sprint(r.IntN(99)) + "@mail.fr"
			for k := range 1 + r.IntN(3) {
				c := map[string]string{}
				for f, v := range person {
					c[f] = v
				}
				for _, f := range []string{"given_name", "family_name", "street", "email", "birth_date", "phone", "city", "postcode"} { // in an order: the draw is the same each time
					switch x := r.Float64(); {
					case x < 0.25 || (f == "birth_date" || f == "phone") && x < 0.5:
						delete(c, f)
					case x > 0.93 && f != "birth_date" && f != "phone":
						c[f] = typo(c[f])
					}
				}
				if r.IntN(6) == 0 && k > 0 { // moved
					c["street"], c["city"], c["postcode"] = fmt.Sprintf("%d rue %s", 1+r.IntN(60), name(400+some(80))), name(800+(town+7)%40), fmt.Sprint(10000+(town+7)%40*97)
				}
				ids := weir.Identifiers{}
				for _, id := range []string{"email", "phone"} {
					if v := c[id]; v != "" {
						ids.Add(id, v)
					}
					delete(c, id)
				}
				out = append(out, weir.Record{ID: fmt.Sprintf("s/t/%06d-%d", p, k), Kind: weir.Person, Source: fmt.Sprint("s", k), Attributes: c, Identifiers: ids})
			}
			p++
		}
	}
	return out[:n]
}

func samePerson(a, b string) bool {
	x, _, _ := strings.Cut(a, "-")
	y, _, _ := strings.Cut(b, "-")
	return x == y
}

// truthful counts the pairs that a model links, those that are the same, and both.
func truthful(m *model.Model, rs []weir.Record, but map[[2]string]bool) (f1 float64, off float64) {
	fs := make([]model.Features, len(rs))
	for i := range rs {
		fs[i] = m.Prepare(&rs[i])
	}
	var both, found, same float64
	for i := range rs {
		for j := range i {
			if but[[2]string{rs[j].ID, rs[i].ID}] || but[[2]string{rs[i].ID, rs[j].ID}] {
				continue
			}
			s, t := m.Score(&fs[i], &fs[j]), samePerson(rs[i].ID, rs[j].ID)
			if s >= m.Threshold() {
				found++
			}
			if t {
				same++
				if s >= m.Threshold() {
					both++
				}
				off += math.Log2(1 + math.Exp2(-s))
			} else {
				off += math.Log2(1 + math.Exp2(s))
			}
		}
	}
	return 2 * both / (found + same), off
}

// asked answers n questions with the truth, in the order that review asks: of the
// 500 pairs nearest the threshold, those that tell most.
func asked(m *model.Model, rs []weir.Record, n int) []train.Label {
	fs := make([]model.Features, len(rs))
	for i := range rs {
		fs[i] = m.Prepare(&rs[i])
	}
	type candidate struct {
		review.Pair
		a, b int
	}
	var all []candidate
	for i := range rs {
		for j := range i {
			if off := m.Score(&fs[i], &fs[j]) - m.Threshold(); math.Abs(off) < 6 {
				all = append(all, candidate{review.Pair{Off: off}, j, i})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		return int(math.Copysign(1, math.Abs(a.Off)-math.Abs(b.Off)))
	})
	all = all[:min(len(all), 500)]
	pairs := make([]review.Pair, len(all))
	for i := range all {
		for _, s := range m.Waterfall(&fs[all[i].a], &fs[all[i].b]) {
			if s.Comparison != "dependence" {
				all[i].Pattern += s.Level + "|"
			}
		}
		pairs[i] = all[i].Pair
	}
	var out []train.Label
	for _, i := range review.Order(pairs, nil, n) {
		a, b := rs[all[i].a].ID, rs[all[i].b].ID
		out = append(out, train.Label{A: a, B: b, Same: samePerson(a, b)})
	}
	return out
}

// Answers as review asks for them make the model better on the pairs that nobody was
// asked about, or leave it as it is; and what is held out says so.
func TestAnswersHelp(t *testing.T) {
	const n = 800
	var gain, fewer float64
	with, without := 0, 0
	for seed := range uint64(4) {
		rs := households(n, seed)
		before, _ := artefact(t, rs, auto, train.Options{Seed: 3})
		labels := asked(before, rs, 200)
		but := map[[2]string]bool{}
		for _, l := range labels {
			but[[2]string{l.A, l.B}] = true
		}
		s := &train.Sample{Records: rs, Labels: labels}
		after, _, err := train.Train(s, auto, train.Options{Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		check, err := train.CheckLabels(s, auto, train.Options{Seed: 3}, after)
		if err != nil {
			t.Fatal(err)
		}
		f0, l0 := truthful(before, rs, but)
		f1, l1 := truthful(after, rs, but)
		t.Logf("seed %d: F1 of pairs not asked about %.4f to %.4f, log loss %.0f to %.0f bits; held out %+v", seed, f0, f1, l0, l1, *check)
		if len(labels) != 200 || check.HeldOut != 200 {
			t.Errorf("seed %d: %d answers, %d held out", seed, len(labels), check.HeldOut)
		}
		if f1 < f0-0.003 || l1 > l0 || check.WithBits > check.WithoutBits {
			t.Errorf("seed %d: the answers hurt", seed)
		}
		gain += f1 - f0
		fewer += l0 - l1
		with += check.With
		without += check.Without
	}
	if gain < 0 || fewer <= 0 || with <= without {
		t.Errorf("F1 moves by %.4f in all, log loss falls by %.0f bits, of held-out answers %d are met instead of %d", gain, fewer, with, without)
	}
}

// Answers at random teach nothing: the check must not find a gain in what a model was
// trained with.
func TestNoGainIsFoundWhereThereIsNone(t *testing.T) {
	rs := households(800, 9)
	before, _ := artefact(t, rs, auto, train.Options{Seed: 3})
	r := rand.New(rand.NewPCG(5, 5))
	labels := asked(before, rs, 200)
	for i := range labels {
		labels[i].Same = r.IntN(2) == 0
	}
	s := &train.Sample{Records: rs, Labels: labels}
	after, _ := artefact(t, rs, auto, train.Options{Seed: 3}, labels...)
	check, err := train.CheckLabels(s, auto, train.Options{Seed: 3}, after)
	if err != nil {
		t.Fatal(err)
	}
	if own, _ := train.Agreement(after, rs, labels); own <= check.With {
		t.Errorf("%d of the answers it had, %d of those that it had not: the check can't tell", own, check.With)
	}
	if d := check.With - check.Without; d > 20 || d < -20 {
		t.Errorf("a gain of %d of 200 from coin tosses: %+v", d, check)
	}
}

// A threshold that somebody declared is a probability, and stays it.
func TestAnswersMoveOnlyTheDefaultThreshold(t *testing.T) {
	rs := households(800, 1)
	before, _ := artefact(t, rs, auto, train.Options{Seed: 3})
	labels := asked(before, rs, 200)
	after, _ := artefact(t, rs, auto, train.Options{Seed: 3}, labels...)
	if after.Threshold() < 0 || after.Threshold() > train.DefaultThreshold {
		t.Errorf("threshold %v", after.Threshold())
	}
	def := auto
	def.Model = &weir.ModelDef{Threshold: 0.99}
	if m, _ := artefact(t, rs, def, train.Options{Seed: 3}, labels...); math.Abs(m.Threshold()-math.Log2(99)) > 1e-4 {
		t.Errorf("a declared threshold of 0.99 is %v", m.Threshold())
	}
}
