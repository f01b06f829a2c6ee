package sfu

import "testing"

// A queue that nobody empties refuses packets and never waits: its publisher does not notice a slow receiver.
func TestFullQueueRefuses(t *testing.T) {
	q := queue{limit: 100}
	for i := range 100 {
		if !q.push(item{media: &media{sequence: int64(i)}}) {
			t.Fatalf("packet %d was refused", i)
		}
	}
	if q.push(item{}) {
		t.Fatal("one more than the limit was taken")
	}
	var into [64]item
	for next := int64(0); next < 100; {
		n := q.pull(into[:])
		if n == 0 {
			t.Fatalf("%d packets are missing", 100-next)
		}
		for _, it := range into[:n] {
			if it.media.sequence != next {
				t.Fatalf("packet %d came when %d was due", it.media.sequence, next)
			}
			next++
		}
	}
	for i := range maxLost + 10 {
		if took := q.again(lost{sequence: uint16(i)}); took != (i < maxLost) {
			t.Fatalf("repetition %d: %v", i, took)
		}
	}
	if n := len(q.pullLost(nil)); n != maxLost {
		t.Errorf("%d repetitions, want %d", n, maxLost)
	}
}
