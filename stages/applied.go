package stages

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/project"
)

// appliedKey points to the definitions that were applied last.
const appliedKey = "projects/applied.json"

// Definition is one difference between the files and what Weir follows.
type Definition struct {
	Action string `json:"action"` // add, change, remove: what the files do
	Name   string `json:"name"`   // "segment vip"
	// NotRun: no run has brought it into the tables yet. NotApplied: what schedules
	// start follows other definitions. A project that was never applied has no
	// schedules, so nothing follows others.
	NotRun     bool `json:"not_run"`
	NotApplied bool `json:"not_applied"`
}

// Difference compares a project with what its stages followed when they last ran,
// and with what was applied last.
func (h *House) Difference(ctx context.Context, p *project.Project) ([]Definition, error) {
	now, err := definitionsOf(p)
	if err != nil {
		return nil, err
	}
	applied := &project.Project{}
	err = h.readJSON(ctx, appliedKey, applied)
	never := weir.CodeOf(err) == weir.NotFound
	if err != nil && !never {
		return nil, err
	}
	told, err := definitionsOf(applied)
	if err != nil {
		return nil, err
	}
	f, err := h.following(ctx)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, known := range []map[string]string{now, told, f.all} {
		for name := range known {
			names[name] = true
		}
	}
	var out, gone []Definition
	for _, name := range slices.Sorted(maps.Keys(names)) {
		text, wanted := now[name]
		ran, inTables := f.ran(name, text, wanted)
		was, inSchedules := told[name]
		d := Definition{Action: "change", Name: name, NotRun: !ran, NotApplied: !never && (inSchedules != wanted || was != text)}
		switch {
		case !d.NotRun && !d.NotApplied:
		case !wanted:
			d.Action = "remove"
			gone = append(gone, d)
		case d.NotRun && !inTables, !d.NotRun && !inSchedules:
			d.Action = "add"
			fallthrough
		default:
			out = append(out, d)
		}
	}
	if changed, err := h.PolicyChanged(ctx, p); err != nil {
		return nil, err
	} else if changed {
		out = append(out, Definition{Action: "change", Name: "policy", NotRun: true})
	}
	return append(out, gone...), nil
}

// following is what each part followed when it last ran, as texts by name.
type following struct {
	parts map[[2]string]map[string]string // by stage and part
	all   map[string]string
}

func (h *House) following(ctx context.Context) (following, error) {
	f := following{parts: map[[2]string]map[string]string{}, all: map[string]string{}}
	runs, err := h.Lake.Runs(ctx)
	if err != nil {
		return f, err
	}
	keys := map[[2]string]string{}
	for _, r := range runs { // in the order in which they ended
		if r.Status != Failed {
			keys[[2]string{string(r.Stage), r.Part}] = r.Project
		}
	}
	read := map[string]map[string]string{"": {}}
	for at, key := range keys {
		if read[key] == nil {
			p, err := h.project(ctx, key)
			if err != nil {
				return f, err
			}
			if read[key], err = definitionsOf(p); err != nil {
				return f, err
			}
		}
		f.parts[at] = read[key]
		if at[1] == "" {
			maps.Copy(f.all, read[key])
		}
	}
	return f, nil
}

// ran tells whether every stage that a definition matters to followed this text of
// it, and whether any stage followed some text of it. What is gone from the files
// is gone once the whole stages left it: nobody runs its own part any more.
func (f following) ran(name, text string, wanted bool) (all, any bool) {
	all = true
	for _, at := range concerned(name) {
		if at[1] != "" && !wanted {
			continue
		}
		followed, ever := f.parts[at]
		if !ever && at[0] == string(weir.Activate) {
			continue // nothing is sent there
		}
		was, there := followed[name]
		all = all && there == wanted && was == text
		any = any || there
	}
	return all, any
}

// concerned are the stages, and parts of them, that a definition matters to.
func concerned(name string) [][2]string {
	kind, of, _ := strings.Cut(name, " ")
	whole := func(stages ...weir.Stage) (out [][2]string) {
		for _, s := range stages {
			out = append(out, [2]string{string(s), ""})
		}
		return out
	}
	switch kind {
	case "source":
		return whole(weir.Conform)
	case "stream":
		return append(whole(weir.Conform), [2]string{string(weir.Collect), of})
	case "identity":
		return whole(weir.Resolve, weir.Unify)
	case "trait", "segment":
		return whole(weir.Segment)
	case "destination":
		return append(whole(weir.Decide), [2]string{string(weir.Activate), of})
	case "activation":
		return whole(weir.Decide)
	}
	return whole(weir.Conform, weir.Segment, weir.Decide) // weir.yaml
}

// MarkApplied records a project as applied.
func (h *House) MarkApplied(ctx context.Context, p *project.Project) error {
	return h.writeJSON(ctx, appliedKey, p)
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
	if !reflect.ValueOf(p.Contact).IsZero() {
		parts["contact.yaml"] = p.Contact
	}
	head.Contact = weir.ContactDef{}
	head.Policies = false // what the rules say is compared by their revision
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
		parts["trait "+x.Name] = x.Unplaced()
	}
	for _, x := range p.Segments {
		x.Where = x.Where.Unplaced()
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
