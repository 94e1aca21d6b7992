package model

import (
	"slices"
	"strings"

	"github.com/weir-cdp/weir/pipelines/resolve/compare"
)

// Key is one block that a record is in.
type Key struct {
	Rule uint8
	Hash uint64
}

// Compare orders keys by rule, then by hash.
func (k Key) Compare(o Key) int {
	switch {
	case k.Rule != o.Rule:
		return int(k.Rule) - int(o.Rule)
	case k.Hash < o.Hash:
		return -1
	case k.Hash > o.Hash:
		return 1
	}
	return 0
}

// The transforms of blocking keys. Each gives "" where there is nothing to block
// on.
const (
	Whole    = "exact"
	Sound    = "phonetic" // of a name
	Start3   = "prefix3"
	Start4   = "prefix4"
	Initial  = "prefix1"
	First    = "first_word"
	Last     = "last_word"
	Year     = "year"        // of a date
	MonthDay = "month_day"   // of a date
	YearDay  = "year_day"    // of a date
	Local    = "local"       // of an e-mail address: before the @
	Both     = "names"       // given and family name, in any order
	Rarest   = "rarest_word" // of a company's name
)

// Transforms lists them.
func Transforms() []string {
	return []string{Whole, Sound, Start3, Start4, Initial, First, Last, Year, MonthDay, YearDay, Local, Both, Rarest}
}

type rule struct {
	parts, second []part
}

type part struct {
	column int
	cut    func(m *Model, f *Features, v *compare.Value) string
	whole  bool
}

func (m *Model) deriveRules() error {
	for _, r := range m.Rules {
		var d rule
		var err error
		if d.parts, err = m.parts(r.Name, r.Parts); err != nil {
			return err
		}
		if len(d.parts) == 0 {
			return invalid("blocking rule %s has no part", r.Name)
		}
		if d.second, err = m.parts(r.Name, r.Second); err != nil {
			return err
		}
		m.rules = append(m.rules, d)
	}
	return nil
}

func (m *Model) parts(name string, ps []Part) ([]part, error) {
	var out []part
	for _, p := range ps {
		if p.Column < 0 || p.Column >= len(m.columns) {
			return nil, invalid("blocking rule %s names column %d of %d", name, p.Column, len(m.columns))
		}
		if !slices.Contains(Transforms(), p.Transform) {
			return nil, invalid("blocking rule %s has the unknown transform %q", name, p.Transform)
		}
		if p.Transform == Both && (m.given < 0 || m.family < 0) {
			return nil, invalid("blocking rule %s needs a given and a family name", name)
		}
		cut := cuts[p.Transform]
		if p.Transform == Rarest {
			cut = m.columns[p.Column].words.cut
		}
		out = append(out, part{p.Column, cut, p.Transform == Whole})
	}
	return out, nil
}

var cuts = map[string]func(m *Model, f *Features, v *compare.Value) string{
	Whole: func(_ *Model, _ *Features, v *compare.Value) string { return v.Text },
	Sound: func(_ *Model, _ *Features, v *compare.Value) string {
		w, _, _ := strings.Cut(v.Text, " ")
		return compare.Phonetic(w)
	},
	Start3:  func(_ *Model, _ *Features, v *compare.Value) string { return prefix(v.Text, 3) },
	Start4:  func(_ *Model, _ *Features, v *compare.Value) string { return prefix(v.Text, 4) },
	Initial: func(_ *Model, _ *Features, v *compare.Value) string { return prefix(v.Text, 1) },
	First:   func(_ *Model, _ *Features, v *compare.Value) string { w, _, _ := strings.Cut(v.Text, " "); return w },
	Last: func(_ *Model, _ *Features, v *compare.Value) string {
		return v.Text[strings.LastIndexByte(v.Text, ' ')+1:]
	},
	Year:     func(_ *Model, _ *Features, v *compare.Value) string { return prefix(v.Text, 4) },
	MonthDay: func(_ *Model, _ *Features, v *compare.Value) string { return v.Text[min(4, len(v.Text)):] },
	YearDay: func(_ *Model, _ *Features, v *compare.Value) string {
		if len(v.Text) != 8 {
			return ""
		}
		return v.Text[:4] + v.Text[6:]
	},
	Local: func(_ *Model, _ *Features, v *compare.Value) string {
		w, _, found := strings.Cut(v.Text, "@")
		if !found {
			return ""
		}
		return w
	},
	Both: func(m *Model, f *Features, _ *compare.Value) string {
		g, n := f.Values[m.given].Text, f.Values[m.family].Text
		if g == "" || n == "" {
			return ""
		}
		if g > n {
			g, n = n, g
		}
		return g + "\x00" + n
	},
}

func prefix(s string, n int) string {
	if len(s) < n {
		return ""
	}
	return s[:n]
}

// Keys gives the blocks of a record, sorted. A rule with a missing part gives
// none; a rule over an identifier with several values gives one for each.
func (m *Model) Keys(f *Features) []Key { return m.AppendKeys(nil, f) }

// AppendKeys appends the keys to a slice that is reused.
func (m *Model) AppendKeys(out []Key, f *Features) []Key {
	start := len(out)
	for i := range m.rules {
		r := &m.rules[i]
		out = m.key(out, uint8(i), r.parts, f)
	}
	tail := out[start:]
	if len(f.More) > 0 {
		slices.SortFunc(tail, Key.Compare)
		out = out[:start+len(slices.Compact(tail))]
	}
	return out
}

func (m *Model) key(out []Key, rule uint8, ps []part, f *Features) []Key {
	h, ok := m.hash(uint64(rule)+1, ps, f, -1, nil)
	if !ok {
		return out
	}
	out = append(out, Key{rule, h})
	for k := range f.More { // a further value in the place of the first
		for i := range ps {
			if ps[i].column == int(f.More[k].Column) {
				if h, ok := m.hash(uint64(rule)+1, ps, f, ps[i].column, &f.More[k].Value); ok {
					out = append(out, Key{rule, h})
				}
				break
			}
		}
	}
	return out
}

func (m *Model) hash(h uint64, ps []part, f *Features, instead int, with *compare.Value) (uint64, bool) {
	for i := range ps {
		p := &ps[i]
		v := &f.Values[p.column]
		if p.column == instead {
			v = with
		}
		if v.Text == "" {
			return 0, false
		}
		text := v.Text
		if !p.whole {
			if text = p.cut(m, f, v); text == "" {
				return 0, false
			}
		}
		h = Hash(h, text)
	}
	return h, true
}

// Second is a second key, which splits a block of the rule that is too big;
// 0: the record has none, or the rule.
func (m *Model) Second(rule uint8, f *Features) uint64 {
	if int(rule) >= len(m.rules) || len(m.rules[rule].second) == 0 {
		return 0
	}
	h, ok := m.hash(1<<32|uint64(rule), m.rules[rule].second, f, -1, nil)
	if !ok {
		return 0
	}
	return max(h, 1)
}

// AtomHashes hashes one part of a rule for many records; 0: the record has none.
func (m *Model) AtomHashes(p Part, fs []Features) []uint64 {
	out := make([]uint64, len(fs))
	ps, err := m.parts("", []Part{p})
	if err != nil {
		return out
	}
	seed := Hash(uint64(p.Column), p.Transform)
	for i := range fs {
		if h, ok := m.hash(seed, ps, &fs[i], -1, nil); ok {
			out[i] = max(h, 1)
		}
	}
	return out
}
