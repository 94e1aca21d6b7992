package trait

// IsMoment says whether the trait's value is the moment of one of the events that its
// filter picks.
func (t *Trait) IsMoment() bool {
	switch t.how {
	case "first", "last", "min", "max":
		return t.field.OccurredAt && !t.since && !t.Given()
	}
	return false
}

// Ages says whether the value grows older with time.
func (t *Trait) Ages() bool { return t.since }
