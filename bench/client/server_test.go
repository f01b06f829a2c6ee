package client_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/parleyrtc/parley/bench/client"
)

// parleyBinary is the server under test, built once by TestMain.
var parleyBinary string

// buildFlags has the server built with the race detector when the tests are (race_test.go).
var buildFlags []string

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "parley-client-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	parleyBinary = filepath.Join(dir, "parley")
	build := exec.Command("go", append(append([]string{"build"}, buildFlags...), "-o", parleyBinary, "../../cmd/parley")...)
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build parley: %v\n%s", err, out)
		return 1
	}
	if err := writeTestCertificate(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// server is one parley process on ports of its own; kill and start again keep ports and data.
type server struct {
	t      testing.TB
	env    []string
	dir    string
	base   string // http://127.0.0.1:port
	admin  string // the same of the admin listener
	turn   string // port of TURN over UDP and TCP
	turns  string // port of TURN over TLS
	cmd    *exec.Cmd
	exited chan struct{} // closed when cmd has been waited for
	output *bytes.Buffer // read it after exited only
}

// startServer runs `parley serve --dev` with the extra PARLEY_ variables and ends it with the test.
func startServer(t testing.TB, extra ...string) *server {
	t.Helper()
	httpPort, media, turn, turns, admin := freePort(t), freePort(t), freePort(t), freePort(t), freePort(t)
	s := &server{
		t: t, dir: t.TempDir(), base: "http://127.0.0.1:" + httpPort, admin: "http://127.0.0.1:" + admin, turn: turn, turns: turns,
	}
	relay, _ := strconv.Atoi(freePort(t)) // freePort returns digits
	relay = min(relay, 65000)
	s.env = append(os.Environ(),
		"PARLEY_HTTP_LISTEN=127.0.0.1:"+httpPort,
		"PARLEY_ADMIN_LISTEN=127.0.0.1:"+admin,
		"PARLEY_MEDIA_UDP=127.0.0.1:"+media,
		"PARLEY_MEDIA_TCP=127.0.0.1:"+media,
		"PARLEY_TURN_UDP=127.0.0.1:"+turn,
		"PARLEY_TURN_TCP=127.0.0.1:"+turn,
		"PARLEY_TURN_TLS=127.0.0.1:"+turns,
		"PARLEY_TURN_CERT_FILE="+filepath.Join(filepath.Dir(parleyBinary), certFile),
		"PARLEY_TURN_KEY_FILE="+filepath.Join(filepath.Dir(parleyBinary), keyFile),
		"PARLEY_TURN_RELAY_PORT_MIN="+strconv.Itoa(relay),
		"PARLEY_TURN_RELAY_PORT_MAX="+strconv.Itoa(relay+100),
		"PARLEY_STORE_DIR="+s.dir,
		"PARLEY_SHUTDOWN_WAIT=100ms",
		"PARLEY_SIGNALING_OFFER_RATE=1000", "PARLEY_SIGNALING_OFFER_BURST=1000",
		"PARLEY_CALLS_RINGS_PER_MINUTE=10000",
		"PARLEY_HTTP_REQUEST_RATE=1000", "PARLEY_HTTP_REQUEST_BURST=10000",
	)
	s.env = append(s.env, extra...)
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *server) start() {
	s.t.Helper()
	s.output = &bytes.Buffer{}
	s.cmd = exec.Command(parleyBinary, "serve", "--dev")
	s.cmd.Env = s.env
	s.cmd.Stdout, s.cmd.Stderr = s.output, s.output
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	cmd, exited := s.cmd, make(chan struct{})
	s.exited = exited
	go func() {
		_ = cmd.Wait() // how it ended is in the output
		close(exited)
	}()
	deadline := time.Now().Add(20 * time.Second)
	for {
		resp, err := http.Get(s.base + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-exited:
			s.t.Fatalf("the server did not start:\n%s", s.output)
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.kill()
			s.t.Fatalf("the server is not ready after 20 s\n%s", s.output)
		}
	}
}

// kill ends the process as a power cut would, by its pid.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.exited
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // after a kill it does nothing
	<-s.exited
	if s.t.Failed() {
		s.t.Logf("server:\n%s", s.output)
	}
	if bytes.Contains(s.output.Bytes(), []byte("DATA RACE")) {
		s.t.Errorf("data race in the server:\n%s", s.output)
	}
}

// dial signs in as uid and connects.
func (s *server) dial(uid string) *client.Client {
	s.t.Helper()
	return s.dialAs(client.Config{}, uid)
}

func (s *server) dialAs(cfg client.Config, uid string) *client.Client {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	cfg.URL = "ws" + strings.TrimPrefix(s.base, "http") + "/v1/ws"
	cfg.Token = s.token(uid)
	c, err := client.Dial(ctx, cfg)
	if err != nil {
		s.t.Fatalf("%s: %v", uid, err)
	}
	s.t.Cleanup(c.Close)
	return c
}

func (s *server) token(uid string) string {
	s.t.Helper()
	var body struct {
		Token string `json:"token"`
	}
	s.rest("POST", "/v1/auth/login", map[string]string{"uid": uid, "authKey": "devkey"}, &body)
	return body.Token
}

func (s *server) rest(method, path string, in, out any) {
	s.t.Helper()
	raw, err := json.Marshal(in)
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequest(method, s.base+path, bytes.NewReader(raw))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		s.t.Fatalf("%s %s: %s", method, path, resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		s.t.Fatal(err)
	}
}

// metric reads one number without labels from /metrics.
func (s *server) metric(name string) float64 {
	s.t.Helper()
	resp, err := http.Get(s.base + "/metrics")
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			f, err := strconv.ParseFloat(value, 64)
			if err != nil {
				s.t.Fatal(err)
			}
			return f
		}
	}
	s.t.Fatalf("/metrics has no %s", name)
	return 0
}

// collect has the server collect its garbage, twice so that what finalizers and pools held goes too.
func (s *server) collect() {
	s.t.Helper()
	for range 2 {
		resp, err := http.Get(s.admin + "/debug/pprof/heap?gc=1")
		if err != nil {
			s.t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			s.t.Fatalf("heap profile: %s %v", resp.Status, err)
		}
	}
}

// freePort finds a port that is free for TCP and UDP at this moment.
func freePort(t testing.TB) string {
	t.Helper()
	for range 50 {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := net.SplitHostPort(tcp.Addr().String())
		udp, err := net.ListenPacket("udp", "127.0.0.1:"+port)
		tcp.Close()
		if err == nil {
			udp.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

// restAs sends one request with a user's token.
func (s *server) restAs(token, method, path string, in any) {
	s.t.Helper()
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			s.t.Fatal(err)
		}
	}
	req, err := http.NewRequest(method, s.base+path, &body)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		s.t.Fatalf("%s %s: %s", method, path, resp.Status)
	}
}
