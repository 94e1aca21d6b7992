package stages

// digests are those of one row: of its key, and of all of it. See
// weir.DeliveryDigests; those of a row are not 0.
type digests struct{ key, row int64 }

// digestSet is a set of digests: a hash table with linear probing (Knuth, The Art
// of Computer Programming 3, 6.4, algorithms L and R). Digests are random, so that
// some of their bits are the hash.
type digestSet struct {
	slots []digests // the zero value: free
	n     int
}

func newDigestSet() *digestSet { return &digestSet{slots: make([]digests, 1<<10)} }

func (s *digestSet) at(d digests) int { return int(uint64(d.row) & uint64(len(s.slots)-1)) }

// add adds a member; the same one twice is two.
func (s *digestSet) add(d digests) {
	if s.n++; 2*s.n > len(s.slots) {
		old := s.slots
		s.slots = make([]digests, 2*len(old))
		for _, d := range old {
			if d.row != 0 {
				s.put(d)
			}
		}
	}
	s.put(d)
}

func (s *digestSet) put(d digests) {
	i := s.at(d)
	for s.slots[i].row != 0 {
		i = (i + 1) & (len(s.slots) - 1)
	}
	s.slots[i] = d
}

// take removes a member, and says whether it was one.
func (s *digestSet) take(d digests) bool {
	mask := len(s.slots) - 1
	i := s.at(d)
	for s.slots[i] != d {
		if s.slots[i].row == 0 {
			return false
		}
		i = (i + 1) & mask
	}
	s.n--
	for j := (i + 1) & mask; s.slots[j].row != 0; j = (j + 1) & mask {
		if home := s.at(s.slots[j]); (j-home)&mask >= (j-i)&mask { // else it would come before its home
			s.slots[i], i = s.slots[j], j
		}
	}
	s.slots[i] = digests{}
	return true
}

// drain empties the set and gives its members, as columns.
func (s *digestSet) drain() (keys, rows []int64) {
	for i, d := range s.slots {
		if d.row != 0 {
			keys, rows = append(keys, d.key), append(rows, d.row)
			s.slots[i] = digests{}
		}
	}
	s.n = 0
	return keys, rows
}
