package lakehouse

import (
	"context"
	"maps"
	"time"

	"github.com/apache/iceberg-go/table"

	"github.com/weir-cdp/weir"
)

// The shortest times for which maintenance leaves things alone: a running stage
// reads older snapshots (MinAge) and has files that no commit names yet (MinGrace).
const (
	MinAge   = time.Hour
	MinGrace = 24 * time.Hour
)

// ExpirePolicy says which snapshots of a table are kept: the newest KeepLast (at
// least the current one), those younger than OlderThan before Now, those in
// Protect, and always those that the latest rows of ops.runs pin.
type ExpirePolicy struct {
	Now       time.Time
	KeepLast  int
	OlderThan time.Duration // at least MinAge
	Protect   map[int64]bool
	DryRun    bool // only say what would expire
}

// ExpireResult says what expired, or would.
type ExpireResult struct {
	Table   string
	DryRun  bool
	Expired []Snapshot // oldest first
	Kept    int
}

// Expire forgets old snapshots of a table. Their files stay until Orphans finds
// that nothing refers to them.
//
// A commit's id is forgotten with its snapshot, so OlderThan must exceed the time
// after which a stage is never tried again.
func (l *Lake) Expire(ctx context.Context, name string, p ExpirePolicy) (ExpireResult, error) {
	if p.OlderThan < MinAge {
		return ExpireResult{Table: name}, weir.Errorf(weir.Invalid, "snapshots younger than %s can't expire", MinAge).At(name)
	}
	return l.expire(ctx, name, p)
}

func (l *Lake) expire(ctx context.Context, name string, p ExpirePolicy) (ExpireResult, error) {
	out := ExpireResult{Table: name, DryRun: p.DryRun}
	unlock, err := l.lock(ctx, name)
	if err != nil {
		return out, err
	}
	defer unlock()
	err = l.retry(ctx, "expire snapshots of", name, func() (retriable bool, err error) {
		t, err := l.load(ctx, name)
		if err != nil {
			return false, err
		}
		protected, err := l.pinned(ctx, name) // read after the table: a newer pin is of a newer snapshot
		if err != nil {
			return false, err
		}
		maps.Copy(protected, p.Protect)
		all := sortedSnapshots(t)
		out.Expired, out.Kept = nil, 0
		var ids []int64
		for i, s := range all {
			current := t.CurrentSnapshot() != nil && s.SnapshotID == t.CurrentSnapshot().SnapshotID
			recent := !time.UnixMilli(s.TimestampMs).Before(p.Now.Add(-p.OlderThan))
			if current || recent || protected[s.SnapshotID] || len(all)-i <= p.KeepLast || referenced(t, s.SnapshotID) {
				out.Kept++
				continue
			}
			ids = append(ids, s.SnapshotID)
			out.Expired = append(out.Expired, snapshotOf(&s, t.Properties()))
		}
		if len(ids) == 0 || p.DryRun {
			return false, nil
		}
		reqs := []table.Requirement{
			table.AssertTableUUID(t.Metadata().TableUUID()),
			table.AssertRefSnapshotID(table.MainBranch, &t.CurrentSnapshot().SnapshotID),
		}
		_, _, err = l.cat.CommitTable(ctx, t.Identifier(), reqs, []table.Update{table.NewRemoveSnapshotsUpdate(ids, false)})
		return true, err
	})
	return out, err
}

// referenced says whether a branch or tag of another engine points to it.
func referenced(t *table.Table, id int64) bool {
	for _, ref := range t.Metadata().Refs() {
		if ref.SnapshotID == id {
			return true
		}
	}
	return false
}

// pinned returns the snapshot of one table that readers use now.
func (l *Lake) pinned(ctx context.Context, name string) (map[int64]bool, error) {
	pins, err := l.Pins(ctx)
	if err != nil {
		return nil, err
	}
	out := map[int64]bool{}
	if id, ok := pins[name]; ok {
		out[id] = true
	}
	return out, nil
}
