package stages

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
	"github.com/weir-cdp/weir/lakehouse/sql"
	"github.com/weir-cdp/weir/project"
)

// appliedKey points to the definitions that were applied last.
const appliedKey = "projects/applied.json"

// Definition is one difference between the files and what was applied.
type Definition struct {
	Action string `json:"action"` // add, change, remove
	Name   string `json:"name"`   // "segment vip"
}

// Difference compares a project with what was applied last.
func (h *House) Difference(ctx context.Context, p *project.Project) ([]Definition, error) {
	before := &project.Project{}
	if err := h.readJSON(ctx, appliedKey, before); err != nil && weir.CodeOf(err) != weir.NotFound {
		return nil, err
	}
	old, now, err := bothDefinitions(before, p)
	if err != nil {
		return nil, err
	}
	var out []Definition
	for _, name := range slices.Sorted(maps.Keys(now)) {
		was, known := old[name]
		switch {
		case !known:
			out = append(out, Definition{"add", name})
		case was != now[name]:
			out = append(out, Definition{"change", name})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(old)) {
		if _, still := now[name]; !still {
			out = append(out, Definition{"remove", name})
		}
	}
	return out, nil
}

// MarkApplied records a project as applied.
func (h *House) MarkApplied(ctx context.Context, p *project.Project) error {
	return h.writeJSON(ctx, appliedKey, p)
}

func bothDefinitions(a, b *project.Project) (map[string]string, map[string]string, error) {
	old, err := definitionsOf(a)
	if err != nil {
		return nil, nil, err
	}
	now, err := definitionsOf(b)
	return old, now, err
}

// definitionsOf gives each named part of a project as canonical text.
func definitionsOf(p *project.Project) (map[string]string, error) {
	out := map[string]string{}
	if p.Name == "" {
		return out, nil
	}
	parts := map[string]any{}
	head := *p
	head.Sources, head.Identity, head.Traits, head.Segments, head.Destinations, head.Activations = nil, nil, nil, nil, nil, nil
	parts["weir.yaml"] = head
	for _, x := range p.Sources {
		streams := x.Streams
		x.Streams = nil
		x.At = ""
		parts["source "+x.Name] = x
		for _, s := range streams {
			s.At = ""
			parts["stream "+x.Name+"/"+s.Name] = s
		}
	}
	for _, x := range p.Identity {
		parts["identity of "+string(x.Kind)] = x
	}
	for _, x := range p.Traits {
		parts["trait "+x.Name] = x
	}
	for _, x := range p.Segments {
		x.Where = unplaced(x.Where)
		parts["segment "+x.Name] = x
	}
	for _, x := range p.Destinations {
		x.At = ""
		parts["destination "+x.Name] = x
	}
	for _, x := range p.Activations {
		parts["activation "+x.Name] = x
	}
	for name, part := range parts {
		b, err := json.Marshal(part)
		if err != nil {
			return nil, weir.Errorf(weir.Internal, "encode %s: %w", name, err)
		}
		out[name] = string(b)
	}
	return out, nil
}

// unplaced is a condition without the lines that it stands on.
func unplaced(c weir.Condition) weir.Condition {
	c.At = ""
	for _, list := range []*[]weir.Condition{&c.All, &c.Any, &c.None} {
		*list = slices.Clone(*list)
		for i := range *list {
			(*list)[i] = unplaced((*list)[i])
		}
	}
	return c
}

// AttachAll makes every table that finished stages have written a view of sess,
// as of a moment (zero: now). A fixed table without rows yet is there, empty.
func (h *House) AttachAll(ctx context.Context, sess *sql.Session, asOf time.Time) error {
	pins, err := h.pinsAt(ctx, asOf)
	if err != nil {
		return err
	}
	for _, t := range fixedTables() {
		if pins[t.Name] == 0 {
			if err := sess.Attach(ctx, t, nil); err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(pins)) {
		if name == runsTable || pins[name] == 0 {
			continue
		}
		t, files, err := h.pinned(ctx, name, pins[name])
		if err == nil {
			err = sess.Attach(ctx, t, files)
		}
		if err != nil {
			return err
		}
	}
	return h.attachRuns(ctx, sess)
}

func (h *House) pinsAt(ctx context.Context, asOf time.Time) (map[string]int64, error) {
	if asOf.IsZero() {
		return h.Lake.Pins(ctx)
	}
	return h.Lake.PinsAsOf(ctx, asOf)
}

// fixedTables are the declared tables but ops.runs.
func fixedTables() []schema.Table {
	return slices.DeleteFunc(schema.Fixed(), func(t schema.Table) bool { return t.Name == runsTable })
}

const runsTable = "ops.runs"

// attachRuns attaches ops.runs itself, which nothing pins.
func (h *House) attachRuns(ctx context.Context, sess *sql.Session) error {
	snap, err := h.Lake.Current(ctx, runsTable)
	if err != nil && weir.CodeOf(err) != weir.NotFound {
		return err
	}
	t, files, err := h.pinned(ctx, runsTable, snap.ID)
	if err != nil {
		return err
	}
	return sess.Attach(ctx, t, files)
}
