package quality

import (
	"math"
	"time"
)

const (
	full      = 148.0 // the largest fullband rating, G.107.2
	scale     = 1.48
	wholeLoss = 132.0 // the impairment by a loss of everything

	robustSingle = 10.4 // Bpl
	robustBurst  = 8.6
	bursty       = 2.0 // lost packets in a row, on average, from which on losses are bursts

	codecDelay  = 26500 * time.Microsecond
	leastBuffer = 20 * time.Millisecond
	// usualRate is what browsers send speech with.
	usualRate = 32_000
)

// opus is the impairment by the codec itself, by kbit/s.
var opus = [...]struct{ rate, impairment float64 }{
	{14, 38.1}, {16, 30.2}, {19, 23.8}, {22, 20.2}, {25, 20.2}, {28, 18.5}, {31, 16.8}, {34, 14.8}, {37, 12.1}, {40, 10.7},
}

// Audio is what is known of one sound.
type Audio struct {
	// Loss is the part of the packets that were lost, 0 to 1, retransmissions counted as received. When Concealed, it is the
	// part of the sound that the receiver made up, which is what it would lose after Redundancy.
	Loss      float64
	Concealed bool
	// Burst is how many packets are lost in a row on average; up to 2 losses count as single.
	Burst float64
	// Redundancy is how many later packets carry a copy of a frame: 1 with Opus FEC, with RED its distance.
	Redundancy int

	// RTT of the receiver's leg, and of the sender's; 0: unknown.
	RTT, FarRTT time.Duration
	Jitter      time.Duration
	// Buffer is the delay of the receiver's jitter buffer, 0 when it is not told.
	Buffer time.Duration
	// Rate is the bitrate in bits per second while somebody speaks; 0: unknown, DTX makes the mean meaningless.
	Rate int64
}

// R is the rating, 0 to 100.
func (a *Audio) R() float64 {
	r, _ := a.rate()
	return r
}

func (a *Audio) rate() (float64, Cause) {
	own := a.codec()
	loss := (wholeLoss - own) * a.lost()
	delay := delayImpairment(a.delay())
	r := min(100, max(0, (full-own-loss)/scale-delay))
	switch {
	case loss/scale < 1 && delay < 1:
		return r, None
	case loss/scale >= delay:
		return r, Loss
	}
	return r, Delay
}

// lost is p / (p + Bpl).
func (a *Audio) lost() float64 {
	p := clamp(a.Loss)
	if !a.Concealed {
		p = math.Pow(p, float64(1+max(0, a.Redundancy)))
	}
	robust := robustSingle
	if a.Burst > bursty {
		robust = robustBurst
	}
	return 100 * p / (100*p + robust)
}

// codec is Ie, between the rows in straight lines.
func (a *Audio) codec() float64 {
	rate := float64(a.Rate) / 1000
	if a.Rate <= 0 {
		rate = usualRate / 1000.0
	}
	last := opus[0]
	for _, row := range opus {
		if rate <= row.rate {
			if row == last {
				return row.impairment
			}
			return last.impairment + (row.impairment-last.impairment)*(rate-last.rate)/(row.rate-last.rate)
		}
		last = row
	}
	return last.impairment
}

// delay is from mouth to ear.
func (a *Audio) delay() time.Duration {
	buffer := a.Buffer
	if buffer <= 0 {
		buffer = leastBuffer + 2*max(0, a.Jitter)
	}
	return max(0, a.RTT)/2 + max(0, a.FarRTT)/2 + buffer + codecDelay
}

// delayImpairment is Idd.
func delayImpairment(delay time.Duration) float64 {
	const free = 100 * time.Millisecond
	if delay <= free {
		return 0
	}
	x := math.Log2(float64(delay) / float64(free))
	root := func(x float64) float64 { return math.Pow(1+math.Pow(x, 6), 1.0/6) }
	return 25 * (root(x) - 3*root(x/3) + 2)
}

// MOS is the mean opinion score that a rating stands for, 1 to 4.5.
func MOS(r float64) float64 {
	switch {
	case r <= 0 || math.IsNaN(r):
		return 1
	case r >= 100:
		return 4.5
	}
	return max(1, 1+0.035*r+7e-6*r*(r-60)*(100-r)) // The polynomial dips below 1 at R under 6.5.
}

// clamp bounds a part to 0 to 1; what is no number is none.
func clamp(x float64) float64 {
	if math.IsNaN(x) {
		return 0
	}
	return min(1, max(0, x))
}
