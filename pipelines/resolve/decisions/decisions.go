package decisions

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
)

// Decision is one decision with all its rows.
type Decision struct {
	ID     string    `json:"decision_id"`
	Change string    `json:"change"`             // weir.DecidedApart, …
	Stays  []string  `json:"records"`            // record ids, ascending; with together all that it names
	Moves  []string  `json:"moves,omitempty"`    // with apart
	Undoes string    `json:"undoes,omitempty"`   // with withdrawn
	Reason string    `json:"reason"`             //
	Author string    `json:"author"`             //
	At     time.Time `json:"at"`                 //
	By     string    `json:"by,omitempty"`       // the standing withdrawal that ended it
	Gone   bool      `json:"withdrawn"`          // By is set
	Past   bool      `json:"overruled"`          // later decisions took every pair of it
	Was    []string  `json:"profiles,omitempty"` // the profiles of its records when it was decided, ascending
}

// List puts the rows of identity.decisions together, in the order in which the
// decisions count: the earliest first. Rows may come in any order and repeated.
func List(rows []weir.IdentityDecision) []Decision {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b weir.IdentityDecision) int {
		return cmp.Or(a.At.Compare(b.At), strings.Compare(a.ID, b.ID), strings.Compare(a.RecordID, b.RecordID), strings.Compare(a.Side, b.Side))
	})
	var out []Decision
	for _, r := range rows {
		if n := len(out); n == 0 || out[n-1].ID != r.ID {
			out = append(out, Decision{ID: r.ID, Change: r.Change, Undoes: r.Undoes, Reason: r.Reason, Author: r.Author, At: r.At})
		}
		d := &out[len(out)-1]
		switch {
		case r.RecordID == "":
		case r.Side == weir.SideMoves:
			d.Moves = append(d.Moves, r.RecordID)
		default:
			d.Stays = append(d.Stays, r.RecordID)
		}
		if r.Profile != "" {
			d.Was = append(d.Was, r.Profile)
		}
	}
	for i := range out {
		out[i].Stays, out[i].Moves = slices.Compact(out[i].Stays), slices.Compact(out[i].Moves)
		slices.Sort(out[i].Was)
		out[i].Was = slices.Compact(out[i].Was)
	}
	withdraw(out)
	return out
}

// withdraw finds out what stands: what no standing withdrawal names.
func withdraw(all []Decision) {
	undone := map[string][]int{} // by decision: the withdrawals that name it
	for i, d := range all {
		if d.Change == weir.DecidedWithdrawn {
			undone[d.Undoes] = append(undone[d.Undoes], i)
		}
	}
	const unknown, looking, stands, gone = 0, 1, 2, 3
	state := make([]uint8, len(all))
	var look func(i int) bool
	look = func(i int) bool {
		if state[i] == looking {
			return false // withdrawals that name each other in a circle: none stands
		}
		if state[i] == unknown {
			state[i] = looking
			result := uint8(stands)
			for _, w := range undone[all[i].ID] {
				if look(w) {
					all[i].By, all[i].Gone, result = all[w].ID, true, gone
					break
				}
			}
			state[i] = result
		}
		return state[i] == stands
	}
	for i := range all {
		look(i)
	}
}

// Together is records that are one person by a decision.
type Together struct {
	Decision int      // index in the list
	Records  []string // two or more, ascending
}

// Apart is two sets of records of which none of one is a record of the other's
// person.
type Apart struct {
	Decision     int
	Stays, Moves []string // neither is empty; ascending
}

// Settle says what the standing decisions come to, and marks in the list those of
// which nothing is left. The list is List's.
func Settle(list []Decision) (together []Together, apart []Apart) {
	s := settling{byTogether: map[string][]int{}, byApart: map[string][]int{}}
	for i, d := range list {
		switch {
		case d.Gone:
		case d.Change == weir.DecidedTogether:
			s.join(Together{i, d.Stays})
		case d.Change == weir.DecidedApart:
			s.part(Apart{i, d.Stays, d.Moves})
		}
	}
	left := map[int]bool{}
	for _, t := range s.together {
		if len(t.Records) > 1 {
			together = append(together, t)
			left[t.Decision] = true
		}
	}
	for _, a := range s.apart {
		if len(a.Stays) > 0 && len(a.Moves) > 0 {
			apart = append(apart, a)
			left[a.Decision] = true
		}
	}
	for i := range list {
		list[i].Past = !list[i].Gone && !left[i] && list[i].Change != weir.DecidedWithdrawn
	}
	slices.SortStableFunc(together, func(a, b Together) int { return cmp.Or(a.Decision-b.Decision, slices.Compare(a.Records, b.Records)) })
	slices.SortStableFunc(apart, func(a, b Apart) int {
		return cmp.Or(a.Decision-b.Decision, slices.Compare(a.Stays, b.Stays), slices.Compare(a.Moves, b.Moves))
	})
	return together, apart
}

// settling takes the decisions one after the other.
type settling struct {
	together []Together
	apart    []Apart
	// By record: what may name it. Entries are never taken out.
	byTogether, byApart map[string][]int
}

// join adds a together and takes its pairs out of every apart before it.
func (s *settling) join(t Together) {
	named := set(t.Records)
	for _, i := range near(s.byApart, t.Records) {
		a := s.apart[i]
		stays, others := cut(a.Stays, named)
		moves, rest := cut(a.Moves, named)
		if len(stays) == 0 || len(moves) == 0 {
			continue
		}
		// All pairs but stays × moves: others × all that move, and stays × rest.
		s.apart[i].Stays = others
		s.addApart(Apart{a.Decision, stays, rest})
	}
	s.together = append(s.together, t)
	s.nameTogether(len(s.together) - 1)
}

// part adds an apart and takes its records that move out of every together before
// it that names records of both sides.
func (s *settling) part(a Apart) {
	stays, moves := set(a.Stays), set(a.Moves)
	for _, i := range near(s.byTogether, a.Moves) {
		t := s.together[i]
		leave, remain := cut(t.Records, moves)
		if held, _ := cut(remain, stays); len(leave) == 0 || len(held) == 0 {
			continue
		}
		s.together[i].Records = remain
		s.together = append(s.together, Together{t.Decision, leave})
		s.nameTogether(len(s.together) - 1)
	}
	s.addApart(a)
}

func (s *settling) addApart(a Apart) {
	s.apart = append(s.apart, a)
	for _, r := range slices.Concat(a.Stays, a.Moves) {
		s.byApart[r] = append(s.byApart[r], len(s.apart)-1)
	}
}

func (s *settling) nameTogether(i int) {
	for _, r := range s.together[i].Records {
		s.byTogether[r] = append(s.byTogether[r], i)
	}
}

// near lists what names any of the records, ascending.
func near(by map[string][]int, records []string) []int {
	var out []int
	for _, r := range records {
		out = append(out, by[r]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func set(records []string) map[string]bool {
	out := make(map[string]bool, len(records))
	for _, r := range records {
		out[r] = true
	}
	return out
}

// cut parts records in those of a set and the others.
func cut(records []string, of map[string]bool) (in, out []string) {
	for _, r := range records {
		if of[r] {
			in = append(in, r)
		} else {
			out = append(out, r)
		}
	}
	return in, out
}
