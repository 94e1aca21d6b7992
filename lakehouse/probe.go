package lakehouse

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/apache/iceberg-go/catalog"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/schema"
)

// probeSpace holds the tables of probes; they are dropped when the probe is done.
const probeSpace = "doctor"

// probeLeft is how old a probe's table is before it counts as left by one that was
// killed.
const probeLeft = time.Hour

// Probe makes a table, commits to it, reads it and drops it: what a run needs of the
// catalog, and no data. Now names the table.
func (l *Lake) Probe(ctx context.Context, now time.Time) error {
	l.dropLeft(ctx, now)
	name := probeSpace + ".probe_" + strconv.FormatInt(now.UnixNano(), 10)
	err := l.probe(ctx, name)
	if gone := l.dropProbe(ctx, name); err == nil {
		err = gone
	}
	return err
}

func (l *Lake) probe(ctx context.Context, name string) error {
	want := schema.Table{Name: name, Key: []string{"id"}, Doc: "A probe of weir doctor.", Columns: []schema.Column{{Name: "id", Type: schema.Text, Required: true}}}
	if _, err := l.Ensure(ctx, want); err != nil {
		return err
	}
	if _, err := l.Commit(ctx, Commit{ID: name, Table: name, Properties: map[string]string{"weir.probe": "done"}}); err != nil {
		return err
	}
	s, err := l.Current(ctx, name)
	if err == nil && s.Properties["weir.probe"] != "done" {
		err = weir.Errorf(weir.Unavailable, "what was committed is not what is read").At(name).Then("check the catalog")
	}
	return err
}

// dropProbe drops a probe's table and deletes its metadata.
func (l *Lake) dropProbe(ctx context.Context, name string) error {
	id, err := l.identifier(name)
	if err != nil {
		return err
	}
	if err := l.cat.DropTable(ctx, id); err != nil && !errors.Is(err, catalog.ErrNoSuchTable) && !errors.Is(err, catalog.ErrNoSuchNamespace) {
		return failed("drop table", name, err)
	}
	var keys []string
	for o, err := range l.store.List(ctx, tablePath(name)+"/") {
		if err != nil {
			return err
		}
		keys = append(keys, o.Key)
	}
	if len(keys) == 0 {
		return nil
	}
	return l.store.Delete(ctx, keys...)
}

// dropLeft drops the tables of probes that were killed. What can't be dropped now is
// dropped by a later one.
func (l *Lake) dropLeft(ctx context.Context, now time.Time) {
	names, err := l.allTables(ctx)
	if err != nil {
		return // the probe tells
	}
	for _, name := range names {
		stamp, ours := strings.CutPrefix(name, probeSpace+".probe_")
		n, err := strconv.ParseInt(stamp, 10, 64)
		if ours && err == nil && now.Sub(time.Unix(0, n)) > probeLeft {
			_ = l.dropProbe(ctx, name)
		}
	}
}
