package embedded

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weir-cdp/weir"
)

func TestNewerStateIsRefused(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, versionFile), []byte("99\n"), 0o600))
	_, err := Start(t.Context(), options(dir))
	if weir.CodeOf(err) != weir.Invalid || !strings.Contains(err.Error(), "version 99") || !strings.Contains(err.Error(), "newer weir") {
		t.Fatalf("got %v", err)
	}
	l, err := take(t.Context(), dir, holder{})
	must(t, err) // a refused start frees the folder
	must(t, l.release())
}

func TestOlderStateIsUpgraded(t *testing.T) {
	f := folder(t.TempDir())
	must(t, os.WriteFile(f.path(versionFile), []byte("1\n"), 0o600))
	var done []string
	broken := errors.New("no space")
	steps := map[int]func(string) error{
		1: func(string) error { done = append(done, "1"); return nil },
		2: func(string) error { done = append(done, "2"); return broken },
	}
	if err := f.upgrade(3, steps); !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	steps[2] = func(string) error { done = append(done, "2 again"); return nil }
	must(t, f.upgrade(3, steps))
	must(t, f.upgrade(3, steps))
	if got := strings.Join(done, ","); got != "1,2,2 again" {
		t.Errorf("did %s", got)
	}
	if v, err := f.version(); v != 3 || err != nil {
		t.Errorf("version %d, %v", v, err)
	}
	if err := f.upgrade(5, steps); weir.CodeOf(err) != weir.Invalid {
		t.Errorf("a gap in the upgrades gives %v", err)
	}
}

func TestStateWithoutVersionIsRefused(t *testing.T) {
	for name, content := range map[string]string{"missing": "", "nonsense": "one"} {
		t.Run(name, func(t *testing.T) {
			f := folder(t.TempDir())
			must(t, os.Mkdir(f.path("temporal"), 0o700))
			if content != "" {
				must(t, os.WriteFile(f.path(versionFile), []byte(content), 0o600))
			}
			if _, err := open(string(f)); weir.CodeOf(err) != weir.Invalid {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestUnusableFolders(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	for _, dir := range []string{"relative", "/tmp/100%", filepath.Join(file, ".weir")} {
		o := options(dir)
		if p, err := Start(t.Context(), o); err == nil {
			must(t, p.Stop())
			t.Errorf("%s was used", dir)
		}
	}
}

func TestTakenPortsAreAvoided(t *testing.T) {
	f := folder(t.TempDir())
	first, err := f.choosePorts(t.Context(), true)
	must(t, err)
	again, err := f.choosePorts(t.Context(), true)
	must(t, err)
	if again != first {
		t.Errorf("ports changed from %v to %v", first, again)
	}
	must(t, f.writeJSON(portsFile, ports{Temporal: first.Temporal, S3: listen(t), UI: first.UI}))
	other, err := f.choosePorts(t.Context(), true)
	must(t, err)
	if other.Temporal != first.Temporal || !free(other.S3) {
		t.Errorf("ports are %v after %v", other, first)
	}
}

// listen takes a port until the test ends.
func listen(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", address(0))
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().(*net.TCPAddr).Port
}
