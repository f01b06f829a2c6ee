package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

func openQueue(t testing.TB, s *JetStream, c QueueConfig) *Queue {
	t.Helper()
	q, err := s.Queue(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func put(t testing.TB, q *Queue, values ...string) {
	t.Helper()
	for _, v := range values {
		if err := q.Put(t.Context(), NewItem{ID: v, Value: []byte(v)})[0]; err != nil {
			t.Fatal(err)
		}
	}
}

// read reads so many items.
func read(t testing.TB, q *Queue, after uint64, n int) (values []string, numbers []uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err := q.Read(ctx, after, func(i Item) {
		values, numbers = append(values, string(i.Value)), append(numbers, i.Number)
		if len(values) == n {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("read %v, then %v", values, err)
	}
	return values, numbers
}

func TestAQueueKeepsItsOrderOverARestart(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	q := openQueue(t, s, QueueConfig{Name: "hooks", MaxBytes: 1 << 20, MaxAge: time.Hour})
	put(t, q, "a", "b", "c", "b", "d")
	_, numbers := read(t, q, 0, 4)
	for range 2 { // removing is the same twice
		if err := q.Remove(t.Context(), numbers[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	q = openQueue(t, s, QueueConfig{Name: "hooks", MaxBytes: 1 << 20, MaxAge: time.Hour})
	put(t, q, "e")
	if got, _ := read(t, q, 0, 4); !slices.Equal(got, []string{"a", "c", "d", "e"}) {
		t.Errorf("the queue has %v", got)
	}
	if got, _ := read(t, q, numbers[2], 2); !slices.Equal(got, []string{"d", "e"}) {
		t.Errorf("after c come %v", got)
	}
	page, err := q.Page(t.Context(), numbers[0], 2)
	if err != nil || len(page) != 2 || string(page[0].Value) != "c" || string(page[1].Value) != "d" {
		t.Errorf("a page has %v, %v", page, err)
	}
	if _, err := q.Get(t.Context(), numbers[1]); !errors.Is(err, ErrNotFound) {
		t.Errorf("a removed item gives %v", err)
	}
	if err := q.RemoveBefore(t.Context(), numbers[2]); err != nil {
		t.Fatal(err)
	}
	if page, err := q.Page(t.Context(), 0, 10); err != nil || len(page) != 3 || string(page[0].Value) != "c" {
		t.Errorf("without what was before c it has %v, %v", page, err)
	}
	if n, err := q.Len(t.Context()); n != 3 || err != nil {
		t.Errorf("it has %d items, %v", n, err)
	}
}

func TestAFullQueueRefusesOrForgets(t *testing.T) {
	s := open(t, t.TempDir())
	refuses := openQueue(t, s, QueueConfig{Name: "refuses", MaxBytes: 10 << 10, MaxAge: time.Hour})
	forgets := openQueue(t, s, QueueConfig{Name: "forgets", MaxBytes: 10 << 10, MaxAge: time.Hour, Forget: true})
	var refused error
	for i := range 20 {
		item := NewItem{ID: fmt.Sprint(i), Value: make([]byte, 1<<10)}
		if err := forgets.Put(t.Context(), item)[0]; err != nil {
			t.Fatal(err)
		}
		if err := refuses.Put(t.Context(), item)[0]; err != nil {
			refused = err
		}
	}
	if !errors.Is(refused, ErrFull) {
		t.Errorf("a full queue gives %v", refused)
	}
	if page, err := forgets.Page(t.Context(), 0, 100); err != nil || len(page) == 0 || len(page) > 10 || page[len(page)-1].Number != 20 {
		t.Errorf("a queue that forgets has %d items, %v", len(page), err)
	}
	if page, err := refuses.Page(t.Context(), 0, 100); err != nil || len(page) == 0 || page[0].Number != 1 {
		t.Errorf("a queue that refuses has %d items, %v", len(page), err)
	}
}

func TestAScanReadsEveryRecordOnce(t *testing.T) {
	s := open(t, t.TempDir())
	want := map[string]bool{}
	for i := range 300 {
		key := fmt.Sprintf("history/%d", i)
		commit(t, s, Change{Key: key, Value: []byte(key), Blind: true, TTL: time.Hour})
		if i%3 == 0 {
			commit(t, s, Change{Key: key, Blind: true})
		} else {
			want[key] = true
		}
	}
	commit(t, s, Change{Key: "call/1", Value: []byte("x"), Blind: true})
	before := time.Now()
	err := s.Scan(t.Context(), "history", func(r Record, expires time.Time) error {
		if !want[r.Key] || string(r.Value) != r.Key {
			t.Errorf("found %s %s", r.Key, r.Value)
		}
		delete(want, r.Key)
		if left := expires.Sub(before); left < 50*time.Minute || left > 61*time.Minute {
			t.Errorf("%s ends in %v", r.Key, left)
		}
		if again, err := s.At(t.Context(), r.Revision); err != nil || again.Key != r.Key {
			t.Errorf("at revision %d is %v, %v", r.Revision, again, err)
		}
		return nil
	})
	if err != nil || len(want) > 0 {
		t.Errorf("%d records were not found, %v", len(want), err)
	}
	if err := s.Scan(t.Context(), "nothing", func(Record, time.Time) error { t.Error("found something"); return nil }); err != nil {
		t.Error(err)
	}
}
