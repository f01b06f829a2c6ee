// Package serve starts a parley process for tests and load runs, and asks it how it is.
package serve

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// readyWait is how long a process may take until it is ready.
const readyWait = 20 * time.Second

// Build compiles the server from the source around into dir, with extra flags for go build, and returns the path of the binary.
// It says its version when the source is a git checkout.
func Build(dir string, flags ...string) (string, error) {
	path := filepath.Join(dir, "parley")
	args := append([]string{"build"}, flags...)
	if version := Describe("."); version != "" {
		args = append(args, "-ldflags", "-X main.version="+version)
	}
	args = append(args, "-o", path, "github.com/parleyrtc/parley/cmd/parley")
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build parley: %w\n%s", err, out)
	}
	return path, nil
}

// Describe is what git calls the state of a source tree, as the Makefile does for the binaries it builds: the newest tag or the
// commit, and -dirty when files are changed. It is empty where git does not know.
func Describe(dir string) string {
	out, err := exec.Command("git", "-C", dir, "describe", "--tags", "--always", "--dirty").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// Process is one parley process on free ports of the loopback interface. Kill and Start again keep its ports and data.
// Start, Kill and Stop want one caller at a time; the other methods may be called from any goroutine.
type Process struct {
	Base  string // http://127.0.0.1:port of the public listener
	Admin string // the same of the admin listener
	Media string // port of media over UDP and TCP
	TURN  string // port of TURN over UDP and TCP
	TURNS string // port of TURN over TLS
	Relay int    // the first of the 101 relay ports

	binary string
	env    []string
	cmd    *exec.Cmd
	exited chan struct{} // closed when cmd has been waited for
	output *output
}

// New prepares `parley serve --dev` with its data and the certificate for TURN over TLS (see Certificate) in the two
// directories, and with extra PARLEY_ variables.
func New(binary, data, certificate string, extra ...string) (*Process, error) {
	var ports [6]string
	for i := range ports {
		var err error
		if ports[i], err = FreePort(); err != nil {
			return nil, err
		}
	}
	relay, err := strconv.Atoi(ports[5])
	if err != nil {
		return nil, err
	}
	p := &Process{
		Base: "http://127.0.0.1:" + ports[0], Admin: "http://127.0.0.1:" + ports[1],
		Media: ports[2], TURN: ports[3], TURNS: ports[4], Relay: min(relay, 65000), binary: binary,
	}
	p.env = append(os.Environ(),
		"PARLEY_HTTP_LISTEN=127.0.0.1:"+ports[0],
		"PARLEY_ADMIN_LISTEN=127.0.0.1:"+ports[1],
		"PARLEY_MEDIA_UDP=127.0.0.1:"+p.Media,
		"PARLEY_MEDIA_TCP=127.0.0.1:"+p.Media,
		"PARLEY_TURN_UDP=127.0.0.1:"+p.TURN,
		"PARLEY_TURN_TCP=127.0.0.1:"+p.TURN,
		"PARLEY_TURN_TLS=127.0.0.1:"+p.TURNS,
		"PARLEY_TURN_CERT_FILE="+filepath.Join(certificate, CertFile),
		"PARLEY_TURN_KEY_FILE="+filepath.Join(certificate, KeyFile),
		"PARLEY_TURN_RELAY_PORT_MIN="+strconv.Itoa(p.Relay),
		"PARLEY_TURN_RELAY_PORT_MAX="+strconv.Itoa(p.Relay+100),
		"PARLEY_STORE_DIR="+data,
		"PARLEY_SHUTDOWN_WAIT=100ms",
	)
	p.env = append(p.env, extra...)
	return p, nil
}

// Start runs the process and returns when it is ready. After an error it does not run.
func (p *Process) Start() error {
	p.output = &output{}
	p.cmd = exec.Command(p.binary, "serve", "--dev")
	p.cmd.Env = p.env
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	ownGroup(p.cmd)
	if err := p.cmd.Start(); err != nil {
		return err
	}
	cmd, exited := p.cmd, make(chan struct{})
	p.exited = exited
	go func() { // ends with the process; Kill and Stop wait for it
		_ = cmd.Wait() // how it ended is in the output
		close(exited)
	}()
	deadline := time.Now().Add(readyWait)
	for {
		resp, err := http.Get(p.Base + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-exited:
			return fmt.Errorf("the server did not start:\n%s", p.Output())
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			p.Kill()
			return fmt.Errorf("the server is not ready after %v\n%s", readyWait, p.Output())
		}
	}
}

// Kill ends the process as a power cut would, by its pid, and waits for it.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may be gone already
	<-p.exited
}

// Stop asks the process to end and waits for it.
func (p *Process) Stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // after a Kill it does nothing
	<-p.exited
}

// Exited is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Output is what the process has written so far.
func (p *Process) Output() string { return p.output.String() }

// output collects what a process writes.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

// Write is io.Writer.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

// String is what was written so far.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// FreePort finds a port of the loopback interface that is free for TCP and UDP at this moment. It is one below those that
// systems give to clients by themselves (32768 and up on Linux), so that no client takes it before the server does.
func FreePort() (string, error) {
	for range 200 {
		port := strconv.Itoa(10_000 + rand.IntN(22_000))
		tcp, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			continue
		}
		udp, err := net.ListenPacket("udp", "127.0.0.1:"+port)
		_ = tcp.Close()
		if err == nil {
			_ = udp.Close()
			return port, nil
		}
	}
	return "", errors.New("no port is free")
}
