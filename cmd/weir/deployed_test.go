package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/weir-cdp/weir/project"
)

// deployed are the files below deploy/ that hold lines of a project's weir.yaml.
var deployed = []string{"compose/weir.yaml", "kubernetes/overlays/example/weir.yaml"}

func TestExamplesOfDeployAreProjects(t *testing.T) {
	for _, name := range deployed {
		text, err := os.ReadFile(filepath.Join("..", "..", "deploy", name))
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		for file, content := range map[string][]byte{"weir.yaml": text, "identity.yaml": []byte(starterIdentity)} {
			if err := os.WriteFile(filepath.Join(dir, file), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		p, err := project.Load(dir, systems())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if p.Lake.Endpoint == "" || p.Temporal.Address == "" || p.Lake.Catalog.Type != "rest" || p.Runner.Type != "flink" {
			t.Errorf("%s is not for a cluster", name)
		}
	}
}

var (
	composeWorker    = regexp.MustCompile(`(?m)^    command: \[(worker, [^\]]*)\]`)
	kubernetesWorker = regexp.MustCompile(`(?m)^          args: \[(worker, [^\]]*)\]`)
	imageWorker      = regexp.MustCompile(`(?m)^CMD \[("worker"[^\]]*)\]`)
)

// TestCommandLinesOfDeployAreTaken holds the arguments in deploy/ to the command's flags.
func TestCommandLinesOfDeployAreTaken(t *testing.T) {
	for name, form := range map[string]*regexp.Regexp{"compose/compose.yaml": composeWorker, "kubernetes/base/worker.yaml": kubernetesWorker, "docker/Dockerfile": imageWorker} {
		text, err := os.ReadFile(filepath.Join("..", "..", "deploy", name))
		if err != nil {
			t.Fatal(err)
		}
		lines := form.FindAllStringSubmatch(string(text), -1)
		if len(lines) == 0 {
			t.Errorf("%s starts no worker", name)
		}
		for _, l := range lines {
			args := arguments(l[1])
			a := &app{out: io.Discard, errw: io.Discard}
			c, rest, err := a.root().Find(args)
			if err != nil || c.Name() != "worker" {
				t.Errorf("%s: %v: %v", name, args, err)
				continue
			}
			if err := c.ParseFlags(rest); err != nil {
				t.Errorf("%s: weir %s: %v", name, strings.Join(args, " "), err)
				continue
			}
			if f := c.Flags().Lookup("queues"); f != nil && f.Changed {
				if err := workerQueues(strings.Split(strings.Trim(f.Value.String(), "[]"), ",")); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
}

// arguments splits a flow sequence of YAML or JSON.
func arguments(list string) (out []string) {
	for _, m := range regexp.MustCompile(`"([^"]*)"|([^,\s"]+)`).FindAllStringSubmatch(list, -1) {
		out = append(out, m[1]+m[2])
	}
	return out
}
