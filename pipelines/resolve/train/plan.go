package train

import (
	"cmp"
	"math"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// BlockBudget is about how many records a sample holds by default for the sake
// of whole blocks.
const BlockBudget = 150_000

// Plan says which records a sample of a large table holds beside those drawn at
// random: all that share a key with others, for keys drawn by their hash. A
// uniform sample keeps two records of one person with the square of its share;
// a whole block keeps all its pairs. So what is learned from pairs does not thin
// out as the table grows.
//
// It is made of the uniform sample, and depends on the set of records and the
// seed alone. A pair is in the sample where a rule that it agrees on has drawn
// its key: with a chance that is known (Horvitz and Thompson 1952).
type Plan struct {
	Seed  uint64     `json:"seed"`
	Share float64    `json:"share"` // of the keys
	Parts []PlanPart `json:"parts"`
	Rules []PlanRule `json:"rules"`
	// What training compares, and why: it was found to make the plan.
	Columns  []PlanColumn `json:"columns,omitempty"`
	Profiles []Profile    `json:"profiles,omitempty"`
	Notes    []string     `json:"notes,omitempty"`
}

// PlanColumn is a column that training compares, as model.Column has it.
type PlanColumn struct {
	Name         string  `json:"name"`
	IsIdentifier bool    `json:"identifier,omitempty"`
	Kind         string  `json:"kind"`
	Role         string  `json:"role,omitempty"`
	Limited      bool    `json:"limited,omitempty"`
	Complete     float64 `json:"complete"`
}

// PlanPart is what of a record a rule of the plan looks at: the first value of a
// column, letters and digits only, ASCII letters in lower case.
type PlanPart struct {
	Column       string `json:"column"`
	IsIdentifier bool   `json:"identifier,omitempty"`
	Start        int    `json:"start,omitempty"` // so many characters; 0: all
	End          int    `json:"end,omitempty"`   // so many of the last characters; 0: all
	Local        bool   `json:"local,omitempty"` // before the @ only
}

// PlanRule is a set of parts that the records of a block share.
type PlanRule struct {
	Parts []int    `json:"parts"`
	Skip  []uint64 `json:"skip,omitempty"` // keys that too many records hold, sorted
}

// The plan's bounds.
const (
	planRules    = 20
	planCounted  = 30_000 // records that candidates are counted on
	planPairs    = 4.0    // of a rule, for each record of the table
	planCover    = 3      // rules that should find each pair that looks like a match
	maxPlanBlock = maxTrainingBlock
)

// below is what the hash of a drawn key does not exceed.
func (p *Plan) below() uint64 {
	if p.Share >= 1 {
		return math.MaxUint64
	}
	return uint64(p.Share * (1 << 32) * (1 << 32))
}

// Gatherer decides record by record what is in a plan's blocks. It keeps
// buffers: one for each goroutine.
type Gatherer struct {
	plan  *Plan
	below uint64
	parts []uint64
	keys  []uint64
}

// Gatherer returns one. A nil plan keeps nothing.
func (p *Plan) Gatherer() *Gatherer {
	if p == nil {
		return &Gatherer{plan: &Plan{}}
	}
	return &Gatherer{plan: p, below: p.below()}
}

// Keep says whether a record is in a block that was drawn.
func (g *Gatherer) Keep(rec *weir.Record) bool {
	g.parts = g.plan.partHashes(rec, g.parts[:0])
	return g.drawn()
}

// May says whether a record may be in a block that was drawn, before it is made:
// read gives what it holds in the column of a part, and how many values. It asks
// Keep's question of the first values; a record with several values of an
// identifier may be, since the first may be worth nothing.
func (g *Gatherer) May(read func(part int) (first string, values int)) bool {
	v, n := "", 0
	g.parts = g.parts[:0]
	for i := range g.plan.Parts {
		if i == 0 || !g.plan.sameColumn(i, i-1) {
			if v, n = read(i); n > 1 {
				return true
			}
		}
		g.parts = append(g.parts, g.plan.Parts[i].hash(v))
	}
	return g.drawn()
}

// drawn says whether one of the keys of the parts was drawn.
func (g *Gatherer) drawn() bool {
	for r := range g.plan.Rules {
		if k := g.plan.whole(r, g.parts); k != 0 && k <= g.below && !g.plan.skips(r, k) {
			return true
		}
	}
	return false
}

// Keys are the hashes of a record's keys, by rule; 0: none. They are valid until
// the next call.
func (g *Gatherer) Keys(rec *weir.Record) []uint64 {
	g.parts = g.plan.partHashes(rec, g.parts[:0])
	g.keys = g.keys[:0]
	for r := range g.plan.Rules {
		g.keys = append(g.keys, g.plan.key(r, g.parts))
	}
	return g.keys
}

func (p *Plan) partHashes(rec *weir.Record, out []uint64) []uint64 {
	v := ""
	for i := range p.Parts {
		part := &p.Parts[i]
		if i > 0 && p.sameColumn(i, i-1) {
			out = append(out, part.hash(v))
			continue
		}
		v = ""
		if !part.IsIdentifier {
			v = rec.Attributes[part.Column]
		} else if vs := rec.Identifiers[part.Column]; len(vs) > 0 {
			v = vs[0]
		}
		out = append(out, part.hash(v))
	}
	return out
}

func (p *Plan) sameColumn(a, b int) bool {
	return p.Parts[a].Column == p.Parts[b].Column && p.Parts[a].IsIdentifier == p.Parts[b].IsIdentifier
}

// key is the hash of a rule's key; 0: none.
func (p *Plan) key(rule int, parts []uint64) uint64 {
	h := p.whole(rule, parts)
	if h == 0 || p.skips(rule, h) {
		return 0
	}
	return h
}

// skips says that too many records hold a key.
func (p *Plan) skips(rule int, key uint64) bool {
	_, skip := slices.BinarySearch(p.Rules[rule].Skip, key)
	return skip
}

// whole is the hash of a rule's key, also of one that is skipped; 0: none.
func (p *Plan) whole(rule int, parts []uint64) uint64 {
	h := p.Seed ^ 0xb10c
	for _, i := range p.Rules[rule].Parts {
		if parts[i] == 0 {
			return 0
		}
		h = model.Mix(h, parts[i]+uint64(i))
	}
	return max(model.Mix(h, uint64(len(p.Rules[rule].Parts))), 1)
}

// folded are the bytes that a part's hash looks at: 0 is left out.
var folded = func() (f [256]byte) {
	for c := range f {
		switch {
		case c >= 'A' && c <= 'Z':
			f[c] = byte(c + 'a' - 'A')
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c >= 0x80:
			f[c] = byte(c)
		}
	}
	return
}()

// hash of a value; 0: nothing to share. It allocates nothing, since all records
// of a table are asked.
func (p *PlanPart) hash(s string) uint64 {
	h, w, n := uint64(0x9a27), uint64(0), 0
	most := cmp.Or(p.Start, p.End, math.MaxInt)
	for i := range len(s) {
		at := i
		if p.End > 0 {
			at = len(s) - 1 - i
		}
		if p.Local && s[at] == '@' {
			break
		}
		c := folded[s[at]]
		if c == 0 {
			continue
		}
		w |= uint64(c) << (8 * (n & 7))
		if n++; n&7 == 0 {
			h, w = model.Mix(h, w), 0
		}
		if n == most {
			break
		}
	}
	if n == 0 || p.Start > 0 && n < p.Start {
		return 0
	}
	return max(model.Mix(h, w^uint64(n)<<56), 1)
}
