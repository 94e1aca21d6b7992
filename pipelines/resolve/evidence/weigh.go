package evidence

import "slices"

// What one person is thought to hold where identity.yaml sets no limit. Only
// the hub count uses it.
const (
	likelyValues  = 10
	likelyDevices = 100
)

// Verdict is how many people a value's records tell of, as far as its own block
// shows.
type Verdict struct {
	Profiles int
	// Parts holds one member (its index) of each part of the block that nothing
	// inside the block joins: other evidence may.
	Parts []int
	// Extra is Profiles beyond one a part: limits and names that one profile
	// can't hold.
	Extra int
}

// Weigh counts the people among the records that hold one value, from what else
// each of them tells. It depends on no order but the members' indexes.
//
// Members that share another identifier or a name are put together. Each part
// counts as one profile, and as more where it holds more names, or more values
// of an identifier than its limit (without one: 10, of devices 100), than one
// profile can. Members that tell nothing else, or of devices only, can't be told
// apart from the others and add nothing until their devices are too many. So 40
// records of one customer are one profile, and a phone on the records of 3,000
// customers is 3,000, even where they share a second worthless value.
func Weigh(members [][]Tell) Verdict {
	parts := partition(members)
	var v Verdict
	devices := 0
	for _, part := range parts {
		need, told := demand(part, members)
		if !told {
			devices += countDevices(part, members)
			continue
		}
		v.Parts = append(v.Parts, part[0])
		v.Extra += need - 1
	}
	if crowd := (devices + likelyDevices - 1) / likelyDevices; crowd > 1 {
		v.Extra += crowd - 1
	}
	if len(v.Parts) == 0 && len(members) > 0 {
		v.Parts = []int{0}
	}
	v.Profiles = len(v.Parts) + v.Extra
	return v
}

// partition puts members that share a tell together; parts and their members
// are in ascending order.
func partition(members [][]Tell) [][]int {
	root := make([]int, len(members))
	for i := range root {
		root[i] = i
	}
	find := func(i int) int {
		for root[i] != i {
			root[i] = root[root[i]]
			i = root[i]
		}
		return i
	}
	holder := map[uint64]int{}
	for i, tells := range members {
		for _, t := range tells {
			j, seen := holder[t.Hash]
			if !seen {
				holder[t.Hash] = i
				continue
			}
			if a, b := find(i), find(j); a != b {
				root[max(a, b)] = min(a, b)
			}
		}
	}
	at := map[int]int{}
	var parts [][]int
	for i := range members {
		r := find(i)
		k, ok := at[r]
		if !ok {
			k = len(parts)
			at[r] = k
			parts = append(parts, nil)
		}
		parts[k] = append(parts[k], i)
	}
	return parts
}

// demand is how many profiles a part needs at least, and whether it tells of
// any person.
func demand(part []int, members [][]Tell) (need int, told bool) {
	var all []Tell
	for _, i := range part {
		all = append(all, members[i]...)
	}
	slices.SortFunc(all, compareTells)
	all = slices.CompactFunc(all, func(a, b Tell) bool { return compareTells(a, b) == 0 })
	need = 1
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].Class == all[i].Class && all[j].Kind == all[i].Kind {
			j++
		}
		told = told || all[i].Class != Device
		need = max(need, (j-i+perProfile(all[i])-1)/perProfile(all[i]))
		i = j
	}
	return need, told
}

func perProfile(t Tell) int {
	switch {
	case t.Class == Name:
		return 1
	case t.Limit > 0:
		return int(t.Limit)
	case t.Class == Device:
		return likelyDevices
	}
	return likelyValues
}

func countDevices(part []int, members [][]Tell) int {
	seen := map[uint64]bool{}
	for _, i := range part {
		for _, t := range members[i] {
			seen[t.Hash] = true
		}
	}
	return len(seen)
}

func compareTells(a, b Tell) int {
	switch {
	case a.Class != b.Class:
		return int(a.Class) - int(b.Class)
	case a.Kind != b.Kind:
		if a.Kind < b.Kind {
			return -1
		}
		return 1
	case a.Hash != b.Hash:
		if a.Hash < b.Hash {
			return -1
		}
		return 1
	}
	return 0
}
