package embedded

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/weir-cdp/weir"
)

// TestLoopbackThatIsDown starts in a network of its own, whose loopback interface is
// down: it listens, and nobody can connect.
func TestLoopbackThatIsDown(t *testing.T) {
	if os.Getenv("WEIR_NO_LOOPBACK") == "" {
		alone(t)
		return
	}
	dir := filepath.Join(t.TempDir(), ".weir")
	p, err := Start(t.Context(), options(dir))
	if err == nil {
		t.Fatalf("it started, and stopped with %v", p.Stop())
	}
	if weir.CodeOf(err) != weir.Unavailable || !strings.Contains(err.Error(), "ip link set lo up") {
		t.Errorf("it says %v", err)
	}
}

// alone runs the test again in namespaces of its own.
func alone(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), "WEIR_NO_LOOPBACK=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Skip("this machine gives no network namespace; run as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1): ", err)
	}
	if err := cmd.Wait(); err != nil || !strings.Contains(out.String(), "--- PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// TestLoopback: here it works, or no other test of this package would.
func TestLoopback(t *testing.T) {
	if err := Loopback(context.Background()); err != nil {
		t.Error(err)
	}
}
