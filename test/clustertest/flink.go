package clustertest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/pipelines/jobservice"
	"github.com/weir-cdp/weir/test/e2e/weirtest"
)

// Flink is a session cluster with Beam's job server, each part a process.
type Flink struct {
	JobManager   *Part
	TaskManagers []*Part
	JobServer    *Part
	REST         string // http://host:port; "" where the job server holds Flink (StartMiniFlink)
	JobService   string // host:port
	Worker       string // path of the worker that projects name
	dir          string
	files        string // what `make flink-env` fetched
	conf         string // folder of the configuration
}

// FlinkOptions say what a cluster is like.
type FlinkOptions struct {
	TaskManagers int           // 0: two
	Slots        int           // of each, which share its worker; 0: one
	Store        object.Config // that the workers reach; its prefix does not count
	Worker       string        // "": one built of these sources
	WorkerEnv    []string      // NAME=value, for the workers
	Processors   int           // of a worker; 0: one
}

// NeedFlink ends a test that has much to do before it starts a Flink, where there is none.
func NeedFlink(t testing.TB) {
	t.Helper()
	flinkFiles(t)
}

// flinkFiles finds what `make flink-env` fetched.
func flinkFiles(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("WEIR_FLINK_CACHE")
	if dir == "" {
		dir = filepath.Join(weirtest.Root(), ".cache", "flink")
	}
	what := ""
	for _, part := range []string{"beam", "flink"} {
		if _, err := os.Stat(filepath.Join(dir, part, ".complete")); err != nil {
			what = "Flink is not there: run `make flink-env`"
		}
	}
	if _, err := exec.LookPath("java"); err != nil {
		what = "Java is not there: install openjdk-17-jdk-headless"
	}
	if what != "" && os.Getenv("WEIR_REQUIRE_FLINK") == "1" {
		t.Fatal(what)
	}
	if what != "" {
		t.Skip(what)
	}
	return dir
}

// modules are what Flink's scripts open of the JDK.
var modules = func() []string {
	var out []string
	for _, m := range []string{"java.base/sun.net.util", "java.rmi/sun.rmi.registry", "java.security.jgss/sun.security.krb5"} {
		out = append(out, "--add-exports="+m+"=ALL-UNNAMED")
	}
	for _, p := range []string{"lang", "net", "io", "nio", "lang.reflect", "text", "time", "util", "util.concurrent", "util.concurrent.atomic", "util.concurrent.locks"} {
		out = append(out, "--add-opens=java.base/java."+p+"=ALL-UNNAMED")
	}
	return append(out, "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED")
}()

// StartFlink starts a cluster that ends with the test.
func StartFlink(t testing.TB, o FlinkOptions) *Flink {
	t.Helper()
	if o.TaskManagers == 0 {
		o.TaskManagers = 2
	}
	f, rest := newFlink(t, o)
	f.REST = "http://" + rest
	f.JobManager = begin(t, &Part{name: "Flink's job manager", ready: answers(f.REST + "/overview"), make: func() *exec.Cmd {
		return f.java(384, "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint", "--configDir", f.conf)
	}})
	for i := range o.TaskManagers {
		// One's disk may be full while another's is not.
		tmp := f.Disk(i)
		if err := os.MkdirAll(tmp, 0o700); err != nil {
			t.Fatal(err)
		}
		f.TaskManagers = append(f.TaskManagers, begin(t, &Part{name: fmt.Sprintf("task manager %d", i+1), ready: f.has(i + 1), make: func() *exec.Cmd {
			cmd := f.java(384, "-XX:MaxDirectMemorySize=256m", "-XX:MaxMetaspaceSize=256m",
				"org.apache.flink.runtime.taskexecutor.TaskManagerRunner", "--configDir", f.conf, "-Dio.tmp.dirs="+tmp, fmt.Sprintf("-Dtaskmanager.numberOfTaskSlots=%d", max(1, o.Slots)))
			cmd.Env = append(cmd.Env, "TMPDIR="+tmp)
			return f.withWorker(cmd, o)
		}}))
	}
	f.serve(t, rest, func(cmd *exec.Cmd) *exec.Cmd { return cmd })
	return f
}

// StartMiniFlink starts Beam's job server with a Flink of two slots inside it, without
// REST: the smallest thing that runs a job as a cluster does.
func StartMiniFlink(t testing.TB, o FlinkOptions) *Flink {
	t.Helper()
	f, _ := newFlink(t, o)
	f.serve(t, "[local]", func(cmd *exec.Cmd) *exec.Cmd { return f.withWorker(cmd, o) })
	return f
}

// newFlink has the configuration, and an address for the REST.
func newFlink(t testing.TB, o FlinkOptions) (*Flink, string) {
	t.Helper()
	f := &Flink{files: flinkFiles(t), dir: t.TempDir(), Worker: o.Worker}
	if f.Worker == "" {
		f.Worker = WorkerBinary(t)
	}
	rest := freeAddress(t)
	f.conf = f.configure(t, rest)
	s := o.Store
	text := fmt.Sprintf("lake: {endpoint: %q, bucket: %q, region: %q, path_style: %v, access_key: %q, secret_key: %q}\nprocessors: %d\nmemory_mb: %d\n",
		s.Endpoint, s.Bucket, s.Region, s.PathStyle, s.AccessKey, s.SecretKey, max(1, o.Processors), 512+384*max(1, o.Processors))
	if err := os.WriteFile(f.workerConfig(), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return f, rest
}

func (f *Flink) workerConfig() string { return filepath.Join(f.dir, "worker.yaml") }

// withWorker is the command of a process that starts workers.
func (f *Flink) withWorker(cmd *exec.Cmd, o FlinkOptions) *exec.Cmd {
	cmd.Env = append(append(cmd.Env, "WEIR_WORKER_CONFIG="+f.workerConfig()), o.WorkerEnv...)
	return cmd
}

// java is the command of a Java process with so many MB of heap.
func (f *Flink) java(heap int, args ...string) *exec.Cmd {
	all := append([]string{fmt.Sprintf("-Xmx%dm", heap)}, modules...)
	all = append(all, "-XX:TieredStopAtLevel=1", "-Dlog4j.configurationFile=file:"+filepath.Join(f.conf, "log4j.properties"),
		"-cp", filepath.Join(f.files, "flink", "*")+":"+filepath.Join(f.files, "beam", "*"))
	cmd := exec.Command("java", append(all, args...)...)
	cmd.Dir = f.dir
	cmd.Env = withEnv("TMPDIR=" + f.tmp())
	return cmd
}

func (f *Flink) tmp() string { return filepath.Join(f.dir, "tmp") }

// Disk is the folder for temporary files of a task manager (from 0) and its workers.
func (f *Flink) Disk(taskManager int) string {
	return filepath.Join(f.tmp(), fmt.Sprintf("task-manager-%d", taskManager+1))
}

// serve starts the job server.
func (f *Flink) serve(t testing.TB, master string, with func(*exec.Cmd) *exec.Cmd) {
	t.Helper()
	f.JobService = freeAddress(t)
	host, port, _ := strings.Cut(f.JobService, ":")
	f.JobServer = &Part{name: "Beam's job server", ready: f.serves, make: func() *exec.Cmd {
		return with(f.java(384, filepath.Join(weirtest.Root(), "deploy", "flink", "JobServer.java"), "--job-host="+host, "--job-port="+port,
			"--artifact-port=0", "--expansion-port=0", "--flink-master="+master, "--flink-conf-dir="+f.conf, "--artifacts-dir="+filepath.Join(f.dir, "artifacts")))
	}}
	begin(t, f.JobServer)
}

// configure writes the configuration of deploy/flink with ports of this test's.
func (f *Flink) configure(t testing.TB, rest string) string {
	t.Helper()
	from := filepath.Join(weirtest.Root(), "deploy", "flink", "conf")
	to := filepath.Join(f.dir, "conf")
	for _, d := range []string{to, f.tmp()} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	_, restPort, _ := strings.Cut(rest, ":")
	_, rpcPort, _ := strings.Cut(freeAddress(t), ":")
	for _, name := range []string{"flink-conf.yaml", "log4j.properties"} {
		data, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		text := regexp.MustCompile(`(?m)^rest\.port: .*$`).ReplaceAllString(string(data), "rest.port: "+restPort)
		text = regexp.MustCompile(`(?m)^jobmanager\.rpc\.port: .*$`).ReplaceAllString(text, "jobmanager.rpc.port: "+rpcPort)
		if name == "flink-conf.yaml" {
			text += "io.tmp.dirs: " + f.tmp() + "\n"
		}
		if err := os.WriteFile(filepath.Join(to, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// has is ready when the job manager knows so many task managers.
func (f *Flink) has(n int) func(context.Context) error {
	return func(ctx context.Context) error {
		o, err := jobservice.NewFlink(f.REST).Overview(ctx)
		if err == nil && o.TaskManagers < n {
			err = fmt.Errorf("%d task managers of %d", o.TaskManagers, n)
		}
		return err
	}
}

// serves is ready when the job server says so.
func (f *Flink) serves(context.Context) error {
	if !strings.Contains(f.JobServer.log.String(), "JobService started on") {
		return fmt.Errorf("it has not started")
	}
	return nil
}

// Lines are the runner's of a project.
func (f *Flink) Lines() string {
	return fmt.Sprintf("runner: {type: flink, job_service: %q, rest: %q, parallelism: %d, worker: %q}\n", f.JobService, f.REST, len(f.TaskManagers), f.Worker)
}

// Use lets a project run its pipelines here.
func (f *Flink) Use(t testing.TB, p *weirtest.Project) {
	t.Helper()
	yaml := regexp.MustCompile(`(?m)^runner: .*\n`).ReplaceAllString(p.Read(t, "weir.yaml"), "")
	p.Write(t, "weir.yaml", strings.TrimRight(yaml, "\n")+"\n"+f.Lines())
}

// KillAlone ends the part's own process and none that it started.
func (p *Part) KillAlone() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	<-p.gone
	p.cmd = nil
}

// Workers are the process ids of this cluster's workers.
func (f *Flink) Workers(t testing.TB) []string {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, exe := range all {
		if to, err := os.Readlink(exe); err != nil || to != f.Worker {
			continue
		}
		// Another test's cluster may have the same worker.
		env, err := os.ReadFile(filepath.Join(filepath.Dir(exe), "environ"))
		if err == nil && strings.Contains(string(env), "WEIR_WORKER_CONFIG="+f.dir) {
			out = append(out, strings.Split(exe, "/")[2])
		}
	}
	return out
}

// Left are the files that workers left in their temporary folder.
func (f *Flink) Left(t testing.TB) []string {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(f.tmp(), "weir-*"))
	if err != nil {
		t.Fatal(err)
	}
	of, err := filepath.Glob(filepath.Join(f.tmp(), "*", "weir-*"))
	if err != nil {
		t.Fatal(err)
	}
	return append(left, of...)
}

var workers struct {
	mu    sync.Mutex
	built map[string]string // by build identity
	dir   string
}

// WorkerBinary builds the worker of these sources once in a process; one made by
// `make build-pipeline` is in WEIR_PIPELINE_BIN.
func WorkerBinary(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("WEIR_PIPELINE_BIN"); path != "" {
		return path
	}
	return WorkerOfBuild(t, "")
}

// WorkerOfBuild builds a worker that says it is of another build.
func WorkerOfBuild(t testing.TB, build string) string {
	t.Helper()
	workers.mu.Lock()
	defer workers.mu.Unlock()
	if path := workers.built[build]; path != "" {
		return path
	}
	if workers.dir == "" {
		dir, err := os.MkdirTemp("", "weir-worker-")
		if err != nil {
			t.Fatal(err)
		}
		workers.dir, workers.built = dir, map[string]string{}
	}
	path := filepath.Join(workers.dir, "weir-pipeline"+build)
	flags := "-s -w"
	if build != "" {
		flags += " -X github.com/weir-cdp/weir/pipelines.buildID=" + build
	}
	cmd := exec.Command("go", "build", "-ldflags", flags, "-o", path, "./cmd/weir-pipeline")
	cmd.Dir = weirtest.Root()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the worker: %v\n%s", err, out)
	}
	workers.built[build] = path
	return path
}

// RemoveWorkers deletes the workers that were built; for the end of TestMain.
func RemoveWorkers() {
	if workers.dir != "" {
		_ = os.RemoveAll(workers.dir) // a temporary folder
	}
}
