package signaling

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// allow takes one token of limit, or says how long to wait for it.
func allow(limit *rate.Limiter, now time.Time) (retryAfter time.Duration, ok bool) {
	r := limit.ReserveN(now, 1)
	if delay := r.DelayFrom(now); delay > 0 {
		r.CancelAt(now)
		return delay, false
	}
	return 0, true
}

// limits holds the rates that belong to a user and not to a connection: they outlast reconnecting.
type limits struct {
	// Set at construction.
	rate  rate.Limit
	burst int

	// Guarded by mu.
	mu    sync.Mutex
	users map[string]*rate.Limiter
	swept time.Time
}

func newLimits(perSecond float64, burst int) *limits {
	return &limits{rate: rate.Limit(perSecond), burst: burst, users: map[string]*rate.Limiter{}}
}

// user returns the limiter that all connections and REST requests of uid share.
func (l *limits) user(now time.Time, uid string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.swept) > time.Minute {
		l.swept = now
		for uid, limit := range l.users {
			if limit.TokensAt(now) >= float64(l.burst) { // full again: a new one would be the same
				delete(l.users, uid)
			}
		}
	}
	limit := l.users[uid]
	if limit == nil {
		limit = rate.NewLimiter(l.rate, l.burst)
		l.users[uid] = limit
	}
	return limit
}
