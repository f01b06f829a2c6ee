package call

import "time"

// RingLimit bounds how often one user may ring one receiver: at most Max calls in any Window. The zero value lets 6
// through in a minute. It is not safe for concurrent use. Its memory is bounded by the rings of two windows.
type RingLimit struct {
	Max    int           // 0: 6
	Window time.Duration // 0: one minute

	rings map[pair][]time.Time // newest last
	swept time.Time
}

type pair struct{ caller, receiver string }

// Ring counts a ring and returns nil, or refuses it with an *Error that says how long to wait. A refused ring does not
// count, so that waiting helps.
func (l *RingLimit) Ring(now time.Time, caller, receiver string) error {
	l.sweep(now)
	p := pair{caller, receiver}
	recent := l.recent(now, l.rings[p])
	if len(recent) >= l.max() {
		wait := recent[len(recent)-l.max()].Add(l.window()).Sub(now)
		return &Error{Code: CodeTooManyRings, Message: messages[CodeTooManyRings], RetryAfter: wait}
	}
	if l.rings == nil {
		l.rings = make(map[pair][]time.Time)
	}
	l.rings[p] = append(recent, now)
	return nil
}

// sweep forgets, once a window, everybody who has not rung in the last one.
func (l *RingLimit) sweep(now time.Time) {
	if now.Sub(l.swept) < l.window() {
		return
	}
	l.swept = now
	for p, at := range l.rings {
		if at = l.recent(now, at); len(at) == 0 {
			delete(l.rings, p)
		} else {
			l.rings[p] = at
		}
	}
}

func (l *RingLimit) recent(now time.Time, at []time.Time) []time.Time {
	for len(at) > 0 && now.Sub(at[0]) >= l.window() {
		at = at[1:]
	}
	return at
}

func (l *RingLimit) max() int {
	if l.Max == 0 {
		return 6
	}
	return l.Max
}

func (l *RingLimit) window() time.Duration {
	if l.Window == 0 {
		return time.Minute
	}
	return l.Window
}
