package evidence

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"

	"github.com/weir-cdp/weir"
)

// maxKeys bounds the keys that one match rule makes of one record.
const maxKeys = 64

// Hash is 128 bits of SHA-256: equal hashes are equal values, whoever chose them.
type Hash struct{ Hi, Lo uint64 }

// Key is a value under which records meet.
type Key struct {
	Rule string
	Hash Hash
	// Anchor is the identifier value that the key is made of: its own hash, or of
	// a match rule its first identifier's. What is a hub as a value is one in a
	// rule too, so keys must lie where their anchor does.
	Anchor Hash
	Tells  []Tell // what else the record tells
}

// Held is an identifier's value on a record or event.
type Held struct {
	Kind, Value string
	Blocked     Reason
	Links       bool
}

// Limited is a value that counts against a limit.
type Limited struct {
	Index uint16 // of Rules.Limits
	Hash  uint64
}

// Evidence is what one record tells.
type Evidence struct {
	Keys         []Key
	Held         []Held    // sorted by kind and value
	Limited      []Limited // without blocked values
	Contradicted []string  // kinds of which the record holds more than the hard limit
	Cut          int       // keys left out, because a rule made too many
}

// Digest hashes an identifier's value, apart for persons and accounts where of
// is given; "" is the value as such.
func Digest(of weir.Kind, name string, values ...string) Hash {
	var buf [256]byte
	b := append(append(append(buf[:0], of...), 0), name...)
	for _, v := range values {
		b = append(append(b, 0), v...)
	}
	sum := sha256.Sum256(b)
	return Hash{binary.BigEndian.Uint64(sum[:]), binary.BigEndian.Uint64(sum[8:])}
}

// Of reads a record. A record of an unknown kind tells nothing.
func (r *Rules) Of(rec *weir.Record) Evidence {
	var e Evidence
	s := r.sections[rec.Kind]
	if s == nil {
		return e
	}
	s.hold(rec, &e)
	var few [8]Hash
	hashes := append(few[:0], make([]Hash, len(e.Held))...)
	tells := s.tells(rec, &e, hashes)
	if len(e.Held) > 0 {
		e.Keys = make([]Key, 0, len(e.Held)+len(s.matches))
	}
	others := make([]Tell, 0, len(e.Held)*len(tells)) // of all keys
	for i := range e.Held {
		h := &e.Held[i]
		id := s.identifier(h.Kind)
		if h.Blocked != "" || id.foreign {
			continue
		}
		hash := hashes[i]
		start := len(others)
		others = appendWithout(others, tells, hash.Hi)
		e.Keys = append(e.Keys, Key{Rule: id.Name, Hash: hash, Anchor: hash, Tells: others[start:len(others):len(others)]})
		if id.limit >= 0 {
			e.Limited = append(e.Limited, Limited{Index: uint16(id.limit), Hash: hash.Hi})
		}
	}
	for _, m := range s.matches {
		keys, cut := s.match(m, rec, &e, tells)
		e.Keys = append(e.Keys, keys...)
		e.Cut += cut
	}
	return e
}

// hold lists what the record holds and why some of it is worth nothing.
func (s *section) hold(rec *weir.Record, e *Evidence) {
	var few [8]string
	for _, kind := range sorted(few[:0], rec.Identifiers) {
		id := s.identifier(kind)
		first, usable := len(e.Held), 0
		for _, v := range rec.Identifiers[kind] {
			if v == "" {
				continue
			}
			why := id.why(s.kind, kind, v)
			if e.Held == nil {
				e.Held = make([]Held, 0, max(len(rec.Identifiers), 4))
			}
			e.Held = append(e.Held, Held{Kind: kind, Value: v, Blocked: why, Links: id.Links})
			if why == "" {
				usable++
			}
		}
		if id.hard && id.max > 0 && usable > id.max {
			e.Contradicted = append(e.Contradicted, kind)
			for i := first; i < len(e.Held); i++ {
				e.Held[i].Blocked = Contradicted
			}
		}
	}
}

// usable lists the values of one kind that are worth something.
func (e *Evidence) usable(kind string) (values []string) {
	for i := range e.Held {
		if e.Held[i].Kind == kind && e.Held[i].Blocked == "" {
			values = append(values, e.Held[i].Value)
		}
	}
	return values
}

// Usable is what Evidence.Usable gives, without the rest of the evidence.
func (r *Rules) Usable(rec *weir.Record) *weir.Record {
	s := r.sections[rec.Kind]
	if s == nil {
		return rec
	}
	var e Evidence
	s.hold(rec, &e)
	return e.Usable(rec)
}

// Usable is the record without the values that are worth nothing: what a model
// may compare. Attributes that repeat such a value go too.
func (e *Evidence) Usable(rec *weir.Record) *weir.Record {
	worthless := map[string][]string{}
	for _, h := range e.Held {
		if h.Blocked != "" {
			worthless[h.Kind] = append(worthless[h.Kind], h.Value)
		}
	}
	if len(worthless) == 0 {
		return rec
	}
	out := *rec
	out.Identifiers, out.Attributes = maps.Clone(rec.Identifiers), maps.Clone(rec.Attributes)
	for kind, values := range worthless {
		out.Identifiers[kind] = slices.DeleteFunc(slices.Clone(rec.Identifiers[kind]), func(v string) bool { return slices.Contains(values, v) })
		if slices.Contains(values, rec.Attributes[kind]) {
			delete(out.Attributes, kind)
		}
	}
	return &out
}

// match makes a rule's keys: one for each combination of its parts' values.
func (s *section) match(m match, rec *weir.Record, e *Evidence, tells []Tell) (keys []Key, cut int) {
	keys = []Key{{Rule: m.Name, Tells: tells}}
	combos := [][]string{nil}
	for _, part := range m.parts {
		values := e.usable(part)
		isIdentifier := len(values) > 0
		if _, held := rec.Identifiers[part]; !isIdentifier && !held {
			if v := s.fold(part, rec.Attributes[part]); v != "" && !placeholders[v] {
				values = []string{v}
			}
		}
		var nextKeys []Key
		var nextCombos [][]string
		for i, k := range keys {
			for _, v := range values {
				if len(nextKeys) == maxKeys {
					cut++
					continue
				}
				n := k
				if isIdentifier {
					h := Digest(s.kind, SamePrefix+part, v)
					n.Tells = without(n.Tells, h.Hi)
					if n.Anchor == (Hash{}) {
						n.Anchor = h
					}
				} else if s.isName(part) {
					n.Tells = withoutNames(n.Tells)
				}
				nextKeys = append(nextKeys, n)
				nextCombos = append(nextCombos, append(combos[i][:len(combos[i]):len(combos[i])], v))
			}
		}
		keys, combos = nextKeys, nextCombos
	}
	for i := range keys {
		keys[i].Hash = Digest(s.kind, m.Name, combos[i]...)
		if keys[i].Anchor == (Hash{}) {
			keys[i].Anchor = keys[i].Hash
		}
	}
	return keys, cut
}

// Seen reads the identifiers of an event or consent. They are people's unless
// only the account section declares their kind.
func (r *Rules) Seen(ids weir.Identifiers) []Held {
	var held []Held
	for _, kind := range sorted(nil, ids) {
		id := r.seen(kind)
		of := r.kindOf(kind)
		for _, v := range ids[kind] {
			if v != "" {
				held = append(held, Held{Kind: kind, Value: v, Blocked: id.why(of, kind, v), Links: id.Links})
			}
		}
	}
	return held
}

// SharedBy returns on how many profiles a value of a kind may be.
func (r *Rules) SharedBy(kind string) int {
	return r.seen(kind).SharedBy
}

// sorted appends the kinds in their order.
func sorted(kinds []string, ids weir.Identifiers) []string {
	for k := range ids {
		kinds = append(kinds, k)
	}
	slices.Sort(kinds)
	return kinds
}

// Links says whether a kind's values are evidence, for events and consents.
func (r *Rules) Links(kind string) bool { return r.seen(kind).Links }

// IsAccounts says whether a kind is declared by the account section alone.
func (r *Rules) IsAccounts(kind string) bool { return r.kindOf(kind) == weir.Account }

// kindOf says whose identifier a kind is as events and consents have it.
func (r *Rules) kindOf(kind string) weir.Kind {
	if r.sections[weir.Person].identifiers[kind] == nil && r.sections[weir.Account].identifiers[kind] != nil {
		return weir.Account
	}
	return weir.Person
}

func (r *Rules) seen(kind string) *identifier { return r.sections[r.kindOf(kind)].identifier(kind) }
