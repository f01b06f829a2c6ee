package bwe

import (
	"cmp"
	"time"
)

const (
	// queueBase is how long a shortest delay counts; it is followed by a second one of the same length. Clocks that are
	// 100 ppm apart move 2 ms in both.
	queueBase = 10 * time.Second
	// queueRecent is how long a present delay counts: long enough to hold several packets, of which the fastest shows the queue
	// without the jitter.
	queueRecent = 50 * time.Millisecond
)

// queue tells how long packets wait on the path: how much the shortest delay of late is above the shortest of all. A line
// (trend) sees a queue grow; only this sees one that stands.
type queue struct {
	base, recent lowest[time.Duration]
}

// add takes a packet's delay between two clocks, which may be negative.
func (q *queue) add(arrived, delay time.Duration) {
	q.base.add(arrived, delay, queueBase)
	q.recent.add(arrived, delay, queueRecent)
}

// length is how long a packet waits at present.
func (q *queue) length() time.Duration {
	if !q.base.started {
		return 0
	}
	return q.recent.value() - q.base.value()
}

// rebase takes the present delay as that of an empty path.
func (q *queue) rebase() { q.base = q.recent }

// lowest is the lowest value of a window, kept as that of two halves.
type lowest[T cmp.Ordered] struct {
	now, before T
	since       time.Duration
	started     bool
}

func (l *lowest[T]) add(at time.Duration, value T, half time.Duration) {
	switch {
	case !l.started || at-l.since > 2*half:
		*l = lowest[T]{now: value, before: value, since: at, started: true}
	case at-l.since > half:
		l.before, l.now, l.since = l.now, value, at
	default:
		l.now = min(l.now, value)
	}
}

func (l *lowest[T]) value() T { return min(l.now, l.before) }
