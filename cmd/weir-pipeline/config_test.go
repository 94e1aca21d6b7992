package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/weir-cdp/weir"
	"github.com/weir-cdp/weir/pipelines"
	"github.com/weir-cdp/weir/pipelines/jobservice"
)

func TestConfigurationOfAMachine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "worker.yaml")
	write := func(text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	const good = "lake: {endpoint: \"https://s3.example.com\", bucket: b, region: r, access_key: k, secret_key: s}\nprocessors: 2\nmemory_mb: 900\n"
	write(good, 0o600)
	c, err := readConfigFile(path)
	if err != nil || c.store.Endpoint != "s3.example.com" || !c.store.Secure || c.store.Bucket != "b" || c.processors != 2 || c.memory != 900<<20 {
		t.Errorf("%+v, %v", c, err)
	}
	for name, x := range map[string]struct {
		text string
		mode os.FileMode
		code weir.Code
	}{
		"others may read it": {good, 0o640, weir.Denied},
		"a misspelt key":     {"lake: {endpoint: e, bukket: b}\n", 0o600, weir.Invalid},
		"no bucket":          {"lake: {endpoint: e}\n", 0o600, weir.Invalid},
		"empty":              {"", 0o600, weir.Invalid},
		"a reference":        {"lake: {endpoint: e, bucket: b, access_key: \"${env:K}\", secret_key: s}\n", 0o600, weir.Invalid},
		"half of the keys":   {"lake: {endpoint: e, bucket: b, access_key: hush}\n", 0o600, weir.Invalid},
		"a key in its place": {"lake: hush-hush\n", 0o600, weir.Invalid},
		"no number":          {"lake: {endpoint: e, bucket: b}\nprocessors: -1\n", 0o600, weir.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			write(x.text, x.mode)
			_, err := readConfigFile(path)
			if weir.CodeOf(err) != x.code {
				t.Fatalf("got %v", err)
			}
			var e *weir.Error
			if !errors.As(err, &e) || e.Next == "" || strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "struct") {
				t.Errorf("no next step, a value or Go's types: %v", err)
			}
		})
	}
	pipe, link, large := path+".pipe", path+".link", path+".large"
	if err := errors.Join(syscall.Mkfifo(pipe, 0o600), os.Symlink(path, link), os.WriteFile(large, bytes.Repeat([]byte("#"), configMost+1), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{pipe, large} {
		if _, err := readConfigFile(bad); weir.CodeOf(err) != weir.Invalid {
			t.Errorf("%s: %v", filepath.Base(bad), err)
		}
	}
	write(good, 0o644)
	if _, err := readConfigFile(link); weir.CodeOf(err) != weir.Denied {
		t.Errorf("a link to a file that others may read: %v", err)
	}
	write(strings.Replace(good, "region: r", "ca: s3.pem", 1), 0o600)
	if c, err := readConfigFile(link); err != nil || c.store.CA != filepath.Join(filepath.Dir(path), "s3.pem") {
		t.Errorf("a file of certificates beside it: %q, %v", c.store.CA, err)
	}
	if _, err := readConfigFile(filepath.Dir(path)); weir.CodeOf(err) != weir.Invalid {
		t.Errorf("a folder: %v", err)
	}
}

func TestKeysAreForgotten(t *testing.T) {
	t.Setenv(configEnv, "")
	t.Setenv(pipelines.StoreEnv, `{"Endpoint":"http://127.0.0.1:1","Bucket":"b","AccessKey":"k","SecretKey":"s"}`)
	c, err := readConfig()
	if err != nil || c.store.SecretKey != "s" {
		t.Fatalf("%+v, %v", c, err)
	}
	if v, ok := os.LookupEnv(pipelines.StoreEnv); ok {
		t.Errorf("still there: %s", v)
	}
}

func TestExitCodes(t *testing.T) {
	t.Setenv(configEnv, filepath.Join(t.TempDir(), "missing.yaml"))
	var out, problems bytes.Buffer
	if code := command([]string{"check"}, &out, &problems); code != jobservice.ExitConfig || !strings.Contains(problems.String(), "WEIR_WORKER_CONFIG") {
		t.Errorf("%d: %s", code, &problems)
	}
	if code := command(nil, &out, &problems); code != 2 {
		t.Errorf("without arguments %d", code)
	}
	if code := command([]string{"version"}, &out, &problems); code != 0 || !strings.Contains(out.String(), pipelines.Build()) {
		t.Errorf("%d: %s", code, &out)
	}
}

func TestAnotherBuildIsRefused(t *testing.T) {
	if err := sameBuild(pipelines.Build()); err != nil {
		t.Error(err)
	}
	if err := sameBuild("other"); weir.CodeOf(err) != weir.Invalid || !strings.Contains(err.Error(), "other") || !strings.Contains(err.Error(), pipelines.Build()) {
		t.Errorf("got %v", err)
	}
}

func TestOnlyAMissingSpecIsOfAnotherBucket(t *testing.T) {
	for code, want := range map[weir.Code]int{weir.NotFound: jobservice.ExitNoSpec, weir.Unavailable: jobservice.ExitStore, weir.Denied: jobservice.ExitStore} {
		if got := exitOfSpec(weir.Errorf(code, "x")); got != want {
			t.Errorf("%s: %d", code, got)
		}
	}
}
