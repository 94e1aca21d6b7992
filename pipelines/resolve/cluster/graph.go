package cluster

import (
	"slices"

	"github.com/weir-cdp/weir"
)

// Linked is the weight of a force-link: above every rule and score.
const Linked float32 = 1000

// Free is the Suspect of a group that no suspicion holds back.
const Free int32 = -1

// Group is one piece of evidence: Members[Start:End] of the graph are the same.
type Group struct {
	Start, End uint32
	Suspect    int32   // index of the suspect that must be accepted first; Free
	Weight     float32 // log2 odds
	Rule       uint16  // the caller's index of rules
	Scored     bool    // of two records, and open to a second look
}

// Suspect is a value that so many records share that it may be a hub.
type Suspect struct {
	Records []int32 // one for each set of its records that belong together by the value's own block
	Extra   int     // profiles to count beside the distinct clusters of Records
	Allowed int     // on more profiles it is a hub
	Parent  int32   // a suspect that must be accepted first (the phone of phone_and_name); Free
}

// Value is a limited identifier's value that a record holds.
type Value struct {
	Record int32
	Kind   uint16 // index of Graph.Limits
	Hash   uint64
}

// Limit is how many distinct values of a kind a profile holds at most.
type Limit struct {
	Max  int
	Hard bool // a constraint; else only counted
}

// Side says that a do-not-link puts a record on one of its sides: a cluster holds
// records of one side of it at most. So a parting of n records needs n rows, not a
// row for each pair.
type Side struct {
	Record int32
	Apart  int32 // the caller's number of the do-not-link; the smallest that refuses is told
	Side   uint8 // any two differ
}

// Graph is what is known of N records. Build it with Add; the other fields are
// set by the caller in any order.
type Graph struct {
	N        int
	Groups   []Group
	Members  []int32
	Suspects []Suspect
	Values   []Value
	Limits   []Limit
	Sides    []Side // do-not-links
}

// Add adds a group. Members need not be sorted or distinct; fewer than two
// distinct ones are no evidence.
func (g *Graph) Add(rule uint16, weight float32, suspect int32, members ...int32) {
	start := len(g.Members)
	g.Members = append(g.Members, members...)
	tail := g.Members[start:]
	if !slices.IsSorted(tail) {
		slices.Sort(tail)
	}
	tail = slices.Compact(tail)
	g.Members = g.Members[:start+len(tail)]
	if len(tail) < 2 {
		g.Members = g.Members[:start]
		return
	}
	g.Groups = append(g.Groups, Group{
		Start: uint32(start), End: uint32(len(g.Members)), Suspect: suspect, Weight: weight, Rule: rule,
	})
}

// AddScored adds what a model says of two records: evidence that other pairs of the
// two clusters can speak against.
func (g *Graph) AddScored(rule uint16, weight float32, a, b int32) {
	if n := len(g.Groups); a != b {
		g.Add(rule, weight, Free, a, b)
		g.Groups[n].Scored = true
	}
}

// check refuses a graph whose numbers point nowhere.
func (g *Graph) check() error {
	for _, m := range g.Members {
		if m < 0 || int(m) >= g.N {
			return weir.Errorf(weir.Internal, "evidence about record %d of %d", m, g.N)
		}
	}
	for _, v := range g.Values {
		if v.Record < 0 || int(v.Record) >= g.N || int(v.Kind) >= len(g.Limits) {
			return weir.Errorf(weir.Internal, "limited value of record %d of %d, kind %d of %d", v.Record, g.N, v.Kind, len(g.Limits))
		}
	}
	sides := make(map[[2]int32]uint8, len(g.Sides))
	for _, s := range g.Sides {
		if s.Record < 0 || int(s.Record) >= g.N || s.Apart < 0 {
			return weir.Errorf(weir.Internal, "do-not-link %d of record %d of %d", s.Apart, s.Record, g.N)
		}
		at := [2]int32{s.Record, s.Apart}
		if other, twice := sides[at]; twice && other != s.Side {
			return weir.Errorf(weir.Internal, "do-not-link %d has record %d on two sides", s.Apart, s.Record)
		}
		sides[at] = s.Side
	}
	for _, gr := range g.Groups {
		if gr.Suspect != Free && (gr.Suspect < 0 || int(gr.Suspect) >= len(g.Suspects)) {
			return weir.Errorf(weir.Internal, "evidence under suspect %d of %d", gr.Suspect, len(g.Suspects))
		}
	}
	return nil
}

func (g *Graph) members(gr Group) []int32 { return g.Members[gr.Start:gr.End] }

// compare is the order in which evidence counts: strongest first, then by the
// records, then by the rule.
func (g *Graph) compare(a, b Group) int {
	if a.Weight != b.Weight {
		if a.Weight > b.Weight {
			return -1
		}
		return 1
	}
	if c := slices.Compare(g.members(a), g.members(b)); c != 0 {
		return c
	}
	if a.Rule != b.Rule {
		return int(a.Rule) - int(b.Rule)
	}
	if a.Scored != b.Scored { // last what may be refused
		if b.Scored {
			return -1
		}
		return 1
	}
	return 0
}
