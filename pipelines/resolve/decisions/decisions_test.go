package decisions_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/resolve/decisions"
)

// history makes rows of random decisions about few records, so that they collide.
func history(r *rand.Rand) []weir.IdentityDecision {
	var rows []weir.IdentityDecision
	for i := range 1 + r.IntN(12) {
		row := weir.IdentityDecision{ID: fmt.Sprintf("d%02d", i), At: time.Unix(int64(i), 0).UTC()}
		switch k := r.IntN(5); {
		case k == 0 && i > 0:
			row.Change, row.Undoes = weir.DecidedWithdrawn, fmt.Sprintf("d%02d", r.IntN(i))
			rows = append(rows, row)
		default:
			row.Change = weir.DecidedTogether
			for n, record := range r.Perm(7)[:2+r.IntN(4)] {
				row.RecordID = string(rune('a' + record))
				if k > 2 {
					row.Change, row.Side = weir.DecidedApart, weir.SideStays
					if n%2 == 0 {
						row.Side = weir.SideMoves
					}
				}
				rows = append(rows, row)
			}
		}
	}
	return rows
}

// ruling is the definition: the latest standing decision that names both.
func ruling(rows []weir.IdentityDecision, a, b string) (change, id string) {
	standing := func(string) bool { return false }
	standing = func(id string) bool {
		for _, r := range rows {
			if r.Undoes == id && standing(r.ID) {
				return false
			}
		}
		return true
	}
	for _, x := range rows {
		for _, y := range rows {
			if x.ID == y.ID && x.RecordID == a && y.RecordID == b && (x.Side != y.Side || x.Change == weir.DecidedTogether) && standing(x.ID) && x.ID >= id {
				change, id = x.Change, x.ID
			}
		}
	}
	return change, id
}

func TestTheLatestDecisionAboutTwoRecordsCounts(t *testing.T) {
	apart, together, freed := 0, 0, 0
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		rows := history(r)
		list := decisions.List(rows)
		joins, parts := decisions.Settle(list)
		for _, a := range "abcdefg" {
			for _, b := range "abcdefg" {
				if a >= b {
					continue
				}
				x, y := string(a), string(b)
				want, id := ruling(rows, x, y)
				var by []string
				for _, p := range parts {
					if (slices.Contains(p.Stays, x) && slices.Contains(p.Moves, y)) || (slices.Contains(p.Stays, y) && slices.Contains(p.Moves, x)) {
						by = append(by, list[p.Decision].ID)
					}
				}
				one := slices.ContainsFunc(joins, func(j decisions.Together) bool {
					return slices.Contains(j.Records, x) && slices.Contains(j.Records, y)
				})
				switch want {
				case weir.DecidedApart:
					apart++
					if !slices.Contains(by, id) || one {
						t.Fatalf("seed %d: %s and %s are apart by %s, got apart by %v, together %v\n%+v", seed, x, y, id, by, one, rows)
					}
				case weir.DecidedTogether:
					together++
					if len(by) > 0 {
						t.Fatalf("seed %d: %s and %s are together by %s, got apart by %v", seed, x, y, id, by)
					}
					if !one {
						freed++
						if !slices.ContainsFunc(list, func(d decisions.Decision) bool {
							return d.Change == weir.DecidedApart && !d.Gone && d.ID > id && slices.Contains(d.Moves, x) != slices.Contains(d.Moves, y)
						}) {
							t.Fatalf("seed %d: %s and %s are together by %s, which was cut though no later decision moves one of them", seed, x, y, id)
						}
					}
				default:
					if len(by) > 0 || one {
						t.Fatalf("seed %d: nothing stands about %s and %s, got apart by %v, together %v", seed, x, y, by, one)
					}
				}
			}
		}
		for _, d := range list {
			left := slices.ContainsFunc(joins, func(j decisions.Together) bool { return list[j.Decision].ID == d.ID }) ||
				slices.ContainsFunc(parts, func(p decisions.Apart) bool { return list[p.Decision].ID == d.ID })
			if d.Change != weir.DecidedWithdrawn && left == (d.Gone || d.Past) {
				t.Fatalf("seed %d: %+v, something of it is left: %v", seed, d, left)
			}
		}
	}
	if apart < 5000 || together < 5000 || freed == 0 {
		t.Fatalf("the histories test little: %d apart, %d together, %d of them in pieces", apart, together, freed)
	}
}

func TestOrderOfRowsDoesNotMatter(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		rows := history(r)
		list := decisions.List(rows)
		joins, parts := decisions.Settle(list)
		other := append(slices.Clone(rows), rows[r.IntN(len(rows))]) // committed twice
		r.Shuffle(len(other), func(i, j int) { other[i], other[j] = other[j], other[i] })
		again := decisions.List(other)
		joins2, parts2 := decisions.Settle(again)
		if d := cmp.Diff([]any{list, joins, parts}, []any{again, joins2, parts2}); d != "" {
			t.Fatalf("seed %d: %s", seed, d)
		}
	}
}

// Withdrawing a decision leaves what there was before it, and withdrawing the
// withdrawal gives back what there was with it.
func TestUndoAndUndoOfTheUndo(t *testing.T) {
	outcome := func(rows []weir.IdentityDecision) any {
		list := decisions.List(rows)
		joins, parts := decisions.Settle(list)
		var out [][]string
		for _, j := range joins {
			out = append(out, append([]string{list[j.Decision].ID}, j.Records...))
		}
		for _, p := range parts {
			out = append(out, append(append([]string{list[p.Decision].ID}, p.Stays...), p.Moves...))
		}
		return out
	}
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 3))
		rows := history(r)
		last := rows[len(rows)-1].ID
		before := slices.DeleteFunc(slices.Clone(rows), func(x weir.IdentityDecision) bool { return x.ID == last })
		undo := weir.IdentityDecision{ID: "u1", Change: weir.DecidedWithdrawn, Undoes: last, At: time.Unix(100, 0)}
		redo := weir.IdentityDecision{ID: "u2", Change: weir.DecidedWithdrawn, Undoes: "u1", At: time.Unix(101, 0)}
		if d := cmp.Diff(outcome(before), outcome(append(slices.Clone(rows), undo))); d != "" {
			t.Fatalf("seed %d: an undo does not give what was before: %s", seed, d)
		}
		if d := cmp.Diff(outcome(rows), outcome(append(slices.Clone(rows), undo, redo))); d != "" {
			t.Fatalf("seed %d: the undo of an undo does not give it back: %s", seed, d)
		}
	}
}

func TestWithdrawalsInACircleEnd(t *testing.T) {
	list := decisions.List([]weir.IdentityDecision{
		{ID: "a", Change: weir.DecidedWithdrawn, Undoes: "b"}, {ID: "b", Change: weir.DecidedWithdrawn, Undoes: "a"}})
	if len(list) != 2 {
		t.Fatalf("%+v", list)
	}
}
