package bwe

import (
	"math"
	"time"
)

// usage is what the way packets arrive says about the path.
type usage uint8

const (
	normal usage = iota
	under        // a queue becomes shorter
	over         // a queue grows
)

// Figures of draft-ietf-rmcat-gcc-02 §5.2–§5.4 and of "Analysis and Design of the Google Congestion Control for WebRTC"
// (Carlucci, De Cicco, Holmer, Mascolo 2016), as deployed in libwebrtc, which fits a line where the draft has a Kalman filter.
const (
	groupSpan  = 5 * time.Millisecond   // packets sent within it are one group (§5.2)
	burstSpan  = 5 * time.Millisecond   // groups that arrive within it of each other are one burst (§5.2)
	burstLimit = 100 * time.Millisecond // of a burst

	trendWindow    = 20  // groups on the line
	trendSmoothing = 0.9 // of the delay before the line is laid
	trendGain      = 4.0
	trendSamples   = 60 // groups after which the gain is full

	thresholdStart = 12.5 // ms, as all thresholds
	thresholdMin   = 6.0
	thresholdMax   = 600.0
	thresholdUp    = 0.0087 // per ms (§5.4)
	thresholdDown  = 0.039
	thresholdSpike = 15.0 // a trend so far above does not raise the threshold
	overFor        = 10 * time.Millisecond
)

// group is packets that were sent, or that arrived, in one burst.
type group struct {
	firstSent, lastSent       time.Duration
	firstArrived, lastArrived time.Duration
	packets                   int
}

// takes says whether a packet belongs to the group.
func (g *group) takes(sent, arrived time.Duration) bool {
	if sent-g.firstSent <= groupSpan {
		return true
	}
	later := arrived - g.lastArrived
	queued := later - (sent - g.lastSent)
	return queued < 0 && later <= burstSpan && arrived-g.firstArrived < burstLimit
}

// trend lays a line through the delays of the last groups and tells from its slope whether a queue grows.
type trend struct {
	now, before group

	delay, smooth float64 // ms, since the beginning
	epoch         time.Duration
	points        [trendWindow]point
	count         int

	slope     float64
	modified  float64 // slope with its gains, ms
	threshold float64
	updated   time.Duration
	overTime  time.Duration
	overCount int
	state     usage
}

type point struct{ x, y float64 } // ms

// arrived takes a packet: sent on our clock, arrived on the receiver's. Packets come in the order of sending; one that was sent
// before the present group is passed over.
func (t *trend) arrived(sent, arrived time.Duration) {
	g := &t.now
	switch {
	case g.packets == 0:
		*g = group{sent, sent, arrived, arrived, 1}
		return
	case sent < g.firstSent:
		return
	case g.takes(sent, arrived):
		g.lastSent = max(g.lastSent, sent)
		g.lastArrived = max(g.lastArrived, arrived)
		g.packets++
		return
	}
	if t.before.packets > 0 {
		t.step(g.lastSent-t.before.lastSent, g.lastArrived-t.before.lastArrived, g.lastArrived)
	}
	t.before, t.now = t.now, group{sent, sent, arrived, arrived, 1}
}

// cut makes the next packet the first of a group that is compared with none before it.
func (t *trend) cut() { t.now, t.before = group{}, group{} }

// restart forgets all but the threshold.
func (t *trend) restart() { *t = trend{threshold: t.threshold} }

// step takes the differences between two groups.
func (t *trend) step(sent, arrived, at time.Duration) {
	if arrived < 0 { // the groups overtook each other
		return
	}
	if t.count == 0 {
		t.epoch = at
	}
	t.delay += ms(arrived - sent)
	t.smooth = trendSmoothing*t.smooth + (1-trendSmoothing)*t.delay
	t.points[t.count%trendWindow] = point{ms(at - t.epoch), t.smooth}
	t.count++
	before := t.slope
	if t.count >= trendWindow {
		if slope, ok := fit(t.points[:]); ok {
			t.slope = slope
		}
	}
	t.detect(sent, before, at)
}

// fit is the slope of the line of least squares.
func fit(points []point) (slope float64, ok bool) {
	var sx, sy float64
	for _, p := range points {
		sx += p.x
		sy += p.y
	}
	n := float64(len(points))
	mx, my := sx/n, sy/n
	var num, den float64
	for _, p := range points {
		num += (p.x - mx) * (p.y - my)
		den += (p.x - mx) * (p.x - mx)
	}
	if den == 0 {
		return 0, false
	}
	return num / den, true
}

// detect compares the slope with the threshold and moves the threshold (§5.4).
func (t *trend) detect(sent time.Duration, before float64, at time.Duration) {
	if t.threshold == 0 {
		t.threshold = thresholdStart
	}
	t.modified = float64(min(t.count, trendSamples)) * t.slope * trendGain
	switch {
	case t.modified > t.threshold:
		if t.overCount == 0 {
			t.overTime = sent / 2 // it began somewhere between the groups
		} else {
			t.overTime += sent
		}
		t.overCount++
		if t.overTime > overFor && t.overCount > 1 && t.slope >= before {
			t.overTime, t.overCount = 0, 0
			t.state = over
		}
	case t.modified < -t.threshold:
		t.overTime, t.overCount = 0, 0
		t.state = under
	default:
		t.overTime, t.overCount = 0, 0
		t.state = normal
	}
	t.adapt(at)
}

func (t *trend) adapt(at time.Duration) {
	size := math.Abs(t.modified)
	passed := ms(min(max(at-t.updated, 0), 100*time.Millisecond))
	t.updated = at
	if size > t.threshold+thresholdSpike {
		return
	}
	k := thresholdUp
	if size < t.threshold {
		k = thresholdDown
	}
	t.threshold = clamp(t.threshold+k*(size-t.threshold)*passed, thresholdMin, thresholdMax)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func clamp(v, low, high float64) float64 { return min(max(v, low), high) }
