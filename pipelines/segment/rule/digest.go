package rule

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"iter"
	"slices"
	"sort"

	"github.com/weir-cdp/weir"
)

// Surroundings is what a segment's outcome depends on beside its own rule, data
// and now.
type Surroundings struct {
	segments   map[string]*weir.SegmentDef
	traits     []weir.TraitDef
	attributes map[string]weir.AttributeType
	timezone   string
	done       map[string]string // digests by segment; "" while one is in the making
	// Money is what amounts in currencies depend on.
	Money any
}

// NewSurroundings gathers a project's definitions.
func NewSurroundings(segments []weir.SegmentDef, traits []weir.TraitDef, attributes map[string]weir.AttributeType, timezone string) *Surroundings {
	s := &Surroundings{segments: make(map[string]*weir.SegmentDef, len(segments)), traits: traits, attributes: attributes,
		timezone: timezone, done: map[string]string{}}
	for i := range segments {
		s.segments[segments[i].Name] = &segments[i]
	}
	return s
}

// Digest returns a short digest of all that a segment's outcome depends on
// beside data and now: its own conditions, the definitions of the traits and
// segments and the types of the attributes that it names, and the time zone.
// Where a definition stands in its file, its name and its categories are left
// out.
func (s *Surroundings) Digest(def weir.SegmentDef) string {
	type content struct {
		Of         weir.Kind
		Where      weir.Condition
		Traits     []weir.TraitDef
		Attributes [][2]string
		Timezone   string
		Segments   [][2]string `json:",omitempty"`
		Money      any         `json:",omitempty"`
	}
	in := content{Of: def.Of, Where: def.Where.Unplaced(), Timezone: s.timezone, Segments: s.named(&def.Where)}
	if def.Timezone != "" {
		in.Timezone = def.Timezone
	}
	if in.Of == "" {
		in.Of = weir.Person
	}
	usedTraits, usedAttributes := Compared(&def.Where)
	Follow(s.traits, usedTraits, usedAttributes)
	if HasMoney(&def.Where) {
		in.Money = s.Money
	}
	for _, t := range s.traits {
		if usedTraits[t.Name] {
			t = t.Unplaced()
			t.Categories = nil
			in.Traits = append(in.Traits, t)
			if t.Currency != "" {
				in.Money = s.Money
			}
		}
	}
	sort.Slice(in.Traits, func(i, j int) bool { return in.Traits[i].Name < in.Traits[j].Name })
	for a := range usedAttributes {
		typ := s.attributes[a]
		if typ == "" {
			typ = weir.Text
		}
		in.Attributes = append(in.Attributes, [2]string{a, string(typ)})
	}
	sort.Slice(in.Attributes, func(i, j int) bool { return in.Attributes[i][0] < in.Attributes[j][0] })
	text, err := json.Marshal(in)
	if err != nil {
		panic(err) // plain data always marshals
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// Follow adds to traits and attributes what those traits read, over any number of
// steps.
func Follow(defs []weir.TraitDef, traits, attributes map[string]bool) {
	for grown := true; grown; {
		grown = false
		for _, t := range defs {
			if !traits[t.Name] {
				continue
			}
			below, more := t.Reads()
			for _, name := range below {
				grown = grown || !traits[name]
				traits[name] = true
			}
			for _, name := range more {
				attributes[name] = true
			}
		}
	}
}

// HasMoney says whether a condition compares amounts in currencies.
func HasMoney(c *weir.Condition) bool {
	for below := range c.Tree() {
		if slices.ContainsFunc(below.Measures, func(m weir.Measure) bool { return m.Currency != "" }) {
			return true
		}
	}
	return false
}

// named returns the segments that a condition names, with their digests.
func (s *Surroundings) named(c *weir.Condition) [][2]string {
	names := c.Segments()
	sort.Strings(names)
	var out [][2]string
	for _, name := range slices.Compact(names) {
		digest, done := s.done[name]
		if def := s.segments[name]; !done && def != nil {
			s.done[name] = "" // of a circle, which is refused elsewhere
			digest = s.Digest(*def)
			s.done[name] = digest
		}
		out = append(out, [2]string{name, digest})
	}
	return out
}

// Compared returns the names of the traits and attributes that a condition
// compares, those of linked profiles too.
func Compared(c *weir.Condition) (traits, attributes map[string]bool) { return compared(c.Tree()) }

// OwnCompared is Compared of the profile itself.
func OwnCompared(c *weir.Condition) (traits, attributes map[string]bool) { return compared(c.Own()) }

func compared(conditions iter.Seq[*weir.Condition]) (traits, attributes map[string]bool) {
	traits, attributes = map[string]bool{}, map[string]bool{}
	for below := range conditions {
		if below.Trait != "" {
			traits[below.Trait] = true
		}
		if below.Attribute != "" {
			attributes[below.Attribute] = true
		}
	}
	return traits, attributes
}
