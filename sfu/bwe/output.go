package bwe

import (
	"math"
	"time"
)

// Reason is why the target is not higher.
type Reason uint8

// The reasons.
const (
	Starting    Reason = iota // nothing is known yet
	Searching                 // it grows
	Application               // there is not more to send
	Delay                     // a queue grew or stands
	Loss                      // losses grow with the rate
	Silence                   // feedback has stopped
	Ceiling                   // Config.Max
)

var reasons = [...]string{"starting", "searching", "application", "delay", "loss", "silence", "ceiling"}

// String is the reason's name, of a small closed set.
func (r Reason) String() string {
	if int(r) < len(reasons) {
		return reasons[r]
	}
	return "unknown"
}

// State is the estimator's view, for statistics.
type State struct {
	Target       Rate
	Pacing       Rate
	Acknowledged Rate // what arrives
	Capacity     Rate // what the path carried when it was full; 0 when unknown
	Reason       Reason

	Overusing          bool // a queue grows
	ApplicationLimited bool
	Probing            bool

	Queue    time.Duration // how long packets wait on the path
	RTT      time.Duration
	Loss     float64 // share of packets lost of late, 0 to 1
	Inherent float64 // of it what the path loses whatever is sent
}

// target is the rate within all bounds.
func (e *Estimator) target() float64 {
	return clamp(min(e.control.target, e.losses.limit), float64(e.cfg.Min), float64(e.cfg.Max))
}

// Target is what may be sent in all, audio, video, retransmissions and what pads them included.
func (e *Estimator) Target() Rate { return Rate(e.target()) }

// Sustained is what to choose by what is sent for longer: what the path has been seen to carry, once it has been full, and that also
// in the moments in which the target is lower because a queue is emptied.
func (e *Estimator) Sustained() Rate {
	c := &e.control
	rate := c.target
	switch {
	case e.off.has(sustainPart):
	case c.draining:
		rate = max(rate, resumeShare*min(c.carried, c.fullest))
	case c.shown > 0:
		rate = min(rate, c.shown)
	}
	return Rate(clamp(min(rate, e.losses.limit), float64(e.cfg.Min), float64(e.cfg.Max)))
}

// Pacing is the rate at which packets may follow each other: somewhat more than the target, or as fast as trains have been seen to come
// through at once.
func (e *Estimator) Pacing() Rate {
	if e.tight() || e.losses.steady > lossRoom {
		return Rate(paceTight * e.target())
	}
	target := e.target()
	pacing := target * (paceFactor + (paceFast-paceFactor)*clamp((target-paceSlow)/(paceLarge-paceSlow), 0, 1))
	if e.trend.state != over && e.queue.length() < passageQueue && !e.off.has(passagePart) {
		pacing = max(pacing, e.passage.rate())
	}
	return Rate(pacing)
}

// tight says whether a queue is being emptied, or has just been.
func (e *Estimator) tight() bool {
	c := &e.control
	return c.draining || c.grownAt < c.tightUntil && !e.off.has(tightPart)
}

// Heard says whether there has been any feedback from the present path.
func (e *Estimator) Heard() bool { return e.heard > 0 }

// Bounded says whether anything has shown yet that the present path carries no more than the target: a queue, losses, or a probe
// that came out slower than it went in. Until then the target only says how far anybody has looked.
func (e *Estimator) Bounded() bool {
	return e.full || e.control.cutAt > 0 || !math.IsInf(e.losses.limit, 1)
}

// Tick does what is due without feedback.
func (e *Estimator) Tick(now time.Time) {
	at := e.since(now)
	e.limited.sent(at, 0, e.target())
	e.fallBack(at)
	e.advance(at)
}

// Deadline is when Tick has something to do; zero when only feedback has.
func (e *Estimator) Deadline() time.Time {
	var next time.Duration
	if e.unheard > 0 {
		next = max(e.unheard+e.patience(), e.silenced+silenceAgain)
	}
	if p := &e.prober; p.waiting && (next == 0 || p.until < next) {
		next = p.until
	}
	if next == 0 {
		return time.Time{}
	}
	return e.epoch.Add(next + time.Nanosecond)
}

// patience is how long feedback may be missing.
func (e *Estimator) patience() time.Duration {
	return min(max(silence, 3*e.interval), silenceMost) + e.rtt + e.behind + e.excused
}

// fallBack lowers the target when packets go out and no feedback comes back.
func (e *Estimator) fallBack(now time.Duration) {
	overdue := now - e.unheard - e.patience()
	if e.unheard == 0 || e.off.has(silencePart) || overdue <= 0 || now-e.silenced <= silenceAgain {
		return
	}
	if overdue > silenceAsked && e.spoken == 0 && e.excused == 0 {
		e.excused = min(overdue, silenceMost) + silenceAsked
		return
	}
	if e.spoken == 0 {
		e.spoken = e.control.target
	}
	e.silenced = now
	e.control.draining = false
	e.control.lower(now, max(e.control.target*silenceFactor, float64(e.cfg.Min)))
}

// hear notes that feedback came. When it ends a silence and little was lost meanwhile, only the feedback had been.
func (e *Estimator) hear(now time.Duration, reports []report) {
	if e.heard > 0 {
		e.interval += (min(now-e.heard, silenceMost) - e.interval) / 8
	}
	e.heard, e.unheard, e.excused = now, 0, 0
	if e.spoken == 0 {
		return
	}
	lost := 0
	for i := range reports {
		if reports[i].fate == missing {
			lost++
		}
	}
	if lost*10 <= len(reports) {
		e.control.target = max(e.control.target, e.spoken)
	}
	e.spoken = 0
	e.losses.forget() // what was lost meanwhile was not lost to its rate
	e.settled = e.reported + 1
}

// advance ends a probe, keeps the controller within bounds, and decides about the next probe.
func (e *Estimator) advance(now time.Duration) {
	c := &e.control
	if e.prober.over(now, e.reported) {
		if rate, full, ok := e.prober.finish(now, c.target); ok {
			e.full = e.full || full
			c.probed(now, rate, full, e.prober.tried == 1)
		}
	}
	c.target = clamp(c.target, float64(e.cfg.Min), float64(e.cfg.Max))
	if e.off.has(probePart) {
		return
	}
	most := float64(e.cfg.Max)
	if e.want > 0 {
		most = min(most, probeWanted*e.want)
		if e.prober.tried > 0 && e.target() >= e.want { // who gets all there is needs no more, and padding is work
			return
		}
	}
	if e.prober.decide(&situation{
		now: now, target: e.target(), most: most, cutAt: c.cutAt, before: c.before, climbed: c.climbed,
		calm: e.trend.state != over && !c.draining && e.queue.length() < probeQueue && !e.losses.rises() &&
			e.losses.limit >= c.target && (e.unheard == 0 || now-e.unheard < e.patience()),
	}) {
		c.climbed = false
	}
}

// Probe hands out a probe to send now; false when none is wanted.
func (e *Estimator) Probe(now time.Time) (Probe, bool) {
	if e.prober.ready.Cluster == 0 {
		return Probe{}, false
	}
	return e.prober.take(e.since(now), e.rtt), true
}

// State describes the estimate.
func (e *Estimator) State() State {
	return State{
		Target: e.Target(), Pacing: e.Pacing(), Acknowledged: Rate(e.rate(slowWindow)), Capacity: Rate(e.control.capacity.mean),
		Reason: e.reason(), Overusing: e.trend.state == over, ApplicationLimited: e.limited.is, Probing: e.prober.waiting,
		Queue: e.queue.length(), RTT: e.rtt, Loss: e.losses.average, Inherent: min(e.losses.inherent, e.losses.average),
	}
}

func (e *Estimator) reason() Reason {
	c := &e.control
	switch {
	case e.spoken > 0:
		return Silence
	case e.heard == 0:
		return Starting
	case e.losses.limit < c.target || e.losses.rises():
		return Loss
	case c.target >= float64(e.cfg.Max):
		return Ceiling
	case c.draining || e.trend.state == over:
		return Delay
	case e.limited.is:
		return Application
	case c.capacity.known():
		return Delay
	}
	return Searching
}
