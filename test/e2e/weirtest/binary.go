package weirtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
)

var built struct {
	once sync.Once
	path string
	err  error
}

// Binary gives the program under test: the one that WEIR_BIN names, else it is
// built from this tree, once per test run.
func Binary(t testing.TB) string {
	t.Helper()
	built.once.Do(func() { built.path, built.err = build() })
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.path
}

// build keeps the program beside the repository's other caches, so that it is
// linked again only when something changed.
func build() (string, error) {
	if path := os.Getenv("WEIR_BIN"); path != "" {
		path, err := filepath.Abs(path)
		if err != nil {
			return "", fmt.Errorf("WEIR_BIN: %w", err)
		}
		_, err = os.Stat(path)
		return path, err
	}
	dir := filepath.Join(Root(), ".cache", "weirtest")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "weir")
	// Go remembers the results of tests by what they import and by the variables that
	// they read: the Makefile changes this one with every source.
	_ = os.Getenv("WEIR_SOURCES")
	cmd := exec.Command("go", "build", "-o", path, "./cmd/weir")
	cmd.Dir = Root()
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build weir: %w\n%s", err, out)
	}
	return path, nil
}

// Root is the repository's directory.
func Root() string {
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		panic("weirtest: no caller")
	}
	return filepath.Join(filepath.Dir(file), "..", "..", "..")
}

// Data is the path of public test data beside the repository; a test without it
// is skipped.
func Data(t testing.TB, parts ...string) string {
	t.Helper()
	base := os.Getenv("WEIR_TEST_DATA")
	if base == "" {
		base = filepath.Join(Root(), "..", "shared", "data")
	}
	path := filepath.Join(append([]string{base}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the public test data is not here (%s); set WEIR_TEST_DATA", filepath.Join(parts...))
	}
	return path
}
