package bed

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// Planted is a set with hubs in it.
type Planted struct {
	*Set
	Bare *Set      // the same, but the carriers hold nothing in the hub's place
	Hubs [][]int32 // the records that carry each hub
}

// Plant gives one record in so many one e-mail address, and one in so many one
// phone: the shop's own, that its clerks fill in. The carriers lose what they
// held, which costs recall by itself: Bare tells how much.
func Plant(s *Set, oneIn int, seed uint64) *Planted {
	out := &Planted{Set: s, Bare: s}
	r := rand.New(rand.NewPCG(seed, 0x4b5))
	for _, hub := range [][2]string{{"email", "caisse@planted.example"}, {"phone", "+33140516273"}} {
		var carriers []int32
		for range max(2, len(s.Records)/oneIn) {
			carriers = append(carriers, int32(r.IntN(len(s.Records))))
		}
		slices.Sort(carriers)
		carriers = slices.Compact(carriers)
		out.Bare = out.Bare.with(carriers, hub[0], "")
		out.Set = out.Set.with(carriers, hub[0], hub[1])
		out.Hubs = append(out.Hubs, carriers)
	}
	return out
}

// with returns a set in which some records hold one value of an identifier, or
// none.
func (s *Set) with(records []int32, kind, value string) *Set {
	out := &Set{Records: slices.Clone(s.Records), Truth: s.Truth}
	for _, i := range records {
		ids := maps.Clone(out.Records[i].Identifiers)
		delete(ids, kind)
		if value != "" {
			ids.Add(kind, value)
		}
		out.Records[i].Identifiers = ids
	}
	return out
}

// Together counts the pairs of carriers of one hub that a run put into one
// profile although they are two people.
func (p *Planted) Together(r *Result) (wrong int) {
	for _, carriers := range p.Hubs {
		for i, a := range carriers {
			for _, b := range carriers[i+1:] {
				if r.Found[a] == r.Found[b] && p.Truth[a] != p.Truth[b] {
					wrong++
				}
			}
		}
	}
	return wrong
}

// Within puts a set among the records of another, which are of other people: no
// record id, person or number that a system gives is common to both. The first
// records of the whole are those of the set.
func Within(s, around *Set) *Set {
	out := &Set{Records: slices.Clone(s.Records), Truth: slices.Clone(s.Truth)}
	people := int32(0)
	for _, e := range s.Truth {
		people = max(people, e+1)
	}
	for i := range around.Records {
		r := around.Records[i]
		r.ID += "/around"
		r.Attributes, r.Identifiers = maps.Clone(r.Attributes), maps.Clone(r.Identifiers)
		for k, v := range r.Attributes {
			if strings.HasSuffix(k, "_id") {
				r.Attributes[k] = v + "0"
			}
		}
		for k, vs := range r.Identifiers {
			if strings.HasSuffix(k, "_id") {
				vs = slices.Clone(vs)
				for n := range vs {
					vs[n] += "0"
				}
				r.Identifiers[k] = vs
			}
		}
		out.Records = append(out.Records, r)
		out.Truth = append(out.Truth, around.Truth[i]+people)
	}
	return out
}

// First is the quality of a run on the pairs of its set's first n records.
func (r *Result) First(n int) Quality { return quality(r.Found[:n], r.set.Truth[:n]) }

// Limits says what blocks lost to their limit, by rule, beside the pairs that
// the rule's blocks hold.
func (r *Result) Limits() string {
	var b strings.Builder
	for i, rule := range r.Model.Rules {
		if lost := r.LostBy[uint8(i)]; lost > 0 {
			fmt.Fprintf(&b, "  lost to the block limit: %-40s %d pairs\n", rule.Name, lost)
		}
	}
	return b.String()
}

// Missed says why the true pairs of the first n records that a run left apart are
// apart: never compared though the model would link them, below the threshold, or
// linked and then refused.
func (r *Result) Missed(n int) string {
	direct := make(map[[2]int32]bool, len(r.scored))
	for _, s := range r.scored {
		if int(s.a) < n && int(s.b) < n {
			direct[[2]int32{min(s.a, s.b), max(s.a, s.b)}] = true
		}
	}
	of := map[int32][]int32{}
	for i, e := range r.set.Truth[:n] {
		of[e] = append(of[e], int32(i))
	}
	var apart, never, below, refused int
	for _, records := range of {
		for i, a := range records {
			for _, b := range records[i+1:] {
				if r.Found[a] == r.Found[b] {
					continue
				}
				apart++
				switch {
				case r.Model.Score(&r.fs[a], &r.fs[b]) < r.threshold:
					below++
				case direct[[2]int32{a, b}]:
					refused++
				default:
					never++
				}
			}
		}
	}
	return fmt.Sprintf("%d pairs missed: %d below the threshold, %d never compared, %d refused", apart, below, never, refused)
}
