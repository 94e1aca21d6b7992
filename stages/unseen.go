package stages

import (
	"context"
	"fmt"
	"slices"

	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/pipelines/segment/derive"
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
	found, done := map[string]bool{}, map[string]bool{}
	var segment, trait func(name string)
	trait = func(name string) {
		t, ok := p.Trait(name)
		if !ok || done["trait "+name] {
			return
		}
		done["trait "+name] = true
		found[t.Event] = true
		reads, _ := derive.Reads(t)
		for _, r := range reads {
			trait(r)
		}
	}
	segment = func(name string) {
		s, ok := p.Segment(name)
		if !ok || done["segment "+name] {
			return
		}
		done["segment "+name] = true
		for c := range s.Where.Tree() {
			found[c.Event] = true
			trait(c.Trait)
			segment(c.Segment)
			if c.Sequence != nil {
				for _, step := range c.Sequence.Steps {
					found[step.Event] = true
				}
			}
		}
	}
	for _, name := range segments {
		segment(name)
	}
	delete(found, "") // any event
	return sortedKeys(found)
}
