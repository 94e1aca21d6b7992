package policies

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/policies/plan"
)

// lens is what the policy can tell of rows, for one question and one list of
// jurisdictions: of each fact the cells of values that it takes for the same.
type lens struct {
	places, regimes List
	words           [manyWords]wordCells
	counts          [manyCounts]countCells
}

// cells is a class's key under one lens: mixed radix, exact.
type cells [3]uint64

type wordCells struct {
	word uint8
	add  [8]uint64 // by value, its cell's digit
	cell [8]uint8
	many int // cells
}

type countCells struct {
	word    uint8
	radix   uint64
	raw     bool
	unknown int   // its cell
	from    []int // where pieces begin, in days, the first at 0
	cell    []int // of each piece
	many    int
}

// The cells of a number of days are at most as many as these; more are no saving.
const maxPieces = 1 << 12

// newLens reads a plan.
func newLens(p *plan.Plan, places, regimes List) *lens {
	l := &lens{places: places, regimes: regimes}
	word, used := 0, uint64(1)
	place := func(many uint64) (uint8, uint64) {
		if many == 0 || used > math.MaxUint64/many {
			word, used = word+1, 1
		}
		radix := used
		used *= many
		return uint8(word), radix
	}
	for i := range factTable {
		f := &factTable[i]
		r := p.Of(f.part, f.name)
		switch f.kind {
		case aWord:
			c := &l.words[f.at]
			c.fill(f.names, r)
			var radix uint64
			c.word, radix = place(uint64(c.many))
			for v := range c.add {
				c.add[v] = uint64(c.cell[v]) * radix
			}
		case aCount:
			c := &l.counts[f.at]
			c.fill(r)
			many := uint64(c.many)
			if c.raw {
				many = 1 << 32
			}
			c.word, c.radix = place(many)
		}
	}
	return l
}

// truths are what a value makes of the atoms; of a raw read each value is its own.
func truths(r plan.Read, v ast.Value) string {
	if r.Raw {
		return v.String()
	}
	b := make([]byte, len(r.Atoms))
	for i, a := range r.Atoms {
		b[i] = '0'
		if a.Holds(v) {
			b[i] = '1'
		}
	}
	return string(b)
}

func (c *wordCells) fill(names []string, r plan.Read) {
	seen := map[string]int{}
	for v := range c.cell {
		n := 0 // a value without a name is told as unknown
		if v < len(names) {
			n = v
		}
		t := truths(r, wordTerms[names[n]].Value)
		if _, ok := seen[t]; !ok {
			seen[t] = len(seen)
		}
		c.cell[v] = uint8(seen[t])
	}
	c.many = len(seen)
}

func (c *countCells) fill(r plan.Read) {
	cuts := []int{0}
	for _, a := range r.Atoms {
		for _, n := range numbers(a.Const) {
			cuts = append(cuts, n, n+1)
		}
	}
	slices.Sort(cuts)
	cuts = slices.DeleteFunc(slices.Compact(cuts), func(n int) bool { return n < 0 || n >= math.MaxInt32 })
	if c.raw = r.Raw || len(cuts) > maxPieces; c.raw {
		return
	}
	seen := map[string]int{truths(r, unknownTerm.Value): 0}
	for _, n := range cuts {
		t := truths(r, ast.IntNumberTerm(n).Value)
		if _, ok := seen[t]; !ok {
			seen[t] = len(seen)
		}
		if len(c.cell) > 0 && c.cell[len(c.cell)-1] == seen[t] {
			continue // no cut after all
		}
		c.from, c.cell = append(c.from, n), append(c.cell, seen[t])
	}
	c.many = len(seen)
}

// numbers are the whole numbers from which on a constant compares otherwise: of each
// number in it the largest that is not above it.
func numbers(v ast.Value) []int {
	var out []int
	switch x := v.(type) {
	case ast.Number:
		f, ok := new(big.Float).SetString(string(x))
		if !ok {
			return nil
		}
		n, _ := f.Int(nil)
		if f.Sign() < 0 {
			return []int{-1} // all days are above it
		}
		if !n.IsInt64() || n.Int64() > math.MaxInt32 {
			return nil // all days are below it
		}
		out = append(out, int(n.Int64()))
	case *ast.Array:
		x.Foreach(func(t *ast.Term) { out = append(out, numbers(t.Value)...) })
	case ast.Set:
		x.Foreach(func(t *ast.Term) { out = append(out, numbers(t.Value)...) })
	case ast.Object:
		x.Foreach(func(_, t *ast.Term) { out = append(out, numbers(t.Value)...) })
	}
	return out
}

// of is the class of a row's facts.
func (l *lens) of(k *key) cells {
	var out cells
	w, n := k.values()
	for i := range w {
		c := &l.words[i]
		v := w[i]
		if int(v) >= len(c.add) {
			v = 0 // no word: told as unknown
		}
		out[c.word] += c.add[v]
	}
	for i := range n {
		c := &l.counts[i]
		if c.many != 1 {
			out[c.word] += c.code(n[i]) * c.radix
		}
	}
	return out
}

func (c *countCells) code(d Days) uint64 {
	switch {
	case c.raw:
		return uint64(uint32(d))
	case d == 0:
		return uint64(c.unknown)
	}
	i, exact := slices.BinarySearch(c.from, int(d)-1)
	if !exact {
		i--
	}
	return uint64(c.cell[i])
}

// last is the last day on which a number of days is still in the cell of d, and -1 if
// it stays there for ever.
func (c *countCells) last(d Days) int {
	switch {
	case d == 0:
		return -1 // what is unknown does not grow
	case c.raw:
		return int(d) - 1
	}
	i, exact := slices.BinarySearch(c.from, int(d)-1)
	if !exact {
		i--
	}
	if i+1 < len(c.from) {
		return c.from[i+1] - 1
	}
	return -1
}

// text writes the cell of a number of days: what the policy takes for the same.
func (c *countCells) text(d Days) string {
	if c.raw {
		b, _ := d.MarshalJSON()
		return string(b)
	}
	code := int(c.code(d))
	var parts []string
	single := true
	if c.unknown == code {
		parts, single = append(parts, "unknown"), false
	}
	for i, from := range c.from {
		switch {
		case c.cell[i] != code:
		case i+1 == len(c.from):
			parts, single = append(parts, fmt.Sprintf("%d..", from)), false
		case c.from[i+1] == from+1:
			parts = append(parts, strconv.Itoa(from))
		default:
			parts, single = append(parts, fmt.Sprintf("%d..%d", from, c.from[i+1]-1)), false
		}
	}
	if single && len(parts) == 1 {
		return parts[0]
	}
	return strconv.Quote(strings.Join(parts, "|"))
}

func (c *wordCells) text(names []string, v int) string {
	var parts []string
	for i, n := range names {
		if c.cell[i] == c.cell[v] {
			parts = append(parts, n)
		}
	}
	return strconv.Quote(strings.Join(parts, "|"))
}

// questionTexts are the inputs that all rows share, encoded.
type questionTexts struct{ activation, controller, destination []byte }

// inputs writes what the policy was told of a class: the question, the jurisdictions,
// and of each fact that it can tell apart the values that it takes for the same,
// "no|unknown" or "0..730". The first of them stands for the others.
func (l *lens) inputs(t *questionTexts, k *key) string {
	w, n := k.values()
	b := append([]byte(`{"activation":`), t.activation...)
	part := ""
	for i := range factTable {
		f := &factTable[i]
		var value string
		switch f.kind {
		case aWord:
			if l.words[f.at].many == 1 {
				continue
			}
			value = l.words[f.at].text(f.names, f.wordOf(w[f.at]))
		case aCount:
			if c := &l.counts[f.at]; !c.raw && c.many == 1 {
				continue
			}
			value = l.counts[f.at].text(n[f.at])
		default:
			places := l.places
			if f.name == "regimes" {
				places = l.regimes
			}
			value = string(encoded(places))
		}
		switch {
		case part == f.part:
			b = append(b, ',')
		case f.part == "consent":
			b = append(b, `,"consent":{`...)
		default:
			if part == "consent" {
				b = append(b, '}')
			}
			b = append(b, `,"controller":`...)
			b = append(b, t.controller...)
			b = append(append(b, `,"destination":`...), t.destination...)
			b = append(b, `,"subject":{`...)
		}
		part = f.part
		b = append(append(append(append(b, '"'), f.name...), `":`...), value...)
	}
	return string(append(b, "}}"...))
}

// InputsOf reads the inputs of a class as one input that it stands for: a fact that
// the policy could not tell apart is unknown.
func InputsOf(text string) (Input, error) {
	var in Input
	var parts struct {
		Activation  Activation     `json:"activation"`
		Consent     map[string]any `json:"consent"`
		Controller  Controller     `json:"controller"`
		Destination Destination    `json:"destination"`
		Subject     map[string]any `json:"subject"`
	}
	if err := json.Unmarshal([]byte(text), &parts); err != nil {
		return in, weir.Errorf(weir.Invalid, "a class's inputs can't be read: %w", err)
	}
	var w [manyWords]uint8
	var n [manyCounts]Days
	read := map[string]map[string]any{"consent": parts.Consent, "subject": parts.Subject}
	var err error
	for i := range factTable {
		f := &factTable[i]
		v, told := read[f.part][f.name]
		switch {
		case !told || f.kind == aPlace:
		case f.kind == aWord:
			w[f.at], err = firstWord(f.names, v)
		default:
			n[f.at], err = firstCount(v)
		}
		if err != nil {
			return in, weir.Errorf(weir.Invalid, "a class's inputs can't be read: %s.%s: %w", f.part, f.name, err)
		}
	}
	var places []string
	list, _ := parts.Subject["jurisdictions"].([]any)
	for _, p := range list {
		s, _ := p.(string)
		places = append(places, s)
	}
	k := keyWith(w, n, ListOf(places...))
	return Input{Activation: parts.Activation, Consent: k.consent, Controller: parts.Controller, Destination: parts.Destination, Subject: k.subject}, nil
}

func firstWord(names []string, v any) (uint8, error) {
	s, _ := v.(string)
	first, _, _ := strings.Cut(s, "|")
	if i := slices.Index(names, first); i >= 0 {
		return uint8(i), nil
	}
	return 0, weir.Errorf(weir.Invalid, "%v is none of %s", v, strings.Join(names, ", "))
}

func firstCount(v any) (Days, error) {
	n, isNumber := v.(float64)
	if s, isText := v.(string); isText {
		first, _, _ := strings.Cut(s, "|")
		if first == "unknown" {
			return 0, nil
		}
		first, _, _ = strings.Cut(first, "..")
		var err error
		if n, err = strconv.ParseFloat(first, 64); err != nil {
			return 0, weir.Errorf(weir.Invalid, "%q is no number of days", s)
		}
		isNumber = true
	}
	if !isNumber || n < 0 || n != math.Trunc(n) || n > math.MaxInt32-1 {
		return 0, weir.Errorf(weir.Invalid, "%v is no number of days", v)
	}
	return DaysOf(int(n)), nil
}

func encoded(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("policies: plain fields did not encode: %v", err))
	}
	return b
}
