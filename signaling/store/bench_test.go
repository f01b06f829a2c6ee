package store

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkCommit is the time until changes are on disk: one record, a call with its two users, and both from 16 at once.
func BenchmarkCommit(b *testing.B) {
	for _, width := range []int{1, 3} {
		changes := func(id int64) []Change {
			all := make([]Change, width)
			for i := range all {
				all[i] = Change{Key: fmt.Sprintf("call/%d/%d", id, i), Value: make([]byte, 1024), Blind: true}
			}
			return all
		}
		b.Run(fmt.Sprintf("records=%d/writers=1", width), func(b *testing.B) {
			s := open(b, b.TempDir())
			for b.Loop() {
				commit(b, s, changes(0)...)
			}
		})
		b.Run(fmt.Sprintf("records=%d/writers=16", width), func(b *testing.B) {
			s := open(b, b.TempDir())
			var ids atomic.Int64
			b.SetParallelism(8) // times GOMAXPROCS
			b.RunParallel(func(pb *testing.PB) {
				id := ids.Add(1)
				for pb.Next() {
					commit(b, s, changes(id)...)
				}
			})
		})
	}
}

// BenchmarkOpen is the time from a data directory to a store that answers.
func BenchmarkOpen(b *testing.B) {
	for _, records := range []int{0, 10_000} {
		b.Run(fmt.Sprintf("records=%d", records), func(b *testing.B) {
			dir := b.TempDir()
			fill(b, dir, records)
			for b.Loop() {
				s := open(b, dir)
				b.StopTimer()
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}

// BenchmarkRead is the time of one Get, and of a List of ten thousand.
func BenchmarkRead(b *testing.B) {
	dir := b.TempDir()
	fill(b, dir, 10_000)
	s := open(b, dir)
	b.Run("get", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Get(b.Context(), "call/7"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("list=10000", func(b *testing.B) {
		for b.Loop() {
			if all, err := s.List(b.Context(), "call"); err != nil || len(all) != 10_000 {
				b.Fatal(len(all), err)
			}
		}
	})
}

func fill(b *testing.B, dir string, records int) {
	s := open(b, dir)
	for i := 0; i < records; i += MaxChanges {
		var changes []Change
		for n := i; n < min(records, i+MaxChanges); n++ {
			changes = append(changes, Change{Key: fmt.Sprintf("call/%d", n), Value: make([]byte, 1024), Blind: true})
		}
		commit(b, s, changes...)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkScan is the time of one record in a pass over ten thousand.
func BenchmarkScan(b *testing.B) {
	const records = 10_000
	dir := b.TempDir()
	fill(b, dir, records)
	s := open(b, dir)
	for b.Loop() {
		n := 0
		if err := s.Scan(b.Context(), "call", func(Record, time.Time) error { n++; return nil }); err != nil || n != records {
			b.Fatalf("%d records, %v", n, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/records, "ns/record")
}

// BenchmarkQueue is the time of one item: put alone, put with fifteen others, and removed.
func BenchmarkQueue(b *testing.B) {
	q := openQueue(b, open(b, b.TempDir()), QueueConfig{Name: "bench", MaxBytes: 1 << 30, MaxAge: time.Hour})
	var ids int
	items := func(n int) []NewItem {
		out := make([]NewItem, n)
		for i := range out {
			ids++
			out[i] = NewItem{ID: fmt.Sprint(ids), Value: make([]byte, 600)}
		}
		return out
	}
	for _, n := range []int{1, 16} {
		b.Run(fmt.Sprintf("put=%d", n), func(b *testing.B) {
			for b.Loop() {
				for _, err := range q.Put(b.Context(), items(n)...) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
	b.Run("remove-before=100", func(b *testing.B) {
		q.Put(b.Context(), items(b.N*100)...)
		page, err := q.Page(b.Context(), 0, 1)
		if err != nil {
			b.Fatal(err)
		}
		b.ResetTimer()
		for i := range b.N {
			if err := q.RemoveBefore(b.Context(), page[0].Number+uint64(100*(i+1))); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("remove", func(b *testing.B) {
		q.Put(b.Context(), items(b.N)...)
		page, err := q.Page(b.Context(), 0, 1)
		if err != nil {
			b.Fatal(err)
		}
		b.ResetTimer()
		for i := range b.N {
			if err := q.Remove(b.Context(), page[0].Number+uint64(i)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
