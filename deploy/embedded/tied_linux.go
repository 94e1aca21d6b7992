package embedded

import (
	"os/exec"
	"syscall"
)

// tied makes the kernel kill the child when its parent (the forking thread)
// ends, and keeps the terminal's interrupt from it: the parent stops it.
func tied(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
