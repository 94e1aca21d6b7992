package lakehouse

import (
	"context"
	"strings"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
)

// OrphanResult says which objects were deleted, or would be.
type OrphanResult struct {
	Where  string // the table, or the prefix
	DryRun bool
	Files  []object.Info // by key
	Bytes  int64
}

func (r *OrphanResult) add(o object.Info) {
	r.Files = append(r.Files, o)
	r.Bytes += o.Size
}

// Orphans deletes what lies in a table's folder, is older than olderThan before
// now (at least MinGrace; longer than the longest stage), and to which neither
// the table's metadata nor any kept snapshot refers: leftovers of lost tries and
// crashed writers, and the files of expired snapshots. What keep names (nil: none) is
// spared: files that work which rests has not committed yet.
func (l *Lake) Orphans(ctx context.Context, name string, now time.Time, olderThan time.Duration, keep map[string]bool, dryRun bool) (OrphanResult, error) {
	out := OrphanResult{Where: name, DryRun: dryRun}
	if olderThan < MinGrace {
		return out, weir.Errorf(weir.Invalid, "objects younger than %s can't be swept", MinGrace).At(name)
	}
	// Commits of this process wait: one may be about to use a file of the same
	// content. Commit renews old files, for the sake of those of other processes.
	unlock, err := l.lock(ctx, name)
	if err != nil {
		return out, err
	}
	defer unlock()
	cutoff := now.Add(-olderThan)
	var old []object.Info
	for o, err := range l.store.List(ctx, tablePath(name)+"/") {
		if err != nil {
			return out, err
		}
		if o.ModTime.Before(cutoff) {
			old = append(old, o)
		}
	}
	// Listed first, then read: what was committed in between is known as used.
	used, err := l.references(ctx, name)
	if err != nil {
		return out, err
	}
	for _, o := range old {
		if used[o.Key] || keep[o.Key] {
			continue
		}
		if !dryRun {
			again, err := l.store.Stat(ctx, o.Key)
			if weir.CodeOf(err) == weir.NotFound || err == nil && !again.ModTime.Before(cutoff) {
				continue // gone, or renewed by a commit since
			}
			if err == nil {
				err = l.store.Delete(ctx, o.Key)
			}
			if err != nil {
				return out, err
			}
		}
		out.add(o)
	}
	return out, nil
}

// references collects the keys of all objects that a table's metadata, present
// and logged, and its kept snapshots refer to.
func (l *Lake) references(ctx context.Context, name string) (map[string]bool, error) {
	t, err := l.load(ctx, name)
	if err != nil {
		return nil, err
	}
	locations := []string{t.MetadataLocation()}
	for e := range t.Metadata().PreviousFiles() {
		locations = append(locations, e.MetadataFile)
	}
	for s := range t.Metadata().Statistics() {
		locations = append(locations, s.StatisticsPath)
	}
	for s := range t.Metadata().PartitionStatistics() {
		locations = append(locations, s.StatisticsPath)
	}
	held, err := snapshotLocations(ctx, name, t)
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	for _, location := range append(locations, held...) {
		key, ok := l.store.Key(location)
		if !ok && location != "" { // an unknown spelling of a path must never look like "not used"
			return nil, weir.Errorf(weir.Invalid, "table %s refers to a file outside the lake", name).At(location).
				Then("nothing was deleted; rewrite the table with paths below " + l.store.URL(""))
		}
		used[key] = true
	}
	return used, nil
}

// snapshotLocations lists the manifest lists, manifests and live files of all kept
// snapshots.
func snapshotLocations(ctx context.Context, name string, t *table.Table) (locations []string, err error) {
	fs, err := t.FS(ctx)
	if err != nil {
		return nil, failed("read table", name, err)
	}
	seen := map[string]bool{}
	for _, s := range t.Metadata().Snapshots() {
		locations = append(locations, s.ManifestList)
		manifests, err := s.Manifests(fs)
		if err != nil {
			return nil, failed("read manifest list of", name, err)
		}
		for _, m := range manifests {
			if seen[m.FilePath()] {
				continue
			}
			seen[m.FilePath()] = true
			locations = append(locations, m.FilePath())
			for e, err := range m.Entries(fs, false) {
				if err != nil {
					return nil, failed("read manifest of", name, err)
				}
				if e.Status() != iceberg.EntryStatusDELETED {
					locations = append(locations, e.DataFile().FilePath())
				}
			}
		}
	}
	return locations, nil
}

// Sweep deletes the folders below prefix ("runs": manifests, specs and scratch
// files of runs) in which every object is older than olderThan before now.
func (l *Lake) Sweep(ctx context.Context, prefix string, now time.Time, olderThan time.Duration, dryRun bool) (OrphanResult, error) {
	prefix = strings.Trim(prefix, "/")
	out := OrphanResult{Where: prefix, DryRun: dryRun}
	if olderThan < MinGrace || prefix == "" {
		return out, weir.Errorf(weir.Invalid, "a sweep needs a folder and an age of at least %s", MinGrace).At(prefix)
	}
	if tables, err := l.Tables(ctx); err != nil {
		return out, err
	} else {
		for _, t := range tables {
			if strings.HasPrefix(tablePath(t)+"/", prefix+"/") {
				return out, weir.Errorf(weir.Invalid, "table %s lies in folder %s", t, prefix)
			}
		}
	}
	cutoff := now.Add(-olderThan)
	var folder string // of what is collected
	var objects []object.Info
	young := false
	flush := func() error {
		if young {
			return nil
		}
		keys := make([]string, len(objects))
		for i, o := range objects {
			keys[i] = o.Key
			out.add(o)
		}
		if dryRun || len(keys) == 0 {
			return nil
		}
		return l.store.Delete(ctx, keys...)
	}
	for o, err := range l.store.List(ctx, prefix+"/") { // in the order of keys: folder after folder
		if err != nil {
			return out, err
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(o.Key, prefix+"/"), "/")
		if name != folder {
			if err := flush(); err != nil {
				return out, err
			}
			folder, objects, young = name, nil, false
		}
		objects = append(objects, o)
		young = young || !o.ModTime.Before(cutoff)
	}
	return out, flush()
}
