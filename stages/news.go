package stages

import (
	"context"
	"fmt"
	"strings"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// The counts of quarantined rows: those that the run before did not have make a
// run partial, those that it had are only told.
const (
	newRows = "quarantined"
	oldRows = "still_quarantined"
)

// tellNews parts a result's bad rows into new and old ones. A row is the same as
// before if its origin, field and reason are. A definition that can't be used is
// no row: it makes each run partial.
func (h *House) tellNews(ctx context.Context, r *result) error {
	if r.Stage == weir.Segment {
		return nil
	}
	prefix := string(r.Stage)
	if r.Part != "" {
		prefix += "/" + r.Part
	}
	pins, err := h.Lake.Pins(ctx)
	if err != nil {
		return err
	}
	before, err := h.rejectsBelow(ctx, prefix, pins[quarantineTable])
	if err != nil || len(before) == 0 {
		return err // then all are new
	}
	after := map[string][]weir.DataFile{}
	total := int64(0)
	for scope, files := range before {
		after[scope] = files
	}
	for _, t := range r.Tables {
		if t.Table != quarantineTable {
			continue
		}
		name, _, _ := strings.Cut(t.Scope, "@")
		if t.Replace {
			after[name] = nil
		}
		after[name] = append(after[name][:len(after[name]):len(after[name])], t.Files...)
	}
	for _, files := range after {
		for _, f := range files {
			total += f.Rows
		}
	}
	if r.Stage == weir.Resolve {
		total = r.Counts[newRows] // hubs are found, not withheld: see the stage
	}
	fresh, err := h.newRejects(ctx, before, after)
	if err != nil {
		return err
	}
	r.Counts[newRows], r.Counts[oldRows] = fresh, total-fresh
	return nil
}

// rejectsBelow groups the pinned quarantine of a stage, or of a part of one, by
// scope.
func (h *House) rejectsBelow(ctx context.Context, prefix string, snapshot int64) (map[string][]weir.DataFile, error) {
	all, err := h.Lake.ByScope(ctx, quarantineTable, snapshot)
	if err != nil {
		return nil, err
	}
	out := map[string][]weir.DataFile{}
	for scope, files := range all {
		if scope == prefix || strings.HasPrefix(scope, prefix+"/") {
			out[scope] = files
		}
	}
	return out, nil
}

// newRejects counts the rows of files that were not there, by what they tell.
func (h *House) newRejects(ctx context.Context, before, after map[string][]weir.DataFile) (int64, error) {
	there := map[string]bool{}
	var old, added []weir.DataFile
	for _, files := range before {
		for _, f := range files {
			there[f.Path] = true
			old = append(old, f)
		}
	}
	for _, files := range after {
		for _, f := range files {
			if !there[f.Path] {
				added = append(added, f)
			}
		}
	}
	if len(added) == 0 {
		return 0, nil
	}
	sess, err := h.Session(ctx)
	if err != nil {
		return 0, err
	}
	defer sess.Close()
	for name, files := range map[string][]weir.DataFile{"rejects.old": old, "rejects.added": added} {
		t := schema.Named(quarantineTable)
		t.Name = name
		if err := sess.Attach(ctx, t, files); err != nil {
			return 0, err
		}
	}
	same := []string{"source", "stream", "origin", "field", "reason"}
	n, err := column[int64](ctx, sess, fmt.Sprintf("select count(*) from rejects.added anti join rejects.old using (%s) where withheld or origin <> ''",
		strings.Join(same, ", ")))
	if err != nil {
		return 0, err
	}
	return n[0], nil
}
