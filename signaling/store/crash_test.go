package store

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// victimEnv makes the test binary the process that is killed, on the data directory that it names.
const victimEnv = "PARLEY_STORE_VICTIM"

const (
	victimWriters = 4
	victimWidth   = 3 // records of one batch
)

// victim commits until it is killed. Each writer writes the next number to its three records in one batch, and prints the number
// once the batch is acknowledged.
func victim(dir string) {
	s, err := Open(context.Background(), Config{Dir: dir})
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	var print sync.Mutex
	for w := range victimWriters {
		go func() {
			for n := 1; ; n++ {
				var changes []Change
				for i := range victimWidth {
					changes = append(changes, Change{Key: victimKey(w, i), Value: []byte(fmt.Sprint(n)), Blind: true})
				}
				if _, err := s.Commit(context.Background(), changes); err != nil {
					fmt.Println("failed:", err)
					os.Exit(1)
				}
				print.Lock()
				fmt.Println(w, n)
				print.Unlock()
			}
		}()
	}
	select {}
}

func victimKey(writer, i int) string { return fmt.Sprintf("call/%d/%d", writer, i) }

func TestAKilledProcessLosesNothingItAcknowledged(t *testing.T) {
	for round := range 4 {
		dir := t.TempDir()
		acknowledged := killWhileCommitting(t, dir, 15+20*round)
		s := reopenAfterCrash(t, dir)
		for w := range victimWriters {
			var first string
			for i := range victimWidth {
				record, err := s.Get(t.Context(), victimKey(w, i))
				if err != nil {
					t.Fatalf("round %d: %s: %v", round, victimKey(w, i), err)
				}
				if i == 0 {
					first = string(record.Value)
				} else if string(record.Value) != first {
					t.Fatalf("round %d: half a batch: writer %d has %s and %s", round, w, first, record.Value)
				}
			}
			var n int
			if _, err := fmt.Sscan(first, &n); err != nil || n < acknowledged[w] {
				t.Fatalf("round %d: writer %d has %s, but %d was acknowledged", round, w, first, acknowledged[w])
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// killWhileCommitting runs a victim, kills it after so many acknowledgements, and returns the last one of each writer.
func killWhileCommitting(t *testing.T, dir string, after int) [victimWriters]int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), victimEnv+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var last [victimWriters]int
	lines := bufio.NewScanner(out)
	for count := 1; lines.Scan(); count++ {
		var w, n int
		if _, err := fmt.Sscan(lines.Text(), &w, &n); err != nil {
			break // cut by the kill
		}
		last[w] = n
		if count == after {
			if err := cmd.Process.Kill(); err != nil { // SIGKILL
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || last == [victimWriters]int{} {
		t.Fatalf("the victim was not killed at work: %v, %v", err, last)
	}
	return last
}

// reopenAfterCrash tolerates that nats-server reports what it repairs.
func reopenAfterCrash(t *testing.T, dir string) *JetStream {
	t.Helper()
	s, err := Open(t.Context(), Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
