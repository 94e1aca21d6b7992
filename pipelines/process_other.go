//go:build !linux

package pipelines

import (
	"os"
	"os/exec"
	"syscall"
)

// startAndWait runs the command to its end; follow reads its output meanwhile.
// Where the kernel knows no parent-death signal, the leash alone ends an orphan.
func startAndWait(cmd *exec.Cmd, follow func()) (ended, failed error) {
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	follow()
	return cmd.Wait(), nil
}

func alive(pid int) bool {
	p, err := os.FindProcess(pid)
	return err == nil && p.Signal(syscall.Signal(0)) == nil
}
