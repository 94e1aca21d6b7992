package lakehouse

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/weir-cdp/weir"
)

// Snapshot is one state of a table.
type Snapshot struct {
	ID       int64     // 0: the table has no rows yet
	Sequence int64     // grows with each commit of the table
	At       time.Time // when it was committed, by the committer's clock
	// CommitID is the id of the Weir commit that made it; "" for maintenance.
	CommitID string
	// Properties are the table's properties with prefix "weir." as they are now,
	// not as of the snapshot. Weir's own bookkeeping is left out.
	Properties map[string]string
}

// Names in snapshot summaries and table properties.
const (
	propertyPrefix = "weir."
	commitIDKey    = "weir.commit-id" // snapshot summary
	markerPrefix   = "weir.commit."   // table property: a commit without a snapshot
	tablePrefix    = "weir.table."
)

func snapshotOf(s *table.Snapshot, props iceberg.Properties) Snapshot {
	out := Snapshot{Properties: publicProperties(props)}
	if s != nil {
		out.ID, out.Sequence, out.At = s.SnapshotID, s.SequenceNumber, time.UnixMilli(s.TimestampMs).UTC()
		if s.Summary != nil {
			out.CommitID = s.Summary.Properties[commitIDKey]
		}
	}
	return out
}

func publicProperties(props iceberg.Properties) map[string]string {
	out := map[string]string{}
	for k, v := range props {
		if strings.HasPrefix(k, propertyPrefix) && !reserved(k) {
			out[k] = v
		}
	}
	return out
}

func reserved(key string) bool {
	return strings.HasPrefix(key, markerPrefix) || strings.HasPrefix(key, tablePrefix)
}

// Current returns a table's newest snapshot, pinned or not, or weir.NotFound.
func (l *Lake) Current(ctx context.Context, name string) (Snapshot, error) {
	t, err := l.load(ctx, name)
	if err != nil {
		return Snapshot{}, err
	}
	return snapshotOf(t.CurrentSnapshot(), t.Properties()), nil
}

// Snapshots lists the kept snapshots of a table, oldest first.
func (l *Lake) Snapshots(ctx context.Context, name string) ([]Snapshot, error) {
	t, err := l.load(ctx, name)
	if err != nil {
		return nil, err
	}
	var out []Snapshot
	for _, s := range sortedSnapshots(t) {
		out = append(out, snapshotOf(&s, t.Properties()))
	}
	return out, nil
}

func sortedSnapshots(t *table.Table) []table.Snapshot {
	all := slices.Clone(t.Metadata().Snapshots())
	slices.SortFunc(all, func(a, b table.Snapshot) int { return cmp.Compare(a.SequenceNumber, b.SequenceNumber) })
	return all
}

// Files lists the files of one snapshot of a table, sorted by path; snapshot 0
// has none. Files without rows, which only remember a scope's version, are left
// out. A snapshot that has expired is weir.NotFound.
func (l *Lake) Files(ctx context.Context, name string, snapshot int64) ([]weir.DataFile, error) {
	files, err := l.snapshotFiles(ctx, name, snapshot)
	return slices.DeleteFunc(files, func(f weir.DataFile) bool { return f.Rows == 0 }), err
}

func (l *Lake) snapshotFiles(ctx context.Context, name string, snapshot int64) ([]weir.DataFile, error) {
	if snapshot == 0 {
		return nil, nil
	}
	t, err := l.load(ctx, name)
	if err != nil {
		return nil, err
	}
	s := t.SnapshotByID(snapshot)
	if s == nil {
		return nil, weir.Errorf(weir.NotFound, "table %s has no snapshot %d", name, snapshot).
			Then("it has expired, or belongs to another lake: choose a later time")
	}
	return l.filesOf(ctx, name, t, s)
}

func (l *Lake) filesOf(ctx context.Context, name string, t *table.Table, s *table.Snapshot) ([]weir.DataFile, error) {
	held, err := l.held(ctx, name, t, s)
	if err != nil {
		return nil, err
	}
	out := make([]weir.DataFile, 0, len(held))
	for key, f := range held {
		out = append(out, weir.DataFile{Path: key, Rows: f.Count(), Bytes: f.FileSizeBytes()})
	}
	slices.SortFunc(out, func(a, b weir.DataFile) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

// held reads a snapshot's live files by object key; no snapshot holds none.
func (l *Lake) held(ctx context.Context, name string, t *table.Table, s *table.Snapshot) (map[string]iceberg.DataFile, error) {
	out := map[string]iceberg.DataFile{}
	if s == nil {
		return out, nil
	}
	fs, err := t.FS(ctx)
	if err != nil {
		return nil, failed("read table", name, err)
	}
	manifests, err := s.Manifests(fs)
	if err != nil {
		return nil, failed("read manifest list of", name, err)
	}
	for _, m := range manifests {
		if m.ManifestContent() != iceberg.ManifestContentData {
			return nil, weir.Errorf(weir.Invalid, "table %s has delete files, which Weir does not write", name).
				Then("rewrite the table without them with the engine that made them")
		}
		for e, err := range m.Entries(fs, true) {
			if err != nil {
				return nil, failed("read manifest of", name, err)
			}
			key, ok := l.store.Key(e.DataFile().FilePath())
			if !ok {
				return nil, weir.Errorf(weir.Invalid, "table %s has a file outside the lake", name).At(e.DataFile().FilePath())
			}
			out[key] = e.DataFile()
		}
	}
	return out, nil
}
