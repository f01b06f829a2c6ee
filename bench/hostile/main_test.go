// Package hostile attacks a running parley process from the loopback interface: as a stranger, as a user with a token of
// their own, and as a participant of a call. Each test states what must hold meanwhile and afterwards.
//
// The server is built without the race detector, because several attacks are floods and their conditions are times.
package hostile

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parleyrtc/parley/bench/client"
	"github.com/parleyrtc/parley/bench/serve"
)

// patience bounds every wait for something that should happen soon.
const patience = 20 * time.Second

var executable string // the server under attack, built once

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "parley-hostile-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if executable, err = serve.Build(dir); err == nil {
		err = serve.Certificate(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// target is the process under attack, with its default limits.
type target struct {
	*serve.Process
	t testing.TB

	mu      sync.Mutex
	secrets map[string]string // guarded by mu; what must not be in the log, by what it is
}

// start runs a server and, when the test ends, demands that it still serves, that nothing in it panicked and that its log
// has none of the secrets that were in play.
func start(t testing.TB, extra ...string) *target {
	t.Helper()
	p, err := serve.New(executable, t.TempDir(), filepath.Dir(executable), extra...)
	if err != nil {
		t.Fatal(err)
	}
	s := &target{Process: p, t: t, secrets: map[string]string{"the development secret": "parley-development-secret"}}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.verdict)
	return s
}

// panicked finds a stack trace of a recovered or of a fatal panic.
var panicked = regexp.MustCompile(`panic|goroutine \d+ \[`)

func (s *target) verdict() {
	s.survived()
	s.Stop()
	text := s.Output()
	if found := panicked.FindString(text); found != "" {
		s.t.Errorf("the log has %q", found)
	}
	for name, secret := range s.secrets {
		if strings.Contains(text, secret) {
			s.t.Errorf("the log has %s", name)
		}
	}
	if s.t.Failed() {
		s.t.Logf("the end of the server's log:\n%s", text[max(0, len(text)-4000):])
	}
}

// survived demands that the process lives and answers.
func (s *target) survived() {
	s.t.Helper()
	select {
	case <-s.Exited():
		s.t.Fatal("the process has ended")
	default:
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", s.Base+"/readyz", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Errorf("the server does not answer: %v", err)
		return
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		s.t.Errorf("the server is not ready: %s", resp.Status)
	}
}

// hush has the log searched for a secret at the end.
func (s *target) hush(name, secret string) {
	if len(secret) < 16 {
		s.t.Fatalf("%s is too short to be looked for: %q", name, secret)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets[name] = secret
}

// token signs in and remembers the token's payload and signature as secrets.
func (s *target) token(uid string) string {
	s.t.Helper()
	token, err := s.Token(uid)
	if err != nil {
		s.t.Fatal(err)
	}
	s.guard("the token of "+uid, token)
	return token
}

func (s *target) guard(name, token string) {
	for i, part := range strings.Split(token, ".") {
		if i > 0 && len(part) >= 16 {
			s.hush(fmt.Sprintf("part %d of %s", i, name), part)
		}
	}
}

func (s *target) metric(name string) float64 {
	s.t.Helper()
	value, err := s.Metric(name)
	if err != nil {
		s.t.Fatal(err)
	}
	return value
}

// memory is the process's resident memory in MiB.
func (s *target) memory() float64 { return s.metric("process_resident_memory_bytes") / (1 << 20) }

// grewBy demands that an attack left the resident memory within some MiB of what it was, and says how it was.
func (s *target) grewBy(name string, before, most float64) {
	s.t.Helper()
	now := s.memory()
	s.t.Logf("%s: resident memory %.0f → %.0f MiB", name, before, now)
	if now > before+most {
		s.t.Errorf("%s: resident memory grew from %.0f to %.0f MiB, more than %.0f", name, before, now, most)
	}
}

// dial connects as a user.
func (s *target) dial(uid string) *client.Client {
	s.t.Helper()
	return s.dialWith(client.Config{Token: s.token(uid)})
}

func (s *target) dialWith(cfg client.Config) *client.Client {
	s.t.Helper()
	cfg.URL = s.Socket()
	c, err := client.Dial(wait(s.t), cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(c.Close)
	return c
}

// wait is a context that ends after patience.
func wait(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits until something is so.
func eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !so(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("still not so: %s", what)
		}
	}
}

// code is the ERR_ code of a refusal, "" when there was none.
func code(t testing.TB, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	refusal, ok := asRefusal(err)
	if !ok {
		t.Fatalf("not a refusal: %v", err)
	}
	return refusal.Code
}
