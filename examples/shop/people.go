package shop

import (
	"fmt"
	"hash/fnv"
	"iter"
	"math/rand/v2"
	"strings"
	"time"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
	"unicode"
)

// Config says how much of a shop to make.
type Config struct {
	People int    // 0: 10,000
	Seed   uint64 // 0: 1
}

// now is the shop's last day: all that it knows happened before.
var now = time.Date(2026, 6, 30, 18, 0, 0, 0, time.UTC)

// Now is the logical time at which the example is whole.
func Now() time.Time { return now }

// person is one true customer.
type person struct {
	id       int
	given    string
	family   string
	born     time.Time
	country  string
	emails   []string // the first is the main one
	phone    string   // national digits
	street   string
	postcode string
	city     string
	inCRM    bool
	inShop   bool
	onWeb    bool
	opts     int // 0: never asked for the newsletter
	vip      bool
}

type country struct {
	code   string
	weight int
	given  []string
	family []string
	cities [][2]string // city, postcode
	dial   string
	phone  func(r *rand.Rand) string // national spelling
}

var countries = []country{
	{"FR", 60, split("Camille Léa Manon Chloé Inès Jade Louise Alice Zoé Élodie Hélène Aurélie Sébastien Jérôme Loïc François Théo Hugo Lucas Nathan Gaël Maël Benoît Raphaël Clément Noé Adrien Étienne Grégoire Maxime"),
		split("Martin Bernard Dubois Thomas Robert Richard Petit Durand Leroy Moreau Simon Laurent Lefèvre Michel Garcia David Bertrand Roux Vincent Fournier Morel Girard André Lefebvre Mercier Dupont Lambert Bonnet François Martinez Legrand Garnier Faure Rousseau Blanc Guérin Müller Henry Roussel Nicolas Perrin Morin Mathieu Clément Gauthier Dumont Lopez Fontaine Chevalier Robin"),
		[][2]string{{"Paris", "75011"}, {"Lyon", "69003"}, {"Marseille", "13006"}, {"Bourg-en-Bresse", "01000"}, {"Nîmes", "30000"}, {"Besançon", "25000"}, {"Saint-Étienne", "42000"}, {"Orléans", "45000"}}, "+33",
		func(r *rand.Rand) string { return fmt.Sprintf("06%08d", 10000000+r.IntN(40000000)) }},
	{"BE", 14, split("Lotte Emma Noor Marie Julie Elise Lucas Jef Arthur Louis Milan Wout Jules Maxime"),
		split("Peeters Janssens Maes Jacobs Mertens Willems Claes Goossens Wouters Dubois Lambert Dupont Hermans Michiels"),
		[][2]string{{"Bruxelles", "1000"}, {"Gent", "9000"}, {"Liège", "4000"}, {"Antwerpen", "2000"}}, "+32",
		func(r *rand.Rand) string { return fmt.Sprintf("0470%06d", r.IntN(1000000)) }},
	{"DE", 14, split("Anna Lena Jürgen Björn Käthe Günther Sören Mia Hannah Paul Leon Finn Jonas Felix Lukas"),
		split("Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein Wolf Schröder Neumann Schwarz Zimmermann Groß"),
		[][2]string{{"Köln", "50667"}, {"Berlin", "10115"}, {"Dresden", "01067"}, {"München", "80331"}}, "+49",
		func(r *rand.Rand) string { return fmt.Sprintf("0151%08d", 20000000+r.IntN(9999999)) }},
	{"GB", 6, split("Oliver Amelia Isla George Harry Olivia Jack Freya Poppy Alfie"),
		split("Smith Jones Taylor Brown Williams Wilson Johnson Davies Patel Robinson Wright O'Neill"),
		[][2]string{{"London", "SW1A 1AA"}, {"Leeds", "LS1 4DY"}, {"Bristol", "BS1 5TR"}}, "+44",
		func(r *rand.Rand) string { return fmt.Sprintf("07400%06d", r.IntN(1000000)) }},
	{"US", 6, split("Ava Mason Liam Sophia Noah Ethan Emily Madison Jacob Logan"),
		split("Miller Davis Anderson Taylor Moore Jackson White Harris Clark Lewis Walker"),
		[][2]string{{"Sacramento", "95814"}, {"Los Angeles", "90012"}, {"Oakland", "94607"}}, "+1",
		func(r *rand.Rand) string { return fmt.Sprintf("209555%04d", 100+r.IntN(100)) }},
}

func split(s string) []string { return strings.Fields(s) }

// population draws the true customers one after the other: the same ones each
// time that it is ranged over. r is left where the last draw leaves it.
func population(c Config, r *rand.Rand) iter.Seq[person] {
	return func(yield func(person) bool) {
		m := mailboxes{r: r, used: map[uint64]struct{}{}, folded: map[string]string{}}
		var last person
		for i := range c.People {
			last = draw(i, last, r, &m)
			if !yield(last) {
				return
			}
		}
	}
}

// draw makes one customer, who sometimes lives with the one before.
func draw(i int, last person, r *rand.Rand, m *mailboxes) person {
	of := pickCountry(r)
	p := person{id: i + 1, country: of.code, given: pick(r, of.given), family: pick(r, of.family)}
	p.born = time.Date(1940+r.IntN(66), time.Month(1+r.IntN(12)), 1+r.IntN(28), 0, 0, 0, 0, time.UTC)
	place := of.cities[r.IntN(len(of.cities))]
	p.city, p.postcode = place[0], place[1]
	p.street = fmt.Sprintf("%d %s", 1+r.IntN(180), pick(r, streets))
	p.phone = of.phone(r)
	p.emails = []string{m.next(p)}
	if i > 0 && r.IntN(10) == 0 { // a household: name, address and often the landline
		p.family, p.street, p.city, p.postcode, p.country = last.family, last.street, last.city, last.postcode, last.country
		if r.IntN(2) == 0 {
			p.phone = last.phone
		}
	}
	if r.IntN(8) == 0 {
		p.emails = append(p.emails, m.next(p))
	}
	p.inCRM, p.inShop, p.onWeb = r.IntN(100) < 60, r.IntN(100) < 65, r.IntN(100) < 35
	if !p.inCRM && !p.inShop {
		p.inShop = true
	}
	p.vip = r.IntN(12) == 0
	if r.IntN(100) < 55 {
		p.opts = 1 + r.IntN(3)
	}
	return p
}

var streets = []string{"rue de la République", "avenue Victor Hugo", "place de l'Église", "rue des Lilas", "Hauptstraße", "Gartenweg", "chemin du Moulin", "High Street", "Oak Avenue", "Kerkstraat"}

func pickCountry(r *rand.Rand) country {
	n := r.IntN(100)
	for _, c := range countries {
		if n -= c.weight; n < 0 {
			return c
		}
	}
	return countries[0]
}

func pick(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

var domains = []string{"mail.example", "post.example", "courriel.example", "inbox.example"}

// mailboxes makes addresses, each once. It remembers digests of those given out,
// and how names are spelt in addresses.
type mailboxes struct {
	r      *rand.Rand
	used   map[uint64]struct{}
	folded map[string]string
}

// next makes an unused address.
func (m *mailboxes) next(p person) string {
	base := m.fold(p.given) + "." + m.fold(p.family)
	for n := 0; ; n++ {
		address := base
		if n > 0 || m.r.IntN(3) == 0 {
			address += fmt.Sprint(m.r.IntN(9000) + 10)
		}
		address += "@" + pick(m.r, domains)
		h := fnv.New64a()
		h.Write([]byte(address))
		if _, taken := m.used[h.Sum64()]; !taken {
			m.used[h.Sum64()] = struct{}{}
			return address
		}
	}
}

func (m *mailboxes) fold(name string) string {
	f, ok := m.folded[name]
	if !ok {
		f = ascii(strings.ToLower(name))
		m.folded[name] = f
	}
	return f
}

// ascii drops accents and what is left beyond letters.
func ascii(s string) string {
	t, _, err := transform.String(transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC), s)
	if err != nil {
		t = s
	}
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
			return c
		case c == 'ß':
			return 's'
		}
		return -1
	}, t)
}

// typo drops, doubles or swaps a letter.
func typo(r *rand.Rand, s string) string {
	rs := []rune(s)
	if len(rs) < 4 {
		return s
	}
	i := 1 + r.IntN(len(rs)-2)
	switch r.IntN(3) {
	case 0:
		return string(append(rs[:i:i], rs[i+1:]...))
	case 1:
		return string(append(append(rs[:i:i], rs[i]), rs[i:]...))
	}
	rs[i], rs[i+1] = rs[i+1], rs[i]
	return string(rs)
}

// spell writes a phone number as people do.
func spell(r *rand.Rand, dial, national string) string {
	how := r.IntN(4)
	if dial != "+33" {
		how = 2 * r.IntN(2) // abroad, people write the country too
	}
	switch how {
	case 0:
		return dial + strings.TrimPrefix(national, "0")
	case 1:
		var b strings.Builder
		for i, c := range national {
			if i > 0 && i%2 == 0 {
				b.WriteByte(' ')
			}
			b.WriteRune(c)
		}
		return b.String()
	case 2:
		if dial == "+1" {
			return "+1 " + national[:3] + "-" + national[3:6] + "-" + national[6:]
		}
		return dial + " (0) " + strings.TrimPrefix(national, "0")
	}
	return national
}

func dialOf(code string) string {
	for _, c := range countries {
		if c.code == code {
			return c.dial
		}
	}
	return ""
}
