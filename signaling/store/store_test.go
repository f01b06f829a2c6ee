package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(victimEnv); dir != "" {
		victim(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

func open(t testing.TB, dir string) *JetStream {
	t.Helper()
	s, err := Open(t.Context(), Config{Dir: dir, Logger: slog.New(slog.NewTextHandler(testLog{t}, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// testLog fails a test in which NATS complains.
type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Errorf("unexpected log: %s", p)
	return len(p), nil
}

func commit(t testing.TB, s *JetStream, changes ...Change) []uint64 {
	t.Helper()
	revisions, err := s.Commit(t.Context(), changes)
	if err != nil {
		t.Fatal(err)
	}
	return revisions
}

func expectValue(t testing.TB, s *JetStream, key, want string, revision uint64) {
	t.Helper()
	record, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	if string(record.Value) != want || record.Revision != revision || record.Key != key {
		t.Fatalf("%s: got %+v, want value %q revision %d", key, record, want, revision)
	}
}

func expectAbsent(t testing.TB, s *JetStream, keys ...string) {
	t.Helper()
	for _, key := range keys {
		if record, err := s.Get(t.Context(), key); !errors.Is(err, ErrNotFound) {
			t.Fatalf("%s: got %+v, %v, want ErrNotFound", key, record, err)
		}
	}
}

func keys(t testing.TB, s *JetStream, prefix string) string {
	t.Helper()
	records, err := s.List(t.Context(), prefix)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, record := range records {
		all = append(all, record.Key+"="+string(record.Value))
	}
	return strings.Join(all, " ")
}

func TestOneRecordThroughItsLife(t *testing.T) {
	s := open(t, t.TempDir())
	expectAbsent(t, s, "call/1")
	first := commit(t, s, Change{Key: "call/1", Value: []byte("a")})[0]
	expectValue(t, s, "call/1", "a", first)

	if _, err := s.Commit(t.Context(), []Change{{Key: "call/1", Value: []byte("b")}}); !errors.Is(err, ErrConflict) {
		t.Fatalf("created twice: %v", err)
	}
	if _, err := s.Commit(t.Context(), []Change{{Key: "call/1", Value: []byte("b"), Expect: first + 1}}); !errors.Is(err, ErrConflict) {
		t.Fatalf("wrong revision: %v", err)
	}
	second := commit(t, s, Change{Key: "call/1", Value: []byte("b"), Expect: first})[0]
	expectValue(t, s, "call/1", "b", second)
	third := commit(t, s, Change{Key: "call/1", Value: []byte{}, Blind: true})[0]
	expectValue(t, s, "call/1", "", third)

	if _, err := s.Commit(t.Context(), []Change{{Key: "call/1", Expect: second}}); !errors.Is(err, ErrConflict) {
		t.Fatalf("deleted at an old revision: %v", err)
	}
	commit(t, s, Change{Key: "call/1", Expect: third})
	expectAbsent(t, s, "call/1")
	if got := keys(t, s, ""); got != "" {
		t.Fatalf("a deleted record is listed: %s", got)
	}
	if _, err := s.Commit(t.Context(), []Change{{Key: "call/1", Value: []byte("c"), Expect: third}}); !errors.Is(err, ErrConflict) {
		t.Fatalf("changed after deletion: %v", err)
	}
	again := commit(t, s, Change{Key: "call/1", Value: []byte("c")})[0]
	expectValue(t, s, "call/1", "c", again)
}

func TestABatchIsWrittenWhole(t *testing.T) {
	s := open(t, t.TempDir())
	revisions := commit(t, s, Change{Key: "call/1", Value: []byte("c")}, Change{Key: "user/a", Value: []byte("a")},
		Change{Key: "user/b", Value: []byte("b")})
	for i, key := range []string{"call/1", "user/a", "user/b"} {
		expectValue(t, s, key, key[len(key)-1:len(key)-1]+[]string{"c", "a", "b"}[i], revisions[i])
	}
	// A deletion in the middle is sent first; the revisions still belong to their changes.
	next := commit(t, s, Change{Key: "call/1", Value: []byte("c2"), Expect: revisions[0]},
		Change{Key: "user/a", Expect: revisions[1]}, Change{Key: "user/b", Value: []byte("b2"), Expect: revisions[2]},
		Change{Key: "history/1", Value: []byte("h")})
	expectValue(t, s, "call/1", "c2", next[0])
	expectAbsent(t, s, "user/a")
	expectValue(t, s, "user/b", "b2", next[2])
	expectValue(t, s, "history/1", "h", next[3])
	// A new record in the place of a deleted one, within a batch.
	last := commit(t, s, Change{Key: "user/a", Value: []byte("a3")}, Change{Key: "call/1", Expect: next[0]}, Change{Key: "user/new", Value: []byte("n")})
	expectValue(t, s, "user/a", "a3", last[0])
	expectAbsent(t, s, "call/1")
	if got, want := keys(t, s, "user"), "user/b=b2 user/a=a3 user/new=n"; got != want {
		t.Fatalf("listed %q, want %q", got, want)
	}
}

func TestAConflictWritesNothing(t *testing.T) {
	s := open(t, t.TempDir())
	at := commit(t, s, Change{Key: "user/a", Value: []byte("a")}, Change{Key: "user/b", Value: []byte("b")})
	for place := range 3 {
		changes := []Change{
			{Key: "call/new", Value: []byte("x")},
			{Key: "user/a", Value: []byte("x"), Expect: at[0]},
			{Key: "user/b", Value: []byte("x"), Expect: at[1]},
		}
		changes[place].Expect += 7
		if _, err := s.Commit(t.Context(), changes); !errors.Is(err, ErrConflict) {
			t.Fatalf("place %d: %v", place, err)
		}
		expectAbsent(t, s, "call/new")
		expectValue(t, s, "user/a", "a", at[0])
		expectValue(t, s, "user/b", "b", at[1])
	}
	// A conflict of a deletion counts as well.
	if _, err := s.Commit(t.Context(), []Change{{Key: "user/a", Expect: at[0]}, {Key: "user/b", Expect: at[1] + 1}}); !errors.Is(err, ErrConflict) {
		t.Fatal(err)
	}
	expectValue(t, s, "user/a", "a", at[0])
}

func TestBadCommitsAreRefused(t *testing.T) {
	s := open(t, t.TempDir())
	many := make([]Change, MaxChanges+1)
	for i := range many {
		many[i].Key = fmt.Sprint(i)
	}
	big := make([]byte, MaxValue)
	for name, test := range map[string]struct {
		changes []Change
		want    error
	}{
		"empty key":       {[]Change{{Value: []byte("x")}}, ErrBadKey},
		"same key twice":  {[]Change{{Key: "a", Value: []byte("x")}, {Key: "a", Value: []byte("y")}}, ErrBadKey},
		"long key":        {[]Change{{Key: strings.Repeat("k", MaxKey+1)}}, ErrTooLarge},
		"large value":     {[]Change{{Key: "a", Value: make([]byte, MaxValue+1)}}, ErrTooLarge},
		"too many":        {many, ErrTooLarge},
		"large in total":  {[]Change{{Key: "1", Value: big}, {Key: "2", Value: big}, {Key: "3", Value: big}, {Key: "4", Value: big}, {Key: "5", Value: big}, {Key: "6", Value: big}, {Key: "7", Value: big}, {Key: "8", Value: big}, {Key: "9", Value: big}}, ErrTooLarge},
		"nothing to do":   {nil, nil},
		"large but legal": {[]Change{{Key: "1", Value: big}, {Key: strings.Repeat("*", MaxKey), Value: big}}, nil},
	} {
		if _, err := s.Commit(t.Context(), test.changes); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", name, err, test.want)
		}
	}
	if got, err := s.Get(t.Context(), strings.Repeat("*", MaxKey)); err != nil || !bytes.Equal(got.Value, big) {
		t.Errorf("the largest record did not come back: %v", err)
	}
}

func TestEverythingIsThereAfterReopening(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "by", "open")
	s := open(t, dir)
	at := commit(t, s, Change{Key: "call/1", Value: []byte("c")}, Change{Key: "user/a", Value: []byte("a")}, Change{Key: "user/b", Value: []byte("b")})
	commit(t, s, Change{Key: "user/b", Expect: at[2]})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "call/1"); !errors.Is(err, ErrClosed) {
		t.Fatalf("read after close: %v", err)
	}
	if _, err := s.Commit(t.Context(), []Change{{Key: "x", Blind: true}, {Key: "y", Blind: true}}); !errors.Is(err, ErrClosed) {
		t.Fatalf("commit after close: %v", err)
	}
	s = open(t, dir)
	expectValue(t, s, "call/1", "c", at[0])
	expectValue(t, s, "user/a", "a", at[1])
	expectAbsent(t, s, "user/b")
	if next := commit(t, s, Change{Key: "user/b", Value: []byte("b2")}); next[0] <= at[2]+1 {
		t.Fatalf("revision %d was used before", next[0])
	}
}

func TestTombstonesGoAway(t *testing.T) {
	s := open(t, t.TempDir())
	s.tombstone = time.Second
	at := commit(t, s, Change{Key: "call/1", Value: []byte("c")}, Change{Key: "call/2", Value: []byte("c")})
	commit(t, s, Change{Key: "call/1", Expect: at[0]}, Change{Key: "call/2", Expect: at[1]})
	deadline := time.Now().Add(20 * time.Second)
	for {
		info, err := s.stream.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if info.State.Msgs == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d tombstones are still there", info.State.Msgs)
		}
		time.Sleep(50 * time.Millisecond) // NATS has no signal for it
	}
	revision := commit(t, s, Change{Key: "call/1", Value: []byte("c2")})[0]
	expectValue(t, s, "call/1", "c2", revision)
	if revision <= at[1] {
		t.Fatalf("revision %d was used before", revision)
	}
}

// Whoever sends may first have to send an older commit of the same record, and must not forget its own over it.
func TestACommitBehindAnotherOfTheSameRecordIsSent(t *testing.T) {
	s := open(t, t.TempDir())
	older := &job{changes: []Change{{Key: "a", Value: []byte("1"), Blind: true}, {Key: "b", Value: []byte("1"), Blind: true}},
		expect: make([]uint64, 2), done: make(chan struct{})}
	s.waiting.add(older)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := s.Commit(ctx, []Change{{Key: "a", Value: []byte("2"), Blind: true}, {Key: "b", Value: []byte("2"), Blind: true}}); err != nil {
		t.Fatal(err)
	}
	<-older.done
	if record, err := s.Get(ctx, "a"); err != nil || string(record.Value) != "2" || older.err != nil {
		t.Errorf("a is %q (%v), the older commit: %v", record.Value, err, older.err)
	}
}

func TestSixteenWritersLoseNoIncrement(t *testing.T) {
	s := open(t, t.TempDir())
	const writers, rounds = 16, 3
	commit(t, s, Change{Key: "a", Value: []byte("0")}, Change{Key: "b", Value: []byte("0")})
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for range rounds {
				if err := increment(t.Context(), s, "a", "b"); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	for _, key := range []string{"a", "b"} {
		record, err := s.Get(t.Context(), key)
		if want := fmt.Sprint(writers * rounds); err != nil || string(record.Value) != want {
			t.Errorf("%s is %s, want %s (%v)", key, record.Value, want, err)
		}
	}
}

// increment adds one to each record in one commit, and tries again after a conflict.
func increment(ctx context.Context, s *JetStream, keys ...string) error {
	for {
		var changes []Change
		for _, key := range keys {
			record, err := s.Get(ctx, key)
			if err != nil {
				return err
			}
			var n int
			if _, err := fmt.Sscan(string(record.Value), &n); err != nil {
				return err
			}
			changes = append(changes, Change{Key: key, Value: []byte(fmt.Sprint(n + 1)), Expect: record.Revision})
		}
		if _, err := s.Commit(ctx, changes); !errors.Is(err, ErrConflict) {
			return err
		}
	}
}

func TestAContextThatEndsStopsTheOperation(t *testing.T) {
	s := open(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Get(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("get: %v", err)
	}
	if _, err := s.Commit(ctx, []Change{{Key: "a", Blind: true}, {Key: "b", Blind: true}}); !errors.Is(err, context.Canceled) {
		t.Errorf("commit: %v", err)
	}
	if _, err := s.List(ctx, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("list: %v", err)
	}
}

func TestCloseWaitsForCommits(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	var acknowledged sync.Map
	var group sync.WaitGroup
	started := make(chan struct{}, 8)
	for w := range 8 {
		group.Go(func() {
			for n := 0; ; n++ {
				a, b := fmt.Sprintf("a/%d/%d", w, n), fmt.Sprintf("b/%d/%d", w, n)
				_, err := s.Commit(t.Context(), []Change{{Key: a, Value: []byte("x")}, {Key: b, Value: []byte("x")}})
				if errors.Is(err, ErrClosed) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				acknowledged.Store(a, b)
				if n == 0 {
					started <- struct{}{}
				}
			}
		})
	}
	<-started
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	group.Wait()
	s = open(t, dir)
	acknowledged.Range(func(a, b any) bool {
		for _, key := range []any{a, b} {
			if _, err := s.Get(t.Context(), key.(string)); err != nil {
				t.Errorf("%s: %v", key, err)
			}
		}
		return true
	})
}

func TestARecordWithATTLEndsByItself(t *testing.T) {
	s := open(t, t.TempDir())
	commit(t, s, Change{Key: "history/a", Value: []byte("over"), TTL: time.Second})
	if _, err := s.Get(t.Context(), "history/a"); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if _, err := s.Get(t.Context(), "history/a"); errors.Is(err, ErrNotFound) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the record is still there")
		}
	}
	commit(t, s, Change{Key: "history/a", Value: []byte("a new one")})
	for name, changes := range map[string][]Change{
		"too short":     {{Key: "a", Value: []byte{1}, TTL: time.Millisecond}},
		"of a deletion": {{Key: "a", TTL: time.Hour}},
		"in a batch":    {{Key: "a", Value: []byte{1}, TTL: time.Hour}, {Key: "b", Value: []byte{1}}},
	} {
		if _, err := s.Commit(t.Context(), changes); !errors.Is(err, ErrBadTTL) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
