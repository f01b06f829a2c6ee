package bench

import (
	"context"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/parleyrtc/parley/bench/serve"
)

// testBinary is the server under test, built once.
var testBinary string

func TestMain(m *testing.M) {
	Child()
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "parley-bench-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if testBinary, err = serve.Build(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// testServer is a server with generous limits that ends with the test. Nothing is pinned: tests share their machine.
func testServer(t testing.TB, env ...string) Target {
	t.Helper()
	return testServerAt(t, ServeConfig{Env: env}).Target
}

func testServerAt(t testing.TB, cfg ServeConfig) *Server {
	t.Helper()
	cfg.Binary = testBinary
	s, err := Serve(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.Cores = Cores{}
	t.Cleanup(func() {
		s.Close()
		if t.Failed() {
			t.Logf("server:\n%s", s.Output())
		}
	})
	return s
}
