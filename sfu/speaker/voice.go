package speaker

import (
	"math"
	"time"
)

const (
	// silence is the level that stands for none, in dB below full scale.
	silence = 127
	// faint is what is loud at least: 55 dB below full scale.
	faint = silence - 55
	// rise is how far above its own noise a microphone must be, and span how much further it can get louder.
	rise = 10
	span = 20
	// emptyPayload is the largest payload without speech, in bytes.
	emptyPayload = 10

	// bytesAtSilence makes 20 bytes faint. With 40 dB for ten times the size, a frame twice as large is 12 dB louder.
	bytesAtSilence = 20

	// packetTime is how long a packet speaks for at most. What lies between packets beyond that is silence.
	packetTime = 120 * time.Millisecond
	// smooth is over how long the noise is averaged, attack and release how fast one becomes active, and ceases to be.
	smooth  = 100 * time.Millisecond
	attack  = 300 * time.Millisecond
	release = time.Second
	// spell is for how long a minimum counts; it is followed by a second one of the same length.
	spell = 4 * time.Second
	// breath is the longest pause inside one run of speech.
	breath = 300 * time.Millisecond
)

// Sound is what a packet says of itself.
type Sound struct {
	// Level is in -dBov, 0 (loudest) to 127 (silence), when HasLevel (RFC 6464 §3).
	Level    uint8
	HasLevel bool
	// Size is the length of the primary encoding in bytes, redundancy (RFC 2198) left out.
	Size int
}

// Voice is one microphone.
type Voice struct {
	id    uint64
	gone  bool
	muted bool
	on    bool

	heard    time.Time // the last packet
	spoke    time.Time // the last loud one
	began    time.Time // the first of this run of loud ones
	noise    noise
	activity float64 // 0 to 1, at heard
}

// Spoke is when the microphone was loud last; zero: never.
func (v *Voice) Spoke() time.Time { return v.spoke }

// hear takes a packet, and says whether it is loud.
func (v *Voice) hear(now time.Time, p Sound) bool {
	loudness := p.loudness()
	gap := time.Duration(0)
	if !v.heard.IsZero() {
		gap = max(0, now.Sub(v.heard))
	}
	if gap > packetTime {
		v.noise.take(now, 0, gap-packetTime)
		v.activity = toward(v.activity, 0, gap-packetTime, release)
		gap = packetTime
	}
	v.noise.take(now, loudness, gap)
	v.heard = now
	threshold := max(faint, v.noise.floor()+rise)
	if loudness < threshold {
		v.activity = toward(v.activity, 0, gap, release)
		return false
	}
	v.activity = toward(v.activity, min(1, (loudness-threshold+1)/span), gap, attack)
	if now.Sub(v.spoke) > breath {
		v.began = now
	}
	v.spoke = now
	return true
}

// activityAt is the activity now: it falls while nothing comes.
func (v *Voice) activityAt(now time.Time) float64 {
	if gap := now.Sub(v.heard); gap > packetTime {
		return toward(v.activity, 0, gap-packetTime, release)
	}
	return v.activity
}

// loudness is how many dB above silence a packet can be believed to be.
func (p Sound) loudness() float64 {
	switch {
	case p.Size <= emptyPayload:
		return 0
	case !p.HasLevel:
		return min(silence, bytesAtSilence+40*math.Log10(float64(p.Size)))
	}
	return float64(silence - min(p.Level, silence))
}

// toward moves x to a target with a time constant, for a step of any length.
func toward(x, target float64, step, constant time.Duration) float64 {
	return x + (target-x)*float64(step)/float64(step+constant)
}

// noise finds how quiet a microphone gets, in dB above silence: the smallest average of this spell and the one before.
type noise struct {
	average      float64
	since        time.Time
	best, before float64 // before is 0 in the first spell: nothing is held against a newcomer.
	measured     bool
}

func (n *noise) take(now time.Time, loudness float64, step time.Duration) {
	if step == 0 {
		n.average = max(n.average, loudness)
	} else {
		n.average = toward(n.average, loudness, step, smooth)
	}
	if now.Sub(n.since) >= spell {
		if n.measured {
			n.before = n.best
		}
		n.since, n.measured = now, false
	}
	if !n.measured || n.average < n.best {
		n.best, n.measured = n.average, true
	}
}

func (n *noise) floor() float64 {
	if !n.measured {
		return n.before
	}
	return min(n.best, n.before)
}
