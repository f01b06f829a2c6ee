package bwe

import "time"

// Figures of libwebrtc's detector of the application-limited region.
const (
	limitedShare  = 0.65 // of the target that counts as using it
	limitedWindow = 500 * time.Millisecond
	limitedEnter  = 0.8 // of the budget left: the path is not in use
	limitedLeave  = 0.5
)

// limited notices when there is less to send than the target allows. What arrives then says little of the path.
type limited struct {
	budget  float64 // bits that could have been sent and were not
	updated time.Duration
	is      bool
}

// sent takes bits that left and the target at that time.
func (l *limited) sent(now time.Duration, bits, target float64) {
	if now == l.updated { // of the same train
		l.budget -= bits
		return
	}
	share := limitedShare * target
	most := share * limitedWindow.Seconds()
	l.budget += share * min(max(now-l.updated, 0), time.Second).Seconds()
	l.budget = clamp(min(l.budget, most)-bits, -most, most)
	l.updated = max(l.updated, now)
	switch {
	case l.budget > limitedEnter*most:
		l.is = true
	case l.budget < limitedLeave*most:
		l.is = false
	}
}
