package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parleyrtc/parley/bench/serve"
)

// build makes the static binary once for all tests that run it.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "parley-test")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "parley")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := build(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path)) // in the temporary directory
	}
	os.Exit(code)
}

func binary(t *testing.T) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// runWait bounds a command that is to end by itself.
const runWait = 30 * time.Second

// runBinary runs a command to its end, in an empty directory.
func runBinary(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), runWait)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary(t), args...)
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("parley %v did not end by itself:\n%s%s", args, &out, &errs)
	}
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// freePorts returns ports that nobody has, for TCP and UDP alike.
func freePorts(t *testing.T, n int) []string {
	t.Helper()
	var ports []string
	for len(ports) < n {
		port, err := serve.FreePort()
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(ports, port) {
			ports = append(ports, port)
		}
	}
	return ports
}

// server is a running parley process.
type server struct {
	t     *testing.T
	cmd   *exec.Cmd
	args  []string
	url   string
	admin string
	log   *logBuffer
	ended chan struct{}
}

// logBuffer collects what a process writes.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write is io.Writer.
func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// String is what was written so far.
func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// devArgs are the arguments of a --dev server with ports of its own.
func devArgs(t *testing.T, dir string, extra ...string) (args []string, url, admin string) {
	t.Helper()
	p := freePorts(t, 5)
	args = []string{"serve", "--dev"}
	for option, value := range map[string]string{
		"http.listen": "127.0.0.1:" + p[0], "admin.listen": "127.0.0.1:" + p[1], "media.udp": "127.0.0.1:" + p[2],
		"media.tcp": "127.0.0.1:" + p[2], "turn.udp": "127.0.0.1:" + p[3], "turn.tcp": "127.0.0.1:" + p[3],
		"turn.tls": "127.0.0.1:" + p[4], "store.dir": dir,
	} {
		args = append(args, "--set", option+"="+value)
	}
	return append(args, extra...), "http://127.0.0.1:" + p[0], "http://127.0.0.1:" + p[1]
}

// startDev runs a --dev server until the test ends, and waits until it is ready.
func startDev(t *testing.T, dir string, extra ...string) *server {
	t.Helper()
	s := &server{t: t}
	s.args, s.url, s.admin = devArgs(t, dir, extra...)
	s.start()
	return s
}

func (s *server) start() {
	s.t.Helper()
	s.log, s.ended = &logBuffer{}, make(chan struct{})
	s.cmd = exec.Command(binary(s.t), s.args...)
	s.cmd.Dir = s.t.TempDir()
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	cmd, ended := s.cmd, s.ended
	go func() { _ = cmd.Wait(); close(ended) }()
	s.t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
	s.until("it is ready", func() bool {
		answer, err := http.Get(s.url + "/readyz")
		if err != nil {
			return false
		}
		_ = answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
}

// until waits for something, and fails when the process ends first or it takes too long.
func (s *server) until(what string, holds func() bool) {
	s.t.Helper()
	deadline := time.After(20 * time.Second)
	for !holds() {
		select {
		case <-s.ended:
			if holds() {
				return
			}
			s.t.Fatalf("the server ended before %s:\n%s", what, s.log)
		case <-deadline:
			s.t.Fatalf("it took too long until %s:\n%s", what, s.log)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// wait waits until the process has ended and returns its exit code.
func (s *server) wait(atMost time.Duration) int {
	s.t.Helper()
	select {
	case <-s.ended:
		return s.cmd.ProcessState.ExitCode()
	case <-time.After(atMost):
		s.t.Fatalf("the server still runs after %v:\n%s", atMost, s.log)
		return -1
	}
}

func (s *server) signal(sig os.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// get fetches a path of the public listener, or a whole URL.
func (s *server) get(path string) (status int, body string) {
	s.t.Helper()
	if strings.HasPrefix(path, "/") {
		path = s.url + path
	}
	answer, err := http.Get(path)
	if err != nil {
		s.t.Fatalf("%v\n%s", err, s.log)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// rest does one REST request with the key of --dev and decodes the answer.
func (s *server) rest(method, path, body string, result any) int {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "ApiKey devkey:parley-development-secret-never-deploy")
	req.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatalf("%v\n%s", err, s.log)
	}
	defer answer.Body.Close()
	if result != nil {
		if err := json.NewDecoder(answer.Body).Decode(result); err != nil {
			s.t.Fatal(err)
		}
	}
	return answer.StatusCode
}

// callState is the part of a call that these tests look at.
type callState struct {
	Call struct {
		SessionID    string `json:"sessionId"`
		Status       string `json:"status"`
		RingDeadline int64  `json:"ringDeadline"`
	} `json:"call"`
}

// ring lets alice ring bob.
func (s *server) ring(seconds int) callState {
	s.t.Helper()
	var c callState
	body := fmt.Sprintf(`{"uid":"alice","receiverId":"bob","receiverType":"user","type":"audio","timeoutSeconds":%d}`, seconds)
	if status := s.rest("POST", "/v1/calls", body, &c); status != http.StatusCreated || c.Call.Status != "initiated" {
		s.t.Fatalf("ringing gave %d %+v\n%s", status, c, s.log)
	}
	return c
}
