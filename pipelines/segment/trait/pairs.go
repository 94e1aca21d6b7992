package trait

// pairs is a set of pairs of a profile and a text, by open addressing.
type pairs struct {
	slots []uint64 // 0: empty; texts are numbered from 1
	n     int
}

// add adds a pair and says whether it is new.
func (s *pairs) add(profile int32, code uint32) bool {
	if 2*(s.n+1) > len(s.slots) {
		s.grow()
	}
	key := uint64(profile)<<32 | uint64(code)
	i := s.find(key)
	if s.slots[i] == key {
		return false
	}
	s.slots[i] = key
	s.n++
	return true
}

// find is where a key is, or would be.
func (s *pairs) find(key uint64) uint64 {
	mask := uint64(len(s.slots) - 1)
	h := key * 0x9e3779b97f4a7c15
	i := (h ^ h>>32) & mask
	for s.slots[i] != 0 && s.slots[i] != key {
		i = (i + 1) & mask
	}
	return i
}

func (s *pairs) grow() {
	old := s.slots
	s.slots = make([]uint64, max(1024, 2*len(old)))
	for _, key := range old {
		if key != 0 {
			s.slots[s.find(key)] = key
		}
	}
}

// eventIDs is the id of one event for each of many profiles.
type eventIDs struct {
	short []shortID
	long  map[int32]string
}

type shortID struct {
	n    uint8
	text [39]byte
}

func newEventIDs(profiles int) *eventIDs {
	return &eventIDs{short: make([]shortID, profiles), long: map[int32]string{}}
}

func (e *eventIDs) set(p int32, id string) {
	s := &e.short[p]
	if s.n > uint8(len(s.text)) {
		delete(e.long, p)
	}
	if len(id) > len(s.text) {
		s.n = uint8(len(s.text)) + 1
		e.long[p] = string([]byte(id)) // the id's memory is the block's
		return
	}
	s.n = uint8(copy(s.text[:], id))
}

func (e *eventIDs) get(p int32) string {
	s := &e.short[p]
	if s.n > uint8(len(s.text)) {
		return e.long[p]
	}
	return string(s.text[:s.n])
}
