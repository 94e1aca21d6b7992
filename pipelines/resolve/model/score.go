package model

import (
	"math"

	"github.com/weir-cdp/weir/pipelines/resolve/compare"
)

// Levels are the levels of one pair with what their u is for these very values.
type Levels struct {
	Of [MaxColumns]compare.Level
	U  [MaxColumns]float64
	TF [MaxColumns]float64 // frequency that U came from; 0: none
}

// Compare finds the levels of a pair. Both must be features under m.
func (m *Model) Compare(a, b *Features, l *Levels) {
	for i := range m.columns {
		m.columns[i].compare(&a.Values[i], &b.Values[i], i, l)
	}
	if len(a.More)+len(b.More) > 0 {
		m.compareFurther(a, b, l)
	}
	if m.given >= 0 && m.family >= 0 {
		m.swapped(a, b, l)
	}
	if a.Source == b.Source {
		for i := range m.columns {
			if c := &m.columns[i]; c.limited > 0 && l.Of[i] == c.differ {
				l.Of[i] = compare.Level(c.limited)
				l.U[i] = c.u[c.limited]
			}
		}
	}
	m.depend(l)
}

// depend corrects u where what a column goes with agrees. Of the dependences
// among strangers a tree is kept (Chow and Liu 1968), with a second parent for
// pairs that do not hold the first.
func (m *Model) depend(l *Levels) {
	for i := range m.columns {
		c := &m.columns[i]
		if len(c.with) == 0 || l.Of[i] == compare.Missing {
			continue
		}
		if w := m.parent(c, l); w != nil {
			above := 0.0
			if w.Nested {
				above = l.TF[w.Parent]
			}
			l.U[i] = w.U(l.Of[i], l.U[i], l.TF[i], above)
		}
	}
}

// parent is the dependence that counts for a pair: nil where there is none, or
// the parent does not agree.
func (m *Model) parent(c *column, l *Levels) *With {
	for k := range c.with {
		w := &c.with[k]
		if known, agree := Agrees(w.Parent, m.given, m.family, l.Of[:]); known {
			if agree {
				return w
			}
			return nil
		}
	}
	return nil
}

// Agrees says whether both records hold a parent, and whether it agrees.
func Agrees[L ~uint8](parent, given, family int, of []L) (known, agree bool) {
	if parent != Names {
		return of[parent] != L(compare.Missing), of[parent] == L(compare.Agree)
	}
	if given < 0 || family < 0 {
		return false, false
	}
	g, f := of[given], of[family]
	known = g != L(compare.Missing) || f != L(compare.Missing)
	like := func(v L) bool { return v < L(compare.NameClose) }
	return known, like(g) || like(f)
}

// U is the chance of a level among strangers whose parent agrees: alone is what
// it is without, tf the frequency of the value that agrees, or 0, and above that
// of the parent's.
func (w *With) U(v compare.Level, alone, tf, above float64) float64 {
	if w.Nested && above > 0 {
		tf, alone = min(tf/above, 1), min(alone/above, 1)
	}
	switch {
	case tf == 0:
		return w.Levels[v]
	case v == compare.Agree:
		return min(w.Tied+w.Lift*tf, 1)
	}
	return min(max(w.Lift*alone, w.Levels[v]*w.Tied), 1)
}

func (c *column) compare(x, y *compare.Value, i int, l *Levels) {
	l.Of[i] = compare.Of(c.kind, x, y)
	c.price(x, y, i, l)
}

// price finds u of a level for these very values.
func (c *column) price(x, y *compare.Value, i int, l *Levels) {
	v := l.Of[i]
	l.TF[i] = 0
	switch {
	case v == compare.Missing:
		l.U[i] = 1
	case v == compare.Agree:
		l.TF[i] = frequency[min(x.TF, y.TF)]
		l.U[i] = l.TF[i]
	case v == compare.NamePart && c.kind == compare.Name:
		short := x.TF
		if len(y.Text) < len(x.Text) {
			short = y.TF
		}
		l.TF[i] = frequency[short]
		l.U[i] = min(c.u[v]*l.TF[i]/c.u[0], 1)
	case v == compare.CompanyMore && c.kind == compare.Company:
		short := x.Code
		if len(y.Text) < len(x.Text) {
			short = y.Code
		}
		l.TF[i] = frequency[min(short, 255)]
		l.U[i] = min(c.u[v]*l.TF[i]/c.words.mean, 1)
	default:
		l.U[i] = c.u[v]
	}
}

// byValue says that u of a level depends on the values.
func (c *column) byValue(v compare.Level) bool {
	return v == compare.Agree || v == compare.NamePart && c.kind == compare.Name || v == compare.CompanyMore && c.kind == compare.Company
}

// Reprice finds u anew for a pair whose levels are known.
func (m *Model) Reprice(a, b *Features, l *Levels) {
	if len(a.More)+len(b.More) > 0 {
		m.Compare(a, b, l) // which of several values agreed is not known
		return
	}
	for i := range m.columns {
		if c := &m.columns[i]; c.byValue(l.Of[i]) {
			c.price(&a.Values[i], &b.Values[i], i, l)
		}
	}
	if m.given >= 0 && l.Of[m.given] == compare.NameSwapped && m.family >= 0 {
		m.priceSwap(a, b, l)
	}
	m.depend(l)
}

// compareFurther takes the values of several that agree best.
func (m *Model) compareFurther(a, b *Features, l *Levels) {
	better := func(i int, x, y *compare.Value) {
		var other Levels
		c := &m.columns[i]
		c.compare(x, y, i, &other)
		if other.Of[i] == compare.Missing {
			return
		}
		if l.Of[i] == compare.Missing || c.m[other.Of[i]]/other.U[i] > c.m[l.Of[i]]/l.U[i] {
			l.Of[i], l.U[i], l.TF[i] = other.Of[i], other.U[i], other.TF[i]
		}
	}
	for k := range a.More {
		i := int(a.More[k].Column)
		better(i, &a.More[k].Value, &b.Values[i])
		for n := range b.More {
			if b.More[n].Column == a.More[k].Column {
				better(i, &a.More[k].Value, &b.More[n].Value)
			}
		}
	}
	for n := range b.More {
		i := int(b.More[n].Column)
		better(i, &a.Values[i], &b.More[n].Value)
	}
}

// swapped finds given and family name in each other's place. Then the given
// name's level says so, and the family name says no more.
func (m *Model) swapped(a, b *Features, l *Levels) {
	g, f := m.given, m.family
	if l.Of[g] == compare.Agree || l.Of[f] == compare.Agree {
		return
	}
	ag, af, bg, bf := &a.Values[g], &a.Values[f], &b.Values[g], &b.Values[f]
	if ag.Text == "" || af.Text == "" || bg.Text == "" || bf.Text == "" {
		return
	}
	if ag.Text != bf.Text && af.Text != bg.Text {
		return
	}
	if !alike(ag, bf) || !alike(af, bg) {
		return
	}
	l.Of[g], l.Of[f] = compare.NameSwapped, compare.Missing
	l.U[f], l.TF[f] = 1, 0
	m.priceSwap(a, b, l)
}

func (m *Model) priceSwap(a, b *Features, l *Levels) {
	g, f := m.given, m.family
	ag, af, bg, bf := &a.Values[g], &a.Values[f], &b.Values[g], &b.Values[f]
	given, family := frequency[min(ag.TF, bg.TF)], frequency[min(af.TF, bf.TF)]
	l.TF[g] = given * family
	l.U[g] = max(l.TF[g], 1e-12)
}

func alike(x, y *compare.Value) bool { return compare.Of(compare.Name, x, y) <= compare.NameNear }

// Score is the log2 odds that two records are the same, the prior included. It
// is symmetric, and finite.
func (m *Model) Score(a, b *Features) float64 {
	var l Levels
	m.Compare(a, b, &l)
	return m.Odds(&l)
}

// limit bounds scores: beyond it a float says nothing more.
const limit = 200

// Odds weighs the levels of a pair.
func (m *Model) Odds(l *Levels) float64 {
	match, other := 0.0, 0.0
	for k := range m.classes {
		c := &m.classes[k]
		p := c.prior
		for i := range m.columns {
			v := l.Of[i]
			if v == compare.Missing {
				continue
			}
			s := c.shared[i]
			p *= s*m.columns[i].m[v] + (1-s)*l.U[i]
		}
		if c.match {
			match += p
		} else {
			other += p
		}
	}
	switch {
	case match == 0 && other == 0, len(m.classes) == 0:
		return -limit
	case match == 0:
		return -limit
	case other == 0:
		return limit
	}
	return min(max(math.Log2(match)-math.Log2(other), -limit), limit)
}

// Step is one line of a waterfall: what one comparison adds to the score.
type Step struct {
	Comparison    string
	Level         string
	Weight        float64 // log2(m/u)
	TermFrequency float64 // of the value that agrees; 0: not adjusted
}

// Waterfall explains a score: the prior, each comparison's match weight, and
// last what their dependence takes back or gives. The weights sum to Score.
func (m *Model) Waterfall(a, b *Features) []Step {
	var l Levels
	m.Compare(a, b, &l)
	match, other := 0.0, 0.0
	for _, c := range m.classes {
		if c.match {
			match += c.prior
		} else {
			other += c.prior
		}
	}
	total := m.Odds(&l)
	prior := -float64(limit)
	if match > 0 && other > 0 {
		prior = math.Log2(match / other)
	}
	steps := []Step{{Comparison: "prior", Weight: prior}}
	sum := prior
	for i := range m.columns {
		v := l.Of[i]
		s := Step{Comparison: m.Columns[i].Name, Level: "missing", TermFrequency: l.TF[i]}
		if v != compare.Missing {
			s.Level = m.Columns[i].Levels[v].Name
			s.Weight = math.Log2(m.columns[i].m[v] / l.U[i])
		}
		sum += s.Weight
		steps = append(steps, s)
	}
	return append(steps, Step{Comparison: "dependence", Level: m.likeliest(&l), Weight: total - sum})
}

// likeliest names the class that explains a pair best.
func (m *Model) likeliest(l *Levels) string {
	best, name := -1.0, ""
	for k := range m.classes {
		p := m.classes[k].prior
		for i := range m.columns {
			if v := l.Of[i]; v != compare.Missing {
				s := m.classes[k].shared[i]
				p *= s*m.columns[i].m[v] + (1-s)*l.U[i]
			}
		}
		if p > best {
			best, name = p, m.Classes[k].Name
		}
	}
	return name
}
