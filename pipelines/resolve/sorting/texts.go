package sorting

import (
	"cmp"
	"runtime"
	"slices"
	"strings"
	"sync"
)

const (
	wordBytes = 8
	// fewTexts are compared as they are.
	fewTexts = 24
	// manyTexts are worth a goroutine.
	manyTexts = 1 << 14
)

// text is a text with the eight bytes that decide now, in the order of numbers.
type text struct {
	word uint64
	all  string
	at   int32
}

// Texts sorts texts in ascending order of their bytes, in place. It sorts them by a
// word at a time, and those that are equal so far by the next one: multikey quicksort
// (Bentley and Sedgewick 1997) with words for characters. Ids and addresses begin
// alike, and lie anywhere in memory: words are compared where they are moved.
func Texts(xs []string) {
	if len(xs) <= fewTexts {
		slices.Sort(xs)
		return
	}
	for i, t := range inOrder(xs) {
		xs[i] = t.all
	}
}

// Order gives the places of texts in ascending order of their bytes; of equal texts in
// any.
func Order(xs []string) []int32 {
	out := make([]int32, len(xs))
	for i, t := range inOrder(xs) {
		out[i] = t.at
	}
	return out
}

func inOrder(xs []string) []text {
	ts := make([]text, len(xs))
	for i, x := range xs {
		ts[i] = text{all: x, at: int32(i)}
	}
	s := sorter{free: make(chan struct{}, runtime.GOMAXPROCS(0))}
	s.sort(ts, 0)
	s.others.Wait()
	return ts
}

// sorter lets other processors sort long runs.
type sorter struct {
	others sync.WaitGroup
	free   chan struct{}
}

// sort sorts texts that are equal in their first bytes, of which each has so many.
func (s *sorter) sort(ts []text, equal int) {
	for i := range ts {
		ts[i].word = wordAt(ts[i].all, equal)
	}
	slices.SortFunc(ts, func(a, b text) int { return cmp.Compare(a.word, b.word) })
	for len(ts) > 1 {
		n := 1
		for n < len(ts) && ts[n].word == ts[0].word {
			n++
		}
		if n > 1 {
			s.run(ts[:n:n], equal+wordBytes)
		}
		ts = ts[n:]
	}
}

// run sorts texts of one word, which ends before the byte next.
func (s *sorter) run(ts []text, next int) {
	if len(ts) <= fewTexts {
		slices.SortFunc(ts, func(a, b text) int {
			return strings.Compare(a.all[min(next-wordBytes, len(a.all)):], b.all[min(next-wordBytes, len(b.all)):])
		})
		return
	}
	// Those that have ended differ at most in zeros, and come before all others.
	slices.SortFunc(ts, func(a, b text) int { return min(len(a.all), next+1) - min(len(b.all), next+1) })
	ended := 0
	for ended < len(ts) && len(ts[ended].all) <= next {
		ended++
	}
	if ts = ts[ended:]; len(ts) < 2 {
		return
	}
	if len(ts) >= manyTexts {
		select {
		case s.free <- struct{}{}:
			s.others.Go(func() {
				s.sort(ts, next)
				<-s.free
			})
			return
		default:
		}
	}
	s.sort(ts, next)
}

// wordAt reads eight bytes of a text from a place; past its end there are zeros.
func wordAt(s string, at int) uint64 {
	if len(s) >= at+wordBytes {
		s = s[at : at+wordBytes]
		return uint64(s[7]) | uint64(s[6])<<8 | uint64(s[5])<<16 | uint64(s[4])<<24 |
			uint64(s[3])<<32 | uint64(s[2])<<40 | uint64(s[1])<<48 | uint64(s[0])<<56
	}
	var w uint64
	for i := at; i < len(s); i++ {
		w |= uint64(s[i]) << (56 - 8*(i-at))
	}
	return w
}
