package e2e

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/weir-cdp/weir/test/e2e/weirtest"
)

// TestExternalParts: the lake on another S3 implementation, Temporal in another
// process, and the tables are those of the embedded parts.
func TestExternalParts(t *testing.T) {
	t.Parallel()
	other := weirtest.New(t, nil)
	out, _ := other.Dev(t).Printed()
	temporal := regexp.MustCompile(`temporal +(\S+) \(namespace (\w+)`).FindStringSubmatch(out)
	if temporal == nil {
		t.Fatalf("weir dev does not say where Temporal is:\n%s", out)
	}
	store := s3mem.New()
	if err := store.CreateBucket("customers"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(store).Server())
	t.Cleanup(server.Close)

	p := weirtest.Shop(t, "300")
	d := p.Receive(t)
	p.Env = []string{"LAKE_KEY=key-of-the-lake", "LAKE_SECRET=secret-of-the-lake"}
	yaml := p.Read(t, "weir.yaml")
	yaml = regexp.MustCompile(`(?m)^lake: .*$`).ReplaceAllString(yaml, `lake: {endpoint: "`+server.URL+`", bucket: customers, prefix: crm, region: eu-west-3, path_style: true, access_key: "$${env:LAKE_KEY}", secret_key: "$${env:LAKE_SECRET}"}`)
	yaml = regexp.MustCompile(`(?m)^temporal: .*$`).ReplaceAllString(yaml, `temporal: {address: "`+temporal[1]+`", namespace: `+temporal[2]+`, api_key: "$${file:`+other.Path(".weir/temporal-token")+`}"}`)
	p.Write(t, "weir.yaml", yaml)
	p.Run(t, weirtest.Partial, "--now", now)
	p.Run(t, weirtest.Done, "--now", now)
	weirtest.Delivered(t, p, d)
	if names, err := store.ListBucket("customers", &gofakes3.Prefix{HasPrefix: true, Prefix: "crm/shop/core/profiles/data/"}, gofakes3.ListBucketPage{}); err != nil || len(names.Contents) == 0 {
		t.Errorf("the bucket has no profiles: %v", err)
	}

	embedded := weirtest.Shop(t, "300")
	embedded.Receive(t)
	embedded.Run(t, weirtest.Partial, "--now", now)
	embedded.Dev(t)
	weirtest.SameTables(t, embedded, p)

	server.Close()
	if r := p.Must(t, weirtest.Failed, "query", "select 1"); !strings.Contains(r.Stderr, strings.TrimPrefix(server.URL, "http://")) {
		t.Errorf("with the lake away it says:\n%s", r.Stderr)
	}
}
