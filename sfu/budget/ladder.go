package budget

import "math"

const (
	// enlarge is by how much a picture may be enlarged before a larger one is worth its bitrate.
	enlarge = 1.12
	// faster is by how much a frame rate may exceed the one wished for: they are measured.
	faster = 1.1
	// decentPixels are those of 640 × 360.
	decentPixels = 640 * 360
)

func (c *Choice) pixels() int { return c.Width * c.Height }

// covers says that c fills the slot without being enlarged, when fitted into it.
func (c *Choice) covers(w *Wish) bool {
	if c.pixels() == 0 || w.Width == 0 && w.Height == 0 {
		return false
	}
	return w.Width > 0 && float64(c.Width)*enlarge >= float64(w.Width) ||
		w.Height > 0 && float64(c.Height)*enlarge >= float64(w.Height)
}

// limits are the largest size and frame rate of use.
func limits(s *Subscription) (pixels int, rate float64) {
	pixels, rate = math.MaxInt, math.Inf(1)
	slowest := math.Inf(1)
	for i := range s.Choices {
		c := &s.Choices[i]
		if c.Rate <= 0 {
			continue
		}
		if c.covers(&s.Wish) {
			pixels = min(pixels, c.pixels())
		}
		slowest = min(slowest, c.FrameRate)
	}
	if s.Wish.FrameRate > 0 {
		rate = max(s.Wish.FrameRate*faster, slowest)
	}
	return pixels, rate
}

// climb appends to dst the choices of use, from the least to the best, each taking more bitrate than the one before. A
// better one that takes less makes a lesser one useless.
func climb(dst []int, s *Subscription) []int {
	if s.Wish.Paused || s.Wish.Hidden && s.Class != Audio {
		return dst
	}
	start := len(dst)
	pixels, rate := limits(s)
	for i := range s.Choices {
		c := &s.Choices[i]
		if c.Rate <= 0 || c.pixels() > pixels || c.FrameRate > rate {
			continue
		}
		for len(dst) > start && s.Choices[dst[len(dst)-1]].Rate >= c.Rate {
			dst = dst[:len(dst)-1]
		}
		dst = append(dst, i)
	}
	return dst
}

// decent is the rung that an important picture gets before others get any: for a screen the first in full size, since one
// cannot read the others. Where sizes are unknown it is the first.
func decent(s *Subscription, ladder []int) int {
	largest := 0
	for _, i := range ladder {
		largest = max(largest, s.Choices[i].pixels())
	}
	enough := largest
	if s.Class != Screen {
		enough = min(enough, decentPixels)
	}
	for rung, i := range ladder {
		if s.Choices[i].pixels() >= enough {
			return rung
		}
	}
	return 0
}
