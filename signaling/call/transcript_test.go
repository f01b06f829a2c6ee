package call

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "record the transcripts and tables in testdata anew")

// TestTranscripts plays every story in testdata. Lines that start with "> " are input, indented lines are what the
// machine made of it, everything else is for the reader.
func TestTranscripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal("no stories", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, path, tell(t, string(want)))
		})
	}
}

// golden compares got with the file, or with -update makes the file say got.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("the machine tells another story (-want +got); look at it, then -update:\n%s", diff)
	}
}

// tell plays the input lines of a transcript and returns it with what came of them.
func tell(t *testing.T, transcript string) string {
	t.Helper()
	s := &story{now: start}
	var b strings.Builder
	for line := range strings.Lines(transcript) {
		if strings.HasPrefix(line, "  ") {
			continue
		}
		b.WriteString(line)
		input, ok := strings.CutPrefix(strings.TrimSpace(line), "> ")
		if !ok {
			continue
		}
		done := s.play(t, input)
		for _, e := range done.timers {
			b.WriteString("  (" + s.now.Sub(start).String() + ") " + show(e) + "\n")
		}
		for _, e := range done.effects {
			b.WriteString("  " + show(e) + "\n")
		}
		var refusal *Error
		if errors.As(done.err, &refusal) {
			b.WriteString("  refused: " + string(refusal.Code))
			if other := refusal.SessionID + refusal.Field; other != "" {
				b.WriteString(" (" + other + ")")
			}
			b.WriteString("\n")
		}
		if s.call != nil {
			b.WriteString("  " + s.now.Sub(start).Round(time.Millisecond).String() + ": " + s.describe() + "\n")
		}
	}
	return b.String()
}
