package flink

import (
	"strings"
	"testing"

	"github.com/weir-cdp/weir/test/clustertest"
	"github.com/weir-cdp/weir/test/e2e/weirtest"
	"github.com/weir-cdp/weir/test/postgrestest"
)

// TestWholeCluster: nothing is Weir's own but the program. Pipelines run on Flink,
// workflows on a Temporal of another process, tables lie in MinIO under a REST catalog,
// and a source is PostgreSQL: the tables are those of the embedded platform, to the row.
func TestWholeCluster(t *testing.T) {
	clustertest.NeedFlink(t)
	c := clustertest.Start(t)
	f := clustertest.StartFlink(t, clustertest.FlinkOptions{Store: c.Store.Config(clustertest.Bucket, "")})
	server := postgrestest.Start(t)
	t.Run("shop", func(t *testing.T) {
		want, p := weirtest.Shop(t, "300"), weirtest.Shop(t, "300")
		want.Receive(t)
		d := p.Receive(t)
		compare(t, c, f, want, p, now)
		p.Run(t, weirtest.Done, "--now", now) // what waited the first time
		weirtest.Delivered(t, p, d)
	})
	t.Run("public data", func(t *testing.T) {
		compare(t, c, f, weirtest.Public(t, server.Database(t)), weirtest.Public(t, server.Database(t)), weirtest.PublicNow)
	})
}

// compare runs two projects that are the same, one embedded and one on the cluster.
func compare(t *testing.T, c *clustertest.Cluster, f *clustertest.Flink, want, p *weirtest.Project, now string) {
	t.Helper()
	want.Run(t, weirtest.Partial, "--now", now)
	want.Dev(t)
	c.Use(t, p)
	f.Use(t, p)
	p.Run(t, weirtest.Partial, "--now", now)
	weirtest.SameTables(t, want, p)
	noTrace(t, f)
	for _, key := range c.Store.Objects(t, clustertest.Bucket, "") {
		if strings.Contains(key, "/scratch/") {
			t.Errorf("left in the store: %s", key)
		}
	}
}
