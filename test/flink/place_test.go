package flink

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/jobservice"
	"github.com/weir-cdp/weir/pipelines/roster"
	"github.com/weir-cdp/weir/test/clustertest"
	"github.com/weir-cdp/weir/test/e2e/weirtest"
	"github.com/weir-cdp/weir/test/postgrestest"
)

// now is when the shop's data ends.
const now = "2026-07-01T00:00:00Z"

// later is when a part of it has changed, afterwards when only time has gone on.
const (
	later      = "2026-07-01T02:00:00Z"
	afterwards = "2026-07-01T08:00:00Z"
)

func TestMain(m *testing.M) {
	code := postgrestest.Main(m)
	clustertest.RemoveWorkers()
	os.Exit(code)
}

// pollOften is how often a test looks at a job.
const pollOften = 200 * time.Millisecond

// place is a lake that the cluster's machines reach.
type place struct {
	config object.Config
}

func newPlace(t *testing.T) *place {
	t.Helper()
	store := s3mem.New()
	if err := store.CreateBucket("customers"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(store).Server())
	t.Cleanup(server.Close)
	return &place{config: object.Config{Endpoint: server.URL, Bucket: "customers", Region: "eu-west-3", PathStyle: true,
		AccessKey: "key-of-the-lake", SecretKey: "secret-of-the-lake"}}
}

// shop is the example with its lake here, below a prefix.
func (pl *place) shop(t *testing.T, prefix, people string) *weirtest.Project {
	t.Helper()
	p := weirtest.Shop(t, people)
	p.Env = []string{"WEIR_ANY_PORTS=1", "LAKE_KEY=" + pl.config.AccessKey, "LAKE_SECRET=" + pl.config.SecretKey}
	yaml := regexp.MustCompile(`(?m)^lake: .*$`).ReplaceAllString(p.Read(t, "weir.yaml"), fmt.Sprintf(
		`lake: {endpoint: %q, bucket: %s, prefix: %s, region: %s, path_style: true, access_key: "$${env:LAKE_KEY}", secret_key: "$${env:LAKE_SECRET}"}`,
		pl.config.Endpoint, pl.config.Bucket, prefix, pl.config.Region))
	p.Write(t, "weir.yaml", yaml)
	return p
}

// of is the workspace below a prefix.
func (pl *place) of(prefix string) object.Config {
	c := pl.config
	c.Prefix = prefix + "/shop"
	return c
}

// again stores a spec that was run for another run of it, and returns both.
func again(t *testing.T, s *object.Store, key, name string) (string, *pipelines.Spec, *pipelines.Spec) {
	t.Helper()
	was, err := pipelines.ReadSpec(t.Context(), s, key)
	if err != nil {
		t.Fatal(err)
	}
	spec := *was
	spec.Scratch, spec.Manifest = "again/"+name+"/scratch/", "again/"+name+"/manifest.json"
	fresh := "again/" + name + "/spec.json"
	if err := pipelines.WriteSpec(t.Context(), s, fresh, &spec); err != nil {
		t.Fatal(err)
	}
	return fresh, was, &spec
}

// specs are the keys of all specs in a store.
func specs(t *testing.T, s *object.Store) []string {
	t.Helper()
	var keys []string
	for info, err := range s.List(t.Context(), "runs/") {
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(info.Key, "/spec.json") {
			continue
		}
		spec, err := pipelines.ReadSpec(t.Context(), s, info.Key)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := roster.Pipelines()[spec.Stage]; ok {
			keys = append(keys, info.Key)
		}
	}
	return keys
}

func on(t *testing.T, f *clustertest.Flink, store object.Config) *jobservice.Runner {
	t.Helper()
	return jobservice.New(jobservice.Config{JobService: f.JobService, REST: f.REST, Parallelism: 2, Command: f.Worker,
		Build: buildOf(t, f.Worker), Store: store, Pipelines: roster.Pipelines(), Poll: pollOften})
}

// buildOf is what a worker says of itself: this test has no linker's value.
func buildOf(t *testing.T, worker string) string {
	t.Helper()
	out, err := exec.Command(worker, "version").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(strings.TrimSpace(string(out)), "weir-pipeline, build ")
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// noTrace waits until no worker of the cluster is left, and looks for its files.
func noTrace(t *testing.T, f *clustertest.Flink) {
	t.Helper()
	weirtest.Eventually(t, "the workers are gone", func() bool { return len(f.Workers(t)) == 0 })
	if left := f.Left(t); len(left) > 0 {
		t.Errorf("workers left %v", left)
	}
}
