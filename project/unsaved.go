package project

import (
	"slices"

	"github.com/weir-cdp/weir"
)

// Unsaved reads a segment's definition that is in no file yet, and checks it
// against the project; place is what problems are told to be in. A segment of the
// project that has the name is left out of sight. The error is Problems.
func (p *Project) Unsaved(place, name string, text []byte) (weir.SegmentDef, error) {
	if !nameForm.MatchString(name) {
		return weir.SegmentDef{}, weir.Errorf(weir.Invalid, "a segment's name has small letters, digits and _, a letter first; found %q", name)
	}
	with := *p
	with.Segments = slices.DeleteFunc(slices.Clone(p.Segments), func(s weir.SegmentDef) bool { return s.Name == name })
	l := &loader{p: &with, reads: func([]string) {}}
	r := &reader{file: place, problems: &l.problems, reads: l.reads}
	root := r.parse(text)
	if root == nil {
		return weir.SegmentDef{}, l.problems.Err()
	}
	if len(root.Content) == 0 {
		return weir.SegmentDef{}, weir.Errorf(weir.Invalid, "there is no definition").At(place).Then("write one as in segments/: where: {attribute: country, is: FR}")
	}
	l.segment(r, name, root)
	s := with.Segments[len(with.Segments)-1]
	l.checkSegment(s, l.vocabulary())
	return s, l.problems.Err()
}
