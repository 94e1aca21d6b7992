package bed

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// First are the records of a set's first entities, by name, and the whole set with
// these records first. Where neighbours in the order of names are relatives, as
// among generated people, no record outside is of a relative.
func First(s *Set, entities int) (first, whole *Set) {
	first, whole = &Set{}, &Set{}
	for _, own := range []bool{true, false} {
		for i, e := range s.Truth {
			if int(e) < entities == own {
				whole.Records, whole.Truth = append(whole.Records, s.Records[i]), append(whole.Truth, e)
			}
		}
		if own {
			first.Records, first.Truth = slices.Clone(whole.Records), slices.Clone(whole.Truth)
		}
	}
	return first, whole
}

// Touching is the quality of a run on the pairs that hold at least one of its
// set's first n records, at a threshold: what is wrong between them and the
// records around them counts as well.
func (r *Result) Touching(n int, threshold float64) Quality {
	return touching(r.solve(threshold), r.set.Truth, n)
}

func touching(found, truth []int32, n int) Quality {
	own, all := map[int32]float64{}, map[int32]float64{}
	for i := range found {
		all[found[i]]++
		if i < n {
			own[found[i]]++
		}
	}
	q := quality(found[:n], truth[:n])
	var pairs, right float64
	cell := map[[2]int32]float64{}
	for i := range n {
		cell[[2]int32{found[i], truth[i]}]++
	}
	for c, k := range own {
		pairs += k*(k-1)/2 + k*(all[c]-k)
	}
	for _, k := range cell {
		right += k * (k - 1) / 2
	}
	q.P = right / max(pairs, 1)
	q.F1 = 2 * q.P * q.R / max(q.P+q.R, 1e-9)
	return q
}

// Fallen says of the true pairs of the first n records that alone had together
// and r has apart how many link of themselves there, what each comparison adds to
// them less than it did, and which comparisons agree.
func (r *Result) Fallen(alone *Result, n int) string {
	of := map[int32][]int32{}
	for i, e := range r.set.Truth[:n] {
		of[e] = append(of[e], int32(i))
	}
	lost, direct := 0, 0
	var out strings.Builder
	by, patterns := map[string]float64{}, map[string]int{}
	for _, e := range slices.Sorted(maps.Keys(of)) {
		for i, a := range of[e] {
			for _, b := range of[e][i+1:] {
				if r.Found[a] == r.Found[b] || alone.Found[a] != alone.Found[b] {
					continue
				}
				lost++
				if alone.Model.Score(&alone.fs[a], &alone.fs[b]) < alone.threshold {
					continue // it hung by a third record
				}
				direct++
				for _, s := range r.Model.Waterfall(&r.fs[a], &r.fs[b]) {
					by[s.Comparison] += s.Weight
				}
				for _, s := range alone.Model.Waterfall(&alone.fs[a], &alone.fs[b]) {
					by[s.Comparison] -= s.Weight
				}
				patterns[pattern(r.Model.Waterfall(&r.fs[a], &r.fs[b]))]++
			}
		}
	}
	fmt.Fprintf(&out, "    of %d pairs that were together alone %d were linked themselves; they change by", lost, direct)
	for _, c := range slices.Sorted(maps.Keys(by)) {
		fmt.Fprintf(&out, " %s %+.2f", c, by[c]/float64(max(direct, 1)))
	}
	out.WriteByte('\n')
	names := slices.SortedFunc(maps.Keys(patterns), func(a, b string) int {
		return cmp.Or(cmp.Compare(patterns[b], patterns[a]), cmp.Compare(a, b))
	})
	for _, p := range names[:min(len(names), 12)] {
		fmt.Fprintf(&out, "      %4d %s\n", patterns[p], p)
	}
	return out.String()
}

func pattern(steps []model.Step) string {
	var parts []string
	for _, s := range steps {
		if s.Comparison != "prior" && s.Comparison != "dependence" && s.Level != "missing" {
			parts = append(parts, s.Comparison+"/"+s.Level)
		}
	}
	return strings.Join(parts, " ")
}
