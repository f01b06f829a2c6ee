package sfu

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// alarm calls a function at the earliest time that anybody asked for, never twice at once. The times asked for are forgotten
// when it rings: the function asks for the next.
type alarm struct {
	// Set at construction.
	born    time.Time // times are counted from here, in nanoseconds
	stopped func()    // called once: the function does not run and will not any more

	next atomic.Int64 // written with mu held

	mu      sync.Mutex
	timer   *time.Timer
	ringing bool
	over    bool
}

// start sets the alarm for a time; the zero time is never.
func (a *alarm) start(at time.Time, ring, stopped func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.born, a.stopped = time.Now(), stopped
	a.timer = time.AfterFunc(time.Hour, func() {
		if a.begin() {
			defer a.end()
			ring()
		}
	})
	a.next.Store(math.MaxInt64)
	if at.IsZero() {
		a.timer.Stop()
		return
	}
	a.next.Store(a.count(at))
	a.timer.Reset(time.Until(at))
}

// count is a time as the alarm counts it.
func (a *alarm) count(at time.Time) int64 { return int64(at.Sub(a.born)) }

// by makes sure that the alarm rings at a time, or before.
func (a *alarm) by(at time.Time) {
	n := a.count(at)
	if n >= a.next.Load() {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if n >= a.next.Load() || a.over {
		return
	}
	a.next.Store(n)
	if !a.ringing {
		a.timer.Reset(time.Until(at))
	}
}

func (a *alarm) begin() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ringing || a.over {
		return false
	}
	a.ringing = true
	a.next.Store(math.MaxInt64)
	return true
}

func (a *alarm) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ringing = false
	if a.over {
		a.stopped()
		return
	}
	if next := a.next.Load(); next != math.MaxInt64 {
		a.timer.Reset(time.Until(a.born.Add(time.Duration(next))))
	}
}

// stop lets the alarm ring no more. It does not wait for the function, which may be the caller.
func (a *alarm) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over {
		return
	}
	a.over = true
	a.timer.Stop()
	if !a.ringing {
		a.stopped()
	}
}
