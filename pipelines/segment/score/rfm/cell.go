package rfm

// Range is from one score to another, both included; the zero Range is any.
type Range struct{ From, To int }

// holds says whether a score is in the range.
func (r Range) holds(score int) bool { return r == Range{} || r.From <= score && score <= r.To }

// Cell is a name for some combinations of scores.
type Cell struct {
	Name    string
	R, F, M Range
}

// CellOf returns the name of the first cell that the scores fit, "" if none does.
func CellOf(cells []Cell, s Scores) string {
	for _, c := range cells {
		if c.R.holds(s.R) && c.F.holds(s.F) && c.M.holds(s.M) {
			return c.Name
		}
	}
	return ""
}

// DefaultCells are the names in common use, for five quantiles. They go by
// recency and frequency and leave nobody out.
func DefaultCells() []Cell {
	return []Cell{
		{Name: "champions", R: Range{5, 5}, F: Range{4, 5}},
		{Name: "loyal", R: Range{3, 4}, F: Range{4, 5}},
		{Name: "potential_loyalists", R: Range{4, 5}, F: Range{2, 3}},
		{Name: "new", R: Range{5, 5}, F: Range{1, 1}},
		{Name: "promising", R: Range{4, 4}, F: Range{1, 1}},
		{Name: "need_attention", R: Range{3, 3}, F: Range{3, 3}},
		{Name: "about_to_sleep", R: Range{3, 3}, F: Range{1, 2}},
		{Name: "cannot_lose", R: Range{1, 2}, F: Range{5, 5}},
		{Name: "at_risk", R: Range{1, 2}, F: Range{3, 4}},
		{Name: "hibernating", R: Range{1, 2}, F: Range{1, 2}},
	}
}
