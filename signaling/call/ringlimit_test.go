package call

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestRingLimitLetsSixThroughInAMinute(t *testing.T) {
	var l RingLimit
	for i := range 6 {
		if err := l.Ring(start.Add(time.Duration(i)*time.Second), "alice", "bob"); err != nil {
			t.Fatalf("ring %d: %v", i, err)
		}
	}
	var refusal *Error
	if err := l.Ring(start.Add(6*time.Second), "alice", "bob"); !errors.As(err, &refusal) || refusal.Code != CodeTooManyRings {
		t.Fatalf("the seventh ring: %v", err)
	}
	if refusal.RetryAfter != 54*time.Second {
		t.Errorf("retry after %v, want 54s", refusal.RetryAfter)
	}
	if err := l.Ring(start.Add(6*time.Second), "alice", "carol"); err != nil {
		t.Errorf("another receiver: %v", err)
	}
	if err := l.Ring(start.Add(6*time.Second), "bob", "alice"); err != nil {
		t.Errorf("the way back: %v", err)
	}
	if err := l.Ring(start.Add(time.Minute-1), "alice", "bob"); err == nil {
		t.Error("the window ended early")
	}
	if err := l.Ring(start.Add(time.Minute), "alice", "bob"); err != nil {
		t.Errorf("after the time it named: %v", err)
	}
	if err := l.Ring(start.Add(time.Minute), "alice", "bob"); err == nil {
		t.Error("the window slides by one ring at a time, not all at once")
	}
}

func TestRingLimitIsConfigurable(t *testing.T) {
	l := RingLimit{Max: 1, Window: time.Hour}
	if err := l.Ring(start, "alice", "bob"); err != nil {
		t.Fatal(err)
	}
	var refusal *Error
	if err := l.Ring(start.Add(time.Minute), "alice", "bob"); !errors.As(err, &refusal) || refusal.RetryAfter != 59*time.Minute {
		t.Fatalf("got %v", err)
	}
}

func TestRingLimitForgets(t *testing.T) {
	var l RingLimit
	for i := range 10_000 {
		now := start.Add(time.Duration(i) * time.Second)
		if err := l.Ring(now, fmt.Sprint("caller", i), "bob"); err != nil {
			t.Fatal(err)
		}
		if len(l.rings) > 121 {
			t.Fatalf("after %v it remembers %d callers", now.Sub(start), len(l.rings))
		}
	}
}
