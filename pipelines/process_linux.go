package pipelines

import (
	"os/exec"
	"runtime"
	"syscall"
)

// startAndWait runs the command to its end; follow reads its output meanwhile.
// The kernel kills the child when the thread that forked it ends, so that thread
// is held for as long (golang.org/issue/27505).
func startAndWait(cmd *exec.Cmd, follow func()) (ended, failed error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	follow()
	return cmd.Wait(), nil
}

func alive(pid int) bool { return syscall.Kill(pid, 0) != syscall.ESRCH }
