package stages

import (
	"context"
	"strings"
	"time"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
)

// openSyncs is what syncs that have not ended need, however long they rest: a
// paused stream goes on with what it had landed.
type openSyncs struct {
	runs  map[string]bool // whose own files stay
	files map[string]bool // of tables, that no commit names yet
}

// openSyncs finds, of each stream, the last sync that was planned. It is open if
// ops.runs knows no end of it: paused, under way, or ended without a word (then its
// files stay until the stream is planned again).
func (h *House) openSyncs(ctx context.Context) (openSyncs, error) {
	out := openSyncs{runs: map[string]bool{}, files: map[string]bool{}}
	last := map[string]object.Info{} // spec by stream's folder
	for o, err := range h.store().List(ctx, "runs/") {
		if err != nil {
			return out, err
		}
		parts := strings.Split(o.Key, "/") // runs/RUN/collect/STREAM/spec.json
		if len(parts) == 5 && parts[2] == string(weir.Collect) && parts[4] == "spec.json" && !o.ModTime.Before(last[parts[3]].ModTime) {
			last[parts[3]] = o
		}
	}
	if len(last) == 0 {
		return out, nil
	}
	ended := map[[2]string]bool{}
	runs, err := h.Lake.Runs(ctx)
	if err != nil {
		return out, err
	}
	for _, r := range runs {
		if r.Stage == weir.Collect {
			ended[[2]string{string(r.RunID), r.Part}] = true
		}
	}
	for _, o := range last {
		var sp collectSpec
		if err := h.readJSON(ctx, o.Key, &sp); err != nil {
			return out, err
		}
		if ended[[2]string{string(sp.Run.ID), sp.Source + "/" + sp.Stream}] {
			continue
		}
		out.runs[string(sp.Run.ID)] = true
		if err := h.landedFiles(ctx, strings.TrimSuffix(o.Key, "spec.json")+"splits/", out.files); err != nil {
			return out, err
		}
	}
	return out, nil
}

// landedFiles collects the files of the splits that are whole.
func (h *House) landedFiles(ctx context.Context, splits string, into map[string]bool) error {
	for o, err := range h.store().List(ctx, splits) {
		if err != nil {
			return err
		}
		var l landed
		if err := h.readJSON(ctx, o.Key, &l); err != nil {
			return err
		}
		for _, f := range append(l.Files, l.Quarantine...) {
			into[f.Path] = true
		}
	}
	return nil
}

// sweepDefinitions deletes what no kept row of ops.runs follows any more and no run
// has written lately.
func (h *House) sweepDefinitions(ctx context.Context, out *Maintenance, now time.Time, dry bool) error {
	runs, err := h.Lake.Runs(ctx)
	if err != nil {
		return err
	}
	followed := map[string]bool{}
	for _, r := range runs {
		followed[r.Follows[followsDefinitions]] = true
	}
	var gone []string
	for o, err := range h.store().List(ctx, definitionsPrefix) {
		if err != nil {
			return err
		}
		if !followed[o.Key] && o.ModTime.Before(now.Add(-runAge)) {
			gone = append(gone, o.Key)
			out.Files++
			out.Bytes += o.Size
		}
	}
	if dry || len(gone) == 0 {
		return nil
	}
	return h.store().Delete(ctx, gone...)
}
