package project

import (
	"slices"

	"github.com/weir-cdp/weir"
)

// segmentsIn returns the segments that a condition names, in order.
func segmentsIn(c *weir.Condition) []string {
	var out []string
	if c.Segment != "" {
		out = append(out, c.Segment)
	}
	for _, list := range [][]weir.Condition{c.All, c.Any, c.None} {
		for i := range list {
			out = append(out, segmentsIn(&list[i])...)
		}
	}
	return out
}

// ways returns how each segment that a segment's rule names, over any number of
// steps, is reached: the name before it.
func (p *Project) ways(name string) map[string]string {
	came := map[string]string{}
	for queue := []string{name}; len(queue) > 0; queue = queue[1:] {
		s, _ := p.Segment(queue[0])
		for _, next := range segmentsIn(&s.Where) {
			if _, seen := came[next]; !seen {
				came[next] = queue[0]
				queue = append(queue, next)
			}
		}
	}
	return came
}

// segmentsBelow returns the segments that a segment's rule names, over any number
// of steps, sorted.
func (p *Project) segmentsBelow(name string) []string {
	var out []string
	for n := range p.ways(name) {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// circle returns the way from a segment over those that it names back to itself;
// nil if there is none.
func (p *Project) circle(name string) []string {
	came := p.ways(name)
	if _, back := came[name]; !back {
		return nil
	}
	way := []string{name}
	for at := came[name]; at != name; at = came[at] {
		way = append(way, at)
	}
	way = append(way, name)
	slices.Reverse(way)
	return way
}
