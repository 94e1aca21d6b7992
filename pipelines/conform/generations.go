package conform

import (
	"slices"
	"strconv"
)

// mostGenerations bounds the files of a partition of events: when there are so many
// and one more, all but that one become one.
const mostGenerations = 32

// generations are the moments at which a partition's young rows were collected, in
// order. The rows of each have a file of their own, and all older ones one together: a
// run that finds new rows writes those files again as they are, byte by byte, and adds
// one. So who follows the table by its files, as the segment stage does, sees what was
// added alone. They follow from the rows, not from what earlier runs wrote.
type generations []int64

func generationsOf(versions []version) generations {
	seen := map[int64]bool{}
	var all []int64
	for _, v := range versions {
		if !seen[v.CollectedAt] {
			seen[v.CollectedAt] = true
			all = append(all, v.CollectedAt)
		}
	}
	slices.Sort(all)
	if len(all) == 0 {
		return nil
	}
	return all[(len(all)-1)/mostGenerations*mostGenerations:]
}

// of names the file of a version.
func (g generations) of(v version) string {
	i, young := slices.BinarySearch(g, v.CollectedAt)
	if !young {
		return ""
	}
	return strconv.Itoa(i)
}
