package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"go.yaml.in/yaml/v3"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/lakehouse/object"
	"github.com/weir-cdp/weir/pipelines"
)

// configEnv names a file with the worker's configuration; without it pipelines.StoreEnv
// holds an object.Config as JSON. Flink's task manager hands its environment on.
const configEnv = "WEIR_WORKER_CONFIG"

// defaultConfig is read where neither is set.
const defaultConfig = "/etc/weir/worker.yaml"

// config is how the worker works on this machine. One installation serves all workspaces
// of the bucket: a job says below which prefix its workspace is.
type config struct {
	store      object.Config
	processors int   // for one worker; 0: all
	memory     int64 // bytes, the soft limit of Go's heap; 0: by the processors
}

// file is the form of the configuration file: lake as in weir.yaml, with the values
// themselves.
type file struct {
	Lake struct {
		Endpoint  string `yaml:"endpoint"`
		Bucket    string `yaml:"bucket"`
		Region    string `yaml:"region"`
		PathStyle bool   `yaml:"path_style"`
		// Without keys they are the machine's (object.CredentialVariables).
		AccessKey    string `yaml:"access_key"`
		SecretKey    string `yaml:"secret_key"`
		SessionToken string `yaml:"session_token"`
		CA           string `yaml:"ca"`
	} `yaml:"lake"`
	Processors int `yaml:"processors"`
	MemoryMB   int `yaml:"memory_mb"`
}

func readConfig() (config, error) {
	path := os.Getenv(configEnv)
	text := os.Getenv(pipelines.StoreEnv)
	// What this process might start must not inherit the keys.
	if err := os.Unsetenv(pipelines.StoreEnv); err != nil {
		return config{}, weir.Errorf(weir.Internal, "forget %s: %w", pipelines.StoreEnv, err)
	}
	if path == "" && text != "" {
		var c config
		if err := json.Unmarshal([]byte(text), &c.store); err != nil {
			return c, weir.Errorf(weir.Invalid, "%s holds no JSON of an object store's configuration", pipelines.StoreEnv).
				Then(`such as {"Endpoint": "https://…", "Bucket": "…"}, or write ` + defaultConfig + ` instead`)
		}
		return c, nil
	}
	if path == "" {
		path = defaultConfig
	}
	return readConfigFile(path)
}

func readConfigFile(path string) (config, error) {
	data, err := readPrivate(path)
	if err != nil {
		return config{}, err
	}
	var f file
	in := yaml.NewDecoder(bytes.NewReader(data))
	in.KnownFields(true)
	if err := in.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return config{}, weir.Errorf(weir.Invalid, "the worker's configuration: %s", plain(err)).At(path).Then("see docs/cluster.md for its keys")
	}
	return f.config(path)
}

// readPrivate reads a file that holds keys, if others may not read it.
func readPrivate(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe in its place would be waited for
	if errors.Is(err, fs.ErrNotExist) {
		return nil, weir.Errorf(weir.Invalid, "the worker has no configuration: %w", err).
			Then("write the file, or set " + configEnv + " or " + pipelines.StoreEnv + " for the task manager; see docs/cluster.md")
	}
	const owned = "chmod 600, owned by the user that runs the task manager"
	if err != nil {
		return nil, weir.Errorf(weir.Denied, "read the worker's configuration: %w", err).Then(owned)
	}
	defer f.Close()
	info, err := f.Stat() // of what was opened, whatever has that name now
	switch {
	case err != nil:
		return nil, weir.Errorf(weir.Denied, "read the worker's configuration: %w", err).Then(owned)
	case !info.Mode().IsRegular():
		return nil, weir.Errorf(weir.Invalid, "the worker's configuration is no file").At(path).Then("give the file's path in " + configEnv)
	case info.Mode().Perm()&0o077 != 0:
		return nil, weir.Errorf(weir.Denied, "other users may read the file, which holds keys (mode %04o)", info.Mode().Perm()).At(path).Then(owned)
	}
	data, err := io.ReadAll(io.LimitReader(f, configMost+1))
	if err != nil {
		return nil, weir.Errorf(weir.Denied, "read the worker's configuration: %w", err).Then(owned)
	}
	if len(data) > configMost {
		return nil, weir.Errorf(weir.Invalid, "the worker's configuration is larger than %d MiB", configMost>>20).At(path).Then("give the file's path in " + configEnv)
	}
	return data, nil
}

// configMost bounds the configuration, in bytes.
const configMost = 1 << 20

// What the YAML library says of Go's types, and of values that may be keys.
var (
	unknownKey = regexp.MustCompile(`field (\S+) (not found|already set) in type .*`)
	wrongForm  = regexp.MustCompile(`cannot unmarshal (!!\w+) .*`)
)

// plain is an error of the YAML library for who writes the file: without values, and
// without Go's types.
func plain(err error) string {
	var kinds *yaml.TypeError
	if !errors.As(err, &kinds) {
		return err.Error()
	}
	said := make([]string, len(kinds.Errors))
	for i, e := range kinds.Errors {
		e = unknownKey.ReplaceAllString(e, "the key $1 is $2")
		e = strings.Replace(e, "is not found", "is unknown", 1)
		said[i] = wrongForm.ReplaceAllString(e, "a $1 does not belong here")
	}
	return strings.Join(said, "; ")
}

// config checks what the file says.
func (f file) config(path string) (config, error) {
	l := f.Lake
	invalid := func(what, next string) (config, error) {
		return config{}, weir.Errorf(weir.Invalid, "the worker's configuration: %s", what).At(path).Then(next)
	}
	for _, v := range [][2]string{{"endpoint", l.Endpoint}, {"bucket", l.Bucket}, {"region", l.Region}, {"ca", l.CA},
		{"access_key", l.AccessKey}, {"secret_key", l.SecretKey}, {"session_token", l.SessionToken}} {
		if strings.HasPrefix(v[1], "${") {
			return invalid("lake."+v[0]+" is a reference", "write the value itself: nothing resolves references on this machine")
		}
	}
	switch {
	case l.Endpoint == "" || l.Bucket == "":
		return invalid("it lacks lake.endpoint or lake.bucket", "copy both from lake in weir.yaml")
	case (l.AccessKey == "") != (l.SecretKey == ""):
		return invalid("one of lake.access_key and lake.secret_key is missing", "give both, or neither where the machine has a role")
	case f.Processors < 0 || f.MemoryMB < 0:
		return invalid("processors and memory_mb are not below 0", "leave them out for the machine's own")
	}
	if l.CA != "" && !filepath.IsAbs(l.CA) { // the task manager's folder is anywhere
		l.CA = filepath.Join(filepath.Dir(path), l.CA)
	}
	host, secure := strings.CutPrefix(l.Endpoint, "https://")
	return config{processors: f.Processors, memory: int64(f.MemoryMB) << 20, store: object.Config{Endpoint: strings.TrimPrefix(host, "http://"), Secure: secure,
		Bucket: l.Bucket, Region: l.Region, PathStyle: l.PathStyle, AccessKey: l.AccessKey, SecretKey: l.SecretKey, SessionToken: l.SessionToken, CA: l.CA}}, nil
}

// apply bounds this process: tasks run side by side as the processors and the memory
// allow (pipelines.SlotMemory). GOMAXPROCS and GOMEMLIMIT, where set, stand.
func (c config) apply() {
	if c.processors > 0 && os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(c.processors)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		limit := c.memory
		if limit <= 0 {
			limit = pipelines.SlotMemory*int64(min(max(runtime.GOMAXPROCS(0), 2), 4)) + 512<<20
		}
		debug.SetMemoryLimit(limit)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
}

// collectAt is as in a pipeline's child process: tasks make much garbage beside little
// that lives, and the memory limit bounds both.
const collectAt = 150
