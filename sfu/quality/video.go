package quality

import "math"

const (
	freezeDecay             = 8.0
	rateDecay, ratePower    = 3.1, 0.63
	pixelsDecay, pixelPower = 3.5, 0.74
)

// Video is what is known of one picture.
type Video struct {
	// Frozen is the part of the time that it stood still, 0 to 1. Browsers count a frame that was shown for three times as long
	// as usual, and at least 150 ms longer (freezeCount of webrtc-stats).
	Frozen float64
	// FrameRate that is shown, and the wanted one; wanted 0: unknown.
	FrameRate, WantedFrameRate float64
	// Pixels of a frame, and the wanted ones; wanted 0: unknown.
	Pixels, WantedPixels int
	// Paused says that it is not sent for want of bitrate. One that is not wanted is no part of a Direction.
	Paused bool
}

// Score is from 0 to 100.
func (v *Video) Score() float64 {
	score, _ := v.rate()
	return score
}

func (v *Video) rate() (score float64, cause Cause) {
	if v.Paused {
		return 0, Paused
	}
	parts := [...]struct {
		part  float64
		cause Cause
	}{
		{math.Exp(-freezeDecay * clamp(v.Frozen)), Freeze},
		{saturate(v.FrameRate, v.WantedFrameRate, rateDecay, ratePower), FrameRate},
		{saturate(float64(v.Pixels), float64(v.WantedPixels), pixelsDecay, pixelPower), Resolution},
	}
	score = 100
	least := 0.99
	for _, p := range parts {
		score *= p.part
		if p.part < least {
			least, cause = p.part, p.cause
		}
	}
	return score, cause
}

// saturate is how good a part of what is wanted is.
func saturate(have, wanted, decay, power float64) float64 {
	if !(wanted > 0) {
		return 1
	}
	return (1 - math.Exp(-decay*math.Pow(clamp(have/wanted), power))) / (1 - math.Exp(-decay))
}
