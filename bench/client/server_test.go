package client_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parleyrtc/parley/bench/client"
	"github.com/parleyrtc/parley/bench/serve"
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
	if parleyBinary, err = serve.Build(dir, buildFlags...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := serve.Certificate(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// pion's TURN client offers no setting for its roots, but Go reads them from this file.
	if err := os.Setenv("SSL_CERT_FILE", filepath.Join(dir, serve.CertFile)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// server is one parley process that a test fails with.
type server struct {
	*serve.Process
	t     testing.TB
	turn  string // port of TURN over UDP and TCP
	turns string // port of TURN over TLS
}

// startServer runs `parley serve --dev` with generous rates and the extra PARLEY_ variables, and ends it with the test.
func startServer(t testing.TB, extra ...string) *server {
	t.Helper()
	env := append([]string{
		"PARLEY_SIGNALING_OFFER_RATE=1000", "PARLEY_SIGNALING_OFFER_BURST=1000",
		"PARLEY_CALLS_RINGS_PER_MINUTE=10000",
		"PARLEY_HTTP_REQUEST_RATE=1000", "PARLEY_HTTP_REQUEST_BURST=10000",
	}, extra...)
	p, err := serve.New(parleyBinary, t.TempDir(), filepath.Dir(parleyBinary), env...)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{Process: p, t: t, turn: p.TURN, turns: p.TURNS}
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *server) start() {
	s.t.Helper()
	if err := s.Start(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) kill() { s.Kill() }

func (s *server) stop() {
	s.Stop()
	if s.t.Failed() {
		s.t.Logf("server:\n%s", s.Output())
	}
	if strings.Contains(s.Output(), "DATA RACE") {
		s.t.Errorf("data race in the server:\n%s", s.Output())
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
	cfg.URL, cfg.Token = s.Socket(), s.token(uid)
	c, err := client.Dial(ctx, cfg)
	if err != nil {
		s.t.Fatalf("%s: %v", uid, err)
	}
	s.t.Cleanup(c.Close)
	return c
}

func (s *server) token(uid string) string {
	s.t.Helper()
	token, err := s.Token(uid)
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}

// restAs sends one request with a user's token.
func (s *server) restAs(token, method, path string, in any) {
	s.t.Helper()
	if err := s.REST(token, method, path, in, nil); err != nil {
		s.t.Fatal(err)
	}
}

// metric reads one number without labels from /metrics.
func (s *server) metric(name string) float64 {
	s.t.Helper()
	value, err := s.Metric(name)
	if err != nil {
		s.t.Fatal(err)
	}
	return value
}

// collect has the server collect its garbage.
func (s *server) collect() {
	s.t.Helper()
	if err := s.Collect(); err != nil {
		s.t.Fatal(err)
	}
}
