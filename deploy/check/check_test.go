package check

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const overlay = "kubernetes/overlays/example"

// cluster builds the example overlay below a folder like deploy/.
func cluster(deploy string) (*Cluster, error) {
	c, err := Build(filepath.Join(deploy, overlay))
	if err != nil {
		return nil, err
	}
	return c, c.AddFile(filepath.Join(deploy, overlay, "secrets.example.yaml"))
}

func TestManifestsAreSound(t *testing.T) {
	c, err := cluster("..")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Deployments) < 5 || len(c.Services) < 2 || len(c.Policies) < 8 || len(c.Secrets) < 2 {
		t.Fatalf("the overlay makes less than it should: %d deployments, %d services, %d policies", len(c.Deployments), len(c.Services), len(c.Policies))
	}
	for _, p := range append(c.Problems(), runner(t, "..", c)...) {
		t.Error(p)
	}
}

// runner is what is wrong with the overlay's lines of weir.yaml.
func runner(t *testing.T, deploy string, c *Cluster) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(deploy, overlay, "weir.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return c.Runner(text)
}

func TestComposeFileIsSound(t *testing.T) {
	problems, err := Compose(t.Context(), "../compose/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Error(p)
	}
}

func TestDockerfilesAreSound(t *testing.T) {
	for path, root := range map[string]string{"../docker/Dockerfile": "../..", "../docker/flink.Dockerfile": "../..", "../docker/project.Dockerfile": ""} {
		problems, err := Dockerfile(path, root)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s", path, p)
		}
	}
}

// TestComposeAndClusterAgree holds Flink's settings of both to each other.
func TestComposeAndClusterAgree(t *testing.T) {
	settings := func(path string) string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(string(text), "weir-jobmanager", "jobmanager")
	}
	if settings("../compose/flink/flink-conf.yaml") != settings("../kubernetes/base/flink/flink-conf.yaml") {
		t.Error("Flink's settings of compose and of Kubernetes differ in more than names")
	}
	if settings("../compose/flink/log4j-console.properties") != settings("../kubernetes/base/flink/log4j-console.properties") {
		t.Error("the settings of logs differ")
	}
}
