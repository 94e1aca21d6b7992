package files_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/connectors"
	"github.com/weir-cdp/weir/connectors/connectortest"
	"github.com/weir-cdp/weir/connectors/files"
	"github.com/weir-cdp/weir/policies/permit"
	"github.com/weir-cdp/weir/policies/permit/permittest"
)

// bucket starts an S3 service with an empty bucket and gives the settings for a
// prefix of it.
func bucket(t *testing.T) (client *minio.Client, config map[string]any) {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("shop"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	client, err := minio.New(strings.TrimPrefix(server.URL, "http://"), &minio.Options{Creds: credentials.NewStaticV4("k", "s", ""), Region: "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	return client, map[string]any{"path": "s3://shop/in", "endpoint": server.URL, "region": "eu-west-1",
		"access_key": "k", "secret_key": "s", "path_style": true}
}

func putObject(t *testing.T, c *minio.Client, key, content string) {
	t.Helper()
	if _, err := c.PutObject(t.Context(), "shop", key, strings.NewReader(content), int64(len(content)), minio.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
}

func TestSourceSuiteOnS3(t *testing.T) {
	client, config := bucket(t)
	putObject(t, client, "in/a/1.csv", "id,a\n1,x\n2,y\n")
	putObject(t, client, "in/a/2.csv.gz", gzipped(t, "id,a\n3,x\n4\n"))
	putObject(t, client, "other/3.csv", "id,a\n9,x\n")
	missing := map[string]any{}
	for k, v := range config {
		missing[k] = v
	}
	missing["path"] = "s3://nowhere"
	connectortest.Source(t, connectortest.SourceHarness{
		Connector: files.Connector(), Env: connectors.Env{Name: "x"}, Config: config,
		Stream: connectors.Stream{Name: "s", Key: []string{"id"}}, StreamSettings: map[string]any{"path": "a/*.csv*"},
		Rows: 3, Rejections: 1, Broken: []map[string]any{missing},
		Change:      func(t *testing.T) { putObject(t, client, "in/a/1.csv", "id,a\n1,x\n2,yy\n") },
		ChangedRows: 2,
	})
}

func TestParquetOnS3AndChangedObject(t *testing.T) {
	client, config := bucket(t)
	c := files.Connector()
	s, errs := connectors.ParseSettings(c.Config, config)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	s["format"] = "parquet"
	d, err := c.OpenDestination(t.Context(), connectors.Env{}, s)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	if err := d.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	run := permittest.Run(t, "1")
	for range 2 {
		deliver(t, d, run, add("a", permit.Field{Name: "n", Value: int64(1)}), add("b"))
	}
	finish(t, d, run)
	finish(t, d, run)

	src, err := c.OpenSource(t.Context(), connectors.Env{}, s)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = src.Close() }()
	st := stream(t, setting{"path": "**/*.parquet"})
	plan, err := src.Plan(t.Context(), st, connectors.Prior{})
	if err != nil || len(plan.Splits) != 1 {
		t.Fatal(plan, err)
	}
	sink := &connectortest.Collector{T: t}
	if err := src.Read(t.Context(), st, plan, plan.Splits[0], sink); err != nil {
		t.Fatal(err)
	}
	if len(sink.Rows) != 2 || sink.Rows[0]["n"] != "1" {
		t.Errorf("rows %v", sink.Rows)
	}
	putObject(t, client, "in/"+plan.Splits[0].Scope, "PAR1")
	if err := src.Read(t.Context(), st, plan, plan.Splits[0], sink); weir.CodeOf(err) != weir.Conflict {
		t.Errorf("a changed object: %v", err)
	}
}
