package embedded

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/weir-cdp/weir/workflows"
)

// TestMain is also the program that the tests start: the S3 child, and a
// platform with workers that can be killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case Subcommand:
			exit(ServeS3(context.Background(), os.Stdin))
		case "taken": // an S3 child that finds its port taken, the first time
			exit(serveTaken(os.Args[2]))
		case "platform":
			exit(servePlatform(os.Args[2]))
		}
	}
	os.Exit(m.Run())
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func testLog() *slog.Logger {
	level := slog.LevelWarn
	if os.Getenv("WEIR_TEST_LOG") != "" {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
}

func options(dir string) Options {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return Options{Dir: dir, Workspace: "shop", Command: "weir dev", Self: []string{self}, Log: testLog()}
}

// servePlatform runs a platform on dir, with workers on fake stages, until its
// standard input ends.
func servePlatform(dir string) error {
	ctx := context.Background()
	p, err := Start(ctx, options(dir))
	if err != nil {
		return err
	}
	c, err := p.Dial(ctx)
	if err != nil {
		return err
	}
	fakes := &fakeStages{dir: filepath.Dir(dir)}
	workers := workflows.NewWorkers(c, fakes.work())
	workers[0].RegisterWorkflow(sleeper)
	if err := workers.Start(); err != nil {
		return err
	}
	b, err := json.Marshal(p.Endpoints())
	if err != nil {
		return err
	}
	fmt.Printf("%s\n", b)
	_, _ = io.Copy(io.Discard, os.Stdin)
	workers.Stop()
	return p.Stop()
}

// process is a platform in a process of its own.
type process struct {
	cmd *exec.Cmd
	Endpoints
}

func spawn(t *testing.T, dir string) *process {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	cmd := exec.Command(self, "platform", dir)
	cmd.Stderr = os.Stderr
	_, err = cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	p := &process{cmd: cmd}
	t.Cleanup(p.kill)
	line, err := bufio.NewReader(out).ReadBytes('\n')
	must(t, err)
	must(t, json.Unmarshal(line, &p.Endpoints))
	token, err := Token(dir, temporalToken)
	must(t, err)
	p.token = bearer(token)
	return p
}

// kill is kill -9, as often as one likes.
func (p *process) kill() {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	}
}

func start(t *testing.T, dir string) *Platform {
	t.Helper()
	p, err := Start(t.Context(), options(dir))
	must(t, err)
	t.Cleanup(func() { must(t, p.Stop()) })
	return p
}

func dial(t *testing.T, p *Platform) client.Client {
	t.Helper()
	c, err := p.Dial(t.Context())
	must(t, err)
	t.Cleanup(c.Close)
	return c
}

func weirDir(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "a project", ".weir") // a space must do no harm
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually polls until ok, and fails the test after a minute without.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if !poll(ctx, 20*time.Millisecond, ok) {
		t.Fatalf("did not happen: %s", what)
	}
}
