package project

import (
	"time"

	"github.com/weir-cdp/weir"
	"go.yaml.in/yaml/v3"
)

// maxDepth bounds the nesting of a segment's conditions.
const maxDepth = 50

func (l *loader) segment(r *reader, name string, root *yaml.Node) {
	s := weir.SegmentDef{Name: name, Of: weir.Person}
	found := false
	r.object(root, keys{
		"of":         r.kind(&s.Of),
		"where":      func(n *yaml.Node) { found = true; s.Where = r.condition(n, 0) },
		"categories": r.texts(&s.Categories),
		"timezone":   r.timezone(&s.Timezone),
	})
	if !found {
		r.problem(root, "add where: {all: […]}", "segment %s has no where", name)
	}
	l.p.Segments = append(l.p.Segments, s)
}

func (r *reader) kind(into *weir.Kind) func(*yaml.Node) {
	return func(n *yaml.Node) {
		var s string
		r.oneOf(&s, string(weir.Person), string(weir.Account))(n)
		*into = weir.Kind(s)
	}
}

// timezone reads the IANA name of a time zone.
func (r *reader) timezone(into *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		r.text(into)(n)
		if _, err := time.LoadLocation(*into); err != nil || *into == "Local" || *into == "" {
			r.problem(n, "use a name such as Europe/Paris", "unknown time zone %q", *into)
		}
	}
}
