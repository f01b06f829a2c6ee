package main

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// nobody is the user of the container image.
const nobody = 65532

// TestTheStaticBinaryNeedsNothingAroundIt runs the binary as the container does: as a user without rights, in a root
// directory that holds nothing but the binary and a data directory.
func TestTheStaticBinaryNeedsNothingAroundIt(t *testing.T) {
	root, err := os.MkdirTemp("", "parley-root") // not t.TempDir, whose parents others may not enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(binary(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "parley"), text, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(root, "data"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(root, "data"), 0o777); err != nil {
		t.Fatal(err)
	}
	args, url, _ := devArgs(t, "/data")
	inside := func(args ...string) *exec.Cmd {
		cmd := exec.Command("/parley", args...)
		cmd.Dir, cmd.Env = "/", []string{}
		cmd.SysProcAttr = confined(root)
		return cmd
	}
	s := &server{t: t, args: args, url: url, log: &logBuffer{}, ended: make(chan struct{})}
	s.cmd = inside(args...)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		if errors.Is(err, syscall.EPERM) && os.Getuid() != 0 {
			t.Logf("NOT TESTED: this machine lets only root change the root directory (%v); CI runs as root", err)
			return
		}
		t.Fatal(err)
	}
	go func() { _ = s.cmd.Wait(); close(s.ended) }()
	t.Cleanup(func() { _ = s.cmd.Process.Kill(); <-s.ended })
	s.until("it is ready", func() bool {
		answer, err := http.Get(url + "/readyz")
		if err == nil {
			_ = answer.Body.Close()
		}
		return err == nil && answer.StatusCode == http.StatusOK
	})
	if status, body := s.get("/"); status != 200 || !strings.Contains(body, "Parley") {
		t.Errorf("the page is %d", status)
	}
	if out, err := inside(append([]string{"healthcheck"}, args[1:]...)...).CombinedOutput(); err != nil || string(out) != "ready\n" {
		t.Errorf("the health check of the image gave %v %s", err, out)
	}
	s.ring(30)
	s.signal(syscall.SIGTERM)
	if code := s.wait(10 * time.Second); code != 0 {
		t.Errorf("it ended with %d:\n%s", code, s.log)
	}
}

// confined is a process without rights in another root directory. Who is not root does it in a user namespace.
func confined(root string) *syscall.SysProcAttr {
	if os.Getuid() == 0 {
		return &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	return &syscall.SysProcAttr{
		Chroot: root, Cloneflags: syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Getgid(), Size: 1}},
	}
}
