package tally

import (
	"github.com/weir-cdp/weir/pipelines/segment/timeline"
	"github.com/weir-cdp/weir/pipelines/segment/value"
)

// Given returns the place of a trait that a score or a query gives, for Give; -1 if there is
// none of the name: its definition is broken.
func (p *Plan) Given(trait string) int {
	for i := range p.traits {
		if t := &p.traits[i]; t.Name == trait && t.Given() {
			return i
		}
	}
	return -1
}

// Give sets the value of such a trait, by its place; -1 is left alone.
func (p *Plan) Give(s *State, place int, v value.Value) {
	if place >= 0 {
		s.traits[place].Give(v)
	}
}

// Layout returns the properties that Event keeps; who compiles more into it must
// do so before events are read.
func (p *Plan) Layout() *timeline.Layout { return p.book.Layout() }

// TraitSlot returns a trait's place in Subject.Traits.
func (p *Plan) TraitSlot(name string) (int, bool) { return p.book.TraitSlot(name) }

// givenNow says whether some trait is learned: scores change with time.
func (p *Plan) givenNow() bool {
	for i := range p.traits {
		if p.traits[i].Learned() {
			return true
		}
	}
	return false
}
