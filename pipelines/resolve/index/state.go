package index

import (
	"encoding/binary"
	"math"
)

// Dead is the origin of a version that is no more.
const Dead uint32 = math.MaxUint32

// State is what the partition made of the log's versions. Members, pairs and
// edges hold versions.
type State struct {
	Origin   []uint32 // by version: which of the manifest's origins it was read from, or Dead
	Profile  []uint32 // by version: index in Profiles
	Profiles []string
	Order    []uint32 // the living versions by ascending record id

	Rules    []string // ascending
	Groups   []Group
	Suspects []Suspect
	Pairs    []Pair
	Edges    []Edge // by the order of their records, then by rule
	Hubs     []Hub
	Over     []Over
	Near     []Near
	Bound    float64 // Near holds all pairs that are nearer than this; 0: all that it could hold
}

// Group is one piece of evidence of a rule.
type Group struct {
	Members []uint32
	Anchor  uint64
	Suspect int32 // index of Suspects, -1: free
	Weight  float32
	Rule    uint16
}

// Suspect is a value that may be a hub.
type Suspect struct {
	Records []uint32
	Anchor  uint64
	Extra   int32
	Allowed int32
	Parent  int32 // -1: none
	Name    string
}

// Pair is what the model links.
type Pair struct {
	Left, Right uint32
	Weight      float32
}

// Edge is a row of identity.edges.
type Edge struct {
	Left, Right uint32
	Weight      float32
	Against     float32
	Refused     int32
	Rule        uint16
}

// Hub is a refused suspect, told by one of its records.
type Hub struct {
	Record   uint32
	Profiles int32
	Name     string
}

// Over is a cluster over a soft limit, told by one of its records.
type Over struct {
	Record uint32
	Values int32
	Kind   uint16
}

// Near is a pair that the model is unsure of.
type Near struct {
	Left, Right uint32
	Weight, Off float64
}

// Marshal gives the state's bytes.
func (s *State) Marshal() []byte {
	c := coder{write: true, b: mark(stateKind)}
	s.visit(&c)
	return c.b
}

// Unmarshal reads what Marshal made.
func (s *State) Unmarshal(text string) error {
	text, err := open(stateKind, text)
	if err != nil {
		return err
	}
	c := coder{reader: reader{s: text}}
	s.visit(&c)
	if c.fail || c.s != "" {
		return damaged()
	}
	return nil
}

// visit writes or reads all fields, in one order.
func (s *State) visit(c *coder) {
	list(c, &s.Origin, c.fixed)
	list(c, &s.Profile, c.fixed)
	list(c, &s.Profiles, c.name)
	list(c, &s.Order, c.fixed)
	list(c, &s.Rules, c.name)
	list(c, &s.Groups, func(g *Group) {
		list(c, &g.Members, c.fixed)
		c.long(&g.Anchor)
		c.signed(&g.Suspect)
		c.float(&g.Weight)
		c.short(&g.Rule)
	})
	list(c, &s.Suspects, func(x *Suspect) {
		list(c, &x.Records, c.fixed)
		c.long(&x.Anchor)
		c.signed(&x.Extra)
		c.signed(&x.Allowed)
		c.signed(&x.Parent)
		c.name(&x.Name)
	})
	list(c, &s.Pairs, func(p *Pair) {
		c.fixed(&p.Left)
		c.fixed(&p.Right)
		c.float(&p.Weight)
	})
	list(c, &s.Edges, func(e *Edge) {
		c.fixed(&e.Left)
		c.fixed(&e.Right)
		c.float(&e.Weight)
		c.float(&e.Against)
		c.signed(&e.Refused)
		c.short(&e.Rule)
	})
	list(c, &s.Hubs, func(h *Hub) {
		c.fixed(&h.Record)
		c.signed(&h.Profiles)
		c.name(&h.Name)
	})
	list(c, &s.Over, func(o *Over) {
		c.fixed(&o.Record)
		c.signed(&o.Values)
		c.short(&o.Kind)
	})
	list(c, &s.Near, func(n *Near) {
		c.fixed(&n.Left)
		c.fixed(&n.Right)
		c.double(&n.Weight)
		c.double(&n.Off)
	})
	c.double(&s.Bound)
}

// coder writes or reads.
type coder struct {
	reader
	write bool
	b     []byte
}

// list writes or reads a list; each element takes a byte at least.
func list[T any](c *coder, xs *[]T, f func(*T)) {
	if c.write {
		c.b = binary.AppendUvarint(c.b, uint64(len(*xs)))
	} else {
		n := c.uvarint()
		if n > uint64(len(c.s)) {
			c.s, c.fail = "", true
			return
		}
		if n > 0 {
			*xs = make([]T, n)
		}
	}
	for i := range *xs {
		if c.fail {
			return
		}
		f(&(*xs)[i])
	}
}

func (c *coder) fixed(v *uint32) {
	if c.write {
		c.b = binary.LittleEndian.AppendUint32(c.b, *v)
		return
	}
	if s := c.take(4); s != "" {
		*v = uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
	}
}

func (c *coder) long(v *uint64) {
	if c.write {
		c.b = binary.LittleEndian.AppendUint64(c.b, *v)
		return
	}
	*v = c.u64()
}

func (c *coder) signed(v *int32) {
	u := uint32(*v)
	c.fixed(&u)
	*v = int32(u)
}

func (c *coder) short(v *uint16) {
	u := uint32(*v)
	c.fixed(&u)
	*v = uint16(u)
}

func (c *coder) float(v *float32) {
	u := math.Float32bits(*v)
	c.fixed(&u)
	*v = math.Float32frombits(u)
}

func (c *coder) double(v *float64) {
	u := math.Float64bits(*v)
	c.long(&u)
	*v = math.Float64frombits(u)
}

func (c *coder) name(v *string) {
	if c.write {
		c.b = appendText(c.b, *v)
		return
	}
	*v = c.text()
}
