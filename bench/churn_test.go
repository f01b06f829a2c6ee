package bench

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/parleyrtc/parley/bench/serve"
)

// shortChurn is enough for a leak to show.
var shortChurn = ChurnConfig{Pairs: 2, Duration: time.Second, Warm: 1, Settle: 3 * time.Second}

func TestChurnOfAServerThatKeepsNothingPasses(t *testing.T) {
	t.Parallel()
	r, err := Churn(t.Context(), testServer(t), shortChurn, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Failures) != 0 {
		t.Errorf("failures: %v", r.Failures)
	}
	if rounds, _ := r.Figure("rounds"); rounds.Value < 1 {
		t.Errorf("%v rounds", rounds.Value)
	}
}

// leakyBinary is parley with a file more, which leaks ten goroutines on a signal.
func leakyBinary(t *testing.T) string {
	t.Helper()
	leak, err := filepath.Abs("testdata/leak.go.txt")
	if err != nil {
		t.Fatal(err)
	}
	added, err := filepath.Abs("../cmd/parley/leak_for_bench.go")
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{added: leak}})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	binary, err := serve.Build(dir, "-overlay", path)
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

func TestChurnOfAServerThatLeaksTenGoroutinesFails(t *testing.T) {
	server, err := Serve(t.Context(), ServeConfig{Binary: leakyBinary(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	server.Cores = Cores{}
	var once sync.Once
	r, err := Churn(t.Context(), server.Target, shortChurn, func(u Update) {
		if u.Phase == "churning" { // the baseline has been taken
			once.Do(func() {
				if err := syscall.Kill(server.PID, syscall.SIGUSR2); err != nil {
					t.Error(err)
				}
			})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Failures) != 1 || !strings.Contains(r.Failures[0], "goroutines") {
		t.Fatalf("failures: %v; want the leaked goroutines", r.Failures)
	}
	before, _ := r.Figure("goroutines.before")
	after, _ := r.Figure("goroutines.after")
	if leaked := after.Value - before.Value; leaked < 8 || leaked > 12 {
		t.Errorf("%v goroutines are said to have leaked, want about 10", leaked)
	}
}

func TestWhatALeakIs(t *testing.T) {
	before := level{goroutines: 40, heap: 10 << 20, fds: 20}
	for name, row := range map[string]struct {
		now   level
		leaks int
	}{
		"the same":        {before, 0},
		"less":            {level{30, 5 << 20, 10}, 0},
		"within spare":    {level{45, 16 << 20, 24}, 0},
		"ten goroutines":  {level{50, 10 << 20, 20}, 1},
		"five open files": {level{40, 10 << 20, 25}, 1},
		"much memory":     {level{40, 17 << 20, 20}, 1},
		"everything":      {level{50, 17 << 20, 25}, 3},
	} {
		if leaks := before.leaks(row.now); len(leaks) != row.leaks {
			t.Errorf("%s: leaks %v, want %d", name, leaks, row.leaks)
		}
	}
}

func TestChurnWithoutMetricsSaysSo(t *testing.T) {
	t.Parallel()
	server := testServer(t)
	server.Admin = ""
	_, err := Churn(context.Background(), server, shortChurn, nil)
	if err == nil || !strings.Contains(err.Error(), "--admin") {
		t.Errorf("churn without metrics: %v", err)
	}
}
