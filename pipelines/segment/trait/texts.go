package trait

import (
	"maps"
	"slices"
)

// MaxItems is how many texts a list holds: the first ones by their bytes.
const MaxItems = 1000

// enlist adds a text to the list.
func (s *State) enlist(text string) {
	if s.set == nil {
		s.set = map[string]struct{}{}
	}
	s.set[text] = struct{}{}
	if len(s.set) >= 2*MaxItems {
		s.shorten()
	}
}

// shorten keeps the texts that a list holds in the end, whatever comes.
func (s *State) shorten() {
	if len(s.set) <= MaxItems {
		return
	}
	for _, text := range slices.Sorted(maps.Keys(s.set))[MaxItems:] {
		delete(s.set, text)
	}
}

// items returns the texts of the list, sorted.
func (s *State) items() []string {
	all := slices.Sorted(maps.Keys(s.set))
	return all[:min(len(all), MaxItems)]
}

// mostFrequent returns the text that was met most often; of several, the first
// by its bytes.
func (s *State) mostFrequent() string {
	best, most := "", int64(0)
	for text, n := range s.counts {
		if n > most || n == most && text < best {
			best, most = text, n
		}
	}
	return best
}
