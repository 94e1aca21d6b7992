package train

import (
	"cmp"
	"math"
	"math/bits"
	"slices"

	"github.com/weir-cdp/weir/pipelines/resolve/compare"
	"github.com/weir-cdp/weir/pipelines/resolve/model"
)

// atom is one column under one transform: what blocking rules are made of.
type atom struct {
	column    int
	transform string
	hash      []uint64 // of each record; 0: none
}

// atoms lists the atoms of the chosen columns. Strict ones only: whole values
// and sounds, for training.
func (t *trainer) atoms() []atom {
	var out []atom
	add := func(c int, transforms ...string) {
		for _, tr := range transforms {
			out = append(out, atom{column: c, transform: tr})
		}
	}
	for c := range t.cols {
		k, _ := compare.KindOf(t.cols[c].Kind)
		switch k {
		case compare.Name:
			add(c, model.Whole, model.Sound, model.Start3, model.Initial)
		case compare.Company:
			add(c, model.Whole, model.First, model.Rarest, model.Start4)
		case compare.Date:
			add(c, model.Whole, model.Year, model.MonthDay, model.YearDay)
		case compare.Email:
			add(c, model.Whole, model.Local)
		case compare.Postcode:
			add(c, model.Whole, model.Start3)
		case compare.Text, compare.Place:
			add(c, model.Whole, model.Start4)
		default:
			add(c, model.Whole)
		}
	}
	t.parallel(len(out), func(i int) {
		a := &out[i]
		a.hash = t.model.AtomHashes(model.Part{Column: a.column, Transform: a.transform}, t.features)
	})
	return out
}

// trial is a rule that might block: one or more atoms.
type trial struct {
	atoms []int
	pairs float64 // in the sample
	hash  []uint64
}

func (t *trainer) trialHash(as []atom, r *trial, out []uint64) []uint64 {
	out = out[:0]
	for i := range t.features {
		h := uint64(0)
		for k, a := range r.atoms {
			x := as[a].hash[i]
			if x == 0 {
				h = 0
				break
			}
			if k == 0 {
				h = x
			} else {
				h = model.Mix(h, x)
			}
		}
		out = append(out, h)
	}
	return out
}

// countPairs counts the pairs that share a hash, leaving out blocks of more than
// limit (in pairs counted too where limit is 0).
func countPairs(hs []uint64, limit int) (pairs, lost float64) {
	for i := 0; i < len(hs); {
		j := i + 1
		for j < len(hs) && hs[j] == hs[i] {
			j++
		}
		if hs[i] != 0 {
			n := float64(j-i) * float64(j-i-1) / 2
			if limit > 0 && j-i > limit {
				lost += n
			} else {
				pairs += n
			}
		}
		i = j
	}
	return
}

// trials are all single atoms and pairs of atoms of different columns, with
// their pairs in the sample counted.
func (t *trainer) trials(as []atom) []trial {
	var out []trial
	for i := range as {
		out = append(out, trial{atoms: []int{i}})
	}
	for i := range as {
		for j := i + 1; j < len(as); j++ {
			if as[i].column != as[j].column {
				out = append(out, trial{atoms: []int{i, j}})
			}
		}
	}
	// Count on a tenth of a big sample: pairs fall by the square.
	step := max(t.size/20_000, 1)
	t.parallel(len(out), func(k int) {
		hs := make([]uint64, 0, t.size/step+1)
		for i := 0; i < t.size; i += step {
			h := uint64(0)
			for n, a := range out[k].atoms {
				x := as[a].hash[i]
				if x == 0 {
					h = 0
					break
				}
				if n == 0 {
					h = x
				} else {
					h = model.Mix(h, x)
				}
			}
			hs = append(hs, h)
		}
		n, _ := countPairs(sortedHashes(hs), 0)
		out[k].pairs = n * float64(step) * float64(step)
	})
	return out
}

// trainingPairs is how many pairs expectation maximisation looks at.
const trainingPairs = 250_000

// maxTrainingBlock bounds a block of training.
const maxTrainingBlock = 200

// candidates are the pairs that training rules find: for each column and each
// two columns, the loosest rule that stays within a budget. All pairs, where there
// are few: then nothing was selected.
func (t *trainer) candidates(as []atom, ts []trial) ([]pair, []float64) {
	if t.plan != nil {
		return t.gathered()
	}
	n := t.size
	if n*(n-1)/2 <= allPairs {
		t.everything = true
		return t.all(), nil
	}
	loosest := map[uint32]int{}
	each := min(max(2*float64(n), 20_000), 150_000)
	for k := range ts {
		if ts[k].pairs < 1 || ts[k].pairs > each {
			continue
		}
		m := columnsOf(as, &ts[k])
		if old, ok := loosest[m]; !ok || ts[k].pairs > ts[old].pairs {
			loosest[m] = k
		}
	}
	order := make([]int, 0, len(loosest))
	for _, k := range loosest {
		order = append(order, k)
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(ts[a].pairs, ts[b].pairs), a-b) })
	if len(order) > 64 {
		order = order[len(order)-64:]
	}
	for _, k := range order {
		t.rules = append(t.rules, trainingRule{trial: &ts[k], columns: columnsOf(as, &ts[k])})
	}
	t.parallel(len(t.rules), func(k int) {
		r := &t.rules[k]
		r.hash = t.trialHash(as, r.trial, nil)
	})
	return t.thin(t.enumerate())
}

func columnsOf(as []atom, r *trial) (mask uint32) {
	for _, a := range r.atoms {
		mask |= 1 << as[a].column
	}
	return
}

// thin leaves out some of the pairs that agree on one rule only, where there are
// too many; those that stay count for the others.
func (t *trainer) thin(pairs []pair) ([]pair, []float64) {
	if len(pairs) <= trainingPairs {
		return pairs, nil
	}
	single := 0
	for i := range pairs {
		if bits.OnesCount64(pairs[i].rules) < 3 {
			single++
		}
	}
	share := min(max(float64(trainingPairs-(len(pairs)-single))/float64(single), 0.1), 1)
	var out []pair
	var weight []float64
	for _, p := range pairs {
		w := 1.0
		if bits.OnesCount64(p.rules) < 3 {
			h := model.Mix(t.opts.Seed^uint64(p.a)<<32, uint64(p.b))
			if float64(h>>11)/(1<<53) > share {
				continue
			}
			w = 1 / share
		}
		out = append(out, p)
		weight = append(weight, w)
	}
	return out, weight
}

type trainingRule struct {
	trial   *trial // nil: of the sample's plan
	columns uint32
	hash    []uint64 // of each record's key; 0: none
}

type pair struct {
	a, b  int32
	rules uint64
}

// enumerate yields each pair once, with the mask of the rules it agrees on.
func (t *trainer) enumerate() []pair {
	keys, below := make([][]uint64, len(t.rules)), uint64(math.MaxUint64)
	for k := range t.rules {
		keys[k] = t.rules[k].hash
	}
	if t.plan != nil {
		below = t.plan.below()
	}
	return slices.Concat(sharing(t, keys, below)...)
}

// sharing are the pairs that share a key of at most below, by the first rule
// whose key is one, with the mask of all rules that they agree on. Keys are those
// of all records, by rule; 0 is none.
func sharing(t *trainer, keys [][]uint64, below uint64) [][]pair {
	found := make([][]pair, len(keys))
	of := byRecord(t, keys)
	t.parallel(len(keys), func(k int) {
		hs := keys[k]
		at := make([]keyed, 0, len(hs)/4)
		for i, h := range hs {
			if h != 0 && h <= below {
				at = append(at, keyed{h, int32(i)})
			}
		}
		at = sortedKeys(at, below)
		for i := 0; i < len(at); {
			j := i + 1
			for j < len(at) && at[j].hash == at[i].hash {
				j++
			}
			if j-i <= maxTrainingBlock {
				for x := i; x < j; x++ {
					for y := x + 1; y < j; y++ {
						if mask, first := agreed(of(at[x].record), of(at[y].record), k, below); first {
							found[k] = append(found[k], pair{at[x].record, at[y].record, mask})
						}
					}
				}
			}
			i = j
		}
	})
	return found
}

// byRecord lays the keys of each record side by side, which lie far apart by rule: all
// of two records are looked at for each pair.
func byRecord(t *trainer, keys [][]uint64) func(record int32) []uint64 {
	rules := len(keys)
	if rules == 0 {
		return nil
	}
	all := make([]uint64, rules*len(keys[0]))
	const piece = 1 << 12
	t.parallel((len(keys[0])+piece-1)/piece, func(n int) {
		for i := n * piece; i < min((n+1)*piece, len(keys[0])); i++ {
			for r := range keys {
				all[i*rules+r] = keys[r][i]
			}
		}
	})
	return func(record int32) []uint64 { return all[int(record)*rules : (int(record)+1)*rules] }
}

// keyed is a record with its key of one rule.
type keyed struct {
	hash   uint64
	record int32
}

// agreed is the set of rules that two records, of these keys, agree on, and whether k
// is the first whose key was drawn.
func agreed(a, b []uint64, k int, below uint64) (uint64, bool) {
	m := uint64(1) << k
	for r, h := range a {
		if h != 0 && h == b[r] {
			if r < k && h <= below {
				return 0, false
			}
			m |= 1 << r
		}
	}
	return m, true
}
