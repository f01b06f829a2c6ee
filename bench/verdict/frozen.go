package verdict

import "time"

// Picture is what the screen showed between two moments.
type Picture struct {
	Frames  int           // shown
	Freezes int           //
	Frozen  time.Duration // of all freezes
	Share   float64       // of the time that it was frozen
	Longest time.Duration // between two frames
	Height  float64       // of the frames shown, on average, in pixels
}

// averaged is how many frames the usual distance is taken from.
const averaged = 30

// freezeAfter is when a picture that does not change counts as frozen, after its usual distance: three times that, or 150 ms more
// (W3C webrtc-stats, freezeCount).
func freezeAfter(usual time.Duration) time.Duration { return max(3*usual, usual+150*time.Millisecond) }

// Screen judges what was shown in [from, to). A freeze lasts from one frame to the next, as in freezeCount and
// totalFreezesDuration of a browser; unlike there, one that has not ended counts as well.
func Screen(shown []Shown, from, to time.Time) Picture {
	var p Picture
	last := from
	var gaps []time.Duration
	judge := func(until time.Time) {
		gap := until.Sub(last)
		p.Longest = max(p.Longest, gap)
		if gap > freezeAfter(mean(gaps)) {
			p.Freezes++
			p.Frozen += gap
		}
	}
	for _, s := range shown {
		if s.At.Before(from) {
			continue
		}
		if !s.At.Before(to) {
			break
		}
		judge(s.At)
		if gaps = append(gaps, s.At.Sub(last)); len(gaps) > averaged {
			gaps = gaps[1:]
		}
		last = s.At
		p.Frames++
		p.Height += (float64(s.Height) - p.Height) / float64(p.Frames)
	}
	judge(to)
	if to.After(from) {
		p.Share = p.Frozen.Seconds() / to.Sub(from).Seconds()
	}
	return p
}

// mean is that of some distances; where there are none, that of thirty frames a second.
func mean(gaps []time.Duration) time.Duration {
	if len(gaps) == 0 {
		return time.Second / averaged
	}
	var sum time.Duration
	for _, g := range gaps {
		sum += g
	}
	return sum / time.Duration(len(gaps))
}

// LiveAgain is when a picture was shown that is younger than a moment; false when there was none.
func LiveAgain(shown []Shown, since time.Time) (time.Time, bool) {
	for _, s := range shown {
		if s.Captured.After(since) {
			return s.At, true
		}
	}
	return time.Time{}, false
}
