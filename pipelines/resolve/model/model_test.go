package model_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
	"github.com/weir-cdp/weir/pipelines/resolve/train"
)

// people are records of which half have a double, with slips.
func people(n int) []weir.Record {
	r := rand.New(rand.NewPCG(9, 9))
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	var out []weir.Record
	for i := 0; len(out) < n; i++ {
		given, family := pick("anna", "marc", "lucie", "paul", "emma", "hugo"), "mar"+pick("tin", "chand", "ceau", "got")+pick("", "o", "ez")
		date, mail := fmt.Sprintf("19%02d-%02d-%02d", r.IntN(99), 1+r.IntN(12), 1+r.IntN(28)), fmt.Sprintf("%s%d@x.com", given, i)
		for k := range 1 + r.IntN(2) {
			a := map[string]string{"given_name": given, "family_name": family, "birth_date": date, "city": pick("paris", "lyon")}
			if k == 1 && r.IntN(3) == 0 {
				a["given_name"], a["family_name"] = family, given
			}
			ids := weir.Identifiers{}
			ids.Add("email", mail)
			if r.IntN(3) == 0 {
				ids.Add("email", "b"+mail)
			}
			ids.Add("crm_id", fmt.Sprint("c", i*2+k*r.IntN(2)))
			out = append(out, weir.Record{ID: fmt.Sprintf("s%d/t/%d", r.IntN(2), len(out)), Kind: weir.Person, Source: fmt.Sprint("s", r.IntN(2)), Attributes: a, Identifiers: ids})
		}
	}
	return out[:n]
}

func trained(t testing.TB) (*model.Model, []weir.Record) {
	t.Helper()
	rs := people(400)
	def := weir.IdentityDef{Kind: weir.Person, Identifiers: map[string]weir.IdentifierRule{"crm_id": {Limit: 1}, "email": {}}}
	m, _, err := train.Train(&train.Sample{Records: rs}, def, train.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return m, rs
}

// Scores are symmetric and finite, and the waterfall adds up to them.
func TestScores(t *testing.T) {
	m, rs := trained(t)
	for i := range 200 {
		for j := range 200 {
			a, b := m.Prepare(&rs[i]), m.Prepare(&rs[j])
			s := m.Score(&a, &b)
			if back := m.Score(&b, &a); back != s {
				t.Fatalf("score %v one way, %v the other", s, back)
			}
			sum := 0.0
			for _, st := range m.Waterfall(&a, &b) {
				sum += st.Weight
			}
			if math.IsNaN(s) || math.Abs(sum-s) > 1e-6 {
				t.Fatalf("score %v, waterfall %v", s, sum)
			}
		}
	}
}

// Two values of an identifier with limit 1 in one source are evidence against.
func TestConflictInOneSource(t *testing.T) {
	m, rs := trained(t)
	a := m.Prepare(&rs[0])
	other := rs[0]
	other.Identifiers = weir.Identifiers{"email": rs[0].Identifiers["email"], "crm_id": {"another"}}
	here := m.Prepare(&other)
	other.Source = "elsewhere"
	there := m.Prepare(&other)
	i := slices.IndexFunc(m.Columns, func(c model.Column) bool { return c.Name == "crm_id" })
	if i < 0 || !m.Columns[i].Limited {
		t.Fatalf("crm_id is not compared as limited: %+v", m.Columns)
	}
	var one, two model.Levels
	m.Compare(&a, &here, &one)
	m.Compare(&a, &there, &two)
	if one.Of[i] == two.Of[i] || m.Columns[i].Levels[one.Of[i]].Name != "differ in one source" {
		t.Errorf("levels %d in one source, %d in two", one.Of[i], two.Of[i])
	}
}

// What crosses a shuffle is what was prepared.
func TestFeaturesComeBack(t *testing.T) {
	m, rs := trained(t)
	for i := range rs {
		f := m.Prepare(&rs[i])
		b := f.Append([]byte("x"))[1:]
		g, err := model.Decode(b)
		if err != nil || !reflect.DeepEqual(f, g) {
			t.Fatalf("%v: %+v came back as %+v", err, f, g)
		}
		if !slices.Equal(m.Keys(&f), m.Keys(&g)) || m.Second(0, &f) != m.Second(0, &g) {
			t.Fatal("other keys after coming back")
		}
		if !slices.IsSortedFunc(m.Keys(&f), model.Key.Compare) {
			t.Fatal("keys are not sorted")
		}
	}
}

func TestAnyRecordComesBack(t *testing.T) {
	m, _ := trained(t)
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z ]{0,200}`), rapid.Just("\xff\xfe"), rapid.StringMatching(`[0-9]{4}-[01][0-9]-[0-3][0-9]`))
	rapid.Check(t, func(t *rapid.T) {
		r := weir.Record{ID: "a", Source: text.Draw(t, "source"), Attributes: map[string]string{}, Identifiers: weir.Identifiers{}}
		for _, name := range []string{"given_name", "family_name", "birth_date", "city"} {
			r.Attributes[name] = text.Draw(t, name)
		}
		for range rapid.IntRange(0, 6).Draw(t, "emails") {
			r.Identifiers.Add("email", text.Draw(t, "email"))
		}
		f := m.Prepare(&r)
		g, err := model.Decode(f.Append(nil))
		if err != nil || !reflect.DeepEqual(f, g) {
			t.Fatalf("%v: %+v came back as %+v", err, f, g)
		}
		if s := m.Score(&f, &g); math.IsNaN(s) || math.IsInf(s, 0) {
			t.Fatalf("score %v", s)
		}
	})
}

func FuzzDecode(f *testing.F) {
	m, rs := trained(f)
	for i := range 5 {
		f.Add(m.Prepare(&rs[i]).Append(nil))
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := model.Decode(b)
		if err != nil {
			return
		}
		y, err := model.Decode(x.Append(nil))
		if err != nil || !reflect.DeepEqual(x, y) {
			t.Fatalf("%v: %+v came back as %+v", err, x, y)
		}
	})
}

// The artefact reads back as what was written, under the same version; another
// content has another version.
func TestArtefactComesBack(t *testing.T) {
	m, rs := trained(t)
	data, err := m.JSON()
	if err != nil {
		t.Fatal(err)
	}
	n, err := model.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	again, err := n.JSON()
	if err != nil || string(again) != string(data) || n.Version() != m.Version() {
		t.Fatalf("%v: version %s came back as %s", err, m.Version(), n.Version())
	}
	for i := range 50 {
		a, b := m.Prepare(&rs[i]), m.Prepare(&rs[i+1])
		x, y := n.Prepare(&rs[i]), n.Prepare(&rs[i+1])
		if m.Score(&a, &b) != n.Score(&x, &y) {
			t.Fatal("another score after coming back")
		}
	}
	c := m.Content
	c.Threshold += 1
	other, err := model.New(c)
	if err != nil || other.Version() == m.Version() {
		t.Errorf("%v: another threshold, the same version", err)
	}
}

func TestDamagedArtefactsAreRefused(t *testing.T) {
	m, _ := trained(t)
	good, err := m.JSON()
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(c *model.Content){
		"kind":      func(c *model.Content) { c.Columns[0].Kind = "fuzzy" },
		"levels":    func(c *model.Content) { c.Columns[0].Levels = c.Columns[0].Levels[1:] },
		"chance":    func(c *model.Content) { c.Columns[0].Levels[0].M = 2 },
		"shared":    func(c *model.Content) { c.Classes[0].Shared = nil },
		"column":    func(c *model.Content) { c.Rules[0].Parts[0].Column = 99 },
		"transform": func(c *model.Content) { c.Rules[0].Parts[0].Transform = "soundex" },
		"block":     func(c *model.Content) { c.MaxBlock = 1 },
		"table":     func(c *model.Content) { c.Columns[0].TF.Values = "a" },
		"parent":    func(c *model.Content) { c.Columns[0].With = []model.With{{Parent: 77}} },
	} {
		var c model.Content
		if err := json.Unmarshal(good, &c); err != nil {
			t.Fatal(err)
		}
		spoil(&c)
		data, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := model.Parse(data); err == nil {
			t.Errorf("a damaged %s was read", name)
		}
	}
	threshold := fmt.Sprintf("\"threshold\": %v,", m.Threshold())
	for name, changed := range map[string]string{
		"threshold": strings.Replace(string(good), threshold, "\"threshold\": 0.5,", 1),
		"label":     strings.Replace(string(good), "\"seed\": ", "\"seed\": 1", 1),
		"end":       string(good) + "{}",
		"half":      string(good[:len(good)/2]),
	} {
		if changed == string(good) {
			t.Fatalf("nothing of %s was changed", name)
		}
		if _, err := model.Parse([]byte(changed)); err == nil || !strings.Contains(err.Error(), "weir identity train") {
			t.Errorf("an artefact with another %s: %v", name, err)
		}
	}
	for _, bad := range []string{"", "{}", `{"format":1,"unknown":2}`, "[]"} {
		if _, err := model.Parse([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func BenchmarkScore(b *testing.B) {
	m, rs := trained(b)
	fs := make([]model.Features, len(rs))
	for i := range rs {
		fs[i] = m.Prepare(&rs[i])
	}
	b.ResetTimer()
	for i := range b.N {
		m.Score(&fs[i%len(fs)], &fs[(i*7+1)%len(fs)])
	}
}
