package resolve_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
)

// writer writes a company's name as one more system would.
type writer struct{ *rand.Rand }

func (w writer) pick(of ...string) string { return of[w.IntN(len(of))] }

func (w writer) name(words []string) string {
	words = slices.Clone(words)
	switch w.IntN(8) {
	case 0:
		w.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
	case 1:
		words = append(words, w.pick("Europe", "Group", "Holding", "International", "Online"))
	case 2:
		if len(words) > 2 {
			words = words[:len(words)-1]
		}
	case 3:
		i, at := w.IntN(len(words)), 0
		if at = 1 + w.IntN(len(words[i])-1); at < len(words[i])-1 { // a letter is left out
			words[i] = words[i][:at] + words[i][at+1:]
		}
	}
	name := strings.Join(words, w.pick(" ", " ", " ", "-"))
	if w.IntN(3) == 0 {
		name = strings.ToUpper(name)
	}
	return name + w.pick("", "", " GmbH", " G.m.b.H.", " SARL", " S.A.S.", " Ltd.", " Limited", " GmbH & Co. KG")
}

// newCompanies fills a lake with companies of trades, towns and families, of which
// one in seven has a namesake in another town, with no number that tells them
// apart. Each has one to three records.
func newCompanies(t testing.TB, companies int, model weir.ModelDef) (*lake, map[string]string) {
	w := writer{rand.New(rand.NewPCG(11, 5))}
	syllables := []string{"zwin", "bra", "mol", "ker", "tas", "vel", "dor", "lan", "gri", "no", "phi", "mar", "ste", "ul"}
	trades := []string{"Transport", "Bau", "Logistik", "Consulting", "Immobilien", "Software", "Elektro", "Metallbau", "Garten", "Textil"}
	l := newLake(t, clients, "company_name", "postcode", "city", "street")
	l.params.Identity = append(l.params.Identity, weir.IdentityDef{Kind: weir.Account, Model: &model})
	truth := map[string]string{}
	var before []string
	for c := range companies {
		var words []string
		for range 1 + w.IntN(2) {
			words = append(words, strings.ToUpper(w.pick("b", "d", "k", "r"))+w.pick(syllables...)+w.pick(syllables...)+w.pick("", "mann", "er"))
		}
		words = append(words, w.pick(trades...))
		if w.IntN(3) == 0 {
			words = append(words, w.pick("Nord", "Sued", "Hamburg", "Lyon"))
		}
		if c > 0 && w.IntN(7) == 0 {
			words = before
		}
		before = words
		town := w.IntN(60)
		street := fmt.Sprintf("%s %d", w.pick("Hauptstrasse", "Ringweg", "Am Markt", "Rue de la Gare", "Quai Ouest"), 1+w.IntN(90))
		for k := range 1 + w.IntN(3) {
			key := fmt.Sprintf("c%04d-%d", c, k)
			truth[key] = fmt.Sprint(c)
			fields := []string{"@company_name=" + w.name(words)}
			if w.IntN(10) > 0 {
				fields = append(fields, fmt.Sprintf("@postcode=%05d", 10000+town*137))
			}
			if w.IntN(10) > 1 {
				fields = append(fields, fmt.Sprintf("@city=Stadt%c%c", 'a'+town%26, 'a'+town/26))
			}
			if w.IntN(10) > 3 {
				fields = append(fields, "@street="+street)
			}
			l.addTo(weir.Account, key, fields...)
		}
	}
	return l, truth
}

// Companies with differently written names and no number are found by the model
// that chooses for itself, and better than by comparing names as any text.
func TestCompaniesAreFoundByName(t *testing.T) {
	found := map[string][2]float64{}
	for name, def := range map[string]weir.ModelDef{
		"auto": {Auto: true},
		"text": {Compare: map[string]string{"company_name": "text", "postcode": "postcode", "city": "place", "street": "text"}},
	} {
		l, truth := newCompanies(t, 700, def)
		l.train("models/account/a.json")
		r := l.resolve()
		precision, recall := quality(r.links, truth)
		found[name] = [2]float64{precision, recall}
		t.Logf("%s: precision %.4f, recall %.4f, %d pairs compared of %d records", name, precision, recall, r.Counts["pairs_compared"], len(truth))
		if name != "auto" {
			continue
		}
		artefacts := scan[weir.IdentityModel](l, r.Manifest, "identity.models")
		if len(artefacts) != 1 || artefacts[0].Kind != weir.Account || !strings.Contains(artefacts[0].Artefact, `"kind": "company"`) ||
			!strings.Contains(artefacts[0].Artefact, `"words": {`) || strings.Contains(strings.ToLower(artefacts[0].Artefact), "logistik") {
			t.Fatalf("artefact %.400s", artefacts[0].Artefact)
		}
		if precision < 0.95 || recall < 0.9 {
			t.Errorf("precision %.4f, recall %.4f", precision, recall)
		}
	}
	if a, b := found["auto"], found["text"]; a[0]*a[1]/(a[0]+a[1]) <= b[0]*b[1]/(b[0]+b[1]) {
		t.Errorf("comparing as companies %v is no better than as text %v", a, b)
	}
}
