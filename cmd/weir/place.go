package main

import (
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/project"
	"github.com/weir-cdp/weir/workflows"
)

// place says in which line of the project each part with a problem is declared. A run
// does not know: what it works by has no positions, so that moving a line changes
// nothing.
func place(p *project.Project, s workflows.Snapshot) {
	for i := range s.Parts {
		r := &s.Parts[i]
		if r.Error == "" || strings.Contains(r.Where, ".yaml:") {
			continue
		}
		at := ""
		switch r.Stage {
		case weir.Collect:
			at = declared(p, r.Part)
		case weir.Activate:
			if d, ok := p.Destination(r.Part); ok {
				at = d.At
			}
		default:
			// A stage over many streams names the one that is wrong first.
			part, _, _ := strings.Cut(r.Error, ": ")
			at = declared(p, part)
		}
		if at != "" && r.Where != "" {
			at += ", "
		}
		r.Where = at + r.Where
	}
}

// declared is where a stream, or else its source, is declared; "" if there is none.
func declared(p *project.Project, part string) string {
	source, stream, _ := strings.Cut(part, "/")
	s, ok := p.Source(source)
	if !ok {
		return ""
	}
	if t, ok := s.Stream(stream); ok {
		return t.At
	}
	return s.At
}
