package train

import (
	"math"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/company"
	"github.com/weir-cdp/weir/pipelines/resolve/compare"
	"github.com/weir-cdp/weir/pipelines/resolve/evidence"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// Profile is what a column holds.
type Profile struct {
	Name         string  `json:"name"`
	IsIdentifier bool    `json:"identifier"`
	Records      int     `json:"records"`  // that hold a value
	Distinct     int     `json:"distinct"` // values
	Repeat       float64 `json:"repeat"`   // chance that two records that hold one hold the same
	Chosen       string  `json:"chosen"`   // kind of comparison; "" where it is not compared
	Why          string  `json:"why"`

	company bool   // holds the names of companies
	key     string // name, with "@" before identifiers
	shape   shape
	counts  map[string]int32
}

// shape is how a column's values look, as shares of them.
type shape struct {
	date, at, digits, letters, spaced, mixed float64
	length                                   float64
}

// profile reads all columns of the sample, in the order of their names.
func (t *trainer) profile(rs []weir.Record) []*Profile {
	type column struct {
		name string
		id   bool
	}
	of := map[column]bool{}
	for i := range rs {
		for name := range rs[i].Attributes {
			of[column{name, false}] = true
		}
		for name := range rs[i].Identifiers {
			of[column{name, true}] = true
		}
	}
	all := make([]*Profile, 0, len(of))
	for c := range of {
		p := &Profile{Name: c.name, IsIdentifier: c.id, key: c.name, counts: map[string]int32{}}
		if c.id {
			p.key = "@" + c.name
		}
		all = append(all, p)
	}
	values := t.values(all, rs)
	t.parallel(len(all), func(k int) { all[k].count(values[k], rs) })
	all = slices.DeleteFunc(all, func(p *Profile) bool { return p.Records == 0 })
	slices.SortFunc(all, func(a, b *Profile) int { return strings.Compare(a.key, b.key) })
	return all
}

// values are the records' values, by column: "" for none. A record is looked at once
// for all columns, since what it holds lies all over the memory.
func (t *trainer) values(ps []*Profile, rs []weir.Record) [][]string {
	out := make([][]string, len(ps))
	for k := range ps {
		out[k] = make([]string, len(rs))
	}
	const piece = 1 << 11
	t.parallel((len(rs)+piece-1)/piece, func(n int) {
		for i := n * piece; i < min((n+1)*piece, len(rs)); i++ {
			for k, p := range ps {
				out[k][i] = p.value(&rs[i])
			}
		}
	})
	return out
}

// value is what a record holds in the column; "" for nothing.
func (p *Profile) value(r *weir.Record) string {
	if p.IsIdentifier {
		if vs := r.Identifiers[p.Name]; len(vs) > 0 {
			return vs[0]
		}
		return ""
	}
	v := r.Attributes[p.Name]
	if v != "" && company.IsName(r.Kind, p.Name) {
		return company.Fold(v) // names of one company that differ in their form repeat
	}
	return v
}

// count counts the values of one column.
func (p *Profile) count(values []string, rs []weir.Record) {
	for _, v := range values {
		if v != "" {
			p.Records++
			p.counts[v]++
		}
	}
	for i := len(rs) - 1; i >= 0 && !p.IsIdentifier; i-- {
		if rs[i].Attributes[p.Name] != "" {
			p.company = company.IsName(rs[i].Kind, p.Name)
			break
		}
	}
	p.look()
}

// look computes shares over distinct values, and the chance of a repeat.
func (p *Profile) look() {
	p.Distinct = len(p.counts)
	var s shape
	same := 0.0
	for v, n := range p.counts {
		same += float64(n) * float64(n-1)
		var letters, digits, spaces, others int
		for i := 0; i < len(v); i++ {
			switch c := v[i]; {
			case c >= '0' && c <= '9':
				digits++
			case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= 0x80, c == '\'':
				letters++
			case c == ' ', c == '-', c == '.', c == '_', c == ',', c == '/':
				spaces++
			default:
				others++
			}
		}
		pv := compare.Prepare(compare.Date, v)
		if !pv.Missing() {
			s.date++
		}
		if i := strings.IndexByte(v, '@'); i > 0 && strings.LastIndexByte(v, '.') > i {
			s.at++
		}
		switch {
		case letters == 0 && digits > 0:
			s.digits++
		case digits == 0 && letters > 0:
			s.letters++
		case digits > 0 && letters > 0:
			s.mixed++
		}
		if strings.IndexByte(strings.TrimSpace(v), ' ') >= 0 {
			s.spaced++
		}
		s.length += float64(len(v))
	}
	n := float64(max(p.Distinct, 1))
	p.shape = shape{s.date / n, s.at / n, s.digits / n, s.letters / n, s.spaced / n, s.mixed / n, s.length / n}
	if r := float64(p.Records); r > 1 {
		p.Repeat = same / (r * (r - 1))
	}
}

// words that columns are named by, in the languages of most customers' systems.
var words = map[string][]string{
	"given":    {"given", "first", "fname", "firstname", "forename", "prenom", "vorname", "nombre", "imie", "voornaam", "nome", "givenname"},
	"family":   {"family", "last", "lname", "lastname", "surname", "nom", "nachname", "apellido", "apellidos", "cognome", "nazwisko", "achternaam", "familyname"},
	"name":     {"name", "fullname", "company", "maiden", "middle", "alias", "nickname"},
	"date":     {"date", "dob", "birth", "birthday", "birthdate", "naissance", "geburtsdatum", "born"},
	"email":    {"email", "mail", "courriel"},
	"phone":    {"phone", "mobile", "tel", "telephone", "fax", "cell", "telefon", "handy"},
	"postcode": {"postcode", "zip", "postal", "plz", "zipcode", "cp", "postalcode"},
	"place":    {"city", "town", "place", "suburb", "ville", "ort", "stadt", "ciudad", "locality", "birthplace", "village"},
	"text":     {"street", "address", "addr", "adresse", "strasse", "calle", "rue", "line"},
}

// named says whether a column's name has one of a group's words.
func named(name, group string) bool {
	flat := evidence.Fold(name)
	for _, w := range strings.Fields(flat) {
		w = strings.TrimRight(w, "0123456789")
		if slices.Contains(words[group], w) {
			return true
		}
	}
	return slices.Contains(words[group], strings.ReplaceAll(flat, " ", ""))
}

// kind guesses how a column's values are compared: by what they look like, then
// by the column's name. "" where they tell nothing of a person.
func (p *Profile) kind() string {
	if p.company {
		return "company"
	}
	s := p.shape
	email := named(p.Name, "email") && s.at > 0.3
	phone := (named(p.Name, "phone") || weir.IsAddress(p.Name)) && s.digits > 0.5
	switch {
	case s.at > 0.7 || email:
		return "email"
	case s.date > 0.7 && (p.Repeat < 0.02 || named(p.Name, "date")):
		return "date"
	case phone:
		return "phone"
	case p.IsIdentifier:
		return "exact"
	case named(p.Name, "postcode") && s.digits+s.mixed > 0.5:
		return "postcode"
	case named(p.Name, "place"):
		return "place"
	case named(p.Name, "text"):
		return "text"
	case s.digits > 0.9 && s.length >= 8 && s.length <= 16 && p.Repeat < 1e-3:
		return "phone"
	case s.mixed+s.digits > 0.9 && s.spaced < 0.6 && s.length >= 4 && s.length <= 9 && p.Distinct > 50 && p.Repeat < 0.02 && p.Repeat*float64(p.Records) > 0.8:
		return "postcode"
	case s.digits > 0.9:
		return "number"
	case named(p.Name, "given"), named(p.Name, "family"), named(p.Name, "name"):
		return "name"
	case s.mixed > 0.3 && s.spaced > 0.3, s.length > 25:
		return "text"
	case s.letters > 0.9 && p.Distinct > 30:
		return "name"
	}
	return "exact"
}

// choose decides the columns of the model, and says why for each.
func choose(ps []*Profile, def weir.IdentityDef, rs []weir.Record) []model.Column {
	records := len(rs)
	var out []model.Column
	add := func(p *Profile, kind, why string) {
		p.Chosen, p.Why = kind, why
		c := model.Column{Name: p.Name, IsIdentifier: p.IsIdentifier, Kind: kind, Complete: float64(p.Records) / float64(max(records, 1))}
		if r := def.Identifiers[p.Name]; p.IsIdentifier && r.Limit == 1 {
			c.Limited = true
		}
		out = append(out, c)
	}
	told := def.Model != nil && len(def.Model.Compare) > 0
	for _, p := range ps {
		if told {
			if kind, ok := def.Model.Compare[p.Name]; ok && kind != "ignore" && (p.IsIdentifier || !both(ps, p.Name)) {
				add(p, kind, "declared")
			} else {
				p.Why = "not declared"
			}
			continue
		}
		kind := p.kind()
		switch {
		case blocked(def, p.Name) && (p.IsIdentifier || !both(ps, p.Name)):
			add(p, kind, "a blocking rule names it")
		case float64(p.Records) < 0.01*float64(records) || p.Records < 2:
			p.Why = "too few records hold a value"
		case p.Distinct < 2:
			p.Why = "always the same"
		case p.Repeat > 0.3:
			p.Why = "too few different values"
		case p.Repeat == 0:
			p.Why = "no value repeats"
		case !p.IsIdentifier && both(ps, p.Name):
			p.Why = "the identifier of the same name is compared"
		case kind == "name" && composed(p, ps, rs):
			p.Why = "put together of other names"
		default:
			add(p, kind, "chosen by content and name")
		}
	}
	return out
}

// both says that an attribute and an identifier have one name.
func both(ps []*Profile, name string) bool {
	return slices.ContainsFunc(ps, func(p *Profile) bool { return p.IsIdentifier && p.Name == name })
}

// roles finds which name is the given and which the family name: by the column's
// name, else the given name is that of which nicknames are known more.
func roles(cols []model.Column, ps []*Profile) {
	given, family := -1, -1
	var rest []int
	for i := range cols {
		if cols[i].Kind != "name" {
			continue
		}
		switch g, f := named(cols[i].Name, "given"), named(cols[i].Name, "family"); {
		case g && !f && given < 0:
			given = i
		case f && !g && family < 0:
			family = i
		default:
			rest = append(rest, i)
		}
	}
	if given < 0 && family < 0 && len(rest) >= 2 {
		best := func() int {
			k, top := -1, math.Inf(-1)
			for at, i := range rest {
				if s := listed(cols[i].Name, ps); s > top {
					k, top = at, s
				}
			}
			return k
		}
		k := best()
		if listed(cols[rest[k]].Name, ps) > 0.3 {
			given = rest[k]
			rest = slices.Delete(rest, k, k+1)
			family = rest[best()]
		}
	}
	if given >= 0 && family >= 0 {
		cols[given].Role, cols[family].Role = model.Given, model.Family
	}
}

// listed is the share of records whose value is in the list of nicknames.
func listed(name string, ps []*Profile) float64 {
	for _, p := range ps {
		if p.Name != name || p.IsIdentifier {
			continue
		}
		hits, all := 0, 0
		for v, n := range p.counts {
			pv := compare.Prepare(compare.Name, v)
			if pv.Nick != 0 {
				hits += int(n)
			}
			all += int(n)
		}
		return float64(hits) / float64(max(all, 1))
	}
	return 0
}

// composed says that a column's values are mostly those of two other columns, one
// after the other: a full name beside its parts. Counting it would count them
// twice.
func composed(p *Profile, ps []*Profile, rs []weir.Record) bool {
	if p.IsIdentifier || p.shape.spaced < 0.5 {
		return false
	}
	both, all := 0, 0
	for i := range rs {
		if i == 2000 {
			break
		}
		v := " " + evidence.Fold(rs[i].Attributes[p.Name]) + " "
		if strings.Count(v, " ") < 3 {
			continue
		}
		all++
		n := 0
		for _, o := range ps {
			if o == p || o.IsIdentifier {
				continue
			}
			x := evidence.Fold(rs[i].Attributes[o.Name])
			if len(x) > 1 && strings.Contains(v, " "+x+" ") {
				n++
			}
		}
		if n >= 2 {
			both++
		}
	}
	return all > 0 && both*10 > all*6
}
