package lakehouse

import (
	"context"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// before reads the files that the table had before runs that never finished
// committed to it. Where none did, there is nothing to take back.
func (c *commitTry) before(ctx context.Context, t *table.Table) (files map[string]iceberg.DataFile, strays bool, err error) {
	if c.commit.Since == nil || !strayed(t, *c.commit.Since) {
		return nil, false, nil
	}
	files, err = c.lake.held(ctx, c.commit.Table, t, t.SnapshotByID(*c.commit.Since))
	return files, true, err
}

// strayed tells whether a commit of Weir's led from snapshot since to the current
// one. Where a snapshot between them has expired nobody knows any more: then one
// did, which costs at most a compaction.
func strayed(t *table.Table, since int64) bool {
	if since != 0 && t.SnapshotByID(since) == nil {
		return false // another engine rolled the table back
	}
	for s := t.CurrentSnapshot(); s != nil && s.SnapshotID != since; {
		if s.Summary != nil && s.Summary.Properties[commitIDKey] != "" {
			return true
		}
		if s.ParentSnapshotID == nil {
			return since != 0
		}
		if s = t.SnapshotByID(*s.ParentSnapshotID); s == nil {
			return true
		}
	}
	return false
}
