//go:build unix

package serve

import (
	"os/exec"
	"syscall"
)

// ownGroup keeps a terminal's Ctrl-C, which goes to the whole process group, from the server: who started it ends it.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
