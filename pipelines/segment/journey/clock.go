package journey

// HasAge says whether some step compares a property with a length of time.
func (s *Sequence) HasAge() bool {
	for i := range s.steps {
		if s.steps[i].HasAge() {
			return true
		}
	}
	return false
}
