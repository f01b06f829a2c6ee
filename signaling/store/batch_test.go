package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"
)

// TestCommitsThatShareABatchDoNotShareTheirFate lets many commit at once: of those who want the same record one gets it, with
// everything else it wanted, and nobody else is concerned.
func TestCommitsThatShareABatchDoNotShareTheirFate(t *testing.T) {
	s := open(t, t.TempDir())
	const wanted, each = 8, 4
	results := make([]error, wanted*each)
	var all sync.WaitGroup
	for i := range results {
		all.Go(func() {
			_, results[i] = s.Commit(t.Context(), []Change{
				{Key: fmt.Sprintf("own/%d", i), Value: []byte("x")},
				{Key: fmt.Sprintf("wanted/%d", i%wanted), Value: fmt.Append(nil, i)},
			})
		})
		all.Go(func() {
			if _, err := s.Commit(t.Context(), []Change{
				{Key: fmt.Sprintf("free/%d/a", i), Value: []byte("x")}, {Key: fmt.Sprintf("free/%d/b", i), Value: []byte("x")},
			}); err != nil {
				t.Errorf("a commit that nobody disputes: %v", err)
			}
		})
	}
	all.Wait()
	winners := map[int]int{}
	for i, err := range results {
		_, missing := s.Get(t.Context(), fmt.Sprintf("own/%d", i))
		switch {
		case err == nil && missing == nil:
			winners[i%wanted]++
			expectValue(t, s, fmt.Sprintf("wanted/%d", i%wanted), fmt.Sprint(i), revisionOf(t, s, fmt.Sprintf("wanted/%d", i%wanted)))
		case !errors.Is(err, ErrConflict) || !errors.Is(missing, ErrNotFound):
			t.Errorf("commit %d: %v, and its own record: %v", i, err, missing)
		}
	}
	for w := range wanted {
		if winners[w] != 1 {
			t.Errorf("record %d went to %d", w, winners[w])
		}
	}
}

func revisionOf(t *testing.T, s *JetStream, key string) uint64 {
	t.Helper()
	r, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return r.Revision
}

func TestRevisionsOfSharedBatchesAreThoseOfTheRecords(t *testing.T) {
	s := open(t, t.TempDir())
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			keys := []string{fmt.Sprintf("a/%d", i), fmt.Sprintf("b/%d", i)}
			got, err := s.Commit(t.Context(), []Change{{Key: keys[0], Value: []byte("x")}, {Key: keys[1], Value: []byte("y")}})
			if err != nil {
				t.Error(err)
				return
			}
			for n, key := range keys {
				if r, err := s.Get(t.Context(), key); err != nil || r.Revision != got[n] {
					t.Errorf("%s is at %d (%v), the commit said %d", key, r.Revision, err, got[n])
				}
			}
		})
	}
	all.Wait()
}

func TestWhoGivesUpWaitingForABatchCommitsNothingLater(t *testing.T) {
	s := open(t, t.TempDir())
	for range maxBatches {
		s.batches <- struct{}{} // as if the server were slow
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := s.Commit(ctx, []Change{{Key: "a", Value: []byte("x")}, {Key: "b", Value: []byte("x")}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("waiting gives %v", err)
	}
	for range maxBatches {
		<-s.batches
	}
	commit(t, s, Change{Key: "c", Value: []byte("x")}, Change{Key: "d", Value: []byte("x")})
	if _, err := s.Get(t.Context(), "a"); !errors.Is(err, ErrNotFound) {
		t.Errorf("the commit that was given up: %v", err)
	}
}

func TestABatchIsBounded(t *testing.T) {
	var q queue
	big := func(key string, changes int) *job {
		j := &job{}
		for i := range changes {
			j.changes = append(j.changes, Change{Key: fmt.Sprint(key, i), Value: []byte("x")})
		}
		return j
	}
	for _, j := range []*job{big("a", 150), big("b", 50), big("c", 1), big("d", 2), big("d", 2), big("e", MaxChanges)} {
		q.add(j)
	}
	var sizes []int
	for range 5 {
		sizes = append(sizes, len(q.take()))
	}
	if want := []int{2, 2, 1, 1, 0}; fmt.Sprint(sizes) != fmt.Sprint(want) {
		t.Errorf("batches of %v commits, want %v", sizes, want)
	}
}
