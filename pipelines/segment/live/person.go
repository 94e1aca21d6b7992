package live

import (
	"context"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines/segment/rule"
)

// Person is one profile as a question reads it: the attributes and properties that
// it looks at, and the events up to now that it looks at. The events' ids say their
// order alone.
type Person struct {
	Profile weir.Profile
	Events  []weir.Event
	Linked  []rule.Linked // by slot of tally.Related of what Needed leaves
}

// Look reads a member of the sample again, to explain it.
func Look(ctx context.Context, q Question, src Source, d Drawn) (Person, error) {
	e, err := prepare(q)
	if err != nil {
		return Person{}, err
	}
	b, err := src.Read(ctx, d.block, e.reads)
	if err != nil {
		return Person{}, err
	}
	p := Person{Profile: weir.Profile{ID: d.ID, Kind: weir.Kind(b.Kinds[d.row]), Attributes: map[string]string{}}, Linked: d.linked}
	for a, name := range e.reads.Attributes {
		if v := b.Attributes[a][d.row]; v != "" {
			p.Profile.Attributes[name] = strings.Clone(v)
		}
	}
	if b.First == nil {
		return p, nil
	}
	names := src.Names()
	first := b.First[d.row]
	for j := first; j < b.First[d.row+1] && b.At[j] <= q.Now.UnixMicro(); j++ {
		name := names[b.Names[j]]
		if e.reads.Names != nil && !e.reads.Names[name] {
			continue
		}
		ev := weir.Event{ID: idOf(j - first), Name: name, OccurredAt: time.UnixMicro(b.At[j]).UTC(), Properties: map[string]string{}}
		for i, property := range e.reads.Properties {
			if v := b.Properties[i][j]; v != "" {
				ev.Properties[property] = strings.Clone(v)
			}
		}
		p.Events = append(p.Events, ev)
	}
	return p, nil
}
