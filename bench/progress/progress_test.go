package progress_test

import (
	"bytes"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/parleyrtc/parley/bench/progress"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPlainLinesAreFew(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	d := progress.New(&out, progress.Terminal{}, func() time.Time { return now })
	d.Update("joining", 0, 50, "clients")
	d.Update("joining", 50, 50, "clients")
	for i := range 101 {
		d.Update("measuring", float64(i)/10, 10, "s")
		now = now.Add(100 * time.Millisecond)
	}
	d.Update("measuring", 10, 10, "s")
	d.Update("leaving", 0, 0, "")
	d.Close()
	want := "joining: 0 of 50 clients\njoining: 50 of 50 clients\nmeasuring: 0 of 10 s\nmeasuring: 5 of 10 s\nmeasuring: 10 of 10 s\nleaving\n"
	if out.String() != want {
		t.Errorf("plain progress:\n%s\nwant:\n%s", out.String(), want)
	}
}

// screen collects what a bar draws.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func TestABarEndsWithItsDisplay(t *testing.T) {
	for _, color := range []bool{false, true} {
		var out screen
		d := progress.New(&out, progress.Terminal{Is: true, Color: color, Width: 80}, time.Now)
		d.Update("joining", 3, 50, "clients")
		d.Update("measuring", 1, 10, "s")
		d.Update("measuring", 11, 10, "s") // late is not an error
		d.Close()
		if colored := strings.Contains(out.text.String(), "\x1b[36m"); colored && !color {
			t.Errorf("a display without colour draws %q", out.text.String())
		}
	}
}

func TestAFileIsNoTerminal(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if kind := progress.Look(file, os.Getenv); kind != (progress.Terminal{}) {
		t.Errorf("a file is taken for %+v", kind)
	}
}
