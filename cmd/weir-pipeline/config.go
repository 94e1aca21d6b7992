package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

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
			return c, weir.Errorf(weir.Invalid, "%s holds no JSON of an object store's configuration", pipelines.StoreEnv)
		}
		return c, nil
	}
	if path == "" {
		path = defaultConfig
	}
	return readConfigFile(path)
}

func readConfigFile(path string) (config, error) {
	var c config
	info, err := os.Stat(path)
	if err != nil {
		return c, weir.Errorf(weir.Invalid, "the worker has no configuration: %w", err).
			Then("write the file, or set " + configEnv + " or " + pipelines.StoreEnv + " for the task manager; see docs/cluster.md")
	}
	if info.Mode().Perm()&0o077 != 0 {
		return c, weir.Errorf(weir.Denied, "other users may read the file, which holds keys (mode %04o)", info.Mode().Perm()).At(path).
			Then("chmod 600, owned by the user that runs the task manager")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return c, weir.Errorf(weir.Denied, "read the worker's configuration: %w", err)
	}
	var f file
	in := yaml.NewDecoder(bytes.NewReader(data))
	in.KnownFields(true)
	if err := in.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return c, weir.Errorf(weir.Invalid, "the worker's configuration: %w", err).At(path)
	}
	l := f.Lake
	if l.Endpoint == "" || l.Bucket == "" {
		return c, weir.Errorf(weir.Invalid, "the worker's configuration lacks lake.endpoint or lake.bucket").At(path)
	}
	host, secure := strings.CutPrefix(l.Endpoint, "https://")
	c = config{processors: f.Processors, memory: int64(f.MemoryMB) << 20, store: object.Config{Endpoint: strings.TrimPrefix(host, "http://"), Secure: secure,
		Bucket: l.Bucket, Region: l.Region, PathStyle: l.PathStyle, AccessKey: l.AccessKey, SecretKey: l.SecretKey, SessionToken: l.SessionToken, CA: l.CA}}
	return c, nil
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
