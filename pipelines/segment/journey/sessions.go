package journey

import (
	"cmp"
	"slices"
	"time"
)

// visit is a session by gap, or a part of one that is not yet joined.
type visit struct {
	from, to int64 // microseconds since 1970
	picked   int64 // how many of its events a count takes
}

// visits is the set of a profile's sessions by gap.
type visits struct {
	list   []visit
	joined int // so many of list are sorted and joined
}

func (s *visits) add(at, picked int64, gap time.Duration) {
	s.list = append(s.list, visit{at, at, picked})
	if len(s.list) >= 64 && len(s.list) >= 2*s.joined {
		s.join(gap)
	}
}

// join sorts the visits and joins those that lie no more than the gap apart.
func (s *visits) join(gap time.Duration) []visit {
	if s.joined == len(s.list) {
		return s.list
	}
	slices.SortFunc(s.list, func(a, b visit) int { return cmp.Compare(a.from, b.from) })
	out := s.list[:1]
	for _, v := range s.list[1:] {
		if last := &out[len(out)-1]; v.from-last.to <= gap.Microseconds() {
			last.to = max(last.to, v.to)
			last.picked += v.picked
		} else {
			out = append(out, v)
		}
	}
	s.list, s.joined = out, len(out)
	return out
}

// find returns the index of the joined visit that holds a moment, -1 if none does.
func find(list []visit, at int64) int {
	i, _ := slices.BinarySearchFunc(list, at, func(v visit, at int64) int {
		if v.to < at {
			return -1
		}
		return 1
	})
	if i < len(list) && list[i].from <= at {
		return i
	}
	return -1
}
