//go:build !linux

package embedded

import (
	"os/exec"
	"syscall"
)

// tied keeps the terminal's interrupt from the child; that it ends with its
// parent is left to the leash.
func tied(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
