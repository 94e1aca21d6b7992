package pipelines

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
)

// Child says how a pipeline process is started.
type Child struct {
	Binary  string            // "": this program's own
	Args    []string          // before the spec's key; nil: "pipeline"
	Dir     string            // holds the process's temporary folders; "": the system's
	Env     []string          // NAME=value, beside the few that every child gets
	Memory  int64             // bytes, the soft limit of Go's heap; 0: 2 GiB
	Store   object.Config     // handed over in the environment
	Secrets map[string]string // of the workspace, by name; handed over in the environment
	// LocalScratch keeps what steps send each other in the process's temporary folder,
	// not in the object store: where both are on one disk, the way through the store
	// costs more than the rows. It goes with the process, however that ends.
	LocalScratch bool
}

// inherited are the environment variables that a child gets from its parent: no
// source's or destination's secrets.
var inherited = []string{"PATH", "HOME", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "WEIR_PROFILE", "GODEBUG", "GOTRACEBACK", "GOCOVERDIR"}

const (
	parentEnv     = "WEIR_PARENT_PID"
	scratchEnv    = "WEIR_PIPELINE_SCRATCH" // a folder; absent: the object store
	childMemory   = 2 << 30
	collectAt     = "150" // GOGC: tasks make much garbage beside little that lives, and the limit bounds both
	tempPrefix    = "weir-pipeline-"
	stderrLines   = 20
	stderrLineMax = 500
)

// RunChild runs a spec in a process of its own and returns its manifest. It
// succeeds only if the process ended with 0 and the manifest is complete and
// belongs to the spec; a manifest that an earlier attempt completed is returned
// at once. Progress, which may be nil, is called from one goroutine. The process
// dies with ctx and with this process.
func RunChild(ctx context.Context, c Child, specKey string, progress func(weir.Progress)) (weir.Manifest, error) {
	var none weir.Manifest
	store, err := object.Open(ctx, c.Store)
	if err != nil {
		return none, err
	}
	spec, err := ReadSpec(ctx, store, specKey)
	if err != nil {
		return none, err
	}
	if m, err := readManifest(ctx, store, spec); err == nil || weir.CodeOf(err) != weir.NotFound {
		return m, err
	}
	sweepTemp(c.Dir)
	temp, err := os.MkdirTemp(c.Dir, fmt.Sprintf("%s%d-*", tempPrefix, os.Getpid()))
	if err != nil {
		return none, weir.Errorf(weir.Unavailable, "make the pipeline's temporary folder: %w", err)
	}
	defer os.RemoveAll(temp)
	if err := c.run(ctx, specKey, temp, progress); err != nil {
		return none, err
	}
	m, err := readManifest(ctx, store, spec)
	if weir.CodeOf(err) == weir.NotFound {
		return none, weir.Errorf(weir.Internal, "the pipeline process ended without a manifest").At(spec.Manifest)
	}
	return m, err
}

// Run implements Runner.
func (c Child) Run(ctx context.Context, specKey string, progress func(weir.Progress)) (weir.Manifest, error) {
	return RunChild(ctx, c, specKey, progress)
}

// command prepares the process.
func (c Child) command(ctx context.Context, specKey, temp string) (*exec.Cmd, error) {
	binary := c.Binary
	if binary == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, weir.Errorf(weir.Internal, "find this program: %w", err)
		}
		binary = self
	}
	args := c.Args
	if args == nil {
		args = []string{"pipeline"}
	}
	config, err := json.Marshal(c.Store)
	if err != nil {
		return nil, weir.Errorf(weir.Internal, "encode the object store's configuration: %w", err)
	}
	secrets, err := json.Marshal(c.Secrets)
	if err != nil {
		return nil, weir.Errorf(weir.Internal, "encode secrets: %w", err)
	}
	memory := c.Memory
	if memory <= 0 {
		memory = childMemory
	}
	cmd := exec.CommandContext(ctx, binary, append(slices.Clone(args), specKey)...)
	names := inherited
	if c.Store.AccessKey == "" {
		names = slices.Concat(inherited, object.CredentialVariables) // the store's own are the machine's
	}
	for _, name := range names {
		if v, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	cmd.Env = append(cmd.Env, "TMPDIR="+temp, "GOGC="+cmp.Or(os.Getenv("GOGC"), collectAt), "GOMEMLIMIT="+strconv.FormatInt(memory, 10)+"B",
		parentEnv+"="+strconv.Itoa(os.Getpid()), StoreEnv+"="+string(config), SecretsEnv+"="+string(secrets))
	if c.LocalScratch {
		cmd.Env = append(cmd.Env, scratchEnv+"="+filepath.Join(temp, "scratch"))
	}
	cmd.Env = append(cmd.Env, c.Env...)
	return cmd, nil
}

// run starts the process and waits for its end.
func (c Child) run(ctx context.Context, specKey, temp string, progress func(weir.Progress)) error {
	cmd, err := c.command(ctx, specKey, temp)
	if err != nil {
		return err
	}
	hold, err := cmd.StdinPipe() // the leash: its end tells the child that we are gone
	if err != nil {
		return weir.Errorf(weir.Unavailable, "start the pipeline process: %w", err)
	}
	defer hold.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return weir.Errorf(weir.Unavailable, "start the pipeline process: %w", err)
	}
	last := &tail{}
	cmd.Stderr = last
	var said line
	ended, err := startAndWait(cmd, func() { said = follow(stdout, progress) })
	switch {
	case err != nil:
		return weir.Errorf(weir.Unavailable, "start the pipeline process: %w", err)
	case ended == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case said.Error != "":
		return weir.Errorf(said.Code, "%s", said.Error)
	}
	return weir.Errorf(weir.Unavailable, "the pipeline process died (%s); its last words: %s", ended, last).
		Then("if it was killed for its memory, lower the pipelines' memory limit or free some")
}

// follow reads the child's lines until it closes them and returns its outcome.
func follow(r io.Reader, progress func(weir.Progress)) line {
	var outcome line
	in := bufio.NewReader(r)
	for {
		text, err := in.ReadString('\n')
		var l line
		if json.Unmarshal([]byte(text), &l) == nil {
			if l.Progress != nil && progress != nil {
				progress(*l.Progress)
			}
			if l.Error != "" {
				outcome = l
			}
		}
		if err != nil {
			return outcome
		}
	}
}

// tail keeps the last lines written to it.
type tail struct {
	mu    sync.Mutex
	lines []string
	part  string
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.part += string(p)
	for {
		l, rest, found := strings.Cut(t.part, "\n")
		if !found {
			break
		}
		t.part = rest
		t.lines = append(t.lines, l[:min(len(l), stderrLineMax)])
		if len(t.lines) > stderrLines {
			t.lines = t.lines[1:]
		}
	}
	if len(t.part) > stderrLineMax {
		t.part = t.part[:stderrLineMax]
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(strings.Join(append(slices.Clone(t.lines), t.part), "\n"))
}

// sweepTemp removes the temporary folders of parents that are gone.
func sweepTemp(dir string) {
	if dir == "" {
		dir = os.TempDir()
	}
	old, _ := filepath.Glob(filepath.Join(dir, tempPrefix+"*"))
	for _, folder := range old {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(folder), tempPrefix), "-")
		if n, err := strconv.Atoi(pid); err == nil && !alive(n) {
			_ = os.RemoveAll(folder) // next time, if not now
		}
	}
}

// leash ends this process when its parent is gone: the parent holds the other
// end of standard input.
func leash() error {
	if pid, err := strconv.Atoi(os.Getenv(parentEnv)); err == nil && pid != os.Getppid() {
		return weir.Errorf(weir.Unavailable, "the process that started this pipeline is gone")
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(orphaned)
	}()
	return nil
}

// orphaned is the exit code of a pipeline process whose parent went away.
const orphaned = 7
