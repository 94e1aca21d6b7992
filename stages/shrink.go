package stages

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/weir-cdp/weir"
)

// missingScopes counts what a source no longer has and whose rows are kept: files
// that vanished.
const missingScopes = "files_missing"

// droppedFrom counts the rows held before a sharp drop, as long as it lasts.
const droppedFrom = "rows_before_drop"

// guard looks at what a sync would do to the rows held before. One that leaves
// none is refused, unless it is meant: a broken export looks like that, and all
// that follows would remove everybody. One that takes more than half of them is
// told aloud, in each run until as many are back as it needs to be no drop, or until
// it is accepted: by a reset or may_be_empty. What of a sync could not be used is
// told as long as it lasts, too.
func (c *collect) guard(ctx context.Context, sp collectSpec, r *result, done []landed) error {
	before, after, err := c.rowsAround(ctx, sp, *r)
	if err != nil {
		return err
	}
	if lost := before - after; lost > 0 {
		r.Counts["rows_gone"] = lost
	}
	full, err := c.heldOnce(ctx, sp, before)
	if err != nil {
		return err
	}
	dropped := after < full/2
	if dropped && after > 0 {
		r.Counts[droppedFrom] = full
	}
	switch failed, n := firstFailure(done); {
	case n > 0:
		r.Status, r.Problem = Partial, failed
		if n > 1 {
			r.Problem += fmt.Sprintf(" (and %d more)", n-1)
		}
	case sp.Drop || sp.MayBeEmpty || before == 0:
		delete(r.Counts, droppedFrom)
	case after == 0:
		part := sp.Source + "/" + sp.Stream
		return weir.Errorf(weir.Denied, "the read gave no usable row, where %d are held: they are kept", before).At(place(sp)).
			Then(fmt.Sprintf("mend what exports it; if it is meant: weir sync reset %s, or `may_be_empty: true` in the stream", part))
	case dropped:
		r.Problem = fmt.Sprintf("%d of the %d rows held before are gone from the source: look whether its export is whole; if it is meant: weir sync reset %s/%s, or `may_be_empty: true` in the stream",
			full-after, full, sp.Source, sp.Stream)
	}
	return nil
}

// heldOnce is how many rows were held before a drop that was told and still lasts;
// without one, how many are held.
func (c *collect) heldOnce(ctx context.Context, sp collectSpec, before int64) (int64, error) {
	prior, _, err := c.last(ctx, weir.Collect, sp.Source+"/"+sp.Stream)
	return max(before, prior.Counts[droppedFrom]), err
}

// stillDropped is what a run that found nothing new tells of a drop before it.
func (c *collect) stillDropped(ctx context.Context, run weir.Run, part string) (from int64, told string, err error) {
	prior, _, err := c.last(ctx, weir.Collect, part)
	if from = prior.Counts[droppedFrom]; err != nil || from == 0 {
		return 0, "", err
	}
	_, stream, err := c.stream(ctx, run, part)
	if err != nil || stream.MayBeEmpty {
		return 0, "", err
	}
	return from, prior.Error, nil
}

func firstFailure(done []landed) (first string, n int) {
	for _, d := range done {
		if d.Failed == "" {
			continue
		}
		if n == 0 {
			first = d.Failed
		}
		n++
	}
	return first, n
}

// place names what was read, where the source has names for it: its files.
func place(sp collectSpec) string {
	var names []string
	for _, s := range sp.Plan.Splits {
		if s.Scope != "" && s.Scope != s.ID {
			names = append(names, s.Scope)
		}
	}
	slices.Sort(names)
	const most = 3
	if len(names) > most {
		names = append(names[:most], "…")
	}
	return strings.Join(names, ", ")
}

// rowsAround counts the rows that are held, and those that would be after the
// result's commit.
func (c *collect) rowsAround(ctx context.Context, sp collectSpec, r result) (before, after int64, err error) {
	snap, err := c.Lake.Current(ctx, sp.Table)
	if err != nil {
		return 0, 0, err
	}
	files, err := c.Lake.ByScope(ctx, sp.Table, snap.ID)
	if err != nil {
		return 0, 0, err
	}
	held := map[string]int64{}
	for scope, list := range files {
		if scope == formerScope {
			continue
		}
		held[scope] = rowCount(list)
		before += held[scope]
	}
	for _, t := range r.Tables {
		if t.Table != sp.Table || t.Scope == formerScope {
			continue
		}
		name, _, _ := strings.Cut(t.Scope, "@")
		if t.Replace {
			held[name] = 0
		}
		held[name] += rowCount(t.Files)
	}
	for _, n := range held {
		after += n
	}
	return before, after, nil
}

func rowCount(files []weir.DataFile) (n int64) {
	for _, f := range files {
		n += f.Rows
	}
	return n
}
