package clustertest

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/weir-cdp/weir/test/e2e/weirtest"
)

// Cluster is what a company runs, beside its own systems.
type Cluster struct {
	Store    *MinIO
	Catalog  *Catalog
	Temporal *Temporal
}

// Bucket is the one that a cluster's tables are in, and Prefix what they are below.
const (
	Bucket = "lake"
	Prefix = "crm"
)

// Start starts all parts.
func Start(t testing.TB) *Cluster {
	t.Helper()
	store := StartMinIO(t, Bucket)
	return &Cluster{Store: store, Catalog: StartCatalog(t, store, Bucket), Temporal: StartTemporal(t)}
}

// Lines are a project's keys for the parts.
type Lines struct{ Lake, Temporal, Runner string }

// Lines points at the cluster's parts. The keys come from the environment: see Env.
func (c *Cluster) Lines() Lines {
	return Lines{
		Lake: fmt.Sprintf(`lake: {endpoint: %q, bucket: %s, prefix: %s, region: us-east-1, path_style: true, access_key: "${env:LAKE_KEY}", secret_key: "${env:LAKE_SECRET}", catalog: {type: rest, uri: %q}}`,
			c.Store.URL, Bucket, Prefix, c.Catalog.URI),
		Temporal: fmt.Sprintf(`temporal: {address: %q, namespace: %s, api_key: "${file:%s}"}`, c.Temporal.Address, c.Temporal.Namespace, c.Temporal.TokenFile),
	}
}

// Env has the secrets that Lines refers to.
func (c *Cluster) Env() []string {
	return []string{"LAKE_KEY=" + c.Store.AccessKey, "LAKE_SECRET=" + c.Store.SecretKey}
}

// Use makes a project run on the cluster: two lines of weir.yaml change.
func (c *Cluster) Use(t testing.TB, p *weirtest.Project) {
	t.Helper()
	c.Lines().Write(t, p)
	p.Env = append(p.Env, c.Env()...)
}

var keyLine = regexp.MustCompile(`(?m)^(lake|temporal|runner):.*\n`)

// Write puts the lines in the place of those that the project has.
func (l Lines) Write(t testing.TB, p *weirtest.Project) {
	t.Helper()
	rest := strings.TrimRight(keyLine.ReplaceAllString(p.Read(t, "weir.yaml"), ""), "\n")
	p.Write(t, "weir.yaml", rest+"\n"+l.Lake+"\n"+l.Temporal+"\n"+l.Runner+"\n")
}
