package rule

import (
	"maps"

	"github.com/weir-cdp/weir"
)

// Reach returns the segments that membership of one hangs on, itself included, in
// order of distance, and the traits that any of them compares. defs are all
// segments by name; one that is not there is left out.
func Reach(name string, defs map[string]*weir.SegmentDef) (segments []string, traits map[string]bool) {
	traits = map[string]bool{}
	seen := map[string]bool{name: true}
	for queue := []string{name}; len(queue) > 0; queue = queue[1:] {
		def := defs[queue[0]]
		if def == nil {
			continue
		}
		segments = append(segments, def.Name)
		compared, _ := Compared(&def.Where)
		maps.Copy(traits, compared)
		for _, next := range def.Where.Segments() {
			if !seen[next] {
				seen[next] = true
				queue = append(queue, next)
			}
		}
	}
	return segments, traits
}
