package stages

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
	"github.com/weir-cdp/weir/project"
)

// unseenEvents warns of events that the segments, and the traits that these read, ask
// about and that no source maps by name and no row has: of such, nobody did any.
func (h *House) unseenEvents(ctx context.Context, p *project.Project, names []string) ([]string, error) {
	asked := eventsOf(p, names)
	mapped := p.EventNames()
	asked = slices.DeleteFunc(asked, func(name string) bool { return slices.Contains(mapped, name) })
	if len(asked) == 0 {
		return nil, nil
	}
	q, err := h.ask(ctx, "core.events")
	if err != nil {
		return nil, err
	}
	defer q.close()
	seen, err := column[string](ctx, q.sess, "select distinct name from core.events where name is not null order by name")
	if err != nil {
		return nil, err
	}
	var out []string
	for _, name := range asked {
		if slices.Contains(seen, name) {
			continue
		}
		warning := fmt.Sprintf("no event %q has been collected, and no source maps one", name)
		if near := connectors.Nearest(name, append(slices.Clone(mapped), seen...)); near != "" {
			warning += fmt.Sprintf("; did you mean %q?", near)
		}
		out = append(out, warning)
	}
	return out, nil
}

// eventsOf lists the names of events that segments ask about, themselves and through
// the segments and traits that they read: each once, in order.
func eventsOf(p *project.Project, segments []string) []string {
	defs := map[string]*weir.SegmentDef{}
	for i := range p.Segments {
		defs[p.Segments[i].Name] = &p.Segments[i]
	}
	found := map[string]bool{}
	for _, name := range segments {
		reached, traits := rule.Reach(name, defs)
		rule.Follow(p.Traits, traits, map[string]bool{})
		for _, t := range p.Traits {
			found[t.Event] = found[t.Event] || traits[t.Name]
		}
		for _, s := range reached {
			for c := range defs[s].Where.Tree() {
				found[c.Event] = true
				if c.Sequence != nil {
					for _, step := range c.Sequence.Steps {
						found[step.Event] = true
					}
				}
			}
		}
	}
	delete(found, "") // any event
	maps.DeleteFunc(found, func(_ string, asked bool) bool { return !asked })
	return sortedKeys(found)
}
