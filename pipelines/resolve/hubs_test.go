package resolve_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/weir-cdp/weir"
)

// TestPlantedHubs: a phone and an e-mail address that many people share link
// nobody, by rules or by the model, put no profile over its limits, and cost next
// to no recall.
func TestPlantedHubs(t *testing.T) {
	def := weir.IdentityDef{Kind: weir.Person, Model: &weir.ModelDef{Auto: true}, Order: []string{"email", "phone"},
		Identifiers: map[string]weir.IdentifierRule{"email": {Limit: 2, Hard: true}, "phone": {Limit: 2, Hard: true}}}
	const people, carriers = 1500, 40
	build := func(hubs bool) (*lake, map[string]string, map[string][]string) {
		l := newLake(t, def, "family_name", "given_name", "birth_date", "city")
		r := rand.New(rand.NewPCG(5, 6))
		families, givens, cities := words(r, 300), words(r, 200), words(r, 60)
		truth, held := map[string]string{}, map[string][]string{}
		for i := range people {
			family, given, city := families[r.IntN(300)], givens[r.IntN(200)], cities[r.IntN(60)]
			birth := fmt.Sprintf("19%02d-%02d-%02d", 30+r.IntN(70), 1+r.IntN(12), 1+r.IntN(28))
			for k := range 2 {
				mail, phone := fmt.Sprintf("email=%s%d@mail.fr", family, i), fmt.Sprintf("phone=+336%08d", 11*i)
				if hub := 2*i+k < carriers; hub {
					mail = ""
					if hubs {
						mail = "email=caisse@boutique.fr"
					}
				} else if hub := 2*i+k < 2*carriers; hub {
					phone = ""
					if hubs {
						phone = "phone=+33140516273"
					}
				}
				id := fmt.Sprintf("%d-%d", i, k)
				fields := []string{"@family_name=" + family, "@given_name=" + given, "@birth_date=" + birth, "@city=" + city}
				for _, f := range []string{mail, phone} {
					if f != "" {
						fields = append(fields, f)
						held[id] = append(held[id], f)
					}
				}
				l.add(id, fields...)
				truth[id] = fmt.Sprint(i)
			}
		}
		return l, truth, held
	}
	recall := map[bool]float64{}
	for _, hubs := range []bool{false, true} {
		l, truth, held := build(hubs)
		l.train("models/person/h.json")
		got := l.resolve()
		var precision float64
		precision, recall[hubs] = quality(got.links, truth)
		t.Logf("hubs %v: precision %.4f, recall %.4f, %d hubs found", hubs, precision, recall[hubs], got.Counts["hubs"])
		if precision < 0.99 {
			t.Errorf("hubs %v: precision %.4f", hubs, precision)
		}
		if found := got.Counts["hubs"]; (found == 2) != hubs {
			t.Errorf("hubs %v: %d found", hubs, found)
		}
		values := map[string]map[string]bool{} // by profile and kind
		for id, profile := range got.links {
			for _, f := range held[id] {
				at := profile + f[:5]
				if values[at] == nil {
					values[at] = map[string]bool{}
				}
				if values[at][f] = true; len(values[at]) > 2 {
					t.Fatalf("profile %s is over its limit of %s", profile, f[:5])
				}
			}
		}
	}
	if recall[true] < recall[false]-0.001 {
		t.Errorf("recall %.4f with hubs, %.4f without", recall[true], recall[false])
	}
}
